"""A log told in few words, for indicators that are worked out by hand."""

from __future__ import annotations

from typing import Any

from twin import events
from twin.log import Facts, Log

EMPTY = {"int": 0, "float": 0.0, "str": "", "bool": False}


class Tiny:
    """Facts of a run that begins at ``start_s``; fields that are not told are 0, False or empty."""

    def __init__(self, start_s: int = 0) -> None:
        self.log = Log()
        self.add(events.RunStarted, start_s, scenario="t", seed=1, city="c", traffic="meso")

    def add(self, kind: type[events.Fact], t_s: Any, /, **values: Any) -> Tiny:
        """Append facts of one kind: single values, or columns of one length."""
        fields = kind.__dataclass_fields__  # type: ignore[attr-defined]
        self.log.add(kind, t_s=t_s, **{**{n: EMPTY[str(f.type)] for n, f in fields.items()}, **values})
        return self

    def end(self, t_s: int) -> Facts:
        """End the run."""
        return self.add(events.RunEnded, t_s, reason="finished").log.close()

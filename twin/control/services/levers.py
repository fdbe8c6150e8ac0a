"""The named levers of the reform: all that differs between the office of before and today's (F34–F39).

Each lever changes the mechanism, never a time or a count by itself.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, fields, replace


@dataclass(frozen=True)
class Levers:
    """Which levers are on.

    ``one_window``: any window takes any item and the office hands papers on; without it an applicant goes to the
    counter of every department that takes part. ``scenes``: items of a theme are one application with one set of
    materials. ``licence_reuse``: licences that authorities issued are looked up, not handed in. ``parallel_review``:
    departments review side by side where the item allows it. ``remote``: service points, cloud hall, mobile hall,
    halls of other regions take papers in, other places are asked by the office, results online or by post.
    ``precheck``: an application is checked by rules before it is handed in.
    """

    one_window: bool = True
    scenes: bool = True
    licence_reuse: bool = True
    parallel_review: bool = True
    remote: bool = True
    precheck: bool = True

    def but(self, **changes: bool) -> Levers:
        """Return these levers with some changed; TypeError for a name that is none."""
        return replace(self, **changes)

    @property
    def on(self) -> tuple[str, ...]:
        """Names of the levers that are on."""
        return tuple(name for name, value in asdict(self).items() if value)


LEVERS: tuple[str, ...] = tuple(f.name for f in fields(Levers))
TODAY = Levers()
BEFORE = Levers(**dict.fromkeys(LEVERS, False))

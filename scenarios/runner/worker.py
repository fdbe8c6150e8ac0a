"""A process that runs jobs one after the other: ``python -m scenarios.runner.worker``; lines of JSON in, lines out.

It is a program, not a child of multiprocessing, which would run a user's script again in every worker. It has its own
session, so Ctrl-C on the terminal reaches the parent alone; when the parent is gone, its pipe breaks and it ends.
What anything prints goes to stderr; answers have a descriptor of their own.
"""

from __future__ import annotations

import json
import os
import sys
import time
import traceback
from typing import Any

TELL_EVERY_S = 0.5


class Line:
    """The way back to the parent."""

    def __init__(self) -> None:
        self._fd = os.dup(1)
        os.dup2(2, 1)
        self._told = 0.0

    def say(self, **what: Any) -> None:
        """Send one line; a parent that is gone ends this process."""
        try:
            data = (json.dumps(what, ensure_ascii=False) + "\n").encode()
            while data:
                data = data[os.write(self._fd, data) :]
        except OSError:
            os._exit(1)

    def progress(self, now_s: int, start_s: int, end_s: int, _: str = "") -> None:
        """Tell how far a run is, a few times a second at most."""
        now = time.monotonic()
        if now - self._told >= TELL_EVERY_S:
            self._told = now
            self.say(at=(now_s - start_s) / max(1, end_s - start_s))


def failure(error: BaseException) -> dict[str, Any]:
    """Return what to tell of an error: its kind (disk, input, bug), one sentence, the traceback of a bug."""
    from geo.errors import CityError
    from scenarios.runner.store import DISK
    from twin.errors import TwinError

    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, OSError) and cause.errno in DISK:
            return {"kind": "disk", "said": os.strerror(cause.errno)}
        cause = cause.__cause__ or cause.__context__
    if isinstance(error, TwinError | CityError):
        return {"kind": "input", "said": " ".join(str(error).split())}
    said = f"{type(error).__name__}: {error}"
    return {"kind": "bug", "said": " ".join(said.split())[:500], "trace": "".join(traceback.format_exception(error))}


def main() -> None:
    """Work until the parent has no more."""
    line = Line()
    from scenarios.runner.one import run_one

    line.say(ready=os.getpid())
    for text in sys.stdin:
        job = json.loads(text)
        try:
            done = run_one(job, line.progress)
        except KeyboardInterrupt:
            return
        except BaseException as error:
            line.say(failed=failure(error))
        else:
            line.say(done=done)


if __name__ == "__main__":
    main()

"""Time what journals cost, in a process of its own: prints processor seconds in journals, and of the whole run."""

from __future__ import annotations

import sys
import time
from pathlib import Path
from typing import Any


def main(out: Path) -> None:
    """Run the demo with every write of a journal timed."""
    from twin import hosts
    from twin.run_folder import prepare
    from twin.scenario import load_scenario
    from twin.simulation import run

    spent, write = [0.0], hosts.Journal.write

    def timed(self: Any, *args: Any) -> None:
        began = time.process_time()
        write(self, *args)
        spent[0] += time.process_time() - began

    hosts.Journal.write = timed  # type: ignore[method-assign, assignment]
    began = time.process_time()
    run(load_scenario("demo"), 1, prepare(out))
    print(spent[0], time.process_time() - began)


if __name__ == "__main__":
    main(Path(sys.argv[1]))

"""A worker with a planted bug: its number is in the seed (``python -m tests.verification.planted_worker 1``)."""

from __future__ import annotations

import sys

from scenarios.runner import worker
from twin import simulation


def main(index: int) -> None:
    """Work as :mod:`scenarios.runner.worker` does, each run under another seed than was asked for."""
    true = simulation.run
    simulation.run = lambda scenario, seed, *args, **more: true(scenario, seed + index, *args, **more)
    worker.main()


if __name__ == "__main__":
    main(int(sys.argv[1]))

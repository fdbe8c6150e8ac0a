"""Ctrl-C waits until a stretch of traffic is told: an interrupt in its middle would lose what happened."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager


class Patience:
    """Notes an interrupt during :meth:`waiting` and raises it when asked next."""

    def __init__(self) -> None:
        self._noted = False

    @contextmanager
    def waiting(self) -> Iterator[None]:
        """Note Ctrl-C instead of raising KeyboardInterrupt (main thread and Python's own handler only)."""
        usual = signal.default_int_handler
        if threading.current_thread() is not threading.main_thread() or signal.getsignal(signal.SIGINT) is not usual:
            yield
            return
        signal.signal(signal.SIGINT, self._note)
        try:
            yield
        finally:
            signal.signal(signal.SIGINT, usual)

    def _note(self, *_: object) -> None:
        self._noted = True

    def raise_noted(self) -> None:
        """Raise KeyboardInterrupt if one was noted."""
        if self._noted:
            self._noted = False
            raise KeyboardInterrupt

"""Ctrl-C waits until a stretch of traffic is told: an interrupt in its middle would lose what happened."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager


class Patience:
    """Notes an interrupt during :meth:`waiting` and raises it when asked next."""

    def __init__(self) -> None:
        self._noted = self._waits = False

    def begin(self) -> None:
        """Note Ctrl-C from now on instead of raising KeyboardInterrupt (main thread and Python's own handler only)."""
        if self._waits or threading.current_thread() is not threading.main_thread():
            return
        if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
            signal.signal(signal.SIGINT, self._note)
            self._waits = True

    def end(self) -> None:
        """Let Ctrl-C be Ctrl-C again; nothing happens where it is."""
        if self._waits:
            self._waits = False
            signal.signal(signal.SIGINT, signal.default_int_handler)

    @contextmanager
    def waiting(self) -> Iterator[None]:
        """From :meth:`begin` to :meth:`end`."""
        self.begin()
        try:
            yield
        finally:
            self.end()

    def _note(self, *_: object) -> None:
        self._noted = True

    def raise_noted(self) -> None:
        """Raise KeyboardInterrupt if one was noted."""
        if self._noted:
            self._noted = False
            raise KeyboardInterrupt

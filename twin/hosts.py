"""Where a controller lives: in this process, or in a replayed journal; and the journal that makes it restartable.

The host gives a controller its messages, checks what comes back against the contract, and writes both down
*before* a command goes out. A controller that is made anew and fed its journal is in the state it was in.
"""

from __future__ import annotations

import importlib
import json
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import IO

from twin.control.ports import Controller
from twin.domain.commands import Command, WakeAt
from twin.domain.messages import Message
from twin.domain.wire import decode, encode
from twin.errors import ControlError, ScenarioError

Factory = Callable[[], Controller]
_JSON = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"))


def find_factory(spec: str) -> Factory:
    """Return the factory that ``"pkg.module:Class"`` names; ScenarioError when there is none."""
    module_name, _, attribute = spec.partition(":")
    if not module_name or not attribute:
        raise ScenarioError(f"control: '{spec}' must look like 'package.module:Class'")
    try:
        module = importlib.import_module(module_name)
    except ImportError as error:
        raise ScenarioError(f"control: '{spec}': cannot import '{module_name}' ({error})") from None
    factory = getattr(module, attribute, None)
    if not callable(factory):
        raise ScenarioError(f"control: '{spec}': '{module_name}' has nothing callable named '{attribute}'")
    return factory  # type: ignore[no-any-return]


class Journal:
    """One line of JSON for every call of a controller: when, what it was told, what it answered."""

    def __init__(self, file: Path | None) -> None:
        self._out: IO[str] | None = file.open("w", encoding="utf-8") if file is not None else None

    def write(self, now_s: int, messages: Sequence[Message], commands: Sequence[Command]) -> None:
        """Append one call; it is on its way to the disk when this returns."""
        if self._out is None:
            return
        line = {
            "now_s": now_s,
            "messages": [encode(m) for m in messages],
            "commands": [encode(c) for c in commands],
        }
        self._out.write(_JSON.encode(line) + "\n")
        self._out.flush()

    def close(self) -> None:
        """Close the file."""
        if self._out is not None:
            self._out.close()
            self._out = None


def read_journal(file: Path) -> Iterator[tuple[int, list[Message], list[Command]]]:
    """Yield the calls of a journal in order; ScenarioError names a broken line."""
    with file.open(encoding="utf-8") as lines:
        for number, line in enumerate(lines, 1):
            try:
                data = json.loads(line)
                call = (
                    int(data["now_s"]),
                    [decode(m) for m in data["messages"]],
                    [decode(c) for c in data["commands"]],
                )
            except (ValueError, KeyError, TypeError) as error:
                raise ScenarioError(f"{file}: line {number} is not a journal line ({error})") from None
            yield call


class Host:
    """Runs one controller in this process: inbox, wake-ups, contract checks, journal, one effect per key."""

    def __init__(self, name: str, factory: Factory, journal: Path | None = None) -> None:
        self.name = name
        self._factory = factory
        self._controller = factory()
        if not callable(getattr(self._controller, "decide", None)):
            raise ControlError(f"controller '{name}': {type(self._controller).__name__} has no method 'decide'")
        self._journal = Journal(journal)
        self._inbox: list[Message] = []
        self._wakes: set[int] = set()
        self._done: set[str] = set()

    def tell(self, message: Message) -> None:
        """Put a message into the inbox."""
        self._inbox.append(message)

    def due(self, now_s: int) -> bool:
        """Return whether the controller must be called at this second: it has post, or asked to be woken."""
        return bool(self._inbox) or any(t <= now_s for t in self._wakes)

    def next_wake_s(self) -> int | None:
        """Return the next second the controller asked to be woken at."""
        return min(self._wakes, default=None)

    def decide(self, now_s: int) -> tuple[int, list[Command]]:
        """Call the controller; return how many messages it took and the commands that must have an effect."""
        messages, self._inbox = tuple(self._inbox), []
        self._wakes = {t for t in self._wakes if t > now_s}
        try:
            answer = self._controller.decide(now_s, messages)
        except Exception as error:
            raise ControlError(
                f"controller '{self.name}' failed at {now_s} s: {type(error).__name__}: {error}"
            ) from error
        commands = self._check(now_s, answer)
        self._journal.write(now_s, messages, commands)
        out: list[Command] = []
        for command in commands:
            if command.key in self._done:
                continue
            self._done.add(command.key)
            if isinstance(command, WakeAt):
                self._wakes.add(command.t_s)
            else:
                out.append(command)
        return len(messages), out

    def _check(self, now_s: int, answer: object) -> list[Command]:
        if not isinstance(answer, Sequence) or isinstance(answer, str | bytes):
            raise ControlError(
                f"controller '{self.name}' answered {type(answer).__name__} at {now_s} s;"
                " a sequence of commands is expected"
            )
        for command in answer:
            if not isinstance(command, Command):
                raise ControlError(
                    f"controller '{self.name}' answered {command!r} at {now_s} s;"
                    " only commands of twin.domain are allowed"
                )
            if isinstance(command, WakeAt) and command.t_s <= now_s:
                raise ControlError(
                    f"controller '{self.name}' asked at {now_s} s to be woken at {command.t_s} s;"
                    " only later seconds are allowed"
                )
        return list(answer)

    def restart(self, journal: Path) -> None:
        """Make the controller anew, as after a crash, and replay its journal into it."""
        self._controller = self._factory()
        self._wakes, self._done = set(), set()
        for now_s, messages, commands in read_journal(journal):
            self._controller.decide(now_s, messages)
            self._wakes = {t for t in self._wakes if t > now_s}
            for command in commands:
                self._done.add(command.key)
                if isinstance(command, WakeAt):
                    self._wakes.add(command.t_s)

    def close(self) -> None:
        """Complete the journal."""
        self._journal.close()

"""Where a controller lives: in this process, or in a replayed journal; and the journal that makes it restartable.

The host gives a controller its messages, checks what comes back against the contract, and writes both down
*before* a command goes out. A controller that is made anew and fed its journal is in the state it was in.
"""

from __future__ import annotations

import importlib
import json
import math
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

import numpy as np
import orjson

from twin.control.ports import Controller
from twin.domain.commands import Command, WakeAt
from twin.domain.messages import Message
from twin.domain.wire import MESSAGES, decode, encode, named
from twin.errors import AdapterError, ControlError, ScenarioError
from twin.remote import RemoteController, check_address, is_address

if TYPE_CHECKING:
    from twin.faults import Link

Factory = Callable[[], Controller]
_JSON = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"))
_FAST = orjson.OPT_SERIALIZE_NUMPY | orjson.OPT_APPEND_NEWLINE


def find_factory(spec: str) -> Factory:
    """Return the factory that ``"pkg.module:Class"`` or an address names; ScenarioError when there is none."""
    if is_address(spec):
        address = check_address(spec)
        return lambda: RemoteController(address)
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


#: messages of equal-length columns of numbers; a journal keeps them beside its lines, as Arrow record batches
COLUMNS: dict[str, tuple[str, ...]] = {"Readings": ("channel", "phenomenon_s", "result_s", "value", "quality")}


class Journal:
    """One line of JSON for every call of a controller: when, what it was told, what it answered.

    Readings are kept as columns: the next record batch of ``NAME.Readings.arrows`` beside the journal (Arrow IPC
    stream), of which the line says the number of rows.
    """

    def __init__(self, file: Path | None) -> None:
        self._out: IO[bytes] | None = None  # opened by the first call, so a run that never began leaves nothing open
        self.file = file
        self._columns: dict[str, _ColumnFile] = {}

    def write(self, now_s: int, messages: Sequence[Message], commands: Sequence[Command]) -> None:
        """Append one call; it is on its way to the disk when this returns."""
        if self.file is None:
            return
        if self._out is None:
            self._out = self.file.open("wb")
        told = [self._in_columns(m) or m for m in messages]
        self._out.write(_line(now_s, told, commands))
        self._out.flush()

    def _in_columns(self, message: Message) -> dict[str, Any] | None:
        """Write a message of columns beside the lines; return what the line says of it, or None: not of that kind."""
        name = type(message).__name__
        if name not in COLUMNS or self.file is None:
            return None
        if name not in self._columns:
            self._columns[name] = _ColumnFile(column_file(self.file, name), COLUMNS[name])
        rows = self._columns[name].write(message)
        return {"type": name, "t_s": message.t_s, "key": message.key, "rows": rows}

    def close(self) -> None:
        """Close the files; the journal of a desk that was never called is empty."""
        if self._out is not None:
            self._out.close()
        elif self.file is not None:
            self.file.touch()
        self._out = self.file = None
        for columns in self._columns.values():
            columns.close()
        self._columns = {}


def _line(now_s: int, told: Sequence[Message | dict[str, Any]], commands: Sequence[Command]) -> bytes:
    """Return a line of a journal: by orjson, which takes arrays as they are; by Python where there is an infinity."""
    messages = [m if isinstance(m, dict) else named(m) for m in told]
    answers = [named(c) for c in commands]
    if not any(_infinite(v) for item in (*messages, *answers) for v in item.values()):
        try:
            line = {"now_s": now_s, "messages": messages, "commands": answers}
            return orjson.dumps(line, default=_listed, option=_FAST)
        except TypeError:
            pass  # such as a whole number of more than 64 bits
    line = {
        "now_s": now_s,
        "messages": [m if isinstance(m, dict) else encode(m) for m in told],
        "commands": [encode(c) for c in commands],
    }
    return (_JSON.encode(line) + "\n").encode()


def _infinite(value: Any) -> bool:
    """Whether there may be something in it that JSON does not have: infinity, or a number that is none alone."""
    if isinstance(value, np.ndarray):
        return value.dtype.kind == "f" and value.size > 0 and bool(np.isinf(value).any())
    if isinstance(value, float | np.floating):
        return not math.isfinite(value)
    return isinstance(value, tuple) and any(_infinite(v) for v in value)


def _listed(value: Any) -> Any:
    """Return arrays that orjson does not write by itself (of strings, or not contiguous) as lists."""
    if isinstance(value, np.ndarray):
        return value.tolist()
    raise TypeError


def column_file(journal: Path, kind: str) -> Path:
    """Return the file of the columns of a kind of message beside a journal."""
    return journal.with_suffix(f".{kind}.arrows")


class _ColumnFile:
    """Messages of columns, one record batch each."""

    def __init__(self, file: Path, names: Sequence[str]) -> None:
        import pyarrow as pa

        self._pa, self._names = pa, tuple(names)
        self._out = file.open("wb")
        self._writer: Any = None

    def write(self, message: Message) -> int:
        """Append one message; return its number of rows."""
        pa = self._pa
        columns = [pa.array(getattr(message, name)) for name in self._names]
        batch = pa.record_batch(columns, names=list(self._names))
        if self._writer is None:
            options = pa.ipc.IpcWriteOptions(compression="zstd")
            self._writer = pa.ipc.new_stream(self._out, batch.schema, options=options)
        self._writer.write_batch(batch)
        self._out.flush()
        return int(batch.num_rows)

    def close(self) -> None:
        """Complete the file."""
        if self._writer is not None:
            self._writer.close()
        self._out.close()


class _ColumnReader:
    """Reads the messages of columns of a journal back, in order."""

    def __init__(self, journal: Path) -> None:
        self._journal = journal
        self._readers: dict[str, Any] = {}

    def decode(self, data: dict[str, Any]) -> Any:
        """Return the message of one entry of a line."""
        name = str(data.get("type"))
        if name not in COLUMNS or "rows" not in data:
            return decode(data)
        import pyarrow as pa

        if name not in self._readers:
            file = column_file(self._journal, name)
            if not file.is_file():
                raise ValueError(f"its columns are missing: {file.name}")
            self._readers[name] = pa.ipc.open_stream(file.read_bytes())
        try:
            batch = self._readers[name].read_next_batch()
        except (StopIteration, pa.ArrowInvalid, OSError):
            raise ValueError(f"its columns in {column_file(self._journal, name).name} end before it") from None
        if batch.num_rows != data["rows"]:
            raise ValueError(f"it has {data['rows']} rows, its columns {batch.num_rows}")
        columns = [batch.column(n).to_numpy(zero_copy_only=False).copy() for n in COLUMNS[name]]
        return MESSAGES[name](data["t_s"], data["key"], *columns)


def read_journal(file: Path) -> Iterator[tuple[int, list[Message], list[Command]]]:
    """Yield the calls of a journal in order; ScenarioError names a broken line."""
    columns = _ColumnReader(file)
    with file.open(encoding="utf-8") as lines:
        for number, line in enumerate(lines, 1):
            try:
                data = json.loads(line)
                call = (
                    int(data["now_s"]),
                    [columns.decode(m) for m in data["messages"]],
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
        self._kept = journal
        #: what faults make of it: a way of its messages, whether it is down, how slow it is, how wrong its clock
        self.link: Link | None = None
        self.down, self.slow_s, self.skew_s = False, 0, 0
        self.needs_flow = True  # whether what traffic tells must be known before it is woken

    def tell(self, message: Message) -> None:
        """Send the controller a message."""
        if self.link is None:
            self._inbox.append(message)
        else:
            self.link.tell(message)

    def receive(self, message: Message) -> None:
        """Put a message into the inbox: it has arrived."""
        self._inbox.append(message)

    def due(self, now_s: int) -> bool:
        """Return whether the controller must be called at this second: it has post, or asked to be woken."""
        if self.down:
            return False
        return bool(self._inbox) or any(t <= now_s + self.skew_s for t in self._wakes)

    def next_wake_s(self) -> int | None:
        """Return the next second the controller asked to be woken at."""
        first = min(self._wakes, default=None)
        return None if first is None else first - self.skew_s

    def decide(self, now_s: int) -> tuple[int, list[Command]]:
        """Call the controller; return how many messages it took and the commands that must have an effect."""
        now_s += self.skew_s
        messages, self._inbox = tuple(self._inbox), []
        self._wakes = {t for t in self._wakes if t > now_s}
        try:
            answer = self._controller.decide(now_s, messages)
        except AdapterError:
            raise  # a remote controller that is gone
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
            elif self.link is None or self.link.obeyed(command):
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

    def keep_journal(self, file: Path) -> None:
        """Write a journal into ``file`` from now on if there is none yet; before the first call only."""
        if self._kept is None:
            self._kept, self._journal = file, Journal(file)

    def restart(self, journal: Path | None = None) -> None:
        """Make the controller anew, as after a crash, and replay its journal (default: its own) into it.

        What waits in the inbox waits still. Raises ScenarioError where there is no journal.
        """
        file = journal if journal is not None else self._kept
        if file is None:
            raise ScenarioError(f"controller '{self.name}' keeps no journal to start again from")
        self._controller = self._factory()
        self._wakes, self._done = set(), set()
        for now_s, messages, commands in read_journal(file):
            self._controller.decide(now_s, messages)
            self._wakes = {t for t in self._wakes if t > now_s}
            for command in commands:
                self._done.add(command.key)
                if isinstance(command, WakeAt):
                    self._wakes.add(command.t_s)

    def replace(self, factory: Factory) -> int | None:
        """Put another controller in place of this one, and tell it all that this one was told.

        What it would have answered has no effect, except when it wants to be woken; returns the next such second.
        Raises ScenarioError where there is no journal.
        """
        if self._kept is None:
            raise ScenarioError(f"controller '{self.name}' keeps no journal to tell another one from")
        self._factory, self._controller, self._wakes = factory, factory(), set()
        for now_s, messages, _ in read_journal(self._kept):
            try:
                answer = self._check(now_s, self._controller.decide(now_s, messages))
            except Exception as error:
                raise ControlError(f"controller '{self.name}' failed at {now_s} s, told the past: {error}") from error
            self._wakes = {t for t in self._wakes if t > now_s}
            self._wakes |= {c.t_s for c in answer if isinstance(c, WakeAt)}
        return self.next_wake_s()

    def moved(self, journal: Path) -> None:
        """Take note that the journal is another file from now on: a copy, which a branch of the run goes on with."""
        if self._kept is not None:
            self._kept = self._journal.file = journal

    def close(self) -> None:
        """Complete the journal."""
        self._journal.close()

"""The one log: append facts as columns, flush to Parquet, read back, digest.

Rows are ordered by second and, within a second, by the order of appending. At every checkpoint the rows before
the present second are sealed: sorted, hashed, and written as one row group, so that a run that is
interrupted leaves a readable file. The digest depends on the facts alone, not on how often the log was sealed.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from twin.errors import ScenarioError
from twin.events import Fact, columns, kinds

_ARROW: dict[type, pa.DataType] = {
    int: pa.int64(),
    float: pa.float64(),
    bool: pa.bool_(),
    str: pa.dictionary(pa.int32(), pa.string()),
}
_NUMPY: dict[type, Any] = {int: np.int64, float: np.float64, bool: np.bool_, str: object}
#: what counts as a single value of a field; one fact of such values alone is kept as it is until it is sealed
_SINGLE: dict[type, frozenset[type]] = {
    int: frozenset((int, np.int64, np.int32)),
    float: frozenset((float, int, np.float64, np.int64)),
    bool: frozenset((bool, np.bool_)),
    str: frozenset((str,)),
}


def schema() -> pa.Schema:
    """Return the Arrow schema of ``events.parquet``: t_s, fact, then every field of every kind."""
    return _schema(tuple(columns().items()))


@cache
def _schema(of: tuple[tuple[str, type], ...]) -> pa.Schema:
    cols = [pa.field("t_s", pa.int32()), pa.field("fact", _ARROW[str])]
    return pa.schema(cols + [pa.field(name, _ARROW[t]) for name, t in of])


PART_ROWS = 50_000  # facts that are worth a part of the file of their own
_EMPTY = hashlib.blake2b(digest_size=16).digest()


@dataclass
class _Chunk:
    """Facts of one kind: their numbers in the order of appending, when they happened, their fields."""

    seq: npt.NDArray[np.int64]
    t_s: npt.NDArray[np.int64]
    values: dict[str, Any]


class Log:
    """Append-only. ``path`` is the Parquet file to write, or None to keep the facts in memory only.

    ``part_rows``: so many facts at least wait for being sealed together.
    """

    def __init__(self, path: Path | None = None, part_rows: int = PART_ROWS) -> None:
        self._part_rows = part_rows
        self._schema = schema()
        self._types = columns()
        self._fields = {
            name: tuple(kind.__dataclass_fields__)  # type: ignore[attr-defined]
            for name, kind in kinds().items()
        }
        self._names = {name: frozenset(fields) for name, fields in self._fields.items()}
        self._single = {
            name: tuple((f, _SINGLE[self._types[f]]) for f in fields) for name, fields in self._fields.items()
        }
        self._rank = {name: i for i, name in enumerate(self._fields)}
        self._open: dict[str, list[_Chunk]] = {}
        self._rows: dict[str, list[tuple[Any, ...]]] = {}  # facts added one by one: number, t_s, fields
        self._seq = 0
        self._written = 0
        self._path = path
        self._writer = pq.ParquetWriter(path, self._schema, compression="zstd") if path else None
        self._sealed: list[pa.Table] = []
        self._hashes = {
            name: (hashlib.blake2b(digest_size=16), hashlib.blake2b(digest_size=16)) for name in self._schema.names
        }
        self._nulls = dict.fromkeys(self._schema.names, 0)
        self._blanks: dict[pa.DataType, pa.Array] = {}
        self.count = 0
        self.counts: dict[str, int] = dict.fromkeys(self._fields, 0)

    def add(self, fact: type[Fact], /, t_s: Any, **values: Any) -> None:
        """Append facts of one kind: ``t_s`` and each field are arrays of one length, or single values.

        A single value among arrays holds for all rows. A missing or unknown field is a TypeError.
        """
        name = fact.__name__
        if values.keys() != self._names[name]:
            wrong = sorted(values.keys() ^ self._names[name])
            raise TypeError(f"{name}: fields missing or unknown: {', '.join(wrong)}")
        if type(t_s) is int and all(type(values[f]) in known for f, known in self._single[name]):
            self._rows.setdefault(name, []).append((self._seq, t_s, *[values[f] for f in self._fields[name]]))
            self._seq += 1
            self.count += 1
            self.counts[name] += 1
            return
        t = np.atleast_1d(np.asarray(t_s, dtype=np.int64))
        n = t.size
        for v in values.values():
            if not isinstance(v, str) and np.ndim(v):
                n = max(n, len(v)) if t.size == 1 or len(v) == t.size else -1
                if n < 0:
                    raise TypeError(f"{name}: columns of different lengths")
        if (
            (t_s is not None and np.ndim(t_s) and t.size == 0)
            or n == 0
            or any(not isinstance(v, str) and np.ndim(v) and len(v) == 0 for v in values.values())
        ):
            return
        full = {f: self._column(name, f, values[f], n) for f in self._fields[name]}
        if t.size == 1 and n > 1:
            t = np.repeat(t, n)
        self._open.setdefault(name, []).append(_Chunk(np.arange(self._seq, self._seq + n), t, full))
        self._seq += n
        self.count += n
        self.counts[name] += n

    def _column(self, kind: str, field: str, value: Any, n: int) -> npt.NDArray[Any]:
        dtype = _NUMPY[self._types[field]]
        if dtype is object:
            if isinstance(value, str):
                out = np.empty(n, dtype=object)
                out[:] = value
                return out
            return np.asarray(value, dtype=object)
        a = np.asarray(value)
        if a.dtype == object or a.dtype.kind in "US":
            raise TypeError(f"{kind}.{field}: expected {self._types[field].__name__}, got {value!r}")
        a = a.astype(dtype)
        return np.repeat(a, n) if a.ndim == 0 else a

    def _gather(self) -> None:
        """Turn facts that were added one by one into columns."""
        for name, rows in self._rows.items():
            seq, t_s, *values = zip(*rows, strict=True)
            full: dict[str, Any] = {}
            for f, value in zip(self._fields[name], values, strict=True):
                full[f] = np.empty(len(rows), dtype=_NUMPY[self._types[f]])
                full[f][:] = value
            chunk = _Chunk(np.array(seq, dtype=np.int64), np.array(t_s, dtype=np.int64), full)
            self._open.setdefault(name, []).append(chunk)
        self._rows = {}

    def seal(self, before_s: int | None = None) -> None:
        """Seal all facts earlier than ``before_s`` (None: all): sort, hash, write.

        With ``before_s``, too few facts wait for more: a part has all columns, so it costs much however short it is.
        """
        if before_s is not None and self.count - self._written < self._part_rows:
            return
        self._gather()
        parts: list[tuple[str, Any, Any, dict[str, Any]]] = []
        for name in list(self._open):
            chunks = self._open.pop(name)
            t = np.concatenate([c.t_s for c in chunks])
            seq = np.concatenate([c.seq for c in chunks])
            cols = {f: np.concatenate([c.values[f] for c in chunks]) for f in self._fields[name]}
            if before_s is not None and (late := t >= before_s).any():
                self._open[name] = [_Chunk(seq[late], t[late], {f: v[late] for f, v in cols.items()})]
                go = ~late
                t, seq, cols = t[go], seq[go], {f: v[go] for f, v in cols.items()}
            if t.size:
                parts.append((name, t, seq, cols))
        if not parts:
            return
        self._write(sorted(parts, key=lambda p: self._rank[p[0]]))

    def _write(self, parts: list[tuple[str, Any, Any, dict[str, Any]]]) -> None:
        t = np.concatenate([p[1] for p in parts])
        seq = np.concatenate([p[2] for p in parts])
        self._written += t.size
        order = np.lexsort((seq, t))
        tables = []
        for name, _, _, cols in parts:
            n = next(iter(cols.values())).size if cols else 0
            arrays: dict[str, pa.Array] = {"fact": pa.array([name] * n).dictionary_encode()}
            for f, v in cols.items():
                arrays[f] = pa.array(v, type=pa.string() if v.dtype == object else None)
                if v.dtype == object:
                    arrays[f] = arrays[f].dictionary_encode()
            tables.append(pa.table(arrays))
        table = pa.concat_tables(tables, promote_options="default").combine_chunks()
        table = table.append_column("t_s", pa.array(t.astype(np.int32))).take(pa.array(order))
        used = frozenset(table.column_names)
        full = []
        for field in self._schema:
            if field.name in used:
                full.append(table[field.name].unify_dictionaries().cast(field.type))
            else:
                full.append(self._blank(field.type, table.num_rows))
        table = pa.table(full, schema=self._schema)
        self._hash(table, used)
        if self._writer is not None:
            self._writer.write_table(table)
        else:
            self._sealed.append(table)

    def _blank(self, kind: pa.DataType, n: int) -> pa.Array:
        """Return ``n`` nulls of a type: a piece of one array that is kept, for most columns of a part are empty."""
        kept = self._blanks.get(kind)
        if kept is None or len(kept) < n:
            kept = self._blanks[kind] = pa.nulls(max(n, 4096), kind)
        return kept.slice(0, n)

    def _hash(self, table: pa.Table, used: frozenset[str]) -> None:
        """Fold a sealed part into one running hash per column (dictionaries expanded first)."""
        n = table.num_rows
        for name in table.column_names:
            if name not in used or table[name].null_count == n:  # made up for when the column is used
                self._nulls[name] += n
                continue
            column = table[name].combine_chunks()
            if isinstance(column, pa.ChunkedArray):
                column = column.chunk(0)
            valid, content = self._hashes[name]
            valid.update(bytes(self._nulls[name]))
            self._nulls[name] = 0
            valid.update(pc.is_valid(column).to_numpy(zero_copy_only=False).tobytes())
            if pa.types.is_dictionary(column.type):
                text = pc.cast(column, pa.string()).drop_null().to_pylist()
                content.update("".join(f"{word}\0" for word in text).encode())
            else:
                content.update(np.ascontiguousarray(column.drop_null().to_numpy(zero_copy_only=False)).tobytes())

    @property
    def digest(self) -> str:
        """Return the hash of all sealed facts (32 hex digits)."""
        whole = hashlib.blake2b(digest_size=16)
        for name, (valid, content) in self._hashes.items():
            if content.digest() != _EMPTY:  # a field that nobody used yet changes no digest
                seen = valid.copy()
                seen.update(bytes(self._nulls[name]))
                whole.update(name.encode() + seen.digest() + content.digest())
        return whole.hexdigest()

    def moved(self, path: Path) -> None:
        """Take note that the file is another one from now on: a copy, which a branch of the run goes on with."""
        self._path = path

    def close(self) -> Facts:
        """Seal everything, complete the file, and return the facts for reading."""
        self.seal()
        if self._writer is not None:
            self._writer.close()
            self._writer = None
            return Facts(path=self._path)
        empty = self._schema.empty_table()
        return Facts(table=pa.concat_tables([empty, *self._sealed], promote_options="default"))


class Facts:
    """The facts of a finished run, for questions. Reads only the columns asked for."""

    def __init__(self, path: Path | None = None, table: pa.Table | None = None) -> None:
        self._path = path
        self._table = table

    @classmethod
    def read(cls, run_dir: str | Path) -> Facts:
        """Open the log of a run directory. Raises ScenarioError where there is none, or an unfinished one."""
        file = Path(run_dir) / "events.parquet"
        if not file.is_file():
            raise ScenarioError(f"{run_dir}: holds no run (no events.parquet)")
        try:
            pq.read_metadata(file)
        except pa.ArrowInvalid:
            raise ScenarioError(f"{file}: is not a complete log (its run did not end); run it again") from None
        return cls(path=file)

    def table(self, kind: type[Fact] | str | None = None, columns: Iterable[str] | None = None) -> pa.Table:
        """Return facts of one kind (None: all) as an Arrow table: t_s, then the kind's fields (or ``columns``)."""
        name = kind if isinstance(kind, str) or kind is None else kind.__name__
        if columns is not None:
            wanted = list(columns)
        elif name is None:
            wanted = self._all_columns()
        else:
            wanted = ["t_s", *kinds()[name].__dataclass_fields__]  # type: ignore[attr-defined]
        if self._table is not None:
            t = self._table if name is None else self._table.filter(pc.equal(self._table["fact"], name))
            return t.select(wanted)
        t = self._read([c for c in wanted if c in self._columns], name)
        for i, column in enumerate(wanted):  # a log of an earlier version has no column for what came later
            if column not in self._columns:
                t = t.add_column(i, column, pa.nulls(t.num_rows, schema().field(column).type))
        return t

    def _read(self, columns: list[str], name: str | None) -> pa.Table:
        """Read columns of the facts of one kind (None: all) from the file.

        Only from the parts that hold any, and by row: several times faster than a filter that compares words.
        """
        if name is None:
            return self._file.read(columns=columns)
        names, codes = self._kinds
        rows = np.flatnonzero(codes == names.index(name)) if name in names else np.empty(0, np.int64)
        meta = self._file.metadata
        size = np.array([meta.row_group(i).num_rows for i in range(meta.num_row_groups)], dtype=np.int64)
        first = np.concatenate([[0], np.cumsum(size)])
        group = np.searchsorted(first, rows, side="right") - 1
        wanted = np.unique(group)
        if wanted.size == 0:
            fields = self._file.schema_arrow
            return pa.table({c: pa.nulls(0, fields.field(c).type) for c in columns})
        begins = np.zeros(size.size, dtype=np.int64)
        begins[wanted] = np.cumsum(size[wanted]) - size[wanted]
        t = self._file.read_row_groups(wanted.tolist(), columns=columns)
        return t.take(pa.array(rows - first[group] + begins[group])).combine_chunks()

    @cached_property
    def _file(self) -> pq.ParquetFile:
        return pq.ParquetFile(self._path)

    @cached_property
    def _kinds(self) -> tuple[list[str], npt.NDArray[np.int32]]:
        """Names of the kinds of fact in the file, and for each row which it is."""
        column = self._file.read(columns=["fact"])["fact"].unify_dictionaries().combine_chunks()
        column = column.chunk(0) if isinstance(column, pa.ChunkedArray) else column
        return column.dictionary.to_pylist(), column.indices.to_numpy().astype(np.int32)

    @cached_property
    def _columns(self) -> frozenset[str]:
        """The columns that the file has."""
        return frozenset(self._file.schema_arrow.names)

    def _all_columns(self) -> list[str]:
        return list(schema().names)

    def frame(self, kind: type[Fact] | str) -> Any:
        """Return facts of one kind as a pandas DataFrame."""
        return self.table(kind).to_pandas()

    def sql(self, query: str) -> Any:
        """Ask a DuckDB question; the log is the table ``events``. Returns a pandas DataFrame."""
        import duckdb

        with duckdb.connect(":memory:") as db:
            db.register("events", self._table if self._table is not None else pq.read_table(self._path))
            return db.execute(query).fetch_df()

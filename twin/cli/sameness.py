"""Is a run the same as another? By digest, and where not, by the first fact that differs."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from twin.scenario import DAY_S, clock_text


def compare(old: Path, old_stamp: dict[str, Any], new: Path) -> tuple[bool, str]:
    """Return whether two run folders hold the same facts, and a sentence that says so or where they part.

    Of an interrupted run the facts before the second of the interruption are compared.
    """
    from twin.run_folder import read_stamp

    new_stamp = read_stamp(new)
    before_s: int | None = None
    if old_stamp.get("ended") == "interrupted":
        before_s = _last_second(old / "events.parquet")
    elif old_stamp["digest"] == new_stamp["digest"]:
        return True, f"Same: {int(new_stamp.get('facts', 0)):,} facts, digest {new_stamp['digest']}."
    where = first_difference(old / "events.parquet", new / "events.parquet", before_s)
    if where is None:
        if before_s is not None:
            return True, f"Same up to {_when(before_s)}, where the run was interrupted."
        return False, (
            f"Different: the stamp says digest {old_stamp['digest']}, the rerun has {new_stamp['digest']}, "
            "though the facts in both files are equal; the stamp or the log was changed."
        )
    return False, f"Different: {where}"


def first_difference(old: Path, new: Path, before_s: int | None = None) -> str | None:
    """Return a sentence that names the first fact at which two logs part; None if they are equal.

    Works column by column on whole arrays; ``before_s`` leaves out the facts from that second on.
    """
    import pyarrow.parquet as pq

    rows_old, rows_new = _rows_before(old, before_s), _rows_before(new, before_s)
    both = min(rows_old, rows_new)
    names = list(dict.fromkeys([*pq.read_schema(old).names, *pq.read_schema(new).names]))
    first = min((_first_unequal(old, new, name, both) for name in names), default=both)
    if first == both:
        if rows_old == rows_new:
            return None
        there, file = ("the first run", old) if rows_old > rows_new else ("the rerun", new)
        extra = _row(file, first, names)
        return f"fact {first + 1:,} at {_when(extra['t_s'])} ({extra['fact']}) is only in {there}."
    return _told(first + 1, _row(old, first, names), _row(new, first, names))


def _rows_before(file: Path, before_s: int | None) -> int:
    import numpy as np
    import pyarrow.parquet as pq

    if before_s is None:
        return int(pq.read_metadata(file).num_rows)
    t_s = pq.read_table(file, columns=["t_s"])["t_s"].to_numpy()
    return int(np.searchsorted(t_s, before_s))  # the log is ordered by second


def _column(file: Path, name: str, n: int) -> Any:
    import pyarrow as pa
    import pyarrow.parquet as pq

    if name not in pq.read_schema(file).names:
        return None
    column = pq.read_table(file, columns=[name])[name].slice(0, n)
    return column.cast(pa.string()) if pa.types.is_dictionary(column.type) else column


def _first_unequal(old: Path, new: Path, name: str, n: int) -> int:
    """Return the first of ``n`` rows in which a column differs (``n``: none); nan equals nan."""
    import numpy as np
    import pyarrow as pa
    import pyarrow.compute as pc

    a, b = _column(old, name, n), _column(new, name, n)
    if a is None or b is None:
        a = b = a if b is None else b  # a field that one version does not know: unequal where it is not null
        unequal = pc.is_valid(a).to_numpy()
    elif a.type != b.type:
        unequal = np.asarray([x != y for x, y in zip(a.to_pylist(), b.to_pylist(), strict=True)], dtype=bool)
    else:
        same = pc.fill_null(pc.equal(a, b), False)
        if pa.types.is_floating(a.type):
            same = pc.or_(same, pc.fill_null(pc.and_(pc.is_nan(a), pc.is_nan(b)), False))
        neither = pc.and_(pc.is_null(a), pc.is_null(b))
        unequal = ~pc.or_(same, neither).to_numpy()
    return int(unequal.argmax()) if unequal.any() else n


def _row(file: Path, i: int, names: list[str]) -> dict[str, Any]:
    """Return one fact without the fields that other kinds of fact have."""
    values = {name: column.slice(i, 1) for name in names if (column := _column(file, name, i + 1)) is not None}
    plain = {name: value.to_pylist()[0] for name, value in values.items()}
    return {name: value for name, value in plain.items() if value is not None}


def _told(n: int, x: dict[str, Any], y: dict[str, Any]) -> str:
    if (x["t_s"], x["fact"]) != (y["t_s"], y["fact"]):
        return f"fact {n:,} was {x['fact']} at {_when(x['t_s'])}; it is {y['fact']} at {_when(y['t_s'])}."
    keys = dict.fromkeys([*x, *y])
    parts = [f"{k} was {x.get(k)!r} and is {y.get(k)!r}" for k in keys if repr(x.get(k)) != repr(y.get(k))]
    who = ", ".join(f"{k} {x[k]}" for k in ("resident", "vehicle", "road") if x.get(k) is not None)
    return f"fact {n:,}, {x['fact']} at {_when(x['t_s'])} ({who or 'no entity'}): {'; '.join(parts)}."


def explain_inputs(old: dict[str, Any], new: dict[str, Any]) -> list[str]:
    """Return a sentence for each input that differs: versions, city."""
    out = []
    old_versions, new_versions = old.get("versions", {}), new.get("versions", {})
    for name in sorted({*old_versions, *new_versions}):
        a, b = old_versions.get(name, "absent"), new_versions.get(name, "absent")
        if a != b:
            out.append(f"  {name} was {a}, is {b}")
    a, b = old.get("city", {}).get("digest"), new.get("city", {}).get("digest")
    if a != b:
        out.append(f"  the city was {a}, is {b}")
    return out


def _last_second(file: Path) -> int:
    import pyarrow.compute as pc
    import pyarrow.parquet as pq

    return int(pc.max(pq.read_table(file, columns=["t_s"])["t_s"]).as_py() or 0)


def _when(t_s: int) -> str:
    day, of_day = divmod(int(t_s), DAY_S)
    return clock_text(of_day) if day == 0 else f"day {day + 1}, {clock_text(of_day)}"

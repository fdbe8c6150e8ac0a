"""Leaving out the warm-up: items that began before a second, and measurements taken before it.

A morning that starts with empty roads is a terminating run: its beginning is part of the question and nothing is cut
off by default. Whoever asks about the state after it gives a warm-up. A trip, vehicle, order or booking that was there
before its end is left out altogether – with its later facts, so that no end stands without its beginning – and so are
all other facts of the warm-up, except those of the first second, which say what the run is made of.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from twin.log import Facts

#: columns that number things which begin and end; a trip is numbered within its resident
ITEMS = ("vehicle", "order", "booking", "case")


def without_warm_up(facts: Facts, warm_up_s: int) -> Facts:
    """Return the facts as if counting had begun ``warm_up_s`` seconds after the run."""
    table = facts.table()
    t = table["t_s"].to_numpy()
    if t.size == 0 or warm_up_s <= 0:
        return facts
    kind = table["fact"].cast(pa.string())
    begun = pc.equal(kind, "RunStarted").to_numpy()
    start = int(t[begun][0]) if begun.any() else int(t.min())  # a fact or two may be of an earlier second
    early = t < start + warm_up_s
    lasting = pc.is_in(kind, pa.array(["RunStarted", "RunEnded", "WeatherChanged"])).to_numpy(zero_copy_only=False)
    keep = ~early | lasting | (t <= start)
    for name in ITEMS:
        if name in table.column_names:
            keep &= ~_begun(table[name], early, lasting)
    if "trip" in table.column_names:
        resident, trip = table["resident"].fill_null(-1).to_numpy(), table["trip"].fill_null(-1).to_numpy()
        item = np.where((resident >= 0) & (trip >= 0), resident * 1000 + trip, -1)
        began = np.unique(item[early & (item >= 0)])
        keep &= ~((item >= 0) & np.isin(item, began))
    return Facts(table=table.filter(pa.array(keep)))


def _begun(
    column: pa.ChunkedArray, early: npt.NDArray[np.bool_], lasting: npt.NDArray[np.bool_]
) -> npt.NDArray[np.bool_]:
    """Return which rows belong to an item that was there during the warm-up."""
    plain = column.combine_chunks()
    if isinstance(plain, pa.ChunkedArray):
        plain = plain.chunk(0) if plain.num_chunks else pa.array([], column.type)
    if pa.types.is_dictionary(plain.type):
        plain = plain.cast(pa.string())
    there = pc.is_valid(plain).to_numpy(zero_copy_only=False)
    if pa.types.is_integer(plain.type):
        there &= plain.fill_null(-1).to_numpy(zero_copy_only=False) > 0  # 0 and −1: none
    began = pc.unique(plain.filter(pa.array(early & there)))
    return np.asarray(pc.is_in(plain, began).to_numpy(zero_copy_only=False) & there & ~lasting)

"""Columns to compact bytes and back: variable-length integers in one gzipped, base64-coded container.

A page holds millions of small whole numbers (steps of seconds, metres, turns). Each column becomes a stream of
LEB128 variable-length integers (7 bits a byte, lowest first), of differences where the values grow; gzip then
takes out what repeats. The container is: 4 bytes little-endian length of a JSON header, the header, the streams.
``map_data.js`` reads the same format; :func:`unpack` reads it here, for tests and tools.
"""

from __future__ import annotations

import base64
import gzip
import json
from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

Ints = npt.NDArray[np.int64]
_MAX_BYTES = 8  # 56 bits: more than any vehicle number


def varint(values: npt.ArrayLike) -> bytes:
    """Return whole numbers ≥ 0 (below 2⁵⁶) as LEB128 bytes. Raises ValueError outside that range."""
    v = np.asarray(values, dtype=np.int64).ravel()
    if v.size == 0:
        return b""
    if v.min() < 0 or v.max() >= 1 << (7 * _MAX_BYTES):
        raise ValueError(f"varint holds 0..2^56-1, got {v.min()}..{v.max()}")
    length = np.ones(v.size, dtype=np.int64)
    rest = v >> 7
    while rest.any():
        length += rest > 0
        rest >>= 7
    end = np.cumsum(length)
    start = end - length
    out = np.empty(end[-1], dtype=np.uint8)
    for k in range(int(length.max())):
        who = length > k if k else slice(None)
        more = (length[who] > k + 1).astype(np.uint8) << 7
        out[start[who] + k] = ((v[who] >> (7 * k)) & 0x7F).astype(np.uint8) | more
    return out.tobytes()


def unvarint(data: bytes) -> Ints:
    """Return the whole numbers of a LEB128 stream."""
    b = np.frombuffer(data, dtype=np.uint8)
    if b.size == 0:
        return np.empty(0, dtype=np.int64)
    last = np.flatnonzero(b < 0x80)
    first = np.concatenate([[0], last[:-1] + 1])
    within = np.arange(b.size) - np.repeat(first, last - first + 1)
    part = (b & 0x7F).astype(np.int64) << (7 * within)
    return np.add.reduceat(part, first)


def wide(values: npt.ArrayLike) -> bytes:
    """Return whole numbers ≥ 0 as their count, all low bytes, then the rest as LEB128.

    Packs a tenth better than :func:`varint` where most values need two bytes, because like stands by like.
    """
    v = np.asarray(values, dtype=np.int64).ravel()
    return varint([v.size]) + (v & 0xFF).astype(np.uint8).tobytes() + varint(v >> 8)


def unwide(data: bytes) -> Ints:
    """Return the whole numbers of a :func:`wide` stream."""
    head = 1
    while data[head - 1] >= 0x80:
        head += 1
    n = int(unvarint(data[:head])[0])
    low = np.frombuffer(data[head : head + n], dtype=np.uint8).astype(np.int64)
    return low | (unvarint(data[head + n :]) << 8)


def zigzag(values: npt.ArrayLike) -> Ints:
    """Map signed whole numbers to ≥ 0, small magnitudes to small numbers: 0, −1, 1, −2 … → 0, 1, 2, 3 …."""
    v = np.asarray(values, dtype=np.int64)
    return (v << 1) ^ (v >> 63)


def unzigzag(values: npt.ArrayLike) -> Ints:
    """Undo :func:`zigzag`."""
    v = np.asarray(values, dtype=np.int64)
    return (v >> 1) ^ -(v & 1)


def steps(values: npt.ArrayLike) -> Ints:
    """Return the first value and then the differences (undone by a running sum)."""
    v = np.asarray(values, dtype=np.int64)
    return np.asarray(np.diff(v, prepend=np.int64(0)), dtype=np.int64)


def pack(meta: Mapping[str, Any], streams: Mapping[str, bytes], level: int = 6) -> str:
    """Return container text (gzip, base64) of JSON-able ``meta`` and named byte streams."""
    at, table = 0, {}
    for name, data in streams.items():
        table[name] = [at, len(data)]
        at += len(data)
    header = json.dumps({"meta": meta, "streams": table}, ensure_ascii=False, separators=(",", ":")).encode()
    raw = b"".join([len(header).to_bytes(4, "little"), header, *streams.values()])
    return base64.b64encode(gzip.compress(raw, level, mtime=0)).decode("ascii")


def unpack(text: str) -> tuple[dict[str, Any], dict[str, bytes]]:
    """Return (meta, streams) of container text."""
    raw = gzip.decompress(base64.b64decode(text))
    n = int.from_bytes(raw[:4], "little")
    header = json.loads(raw[4 : 4 + n])
    body = raw[4 + n :]
    return header["meta"], {name: body[a : a + size] for name, (a, size) in header["streams"].items()}

"""Given demand: the vehicles of somebody's SUMO route files, kept beside a city exactly as they were given.

Files beside the city's tables: ``given_routes.parquet`` (vehicle, id, type, depart_s, roads),
``given_stops.parquet`` (halts of those vehicles) and ``given_types.json``.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from geo.errors import CityError
from geo.network import Routes

if TYPE_CHECKING:
    from geo.city import City
    from geo.sumo_add import Additional

FILES = ("given_routes.parquet", "given_stops.parquet", "given_types.json")


@dataclass(frozen=True)
class GivenDemand:
    """Vehicles with their routes, in order of departure.

    vehicles: vehicle (int64, the row number), id (as in the route file), type, depart_s (whole seconds since
    midnight of the first day: the first second at which SUMO with 1 s steps would insert it), v_class, line
    ("" if none). ``routes[i]``: its road indices. stops: vehicle, road, pos_m, duration_s, until_s (-1 = none),
    place ("" or the id of a bus stop in ``City.places``). types: for each type SUMO's attributes (vClass,
    length, minGap, accel, decel, maxSpeed, sigma, tau, speedFactor, speedDev …). ``depart_lane``,
    ``depart_speed``, ``depart_pos``: what all vehicles say, or "" where they differ or say nothing.
    """

    vehicles: pd.DataFrame
    routes: Routes
    stops: pd.DataFrame
    types: dict[str, dict[str, Any]]
    depart_lane: str = ""
    depart_speed: str = ""
    depart_pos: str = ""
    notes: tuple[str, ...] = ()

    def __len__(self) -> int:
        return len(self.vehicles)

    @classmethod
    def read(cls, routes: Path | Sequence[Path], city: City, additional: Additional | None = None) -> GivenDemand:
        """Read SUMO route files for ``city``; ``additional`` brings vehicle types and stops.

        Trips without a route get the fastest one on empty roads, flows become single vehicles. Raises
        :class:`CityError` when a file is broken, or a vehicle uses an edge or a type that is not there.
        """
        from geo.given_read import read_given

        return read_given([routes] if isinstance(routes, Path) else list(routes), city, additional)

    def save(self, folder: str | Path) -> None:
        """Write the demand into a city's folder."""
        out = Path(folder)
        values, offsets = pa.array(self.routes.roads, pa.int32()), pa.array(self.routes.offsets, pa.int32())
        table = pa.Table.from_pandas(self.vehicles, preserve_index=False)
        table = table.append_column("roads", pa.ListArray.from_arrays(offsets, values))
        pq.write_table(table, out / FILES[0], compression="zstd")
        pq.write_table(pa.Table.from_pandas(self.stops, preserve_index=False), out / FILES[1], compression="zstd")
        meta = {
            "types": self.types,
            "depart_lane": self.depart_lane,
            "depart_speed": self.depart_speed,
            "depart_pos": self.depart_pos,
            "notes": list(self.notes),
        }
        (out / FILES[2]).write_text(json.dumps(meta, ensure_ascii=False, indent=1), encoding="utf-8")

    @classmethod
    def load(cls, folder: str | Path) -> GivenDemand | None:
        """Return the demand given with the city in ``folder``, or None where there is none."""
        path = Path(folder)
        if not (path / FILES[0]).is_file():
            return None
        try:
            table = pq.read_table(path / FILES[0])
            stops = pq.read_table(path / FILES[1]).to_pandas()
            meta = json.loads((path / FILES[2]).read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            raise CityError(f"{path}: the given demand is not readable ({error}); build the city anew") from None
        column = table.column("roads").combine_chunks()
        chunk: Any = column.chunk(0) if isinstance(column, pa.ChunkedArray) else column
        offsets = np.asarray(chunk.offsets, dtype=np.int64)
        roads = np.asarray(chunk.values, dtype=np.int32)
        vehicles = table.drop_columns(["roads"]).to_pandas()
        return cls(
            vehicles=vehicles,
            routes=Routes(roads, offsets, np.full(len(vehicles), np.nan)),
            stops=stops,
            types=meta["types"],
            depart_lane=meta["depart_lane"],
            depart_speed=meta["depart_speed"],
            depart_pos=meta["depart_pos"],
            notes=tuple(meta["notes"]),
        )

    @staticmethod
    def remove(folder: str | Path) -> None:
        """Delete the demand of an earlier build from ``folder``."""
        for name in FILES:
            (Path(folder) / name).unlink(missing_ok=True)

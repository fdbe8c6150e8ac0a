"""What a run looks like to other people's software: MDS 2 for the delivery robots, GTFS and GTFS-Realtime for buses.

Everything here reads a run folder (facts, stamp, positions) and the city it names, and nothing else. Each export is
checked against the published shape of its standard (:mod:`scenarios.exports.shapes` and the tables beside it) before
it is written; an export that breaks its standard is a fault of this package and is refused, named field by field.
"""

from __future__ import annotations

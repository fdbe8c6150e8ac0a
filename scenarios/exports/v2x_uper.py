"""V2X messages as the bytes that go over the air: UPER of CAM, DENM, SPATEM and MAPEM (extra ``v2x``: pycrate).

Objects stay inside (:mod:`twin.domain.v2x`); this is the edge. Modules: CAM of ETSI EN 302 637-2 V1.4 (``ITS_CAM_2``),
DENM of EN 302 637-3 V1.3 (``ITS_DENM_3``), SPATEM and MAPEM of TS 103 301 with ISO/TS 19091 (``ITS_IS``). What the
objects do not hold is sent as "unavailable". Positions go out in WGS-84, 0.1 µdeg; decoding gives what the bits
hold: positions within 1 cm, speeds within 1 cm/s, times within 0.1 s.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np

from twin.domain.v2x import EVENT_STATES, Mapem, Spatem
from twin.errors import ScenarioError

DEG = 10_000_000  # units of latitude and longitude per degree
_ELLIPSE = {"semiMajorConfidence": 4095, "semiMinorConfidence": 4095, "semiMajorOrientation": 3601}
_ALTITUDE = {"altitudeValue": 800001, "altitudeConfidence": "unavailable"}
_HOUR_MS = 3_600_000
_UNKNOWN_MARK = 36001  # TimeMark: not known
_LETTERS = {state: letter for letter, state in reversed(EVENT_STATES.items())}
#: likelyTime confidence of J2735: index → probability
CONFIDENCE = (21, 36, 47, 56, 62, 68, 73, 77, 81, 85, 88, 91, 94, 96, 98, 100)


@dataclass(frozen=True)
class Cam:
    """One cooperative awareness message, as in the rows of ``CamBatch``, with the place in degrees."""

    station: int
    generated_ms: int
    lat: float
    lon: float
    speed_m_s: float
    heading_deg: float
    length_m: float


@dataclass(frozen=True)
class Denm:
    """One notification, as in the rows of ``DenmBatch``, with the place in degrees. ``detected_ms``: TimestampIts."""

    station: int
    sequence: int
    detected_ms: int
    lat: float
    lon: float
    cause_code: int
    valid_s: int


@cache
def _module(name: str) -> Any:
    """Return the compiled type of a message. ScenarioError where the extra is not installed."""
    try:
        from pycrate_asn1dir import ITS_CAM_2, ITS_DENM_3, ITS_IS
    except ImportError:
        raise ScenarioError("UPER needs pycrate, which is not installed: pip install 'qibu-twin[v2x]'") from None
    return {
        "CAM": ITS_CAM_2.CAM_PDU_Descriptions.CAM,
        "DENM": ITS_DENM_3.DENM_PDU_Descriptions.DENM,
        "SPATEM": ITS_IS.SPATEM_PDU_Descriptions.SPATEM,
        "MAPEM": ITS_IS.MAPEM_PDU_Descriptions.MAPEM,
    }[name]


def _to_bytes(name: str, value: dict[str, Any]) -> bytes:
    kind = _module(name)
    try:
        kind.set_val(value)
        return bytes(kind.to_uper())
    except Exception as error:
        raise ScenarioError(f"a {name} does not hold this in UPER: {error}") from None


def _from_bytes(name: str, data: bytes) -> dict[str, Any]:
    kind = _module(name)
    try:
        kind.from_uper(data)
    except Exception as error:
        raise ScenarioError(f"{len(data)} bytes are not a {name} in UPER ({type(error).__name__})") from None
    value: dict[str, Any] = kind.get_val()
    return value


def _header(message: int, station: int) -> dict[str, int]:
    return {"protocolVersion": 2, "messageID": message, "stationID": station % 2**32}


# -- CAM -----------------------------------------------------------------------------------------------


def encode_cam(cam: Cam) -> bytes:
    """Return a CAM of a passenger car as UPER."""
    speed = min(max(round(cam.speed_m_s * 100), 0), 16382)
    high = {
        "heading": {"headingValue": round(cam.heading_deg * 10) % 3600, "headingConfidence": 127},
        "speed": {"speedValue": speed, "speedConfidence": 127},
        "driveDirection": "forward",
        "vehicleLength": {
            "vehicleLengthValue": min(max(round(cam.length_m * 10), 1), 1022),
            "vehicleLengthConfidenceIndication": "unavailable",
        },
        "vehicleWidth": 62,
        "longitudinalAcceleration": {"longitudinalAccelerationValue": 161, "longitudinalAccelerationConfidence": 102},
        "curvature": {"curvatureValue": 1023, "curvatureConfidence": "unavailable"},
        "curvatureCalculationMode": "unavailable",
        "yawRate": {"yawRateValue": 32767, "yawRateConfidence": "unavailable"},
    }
    place = {
        "latitude": round(cam.lat * DEG), "longitude": round(cam.lon * DEG), "positionConfidenceEllipse": _ELLIPSE,
        "altitude": _ALTITUDE,
    }  # fmt: skip
    parameters = {
        "basicContainer": {"stationType": 5, "referencePosition": place},
        "highFrequencyContainer": ("basicVehicleContainerHighFrequency", high),
    }
    body = {"generationDeltaTime": cam.generated_ms % 65536, "camParameters": parameters}
    return _to_bytes("CAM", {"header": _header(2, cam.station), "cam": body})


def decode_cam(data: bytes) -> Cam:
    """Return what a CAM holds; ``generated_ms`` modulo 65,536, as it is sent."""
    value = _from_bytes("CAM", data)
    parameters = value["cam"]["camParameters"]
    place, (_, high) = parameters["basicContainer"]["referencePosition"], parameters["highFrequencyContainer"]
    return Cam(
        value["header"]["stationID"], value["cam"]["generationDeltaTime"], place["latitude"] / DEG,
        place["longitude"] / DEG, high["speed"]["speedValue"] / 100, high["heading"]["headingValue"] / 10,
        high["vehicleLength"]["vehicleLengthValue"] / 10,
    )  # fmt: skip


# -- DENM ----------------------------------------------------------------------------------------------


def encode_denm(denm: Denm) -> bytes:
    """Return a DENM as UPER."""
    place = {
        "latitude": round(denm.lat * DEG), "longitude": round(denm.lon * DEG), "positionConfidenceEllipse": _ELLIPSE,
        "altitude": _ALTITUDE,
    }  # fmt: skip
    management = {
        "actionID": {"originatingStationID": denm.station % 2**32, "sequenceNumber": denm.sequence % 65536},
        "detectionTime": denm.detected_ms, "referenceTime": denm.detected_ms, "eventPosition": place,
        "relevanceDistance": "lessThan200m", "relevanceTrafficDirection": "upstreamTraffic",
        "validityDuration": denm.valid_s, "stationType": 15,
    }  # fmt: skip
    situation = {"informationQuality": 4, "eventType": {"causeCode": denm.cause_code, "subCauseCode": 0}}
    body = {"management": management, "situation": situation}
    return _to_bytes("DENM", {"header": _header(1, denm.station), "denm": body})


def decode_denm(data: bytes) -> Denm:
    """Return what a DENM holds."""
    body = _from_bytes("DENM", data)["denm"]
    m = body["management"]
    return Denm(
        m["actionID"]["originatingStationID"], m["actionID"]["sequenceNumber"], m["detectionTime"],
        m["eventPosition"]["latitude"] / DEG, m["eventPosition"]["longitude"] / DEG,
        body["situation"]["eventType"]["causeCode"], m.get("validityDuration", 600),
    )  # fmt: skip


# -- SPATEM and MAPEM --------------------------------------------------------------------------------------


def _mark(ms: float) -> int:
    """Return a TimeMark: tenths of a second of the hour."""
    return _UNKNOWN_MARK if math.isnan(ms) or math.isinf(ms) else round(ms / 100) % 36000


def encode_spatem(spat: Spatem) -> bytes:
    """Return a SPATEM of one intersection as UPER."""
    states = []
    for i, group in enumerate(spat.group.tolist()):
        level = np.searchsorted(CONFIDENCE, 100 * spat.confidence[i])
        timing = {
            "minEndTime": _mark(spat.min_end_ms[i]), "maxEndTime": _mark(spat.max_end_ms[i]),
            "likelyTime": _mark(spat.likely_ms[i]), "confidence": int(min(level, 15)),
        }  # fmt: skip
        event: dict[str, Any] = {"eventState": EVENT_STATES[spat.state[i]], "timing": timing}
        if not math.isnan(spat.speed_m_s[i]):
            event["speeds"] = [{"type": "greenwave", "speed": round(spat.speed_m_s[i] * 10)}]
        states.append({"signalGroup": group, "state-time-speed": [event]})
    minute, ms = divmod(spat.generated_ms, 60_000)
    intersection = {
        "name": spat.name[:63], "id": {"id": spat.intersection % 65536}, "revision": spat.revision % 128,
        "status": (0, 16), "moy": int(minute) % 527_040, "timeStamp": int(ms), "states": states,
    }  # fmt: skip
    return _to_bytes("SPATEM", {"header": _header(4, spat.intersection), "spat": {"intersections": [intersection]}})


def decode_spatem(data: bytes, hour_ms: int = 0) -> Spatem:
    """Return what a SPATEM of one intersection holds; marks are put into the hour that begins at ``hour_ms``.

    A mark that is earlier in the hour than the message belongs to the next one.
    """
    found = _from_bytes("SPATEM", data)["spat"]["intersections"][0]
    events = [s["state-time-speed"][0] for s in found["states"]]
    made_ms = (found["moy"] * 60_000 + found["timeStamp"]) % _HOUR_MS

    def mark(tenths: int) -> float:
        into_ms = tenths * 100.0
        return hour_ms + into_ms + (_HOUR_MS if into_ms < made_ms - 1000 else 0)

    def marks(name: str) -> Any:
        values = [e["timing"].get(name, _UNKNOWN_MARK) for e in events]
        return np.array([math.nan if v >= _UNKNOWN_MARK else mark(v) for v in values])

    return Spatem(
        hour_ms // 1000, f"spatem/{found['id']['id']}", found["id"]["id"], found.get("name", ""), found["revision"],
        found["moy"] * 60_000 + found["timeStamp"],
        np.array([s["signalGroup"] for s in found["states"]], dtype=np.int64),
        "".join(_LETTERS[e["eventState"]] for e in events), marks("minEndTime"), marks("maxEndTime"),
        marks("likelyTime"), np.array([CONFIDENCE[e["timing"].get("confidence", 0)] / 100 for e in events]),
        np.array([e["speeds"][0]["speed"] / 10 if "speeds" in e else math.nan for e in events]),
    )  # fmt: skip


def encode_mapem(told: Mapem) -> bytes:
    """Return a MAPEM of one intersection as UPER; points of lanes as offsets from one to the next, cm."""
    lanes = []
    for lane, approach, ingress in zip(told.lane.tolist(), told.approach.tolist(), told.ingress.tolist(), strict=True):
        at = told.node_lane == lane
        x, y = np.round(told.node_x_m[at] * 100).astype(int), np.round(told.node_y_m[at] * 100).astype(int)
        nodes = [
            {"delta": ("node-XY6", {"x": int(dx), "y": int(dy)})}
            for dx, dy in zip(np.diff(x, prepend=0), np.diff(y, prepend=0), strict=True)
        ]
        mine = np.flatnonzero(told.connect_lane == lane)
        entry: dict[str, Any] = {
            "laneID": lane,
            "ingressApproach" if ingress else "egressApproach": approach,
            "laneAttributes": {"directionalUse": (2 if ingress else 1, 2), "sharedWith": (0, 10),
                               "laneType": ("vehicle", (0, 8))},
            "nodeList": ("nodes", nodes),
        }  # fmt: skip
        if mine.size:
            entry["connectsTo"] = [
                {"connectingLane": {"lane": int(told.connect_to[i])}, "signalGroup": int(told.connect_group[i])}
                for i in mine.tolist()
            ]
        lanes.append(entry)
    intersection = {
        "name": told.name[:63], "id": {"id": told.intersection % 65536}, "revision": told.revision % 128,
        "refPoint": {"lat": round(told.lat * DEG), "long": round(told.lon * DEG)}, "laneSet": lanes,
    }  # fmt: skip
    body = {"msgIssueRevision": told.revision % 128, "intersections": [intersection]}
    return _to_bytes("MAPEM", {"header": _header(5, told.intersection), "map": body})


def decode_mapem(data: bytes) -> Mapem:
    """Return what a MAPEM of one intersection holds."""
    found = _from_bytes("MAPEM", data)["map"]["intersections"][0]
    lanes = found["laneSet"]
    node_lane: list[int] = []
    nodes: list[tuple[float, float]] = []
    connects: list[tuple[int, int, int]] = []
    for lane in lanes:
        x = y = 0
        for node in lane["nodeList"][1]:
            step = node["delta"][1]
            x, y = x + step["x"], y + step["y"]
            node_lane.append(lane["laneID"])
            nodes.append((x / 100, y / 100))
        for c in lane.get("connectsTo", []):
            connects.append((lane["laneID"], c["connectingLane"]["lane"], c["signalGroup"]))  # noqa: PERF401
    xy = np.array(nodes, dtype=np.float64).reshape(-1, 2)
    table = np.array(connects, dtype=np.int64).reshape(-1, 3)
    ways = [("ingressApproach" in lane, lane.get("ingressApproach", lane.get("egressApproach", 0))) for lane in lanes]
    return Mapem(
        0, f"mapem/{found['id']['id']}", found["id"]["id"], found.get("name", ""), found["revision"],
        found["refPoint"]["long"] / DEG, found["refPoint"]["lat"] / DEG,
        np.array([lane["laneID"] for lane in lanes], dtype=np.int64), np.array([w[1] for w in ways], dtype=np.int64),
        np.array([int(w[0]) for w in ways], dtype=np.int64), np.array(node_lane, dtype=np.int64), xy[:, 0], xy[:, 1],
        table[:, 0], table[:, 1], table[:, 2],
    )  # fmt: skip

"""Alerts as OASIS Common Alerting Protocol 1.2 (CAP), one document for each thing said about an alert.

``status`` is always ``Exercise``: an alert of a twin must never be taken for an actual one. A raised episode is an
``Alert``, what changes it an ``Update``, its end a ``Cancel``; both name in ``references`` what they change.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import datetime, timedelta, timezone
from xml.etree import ElementTree

from geo.city import City
from twin.domain.city_brain import RaiseAlert, ResolveAlert, UpdateAlert
from twin.domain.commands import Command

NAMESPACE = "urn:oasis:names:tc:emergency:cap:1.2"
SENDER = "city-brain@qibu-twin.invalid"  # RFC 2606: a name that can belong to nobody
LANGUAGE = "zh-CN"
ZONE = timezone(timedelta(hours=8))
_FORBIDDEN = re.compile(r"[\s,<&\x00-\x1f]")  # CAP 1.2, 3.2.1: not in identifier or sender
_UNPRINTABLE = re.compile(r"[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")  # XML 1.0, 2.2
_CATEGORY = {"fire": "Fire", "drown": "Rescue", "water": "Met", "flood": "Met", "silent": "Infra"}
_STATES = {
    "unknown": "设备失联，状态未知", "known": "设备恢复", "confirmed": "已核实", "members": "范围变化",
    "flapping": "反复告警", "inhibited": "被更高级告警抑制", "released": "解除抑制", "acknowledged": "已签收",
    "cleared": "已恢复", "expired": "已过期", "no data": "无数据", "rejected": "误报",
}  # fmt: skip
_INFO = ("language", "category", "event", "urgency", "severity", "certainty")


def documents(said: Iterable[tuple[int, Command]], midnight: datetime, city: City | None = None) -> list[str]:
    """Return CAP 1.2 documents for (second, command) in order of time; commands of other kinds are passed over.

    ``midnight``: of the run's first day (+08:00 when it has no zone); ``city``: turns metres into WGS-84, without it
    no circle is given. ValueError for an update of an alert that was never raised.
    """
    out: list[str] = []
    raised: dict[str, RaiseAlert] = {}
    last: dict[str, str] = {}  # episode → "sender,identifier,sent" of the last document
    for t_s, c in said:
        if not isinstance(c, RaiseAlert | UpdateAlert | ResolveAlert):
            continue
        episode = f"{c.alert}#{c.episode}"
        if isinstance(c, RaiseAlert):
            raised[episode] = c
        elif episode not in raised:
            raise ValueError(f"'{c.key}' refers to the alert '{episode}', which was never raised")
        sent = _time(midnight, t_s)
        identifier = _FORBIDDEN.sub("_", _text(c.key))
        out.append(_document(c, raised[episode], identifier, sent, last.get(episode, ""), midnight, city))
        last[episode] = f"{SENDER},{identifier},{sent}"
    return out


def _document(
    c: RaiseAlert | UpdateAlert | ResolveAlert, first: RaiseAlert, identifier: str, sent: str, references: str,
    midnight: datetime, city: City | None,
) -> str:  # fmt: skip
    kind = {RaiseAlert: "Alert", UpdateAlert: "Update", ResolveAlert: "Cancel"}[type(c)]
    ElementTree.register_namespace("", NAMESPACE)
    alert = ElementTree.Element(f"{{{NAMESPACE}}}alert")
    top = {
        "identifier": identifier, "sender": SENDER, "sent": sent, "status": "Exercise", "msgType": kind,
        "scope": "Public", "note": "数字孪生演练，非真实告警", "references": references,
    }  # fmt: skip
    _fill(alert, top)
    info = ElementTree.SubElement(alert, f"{{{NAMESPACE}}}info")
    what = c.what if isinstance(c, UpdateAlert) else c.reason if isinstance(c, ResolveAlert) else ""
    confirmed = isinstance(c, UpdateAlert) and c.what == "confirmed"
    certainty = "Unlikely" if what == "rejected" else "Observed" if confirmed else "Likely"
    category = next((word for part, word in _CATEGORY.items() if part in first.rule), "Safety")
    urgency = "Past" if isinstance(c, ResolveAlert) else "Immediate"
    event = first.text or first.rule
    _fill(info, dict(zip(_INFO, (LANGUAGE, category, event, urgency, first.severity, certainty), strict=True)))
    detail = getattr(c, "detail", "")
    described = "，".join(x for x in (event, _STATES.get(what, what), detail) if x)
    _fill(info, {"onset": _time(midnight, first.since_s), "headline": event[:160], "description": described})
    _parameter(info, "alert", first.alert)
    _parameter(info, "value", f"{first.value:g} {first.unit}".strip())
    area = ElementTree.SubElement(info, f"{{{NAMESPACE}}}area")
    labels = dict(pair.split("=", 1) for pair in first.labels)
    _fill(area, {"areaDesc": labels.get("place") or labels.get("grid") or first.alert})
    if city is not None:
        lon, lat = city.to_wgs84(first.x_m, first.y_m)
        _fill(area, {"circle": f"{lat:.6f},{lon:.6f} 0.1"})  # kilometres
    return ElementTree.tostring(alert, encoding="unicode", xml_declaration=False)


def _fill(parent: ElementTree.Element, texts: dict[str, str]) -> None:
    """Append elements with text, those without left out."""
    for name, text in texts.items():
        if text:
            ElementTree.SubElement(parent, f"{{{NAMESPACE}}}{name}").text = _text(text)


def _parameter(info: ElementTree.Element, name: str, value: str) -> None:
    parameter = ElementTree.SubElement(info, f"{{{NAMESPACE}}}parameter")
    _fill(parameter, {"valueName": name, "value": value})


def _text(text: str) -> str:
    """Return text that XML can hold."""
    return _UNPRINTABLE.sub("?", text)


def _time(midnight: datetime, t_s: int) -> str:
    """Return a CAP dateTime: seconds and a numeric zone, never Z (CAP 1.2, 3.3.2)."""
    start = midnight if midnight.tzinfo is not None else midnight.replace(tzinfo=ZONE)
    return (start + timedelta(seconds=t_s)).isoformat(timespec="seconds")

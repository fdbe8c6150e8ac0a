"""Cases as XES (IEEE 1849-2016, eXtensible Event Stream): one trace a case, for tools of process mining."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from xml.etree import ElementTree
from xml.sax.saxutils import quoteattr

from scenarios.exports.case_log import CaseEvent, CaseLog, by_case, midnight_of, read
from twin.log import Facts

VERSION = "1849-2016"
NAMESPACE = "http://www.xes-standard.org/"
EXTENSIONS = (
    ("Concept", "concept", "http://www.xes-standard.org/concept.xesext"),
    ("Time", "time", "http://www.xes-standard.org/time.xesext"),
    ("Organizational", "org", "http://www.xes-standard.org/org.xesext"),
    ("Lifecycle", "lifecycle", "http://www.xes-standard.org/lifecycle.xesext"),
)
_UNPRINTABLE = re.compile(r"[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")  # XML 1.0, 2.2
_TAGS = {bool: "boolean", int: "int", float: "float", str: "string"}


def export(folder: Path, date: str | None = None) -> CaseLog:
    """Read the cases of a run folder. ScenarioError: there are none."""
    return read(Facts.read(folder), midnight_of(folder, date))


def _attribute(key: str, value: Any, indent: str) -> str:
    text = str(value).lower() if isinstance(value, bool) else _UNPRINTABLE.sub("\ufffd", str(value))
    return f"{indent}<{_TAGS[type(value)]} key={quoteattr(key)} value={quoteattr(text)}/>\n"


def _event(log: CaseLog, event: CaseEvent) -> str:
    pad = "      "
    out = "    <event>\n" + _attribute("concept:name", event.activity, pad)
    out += f'{pad}<date key="time:timestamp" value="{log.time(event.t_s)}"/>\n'
    out += _attribute("lifecycle:transition", event.lifecycle, pad)
    if event.officer >= 0:
        out += _attribute("org:resource", f"officer-{event.officer}", pad)
    for key, value in event.details.items():
        out += _attribute(key, value, pad)
    return out + "    </event>\n"


def lines(log: CaseLog) -> Iterator[str]:
    """Yield the document piece by piece."""
    yield '<?xml version="1.0" encoding="UTF-8"?>\n'
    yield f'<log xes.version="{VERSION}" xes.features="nested-attributes" xmlns="{NAMESPACE}">\n'
    for name, prefix, uri in EXTENSIONS:
        yield f'  <extension name="{name}" prefix="{prefix}" uri="{uri}"/>\n'
    yield '  <global scope="trace">\n    <string key="concept:name" value="__INVALID__"/>\n  </global>\n'
    yield '  <global scope="event">\n    <string key="concept:name" value="__INVALID__"/>\n'
    yield '    <date key="time:timestamp" value="1970-01-01T00:00:00.000+00:00"/>\n'
    yield '    <string key="lifecycle:transition" value="complete"/>\n  </global>\n'
    yield '  <classifier name="Activity" keys="concept:name lifecycle:transition"/>\n'
    yield _attribute("concept:name", "service cases of a simulated run", "  ")
    for case, events in by_case(log):
        yield "  <trace>\n" + _attribute("concept:name", f"case-{case}", "    ")
        for key, value in log.cases[case].items():
            yield _attribute(key, value, "    ")
        for event in events:
            yield _event(log, event)
        yield "  </trace>\n"
    yield "</log>\n"


def write(log: CaseLog, file: Path) -> Path:
    """Write the file; OSError where that cannot be."""
    file.parent.mkdir(parents=True, exist_ok=True)
    with file.open("w", encoding="utf-8", newline="\n") as out:
        out.writelines(lines(log))
    return file


# -- the shape of a file ---------------------------------------------------------------------------------------

_KINDS = {"string", "date", "int", "float", "boolean", "id", "list", "container"}


def problems(root: ElementTree.Element, most: int = 20) -> list[str]:
    """Return what is not as IEEE 1849 wants it in a document, at most ``most`` sentences; nothing if all is well."""
    out: list[str] = []
    if _tag(root) != "log" or not root.get("xes.version"):
        return ["the root is no <log> with an xes.version"]
    prefixes = set()
    for n, child in enumerate(root):
        tag = _tag(child)
        if tag == "extension":
            if not (child.get("name") and child.get("prefix") and child.get("uri")):
                out.append(f"extension {n} lacks name, prefix or uri")
            prefixes.add(child.get("prefix"))
        elif tag == "global":
            if child.get("scope") not in ("trace", "event"):
                out.append(f"global {n} has the scope {child.get('scope')!r}; trace or event")
        elif tag == "classifier":
            if not (child.get("name") and child.get("keys")):
                out.append(f"classifier {n} lacks name or keys")
        elif tag == "trace":
            out += _trace_problems(child, n)
        else:
            out += _attribute_problems(child, f"log, child {n}")
        if len(out) >= most:
            break
    return out[:most]


def _tag(element: ElementTree.Element) -> str:
    return element.tag.rpartition("}")[2]


def _trace_problems(trace: ElementTree.Element, n: int) -> list[str]:
    out: list[str] = []
    for k, child in enumerate(trace):
        if _tag(child) != "event":
            out += _attribute_problems(child, f"trace {n}, child {k}")
            continue
        keys = [a.get("key") for a in child]
        if len(set(keys)) < len(keys):
            out.append(f"event {k} of trace {n} has an attribute twice")
        for a in child:
            out += _attribute_problems(a, f"event {k} of trace {n}")
    return out


def _attribute_problems(a: ElementTree.Element, where: str) -> list[str]:
    tag, key, value = _tag(a), a.get("key"), a.get("value")
    if tag not in _KINDS:
        return [f"{where}: <{tag}> is no kind of attribute"]
    if not key or (value is None and tag not in ("list", "container")):
        return [f"{where}: an attribute <{tag}> lacks key or value"]
    try:
        if tag == "int":
            int(str(value))
        elif tag == "float":
            float(str(value))
        elif tag == "date":
            dt.datetime.fromisoformat(str(value))
        elif tag == "boolean" and value not in ("true", "false"):
            raise ValueError(value)
    except ValueError:
        return [f"{where}: {value!r} is no {tag}"]
    return []

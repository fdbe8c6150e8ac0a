"""Template + script + data = one file that needs no network and asks for none.

A strict content policy names the two scripts by their hashes (the page's own, and the deck.gl bundle that ships inside
the pydeck wheel, which travels gzipped) and allows nothing else: no connection, no frame, no plug-in, no image from
elsewhere. Data never meets the HTML parser: it is gzipped and base64-coded, and the page shows it as text only.
"""

from __future__ import annotations

import base64
import gzip
import hashlib
import html
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from pathlib import Path

SCRIPTS = (
    "map_data.js",
    "map_trips.js",
    "map_units.js",
    "map_shapes.js",
    "map_ground.js",
    "map_movers.js",
    "map_view.js",
    "map_panels.js",
    "map_charts.js",
    "map_fleet.js",
    "map_junctions.js",
    "map_brain.js",
    "map_incidents.js",
    "map_offices.js",
    "map_climate.js",
    "map_sites.js",
    "map_community.js",
    "map_find.js",
    "map_pick.js",
    "map_address.js",
    "map.js",
)

#: scripts of systems that not every run has → the part of the page that they are for
FOR_PART = {
    "map_brain.js": "brain",
    "map_incidents.js": "brain",
    "map_junctions.js": "junctions",
    "map_offices.js": "offices",
    "map_climate.js": "offices",
    "map_sites.js": "sites",
    "map_community.js": "community",
}


def _hash(text: str) -> str:
    return "'sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode() + "'"


@cache
def bundle() -> tuple[str, str]:
    """Return (gzipped base64 of the deck.gl bundle of the pydeck wheel, its policy hash)."""
    import pydeck

    script = (Path(pydeck.__file__).parent / "nbextension" / "static" / "index.js").read_text(encoding="utf-8")
    # the map file of the bundle is not here: do not let a debugger ask for it
    script = script[: script.rindex("//# sourceMappingURL=")] if "//# sourceMappingURL=" in script else script
    packed = gzip.compress(script.encode(), 9, mtime=0)
    return base64.b64encode(packed).decode("ascii"), _hash(script)


def _own(name: str) -> str:
    return (files("viz") / name).read_text(encoding="utf-8")


def page(title: str, lang: str, parts: Mapping[str, str]) -> str:
    """Return the page. ``parts``: name → container text of :func:`viz.pack.pack`, read by the script."""
    style = _own("map.css")
    shown = [name for name in SCRIPTS if FOR_PART.get(name, name) in (name, *parts)]
    script = '"use strict";\n(() => {\n' + "\n".join(_own(name) for name in shown) + "\n})();\n"
    library, library_hash = bundle()
    policy = "; ".join(
        (
            "default-src 'none'",
            f"script-src {_hash(script)} {library_hash}",
            # deck.gl's canvas sets styles through the object model; the one sheet is named by its hash
            f"style-src {_hash(style)}",
            "img-src data: blob:",
            "base-uri 'none'",
            "form-action 'none'",
        )
    )
    blobs = "\n".join(
        f'<script type="text/plain" id="data-{html.escape(name)}">{text}</script>'
        for name, text in {**parts, "library": library}.items()
    )
    out = _own("template.html")
    for key, value in (
        ("@@LANG@@", "zh-CN" if lang == "zh" else "en"),
        ("@@POLICY@@", html.escape(policy, quote=True).replace("&#x27;", "'")),
        ("@@TITLE@@", html.escape(title, quote=True)),
        ("@@STYLE@@", style),
        ("@@DATA@@", blobs),
        ("@@SCRIPT@@", script),
    ):
        head, mark, tail = out.partition(key)
        if not mark:
            raise ValueError(f"template.html: lacks {key}")
        out = head + value + tail
    return out

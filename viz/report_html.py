"""Elements that cannot carry anything but text: every string that goes in is escaped, whatever it holds.

Pages made of these have no script at all, a policy that forbids everything but their one style sheet (named by its
hash), and ask for nothing.
"""

from __future__ import annotations

import base64
import hashlib
import html
from collections.abc import Iterable
from importlib.resources import files


class Markup(str):
    """Text that is markup already; only :func:`tag` and :func:`join` make it."""

    __slots__ = ()


Child = str | int | float | None
VOID = frozenset({"br", "meta", "line", "rect", "circle", "path", "hr", "polyline", "input"})


def text(value: Child) -> Markup:
    """Return anything as text in a page: escaped, unless it is markup already."""
    if value is None:
        return Markup("")
    if isinstance(value, Markup):
        return value
    plain = "".join(c for c in str(value) if c >= " " or c in "\n\t")
    return Markup(html.escape(plain, quote=True).replace("`", "&#96;"))


def tag(name: str, *children: Child, **attributes: Child) -> Markup:
    """Return an element. ``class_`` loses its underscore, other underscores become hyphens (``stroke_width``).

    A link may only lead to a file beside the page: an address with a scheme is refused.
    """
    said = []
    for key, value in attributes.items():
        if value is None:
            continue
        attribute = key.rstrip("_") if key.endswith("_") else key.replace("_", "-")
        if attribute == "viewbox":
            attribute = "viewBox"
        if attribute in ("href", "src") and (":" in str(value) or str(value).startswith("/")):
            raise ValueError(f"a page may only link to files beside it, not to {value!r}")
        if attribute.startswith("on") or attribute == "style":
            raise ValueError(f"'{attribute}' is not allowed in a page")
        said.append(f' {attribute}="{text(value)}"')
    head = f"<{name}{''.join(said)}>"
    if name in VOID and not children:
        return Markup(head if name in ("br", "meta", "hr", "input") else head[:-1] + "/>")
    return Markup(head + "".join(text(c) for c in children) + f"</{name}>")


def join(parts: Iterable[Child], between: str = "") -> Markup:
    """Return parts one after the other, each escaped."""
    return Markup(text(between).join(text(p) for p in parts))


def page(title: str, lang: str, body: Markup) -> str:
    """Return the whole document."""
    style = (files("viz") / "report.css").read_text(encoding="utf-8")
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    policy = f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"
    return (
        f'<!doctype html>\n<html lang="{"zh-CN" if lang == "zh" else "en"}">\n<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{policy}">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{text(title)}</title>\n<style>{style}</style>\n</head>\n<body>\n{body}\n</body>\n</html>\n"
    )

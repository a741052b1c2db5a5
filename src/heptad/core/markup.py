"""HTML put together from elements: text is always escaped, so no value can become markup."""

import html
from collections.abc import Iterable
from typing import TypeAlias


class Markup(str):
    """Text that is HTML already. Only `element`, `joined` and the chart renderer make it."""

    __slots__ = ()

    def _repr_html_(self) -> str:
        return str(self)


Child: TypeAlias = "Markup | str | float | Iterable[Markup] | None"

_VOID = {"br", "col", "hr", "img", "meta"}


def element(tag: str, *children: Child, **attributes: str) -> Markup:
    """`<tag ...>children</tag>`. Children that are not `Markup` are escaped; `None` is left out.

    >>> element("p", "1 < 2 ", element("b", "really"), class_="note")
    '<p class="note">1 &lt; 2 <b>really</b></p>'
    """
    written = "".join(f' {name.rstrip("_")}="{html.escape(value)}"' for name, value in attributes.items())
    if tag in _VOID:
        return Markup(f"<{tag}{written}>")
    return Markup(f"<{tag}{written}>{joined(*children)}</{tag}>")


def joined(*children: Child) -> Markup:
    """Children one after the other."""
    return Markup("".join(_rendered(child) for child in children))


def table(head: Iterable[str], rows: Iterable[Iterable[Child]], class_: str = "") -> Markup:
    """A table with a line of headings."""
    headings = element("tr", [element("th", name) for name in head])
    body = [element("tr", [element("td", cell) for cell in row]) for row in rows]
    attributes = {"class_": class_} if class_ else {}
    return element("table", element("thead", headings), element("tbody", body), **attributes)


def page(title: str, *children: Child) -> str:
    """A whole document in the house's style that loads nothing from anywhere, and tells the browser so."""
    policy = "default-src 'none'; style-src 'unsafe-inline'; img-src data:"
    head = element(
        "head",
        element("meta", charset="utf-8"),
        element("meta", name="viewport", content="width=device-width, initial-scale=1"),
        Markup(f'<meta http-equiv="Content-Security-Policy" content="{html.escape(policy)}">'),
        element("title", title),
        Markup(f"<style>{_STYLE}</style>"),
    )
    return "<!doctype html>\n" + element("html", head, element("body", *children), lang="en")


def _rendered(child: Child) -> str:
    if child is None:
        return ""
    if isinstance(child, Markup):
        return child
    if isinstance(child, str | int | float):
        return html.escape(str(child))
    return "".join(child)


_STYLE = """
:root { color-scheme: light; }
* { box-sizing: border-box; }
body { margin: 0; background: #f8fafc; color: #1f2937;
  font: 15px/1.55 system-ui, -apple-system, "Segoe UI", Roboto, "DejaVu Sans", sans-serif; }
main { max-width: 960px; margin: 0 auto; padding: 32px 20px 64px; }
h1 { font-size: 26px; line-height: 1.2; margin: 0 0 4px; }
h2 { font-size: 18px; margin: 0 0 10px; }
h3 { font-size: 14px; font-weight: 600; margin: 0 0 6px; }
p { margin: 0 0 10px; max-width: 75ch; }
.quiet { color: #64748b; }
section { background: #fff; border: 1px solid #e5e7eb; border-radius: 10px; padding: 20px 22px; margin-top: 18px; }
.headline { display: flex; gap: 28px; align-items: baseline; flex-wrap: wrap; }
.headline + p { margin-top: 12px; }
.big { font-size: 46px; font-weight: 650; line-height: 1.1; color: #2563eb; font-variant-numeric: tabular-nums; }
.grid { display: grid; grid-template-columns: repeat(auto-fit, minmax(380px, 1fr)); gap: 22px; }
.grid > div, .chart { overflow-x: auto; }
svg { max-width: 100%; height: auto; display: block; }
table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums; }
th { text-align: left; font-weight: 600; font-size: 13px; color: #64748b; }
th, td { padding: 6px 12px 6px 0; border-bottom: 1px solid #eef2f7; vertical-align: top; }
td { overflow-wrap: break-word; }
.figures td:nth-child(-n+4) { white-space: nowrap; }
.confusion { width: auto; }
.confusion td { text-align: right; padding: 8px 14px; border: 2px solid #fff; white-space: nowrap; }
.confusion td:first-child { text-align: left; padding-left: 0; color: #64748b; }
.ids td:first-child { color: #64748b; width: 170px; }
.ids td { font-family: ui-monospace, "DejaVu Sans Mono", monospace; font-size: 12.5px; }
.bad { color: #b45309; font-weight: 600; }
@media print { body { background: #fff; } section { break-inside: avoid; } }
"""

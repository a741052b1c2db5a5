"""The results of a check as one HTML page, readable without a network."""

from collections.abc import Iterator

from heptad.core.markup import Markup, element, page, table
from heptad.data.expectations.checking import Checked
from heptad.data.records import Finding

_SEVERITIES = ("error", "warning", "info")


def render_expectations(checked: Checked) -> str:
    """What is broken first, the gravest on top, with rows that break it; then everything that was expected."""
    broken = [
        (place, one)
        for severity in _SEVERITIES
        for place, one in enumerate(checked.findings)
        if not one.passed and one.severity == severity
    ]
    title = f"{checked.what}: expectations"
    return page(
        title,
        element(
            "main",
            element("h1", title),
            element("p", f"{checked.rows:,} rows, checked {checked.at:%Y-%m-%d %H:%M} UTC", class_="quiet"),
            _headline(checked, broken),
            *(_broken(checked, place, one) for place, one in broken),
            _everything(checked.findings),
        ),
    )


def _headline(checked: Checked, broken: list[tuple[int, Finding]]) -> Markup:
    counts = [sum(one.severity == severity for _, one in broken) for severity in _SEVERITIES]
    words = ", ".join(f"{count} {severity}" for count, severity in zip(counts, _SEVERITIES, strict=True) if count)
    held = len(checked.findings) - len(broken)
    verdict = "Everything that binds holds." if checked.passed else "What is broken here refuses the table."
    return element(
        "section",
        element(
            "div",
            element("span", f"{held} of {len(checked.findings)}", class_="big"),
            element("span", f"hold{f'; broken: {words}' if words else ''}"),
            class_="headline",
        ),
        element("p", verdict),
    )


def _broken(checked: Checked, place: int, one: Finding) -> Markup:
    rows = checked.samples.get(place, [])
    return element(
        "section",
        element("h2", f"{one.column or 'table'}: {one.expectation}"),
        element("p", element("span", one.severity, class_="bad"), f" {one.sentence}"),
        element("p", one.about) if one.about else None,
        element("p", f"Rows where {one.where}", class_="quiet") if one.where else None,
        element("h3", f"{len(rows)} of the {one.failing_rows:,} rows") if rows else None,
        element("div", table(list(rows[0]), [[_cell(row[name]) for name in rows[0]] for row in rows]), class_="chart")
        if rows
        else None,
    )


def _everything(findings: list[Finding]) -> Markup:
    head = ["", "column", "expectation", "severity", "looked at", "broken", "share", "found"]
    return element("section", element("h2", "Everything expected"), table(head, [list(_line(one)) for one in findings]))


def _line(one: Finding) -> Iterator[Markup | str]:
    yield element("span", "broken", class_="bad") if not one.passed else "holds"
    yield one.column
    yield f"{one.expectation} {one.expected}" + (f", where {one.where}" if one.where else "")
    yield one.severity
    yield "" if one.looked_at is None else f"{one.looked_at:,}"
    yield f"{one.failing_rows:,}" if one.failing_rows else ""
    yield f"{one.share:.2%}" if one.share else ""
    yield f"{one.observed:,.4g}" if isinstance(one.observed, float) else str(one.observed or "")


def _cell(value: object) -> Markup | str:
    return element("span", "missing", class_="quiet") if value is None else str(value)

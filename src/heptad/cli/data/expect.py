"""`heptad data expect ...`: what tables are held to is checked, inferred from a version, read from other programs."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from heptad.cli.output import HERE, JsonOption, ProjectOption, emit, section, table, wrapped

if TYPE_CHECKING:
    from heptad.data import Checked, Finding

app = typer.Typer()
group = typer.Typer(help="Expectations: what tables are held to.")
app.add_typer(group, name="expect")
_SHOWN = 3
_WIDE = 50


@group.command()
def check(
    file: Annotated[
        Path | None, typer.Argument(help="A file to check; left out: a version.", show_default=False)
    ] = None,
    version: Annotated[str, typer.Option(help="A number, an id, or latest.")] = "latest",
    junit: Annotated[Path | None, typer.Option(help="Write JUnit XML here.", show_default=False)] = None,
    html: Annotated[Path | None, typer.Option(help="Write an HTML page here.", show_default=False)] = None,
    project: ProjectOption = HERE,
    as_json: JsonOption = False,
) -> None:
    """Hold a version or a file against [expect]; ends with exit code 1 where an error is broken."""
    from heptad.core.files import write_atomically
    from heptad.data import junit_xml, render_expectations
    from heptad.project import open_project

    data = open_project(project).data
    checked = data.expectations.file(file) if file else data.expectations.version(data.version(version))
    if junit:
        write_atomically(junit, junit_xml(checked).encode())
    if html:
        write_atomically(html, render_expectations(checked).encode())
    emit({"passed": checked.passed, **_plain(checked)}, _text(checked), as_json=as_json)
    if not checked.passed:
        raise typer.Exit(1)


def _plain(checked: "Checked") -> "dict[str, object]":
    return {
        "what": checked.what,
        "rows": checked.rows,
        "at": checked.at,
        "record": checked.record or None,
        "findings": checked.findings,
        "samples": {str(place): rows for place, rows in checked.samples.items()},
    }


def _text(checked: "Checked") -> str:
    broken = [(place, one) for place, one in enumerate(checked.findings) if not one.passed]
    held = len(checked.findings) - len(broken)
    parts = [f"{checked.what}: {held} of {len(checked.findings)} expectations hold in {checked.rows:,} rows"]
    rows = [
        {
            "": "holds" if one.passed else one.severity,
            "column": one.column or None,
            "looked at": one.looked_at,
            "broken": one.failing_rows or None,
            "share": f"{one.share:.2%}" if one.share else None,
            "expectation": _name(one),
        }
        for one in checked.findings
    ]
    parts.append(table(rows, empty="Nothing is expected. Write [expect], or: heptad data expect infer"))
    for place, one in broken:
        lines = [wrapped([one.sentence, *([one.about] if one.about else [])])]
        lines += [
            wrapped([", ".join(f"{name} {value}" for name, value in row.items())], indent=2)
            for row in checked.samples.get(place, [])[:_SHOWN]
        ]
        parts.append(section(f"{one.severity}: {one.column or 'table'}, {one.expectation}", "\n".join(lines)))
    return "\n\n".join(parts)


def _name(one: "Finding") -> str:
    mostly = f", mostly {one.mostly:g}" if one.mostly < 1 else ""
    expected = f" {one.expected if len(one.expected) <= _WIDE else one.expected[:_WIDE] + '…'}" if one.expected else ""
    return f"{one.expectation}{expected}{mostly}{f', where {one.where}' if one.where else ''}"


@group.command()
def infer(
    version: Annotated[str, typer.Argument(help="A number, an id, or latest.")] = "latest",
    project: ProjectOption = HERE,
    as_json: JsonOption = False,
) -> None:
    """Print expectations that a version suggests, as TOML with evidence; they warn until a person tightens them."""
    from heptad.data import infer_expectations
    from heptad.project import open_project

    data = open_project(project).data
    record = data.version(version)
    text = infer_expectations(record.body, data.profile(record))
    emit({"toml": text}, text, as_json=as_json)


@group.command("import")
def import_(
    file: Annotated[
        Path | None,
        typer.Argument(
            help="A suite of Great Expectations (JSON), or a Pandera schema (YAML, JSON).", show_default=False
        ),
    ] = None,
    suite: Annotated[
        str, typer.Option(help="A Pandera schema or model of the project: module:object.", show_default=False)
    ] = "",
    out: Annotated[Path | None, typer.Option(help="Write the TOML here.", show_default=False)] = None,
    project: ProjectOption = HERE,
    as_json: JsonOption = False,
) -> None:
    """Translate expectations of another program into TOML, and name those that have no twin here."""
    from heptad.core.errors import InputError
    from heptad.core.files import write_atomically
    from heptad.data import import_expectations, import_object

    if bool(file) == bool(suite):
        raise InputError(
            "Nothing says what to translate." if not file else "Two things say what to translate.",
            allowed="FILE, or --suite module:object",
            remedy="heptad data expect import suite.json",
        )
    found = import_expectations(file) if file else import_object(project, suite)
    text = found.toml()
    if out:
        write_atomically(out, text.encode())
        counted = "1 expectation" if found.translated == 1 else f"{found.translated} expectations"
        text = f"{counted} written to {out}."
    left = [f"{one.name}: {one.why}" for one in found.left_out]
    if left and out:
        text += "\n\n" + section(f"Not translated: {len(left)}", wrapped(left))
    emit({"toml": found.toml(), "translated": found.translated, "left_out": found.left_out}, text, as_json=as_json)

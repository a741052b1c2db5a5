"""`heptad data suggest`: cells that are likely wrong, what they should say, rules to accept, rows to be asked about."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from heptad.cli.output import HERE, JsonOption, ProjectOption, emit, section, wrapped
from heptad.cli.progress import progress

if TYPE_CHECKING:
    from heptad.config import Config
    from heptad.data import Cells, Place, SourceSettings, SuggestedRule, Suggestions

app = typer.Typer()
_SHOWN = 3


@app.command()
def suggest(
    table: Annotated[
        str,
        typer.Argument(help="A file or an address; left out: the project's source.", show_default=False),
    ] = "",
    labels: Annotated[
        Path | None,
        typer.Option(
            help="CSV of row (from 0), column, correct value: what you know of a few rows.", show_default=False
        ),
    ] = None,
    ask: Annotated[int, typer.Option(min=0, help="Write a CSV of so many rows to fill in, instead of suggesting.")] = 0,
    seed: Annotated[int, typer.Option(min=0, help="Settles ties among rows to ask about.")] = 7,
    accept: Annotated[bool, typer.Option("--accept", help="Write the rules into heptad.toml, under [clean].")] = False,
    least: Annotated[
        int,
        typer.Option(min=0, max=100, help="Accept rules of which at least so many percent are wrong, and put right."),
    ] = 80,
    project: ProjectOption = HERE,
    as_json: JsonOption = False,
) -> None:
    """Look for wrong cells in a table, and propose rules."""
    from heptad.config import read_config
    from heptad.data import Labels, Suggester, read_cells, read_labels

    config = read_config(project) if accept or not table else None
    settings, place, name = _source(table, project, config)
    cells = read_cells(settings, place)
    known = read_labels(labels, cells) if labels else Labels()
    if cells.every > 1:
        typer.echo(f"{name} is larger than memory can judge: one row in {cells.every:,} is looked at.", err=True)
    with progress("suggest", shown=not as_json) as tell:
        suggester = Suggester(cells.frame, known, tell, every=cells.every, measured=cells.measured)
        if ask:
            listed = [
                {"row": row, "column": column, "value": text, "correct": text}
                for row in suggester.ask(ask, seed)
                for column, text in cells.frame.row(row // cells.every, named=True).items()
            ]
            emit(listed, _form(listed), as_json=as_json)
            return
        found = suggester.suggest()
    text = _text(found, cells, name, len(known.rows()))
    if accept and config is not None:
        text += "\n\n" + _accepted(found, settings, place, config, least, project)
    emit(found.cells, text, as_json=as_json)


def _source(table: str, project: Path, config: "Config | None") -> "tuple[SourceSettings, Place, str]":
    """A file, or the project's source, whose cells are looked at as they are before a repair; and what it is called."""
    from heptad.core.errors import InputError
    from heptad.data import Place, SourceSettings

    if table or config is None:
        return SourceSettings(uri=table), Place(root=Path.cwd()), table
    name = config.data.source or (next(iter(config.sources)) if len(config.sources) == 1 else "")
    if not name:
        raise InputError(
            "The project has several sources and [data] source names none.", allowed="heptad data suggest FILE"
        )
    return config.sources[name], Place(root=project.resolve(), timezone=config.project.timezone), name


def _accepted(
    found: "Suggestions", settings: "SourceSettings", place: "Place", config: "Config", least: int, project: Path
) -> str:
    """Writes the rules that are sure enough and can stand together; says which, and why others cannot."""
    from heptad.data import accept_rules

    target, label_time = config.data.target, config.data.label_time
    chosen, left = found.to_accept(settings, place, config.clean, least / 100, target, label_time)
    columns = accept_rules(chosen, project / "heptad.toml")
    said = [f"Accepted {len(chosen)} rules for {', '.join(columns) or 'no column'} into heptad.toml."]
    said += [f"Left out, for {rule.column}: {rule.evidence}. {problem}." for rule, problem in left]
    return wrapped(said)


def _form(listed: list[dict[str, Any]]) -> str:
    """What to fill in: each cell with its value twice, the second to be corrected where it is wrong."""
    import csv
    import io

    text = io.StringIO()
    writer = csv.DictWriter(text, ["row", "column", "value", "correct"], lineterminator="\n")
    writer.writeheader()
    writer.writerows(listed)
    return text.getvalue()


def _text(found: "Suggestions", cells: "Cells", name: str, judged: int) -> str:
    share, taken = len(found.cells) / max(1, found.looked_at), len(cells.frame)
    rows = f"{cells.rows:,} rows" if cells.every == 1 else f"{taken:,} of {cells.rows:,} rows"
    head = f"{name}: {rows}, {len(found.cells):,} cells are likely wrong ({share:.1%})"
    head += f", judged with {judged} rows that you know." if judged else "; no row is known (--ask 20, then --labels)."
    parts = [wrapped([head])]
    for column in dict.fromkeys(rule.column for rule in found.rules):
        rules = [rule for rule in found.rules if rule.column == column]
        parts.append(section(column, "\n".join(_rule(rule) for rule in rules)))
    return "\n\n".join(parts)


def _counted(cells: int) -> str:
    return "1 cell" if cells == 1 else f"{cells:,} cells"


def _rule(rule: "SuggestedRule") -> str:
    from heptad.data import rule_lines

    sure = f"{rule.precision:.0%} of them wrong" + (
        f", {rule.repaired:.0%} put right" if rule.repaired is not None else ""
    )
    said = [f"{rule.evidence}: {_counted(rule.cells)}, about {sure}."]
    shown = [
        f"{before!r} -> {after!r}" if after is not None else f"{before!r}" for before, after in rule.examples[:_SHOWN]
    ]
    lines = [wrapped(said), wrapped(shown, indent=2)]
    if rule.settings and sum(len(value) for value in rule.settings.values() if isinstance(value, dict)) <= _SHOWN * 2:
        lines += [f"  {line}" for line in rule_lines(rule.column, rule.settings)]
    elif rule.settings:
        lines.append("  a list of values for [clean.columns], written by --accept")
    return "\n".join(lines)

"""`heptad data collect`: a version of what the sources hold now."""

from typing import Annotated

import typer

from heptad.cli.output import HERE, JsonOption, ProjectOption, emit, section, wrapped

app = typer.Typer()


@app.command()
def collect(
    sample: Annotated[int, typer.Option(min=0, help="About so many rows, as a data set of their own.")] = 0,
    project: ProjectOption = HERE,
    as_json: JsonOption = False,
) -> None:
    """Make a version of what the sources hold now."""
    from heptad.cli.progress import bars
    from heptad.project import open_project

    opened = open_project(project)
    before = opened.data.latest()
    with bars("Collecting", shown=not as_json):
        version = opened.data.collect(opened.workspace.clock.now() if opened.config.data.time else None, sample)
    body = version.body
    is_old = before is not None and version.body.version <= before.body.version and not sample
    aside = [f"{one.aside:,} by {one.rule}" for one in body.repairs if one.aside]
    head = f"{body.name}@{body.version}: {body.rows:,} rows, {body.labelled:,} with labels"
    head += f"; put aside: {', '.join(aside)}" if aside else ""
    told = [f"{one.severity}: {one.sentence}" for one in body.findings if not one.passed]
    text = f"{head}; nothing is new" if is_old else head
    emit(version, "\n\n".join([text, *([section("Findings", wrapped(told))] if told else [])]), as_json=as_json)

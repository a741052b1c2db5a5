"""`heptad data erase|erasures`: one person's rows leave every place, and a signed certificate says so."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from heptad.cli.output import HERE, JsonOption, ProjectOption, confirm, emit, facts, section, table, wrapped

if TYPE_CHECKING:
    from heptad.core.records import Record
    from heptad.data import ColumnType, Subjects
    from heptad.lifecycle import Erasure, Inventory, SeenBy
    from heptad.project import Project

app = typer.Typer()


@app.command()
def erase(
    key: Annotated[list[str] | None, typer.Option(help="COLUMN=VALUE that names them; again for more.")] = None,
    keys: Annotated[Path | None, typer.Option(help="A file: one key a line, or CSV with a heading.")] = None,
    where: Annotated[list[str] | None, typer.Option(help="Like --key, for any column: email=...")] = None,
    reason: Annotated[str, typer.Option(help="A sentence that says why; no names in it.")] = "",
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would go, and remove nothing.")] = False,
    retrain: Annotated[bool, typer.Option("--retrain", help="Begin a plan to retrain what saw them.")] = False,
    resume: Annotated[bool, typer.Option("--resume", help="Finish what was cut off.")] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    project: ProjectOption = HERE,
    as_json: JsonOption = False,
) -> None:
    """Erase people's rows everywhere; write a signed certificate."""
    from heptad.cli.progress import progress
    from heptad.core.errors import InputError
    from heptad.core.identity import as_reason
    from heptad.project import open_project

    opened = open_project(project)
    erasures = opened.lifecycle.erasures
    if resume:
        with progress("erasing", shown=not as_json) as tell:
            done = erasures.resume(tell)
        _tell(opened, done, as_json=as_json)
        return
    subjects = _subjects(opened, [*(key or []), *(where or [])], keys)
    if dry_run:
        found = erasures.look(subjects)
        emit(found, _inventory(found), as_json=as_json)
        return
    if not reason:
        raise InputError("Nothing says why.", allowed='--reason "a sentence"', remedy="look first: --dry-run")
    reason = as_reason(reason)
    if not yes:
        typer.echo(_inventory(erasures.look(subjects)), err=True)
        confirm(f"Erase {_people(len(subjects.keys))} for good?", "Nothing was erased.")
    with progress("erasing", shown=not as_json) as tell:
        erasure = erasures.erase(subjects, reason, retrain=retrain, tell=tell)
    _tell(opened, [erasure], as_json=as_json)


@app.command()
def erasures(
    verify: Annotated[Path | None, typer.Option(help="A certificate to be checked.")] = None,
    certificate: Annotated[str, typer.Option(metavar="ERASURE", help="Write its certificate again.")] = "",
    limit: Annotated[int, typer.Option(min=1, help="Erasures at most.")] = 20,
    project: ProjectOption = HERE,
    as_json: JsonOption = False,
) -> None:
    """List erasures, write a certificate, or check one."""
    from heptad.lifecycle import verify_certificate
    from heptad.project import open_project

    opened = open_project(project)
    if certificate:
        verify = _written(opened, certificate)
    if verify is not None:
        stated, signer = verify_certificate(opened.workspace, verify)
        lines = {
            "certificate": f"{verify.name} is genuine, signed by the key {signer}",
            "erasure": f"{stated.erasure} of {stated.project}",
            "finished": stated.finished_at,
            "people": f"{stated.subjects:,}, named by {', '.join(stated.columns)}",
        }
        rows = [{"place": place, "rows": rows} for place, rows in stated.removed.items()]
        emit(stated, f"{facts(lines)}\n\n{section('Removed', table(rows))}", as_json=as_json)
        return
    found = opened.lifecycle.erasures.recent(limit)
    listed = [
        {
            "erasure": one.id,
            "asked": one.at,
            "people": one.body.subjects,
            "rows": one.attributes.get("rows"),
            "stage": one.attributes.get("stage"),
            "reason": one.body.reason,
        }
        for one in found
    ]
    text = table(listed, empty="Nobody was erased.")
    if opened.lifecycle.erasures.is_open():
        text += "\n\nOne was cut off. Finish it: heptad data erase --resume"
    emit(found, text, as_json=as_json)


def _subjects(project: "Project", texts: Sequence[str], file: Path | None) -> "Subjects":
    from heptad.core.errors import InputError
    from heptad.data import check_columns_exist, every_version, named_by, named_in

    if bool(texts) == (file is not None):
        raise InputError(
            "Who is to be erased?",
            allowed="--key COLUMN=VALUE or --where COLUMN=VALUE, else --keys FILE, else --resume",
        )
    types: dict[str, set[ColumnType]] = {}
    for version in every_version(project.workspace):
        for column in version.body.schema.columns:
            types.setdefault(column.name, set()).add(column.type)
    for entity in project.data.features.entities.columns():
        for name in entity:
            types.setdefault(name, set())
    erasing = project.data.erasing

    def held(people: "Subjects") -> bool:
        return bool(erasing.find(erasing.with_pseudonyms(people)).versions)

    subjects = named_by(texts) if file is None else named_in(file, project.config.data.key, types, held)
    check_columns_exist(subjects, sorted(types))
    return subjects


def _inventory(found: "Inventory") -> str:
    """What would be removed, for people."""
    parts = [section("Rows of theirs", table([{"place": place, "rows": rows} for place, rows in found.found.items()]))]
    versions = [{"version": f"{one.name}@{one.version}", "rows": one.rows} for one in found.versions]
    parts += [section("In versions", table(versions))] if versions else []
    parts += [section("Models that saw them", _models(found.models))] if found.models else []
    parts += [section("Sources that still hold them", _sources(found.sources))] if found.sources else []
    parts += _entities(found.entities, found.unsure)
    return "\n\n".join(parts)


def _entities(own: Mapping[str, int], unsure: Sequence[str]) -> list[str]:
    """By what online features are theirs, and where that is not known."""
    told = [f"{columns}: {count:,} that only they have; features of it go" for columns, count in own.items()]
    parts = [section("Entities of online features", wrapped(told))] if told else []
    if unsure:
        told = [f"{columns}: others have them too, or no table tells whose they are" for columns in unsure]
        example = unsure[0].split(", ")[0]
        told.append("Where one names this person alone, erase by it as well; look first, what it names goes whole:")
        told.append(f"heptad data erase --where {example}=... --dry-run")
        parts.append(section("Online features that stay", wrapped(told)))
    return parts


def _models(models: "Sequence[SeenBy]") -> str:
    rows = [{"model": one.label, "rows": one.rows, "what else": _about(one)} for one in models]
    return table(rows)


def _about(model: "SeenBy") -> str | None:
    said = {"answers now": model.live, "names a value of theirs": model.holds_values}
    return ", ".join(words for words, is_so in said.items() if is_so) or None


def _people(count: int) -> str:
    return "1 person" if count == 1 else f"{count:,} people"


def _counted(rows: int) -> str:
    return "1 row" if rows == 1 else f"{rows:,} rows"


def _sources(sources: dict[str, int | None]) -> str:
    told = [f"{name}: {'cannot be read' if rows is None else _counted(rows)}" for name, rows in sources.items()]
    return wrapped([*told, "Remove them there too. Until then, collections leave them out."])


def _written(project: "Project", erasure: str) -> Path:
    """The certificate of an erasure as a file beside heptad.toml."""
    from heptad.core.files import write_atomically

    path = project.root / f"{erasure}.json"
    write_atomically(path, project.lifecycle.erasures.certificate(erasure))
    return path


def _tell(project: "Project", done: "Sequence[Record[Erasure]]", *, as_json: bool) -> None:
    """What was done, and a certificate beside heptad.toml for each; exit code 1 where something may be left."""
    import msgspec

    from heptad.lifecycle import verify_certificate

    told: list[dict[str, Any]] = []
    text = []
    for erasure in done:
        path = _written(project, erasure.id)
        certificate, _ = verify_certificate(project.workspace, path)
        told.append({"erasure": erasure.id, "file": str(path), "certificate": certificate})
        plan = certificate.plan or "none; heptad data erase --retrain begins one with an erasure"
        lines = {
            "erased": f"{_counted(sum(certificate.removed.values()))} of {_people(certificate.subjects)}",
            "searched": f"{certificate.files_searched:,} files, {certificate.bytes_searched / 1e6:,.1f} MB",
            "plan": plan if certificate.models else "no model saw them",
            "certificate": f"{path.name}; check it: heptad data erasures --verify {path.name}",
        }
        text.append(facts(lines))
        text.append(section("Removed", table([{"place": a, "rows": b} for a, b in certificate.removed.items()])))
        if certificate.models:
            text.append(section("Models that saw them: retrain", _models(certificate.models)))
        if certificate.sources_still_holding:
            text.append(section("Sources that still hold them", _sources(certificate.sources_still_holding)))
        text += _entities(certificate.entities, certificate.unsure)
        if certificate.in_models:
            held = [
                f"{len(certificate.in_models):,} files and records of models name a value of theirs until these go."
            ]
            text.append(section("In models", wrapped(held)))
        if certificate.still_holding:
            text.append(section("Found again, look at these yourself", wrapped(certificate.still_holding)))
        text.append(section("Outside of this", wrapped(certificate.outside)))
    emit(msgspec.to_builtins(told), "\n\n".join(text) or "Nothing was cut off.", as_json=as_json)
    if any(one["certificate"].still_holding for one in told):
        raise typer.Exit(1)

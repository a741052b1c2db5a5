"""Writes the pages that are read off the code: settings, commands, records, events, contracts. `--check` compares only.

Run it after a change: python docs/make_reference.py
"""

import ast
import functools
import re
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from types import UnionType
from typing import Any, get_args, get_origin

import msgspec

from heptad.cli.app import build
from heptad.config import Config, allowed
from heptad.core.catalogue import BUILT_IN
from heptad.data import ColumnExpectation, TableExpectation
from heptad.data.expectations.table import FAMILIES

DOCS = Path(__file__).parent
SOURCE = DOCS.parent / "src" / "heptad"
MADE = "<!-- Made by docs/make_reference.py; change the docstrings in the code instead. -->\n"
ROOMS = ("core", "data", "experiments", "training", "release", "serving", "monitoring", "lifecycle")

EVENTS = {
    "core.attributes_changed": "Attributes of a record have changed.",
    "data.version_added": "A version of the table was recorded.",
    "data.nothing_new": "A collection on schedule found nothing newer than the latest version.",
    "data.rows_erased": "Rows of a person were taken out of a version, and of its table.",
    "data.statistics_told": "Figures were told with noise, and their price was paid out of the data set's budget.",
    "data.version_pruned": "The rows of a version were given up, by hand or by `[retention]`; its record stays.",
    "data.pruned_rows_deleted": "The files that only pruned versions needed are deleted; says how many bytes.",
    "data.version_tagged": "A version got a name.",
    "data.version_untagged": "A name was taken away from a version.",
    "data.version_rolled_back": "An earlier version became the latest again.",
    "data.cells_corrected": "A person corrected cells; every later version has them right.",
    "data.card_stated": "`[card]` says something else of a version than before.",
    "data.folder_added": "A version of a folder or file was recorded, added here or fetched.",
    "data.folder_forgotten": "The bytes of a version of a folder were given up.",
    "data.messages_released": "Messages of a stream's quarantine were read again, and landed.",
    "data.rows_released": "Rows of the quarantine were let into the next version.",
    "data.expectations_checked": "A version was held against `[expect]` after it was made.",
    "data.feature_view_recorded": "A table was made with a definition of features that nobody had applied.",
    "data.feature_view_applied": "A definition of features came into force.",
    "data.feature_view_removed": "A feature view is no longer in force; its definitions stay.",
    "experiments.experiment_added": "An experiment was made, by name or by its first run.",
    "experiments.experiment_changed": "An experiment was renamed, tagged, deleted or restored.",
    "experiments.run_started": "A client began a run, or one was imported.",
    "experiments.run_changed": "Parameters, tags or artifacts were added to a run that is going on.",
    "experiments.model_logged": "A client began to log a model: its files are still to come.",
    "experiments.model_changed": "A logged model got files, parameters, metrics or tags, was finished, or deleted.",
    "experiments.run_finished": "A run has ended: finished, failed or killed.",
    "training.candidate_evaluated": "A model was trained and judged on rows that it had not seen.",
    "release.decided": "The gates were held against a candidate; accepted or refused, the reasons are kept.",
    "release.version_registered": "An accepted candidate was packed, signed and numbered.",
    "release.model_registered": "A name for versions was registered, by a client or for the project's own model.",
    "release.model_changed": "A registered model or one of its versions was renamed, described, tagged or staged.",
    "release.model_deleted": "A client gave a registered model up; its versions are hidden.",
    "release.version_added": "A client registered a version; no gate has seen it.",
    "release.version_deleted": "A client hid one of its versions.",
    "release.approved": "A person approved of a version.",
    "release.promoted": "A version became champion.",
    "release.rolled_back": "The champion before the present one became champion again.",
    "release.refused": "A version shall never be champion, for example after its trial.",
    "serving.deployed": "A generation of routes came into force: who answers, and who watches.",
    "monitoring.reported": "A window that is over was measured.",
    "monitoring.alert_raised": "A report found something worth acting on, for the first time.",
    "lifecycle.plan_started": "A rule of `[retrain]` fired, and a plan began.",
    "lifecycle.trial_started": "A plan's challenger goes on trial beside the champion.",
    "lifecycle.trial_ended": "The trial has a verdict.",
    "lifecycle.plan_waits": "The verdict was yes, and people have to approve before the challenger takes over.",
    "lifecycle.plan_finished": "The plan has ended: its challenger was promoted or refused.",
    "lifecycle.erasure_started": "People's rows are being removed from everything; says how many, and not whose.",
    "lifecycle.erasure_finished": "They are gone, and a signed certificate says so.",
    "lifecycle.rehearsal_started": "A span of the past begins to be played through the loop.",
    "lifecycle.rehearsal_advanced": "One window of a rehearsal was played.",
}
"""Kind to a sentence for a reader; `published_events` says which kinds there are."""


def settings_page() -> str:
    """Every section of heptad.toml, in the order of the steps."""
    described = described_settings()
    lines = [MADE, "# Configuration", "", *_CONFIGURATION, ""]
    for field in msgspec.structs.fields(Config):
        lines += _sections(field.name, field.type, described, "##")
    return _joined(lines)


@functools.cache
def described_settings() -> dict[str, ast.ClassDef]:
    """Every class of settings by name; those that share settings derive from `HowHeld`."""
    return {node.name: node for base in ("Settings", "HowHeld") for _, node in classes(SOURCE, base)}


_CONFIGURATION = [
    "A project is a folder with a file `heptad.toml`.",
    "Only `[data] target` has to be there; what is left out has the default below, and `heptad explain-config` prints",
    "the whole of what is in force.",
    "`${NAME}` in any text is read from the environment at the moment it is used and never stored.",
    "Every mistake is named with its line, all at once.",
]


def _sections(path: str, kind: Any, described: Mapping[str, ast.ClassDef], level: str) -> list[str]:
    """What a section is for, its settings, and the sections inside of it."""
    if get_origin(kind) is dict:
        path, kind = f"{path}.NAME", get_args(kind)[1]
    listed = get_origin(kind) is list
    kind = get_args(kind)[0] if listed or isinstance(kind, UnionType) else kind
    node = described[kind.__name__]
    texts = {name: text for name, _, _, text in fields(node)}
    _, _, about = _docstring(node).partition(": ")
    heading = f"[[{path}]]" if listed else f"[{path}]"
    lines = [f"{level} `{heading}`", "", *([about[0].upper() + about[1:], ""] if about else [])]
    lines += ["| setting | takes | default | |", "|---|---|---|---|"]
    inner: list[str] = []
    texts = _inherited(kind, described) | texts
    for field in msgspec.structs.fields(kind):
        takes = allowed(field.type)
        if get_origin(field.type) is dict and _table_in(get_args(field.type)[1]) and field.name not in _PLAIN:
            takes = f"tables `[{path}.{field.name}.NAME]`"
            inner += _sections(f"{path}.{field.name}", field.type, described, "###")
        elif field.name in _TABLES:
            takes = f"a table `[{path}.{field.name}]`"
            inner += _sections(f"{path}.{field.name}", field.type, described, "###")
        elif get_origin(field.type) is list and _table_in(get_args(field.type)[0]):
            takes = f"tables `[[{path}.{field.name}]]`"
            inner += _sections(f"{path}.{field.name}", field.type, described, "###")
        lines.append(_row(f"`{field.name}`", takes, _default_of(field), texts[field.name]))
    return [*lines, "", *inner]


_TABLES = {"rest", "manifest"}
"""Settings that are tables with a section of their own."""
_PLAIN = {"quantiles"}
"""Tables of names that are written on one line and need no section of their own."""


def _table_in(kind: Any) -> bool:
    """Whether values of this type are tables of settings, or lists of them besides."""
    first = get_args(kind)[0] if isinstance(kind, UnionType) else kind
    return hasattr(first, "__struct_fields__")


def _inherited(kind: Any, described: Mapping[str, ast.ClassDef]) -> dict[str, str]:
    """What the settings that a section shares with others are for."""
    bases = (described[one.__name__] for one in kind.__mro__[1:] if one.__name__ in described)
    return {name: text for node in bases for name, _, _, text in fields(node)}


def _default_of(field: Any) -> str:
    """The default as heptad.toml would have it."""
    if field.required:
        return "required"
    value = field.default if field.default is not msgspec.NODEFAULT else field.default_factory()
    return "not set" if value is None else f"`{msgspec.json.encode(value).decode()}`"


def expectations_page() -> str:
    """Every expectation, family by family: what it is held to, which columns it is about, what holds."""
    texts: dict[type, dict[str, str]] = {}
    for kind in (ColumnExpectation, TableExpectation):
        node = described_settings()[kind.__name__]
        texts[kind] = {name: text for name, _, _, text in fields(node)}
    lines = [MADE, "# Expectations", "", *_EXPECTATIONS, ""]
    for family in FAMILIES:
        about = (family.__doc__ or "").partition("\n")[0].removeprefix("Expectations ").rstrip(".")
        lines += [f"## {about[0].upper()}{about[1:]}", "", "| expectation | takes | columns | mostly | |"]
        lines.append("|---|---|---|---|---|")
        for one in family.DEFINITIONS:
            kind = ColumnExpectation if one.needs_column else TableExpectation
            field = next(field for field in msgspec.structs.fields(kind) if field.name == one.name)
            columns = ", ".join(one.takes) or ("any" if one.needs_column else "the table's")
            mostly = "yes" if one.by_row else ""
            lines.append(_row(f"`{one.name}`", allowed(field.type), columns, mostly, texts[kind][one.name]))
        lines.append("")
    return _joined(lines)


_EXPECTATIONS = [
    "Expectations of a column stand in `[expect.columns.NAME]`; those of whole rows and of the table, which say",
    "“the table's” below, in `[[expect.table]]`.",
    "Each takes `severity`, `where`, `within` and `about` beside it, and `mostly` where it holds row by row.",
    "[The page about expectations](../steps/data/expectations.md) shows how they are used.",
]


def records_page() -> str:
    """Every kind of record, step by step."""
    lines = [MADE, "# Records", "", *_RECORDS, ""]
    found = sorted(classes(SOURCE, "Body"), key=lambda one: ROOMS.index(_room(one[0])))
    for path, node in found:
        lines += [f"## {node.name}", "", f"Kind `{_constant(node, 'kind')}`, written by `{_room(path)}`.", ""]
        lines += [" ".join(_docstring(node).split()), "", "| field | type | |", "|---|---|---|"]
        lines += [_row(f"`{name}`", f"`{kind}`", text) for name, kind, _, text in fields(node)]
        lines.append("")
    return _joined(lines)


_RECORDS = [
    "A record is frozen: it holds what was known when it was born, who made it, and when.",
    "What changes afterwards (status, tags, latest metrics, aliases) are attributes beside it.",
    "Records are linked to what they were made from.",
    "[Concepts](../concepts.md) explains the words.",
]


def commands_page() -> str:
    """Every command with its arguments and options, in the order of `heptad --help`."""
    lines = [MADE, "# Commands", "", *_COMMANDS, ""]
    for path, command in commands():
        lines += [f"## `heptad {path}`", "", str(command.help or ""), ""]
        given = [one for one in command.params if one.name not in {"project", "as_json"}]
        if given:
            lines += ["| takes | default | |", "|---|---|---|", *map(_parameter, given), ""]
    return _joined(lines)


_COMMANDS = [
    "Every command but `init` and `demo` takes `--project FOLDER` (`-p`), the project's folder, by default the present",
    "one; and every command takes `--json`, which prints one JSON value last instead of text.",
    "Exit codes: 0 done, 1 it failed, 2 what was given cannot be used, 130 interrupted.",
    "`heptad --install-completion` teaches your shell to complete commands and options.",
]


def commands() -> Iterator[tuple[str, Any]]:
    """Path (`data log`) and command, groups opened."""
    yield from _below(build(), "")


def _below(group: Any, path: str) -> Iterator[tuple[str, Any]]:
    for name, command in group.commands.items():
        inner = f"{path} {name}".strip()
        if hasattr(command, "commands"):
            yield from _below(command, inner)
        else:
            yield inner, command


def _parameter(one: Any) -> str:
    is_option = one.param_type_name == "option"
    shown = " ".join(f"`{name}`" for name in one.opts) if is_option else f"`{one.name.upper()}`"
    default = "required" if one.required else _default(one.default)
    return _row(shown, default, str(one.help or ""))


def _default(value: Any) -> str:
    if value in (None, "", False) or callable(value):
        return ""
    return "the present folder" if str(value) == "." else f"`{value}`"


def events_page() -> str:
    """Every kind of event, in the order of the steps."""
    lines = [MADE, "# Events", "", *_EVENTS, "", "| event | |", "|---|---|"]
    lines += [_row(f"`{kind}`", EVENTS.get(kind, "")) for kind in published_events()]
    return _joined(lines)


_EVENTS = [
    "Every change is an event: its kind, the record it is about, who acted, when, and a digest over itself and the",
    "event before it.",
    "`heptad events` lists the newest; `heptad events --verify` walks the whole chain and names the first event",
    "that is not what was written.",
    "From Python, `heptad.core.events.Subscriber` reads them at least once and in order.",
]


@functools.cache
def published_events() -> Sequence[str]:
    """The kinds that the code mentions, `step.what_happened`, in the order of the steps."""
    kind = re.compile(rf"({'|'.join(ROOMS)})\.[a-z_]+")
    found = {
        node.value
        for room in (*ROOMS, "api")
        for path in (SOURCE / room).rglob("*.py")
        for node in ast.walk(_tree(path))
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and kind.fullmatch(node.value)
    }
    order = list(EVENTS)
    return sorted(found, key=lambda one: (order.index(one) if one in EVENTS else len(order), one))


def contracts_page() -> str:
    """The published contracts: what an implementation promises, a sentence for each method, what is built in."""
    lines = [MADE, "# Contracts", "", *_CONTRACTS, ""]
    for path, node in classes(SOURCE, "Protocol"):
        if node.name not in PUBLISHED:
            continue
        module = path.relative_to(SOURCE.parent).with_suffix("").as_posix().replace("/", ".")
        lines += [f"## {node.name}", "", f"`{module}.{node.name}`. {PUBLISHED[node.name]}", ""]
        lines += [_docstring(node), "", "| method | |", "|---|---|"]
        methods = [item for item in node.body if isinstance(item, ast.FunctionDef)]
        lines += [_row(f"`{method.name}`", _first_sentence(method)) for method in methods]
        lines.append("")
    lines += ["## Executor", "", *_EXECUTOR, "", "## What is built in", "", "| contract | names |", "|---|---|"]
    lines += [_row(f"`{contract}`", ", ".join(f"`{name}`" for name in names)) for contract, names in BUILT_IN.items()]
    return _joined(lines)


PUBLISHED = {
    "Store": "Its tests are `heptad.testing.store_contract`.",
    "BlobStore": "Its tests are `heptad.testing.blobs_contract`.",
    "Source": "Its tests are `heptad.testing.source_contract`.",
    "OnlineStore": "Its tests are `heptad.testing.online_contract`.",
    "Clock": "Where every recorded time comes from.",
}
"""The contracts that others may fill; all other protocols are details of one step."""

_CONTRACTS = [
    "A contract is a narrow interface that a part of your own can fill.",
    "Register it as an entry point in the group `heptad.CONTRACT` (`heptad.source`, `heptad.blobs`, ...), and the",
    "name that the settings give finds it like a built-in one.",
    "The classes in `heptad.testing` are the promises as tests: subclass one, give it its fixtures, and your part is",
    "held to what the built-in ones are held to.",
]

_EXECUTOR = [
    "Tasks of a flow run on any `concurrent.futures.Executor` of Python's; an entry point in the group",
    "`heptad.executor` is a function that takes the number of workers and answers one.",
    "Its tests are `heptad.testing.executor_contract`.",
]


def classes(folder: Path, base: str) -> Iterator[tuple[Path, ast.ClassDef]]:
    """Classes of a folder's files that derive from `base`, in order of file and line."""
    for path in sorted(folder.rglob("*.py")):
        for node in _tree(path).body:
            if isinstance(node, ast.ClassDef) and any(ast.unparse(one) == base for one in node.bases):
                yield path, node


def fields(node: ast.ClassDef) -> Iterator[tuple[str, str, str, str]]:
    """Name, type, default and docstring of each declared field."""
    for position, item in enumerate(node.body):
        if not isinstance(item, ast.AnnAssign) or ast.unparse(item.annotation).startswith("ClassVar"):
            continue
        below = node.body[position + 1] if position + 1 < len(node.body) else None
        text = str(below.value.value) if isinstance(below, ast.Expr) and isinstance(below.value, ast.Constant) else ""
        default = "" if item.value is None else ast.unparse(item.value)
        yield ast.unparse(item.target), ast.unparse(item.annotation), default, " ".join(text.split())


def _constant(node: ast.ClassDef, name: str) -> str:
    """A class constant, annotated or not."""
    for item in node.body:
        targets = item.targets if isinstance(item, ast.Assign) else [getattr(item, "target", None)]
        if any(isinstance(one, ast.Name) and one.id == name for one in targets):
            return str(ast.literal_eval(item.value))  # type: ignore[attr-defined]  # an assignment has a value
    raise ValueError(f"{node.name} has no {name}")


def _tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


def _room(path: Path) -> str:
    return path.relative_to(SOURCE).parts[0]


def _docstring(node: ast.ClassDef | ast.FunctionDef) -> str:
    return ast.get_docstring(node) or ""


def _first_sentence(node: ast.FunctionDef) -> str:
    return _docstring(node).partition("\n\n")[0].replace("\n", " ")


def _row(*cells: str) -> str:
    return f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in cells)} |"


def _joined(lines: Sequence[str]) -> str:
    return "\n".join(lines).rstrip() + "\n"


PAGES = {
    "expectations.md": expectations_page,
    "configuration.md": settings_page,
    "commands.md": commands_page,
    "records.md": records_page,
    "events.md": events_page,
    "contracts.md": contracts_page,
}


def main() -> int:
    stale = []
    for name, make in PAGES.items():
        path = DOCS / "reference" / name
        page = make()
        if not path.exists() or path.read_text(encoding="utf-8") != page:
            stale.append(name)
            if "--check" not in sys.argv:
                path.parent.mkdir(exist_ok=True)
                path.write_text(page, encoding="utf-8")
    if stale and "--check" in sys.argv:
        print(f"Not up to date: {', '.join(stale)}. Run python docs/make_reference.py", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())

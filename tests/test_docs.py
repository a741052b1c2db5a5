"""The documentation is true: complete, up to date, and what it tells to type exists."""

import ast
import importlib
import importlib.util
import re
import shlex
import tomllib
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any, get_args, get_origin

import msgspec
import pytest

from heptad.config import Config

ROOT = Path(__file__).parent.parent
DOCS = ROOT / "docs"
READMES = [ROOT / "README.md", ROOT / "examples" / "README.md", ROOT / "changelog.d" / "README.md"]
PAGES = [*sorted(DOCS.rglob("*.md")), *READMES]
STEPS = ("data", "experiments", "training", "release", "serving", "monitoring", "lifecycle")
OTHER_PROGRAMS = {"cd", "curl", "pip", "git"}
"""What a reader is told to type besides our own commands, make and Python."""


def _reference() -> ModuleType:
    """docs/make_reference.py, which is a script beside the pages and no package."""
    spec = importlib.util.spec_from_file_location("make_reference", DOCS / "make_reference.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


reference = _reference()
COMMANDS: dict[str, Any] = dict(reference.commands())


def page_name(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def blocks(path: Path, *languages: str) -> Iterator[str]:
    """The contents of the fenced blocks of a page in these languages."""
    fenced = re.compile(r"^```(\w+)\n(.*?)^```", re.MULTILINE | re.DOTALL)
    yield from (found[2] for found in fenced.finditer(path.read_text(encoding="utf-8")) if found[1] in languages)


def typed(path: Path) -> Iterator[list[str]]:
    """The commands that a page tells to type, as words; lines that end with a backslash go on."""
    for block in blocks(path, "console"):
        for line in block.replace("\\\n", " ").splitlines():
            if line.startswith("$ "):
                yield shlex.split(line[2:])


@pytest.mark.parametrize("name", reference.PAGES)
def test_reference_pages_say_what_the_code_says(name: str) -> None:
    """A page that is made of the code is what the code makes of it now: python docs/make_reference.py."""
    assert (DOCS / "reference" / name).read_text(encoding="utf-8") == reference.PAGES[name]()


def test_every_event_has_a_sentence_and_no_sentence_lacks_its_event() -> None:
    """What the code publishes and what the table in make_reference.py explains are the same kinds."""
    assert set(reference.published_events()) == reference.EVENTS.keys()


@pytest.mark.parametrize("step", STEPS)
def test_a_step_page_names_its_commands_events_and_sections(step: str) -> None:
    """Whoever reads the page of a step meets each of its commands, events and sections of heptad.toml."""
    (path,) = (DOCS / "steps").glob(f"*-{step}.md")
    text = path.read_text(encoding="utf-8")
    wanted = [f"heptad {command}" for command in COMMANDS if command.split()[0] == step]
    wanted += [kind for kind in reference.published_events() if kind.startswith(f"{step}.")]
    for field in msgspec.structs.fields(Config):
        kind = get_args(field.type)[1] if get_origin(field.type) is dict else field.type
        if kind.__module__.startswith(f"heptad.{step}."):
            wanted.append(f"`[{field.name}{'.NAME' if get_origin(field.type) is dict else ''}]`")
    assert wanted
    assert [one for one in wanted if one not in text] == []


def test_every_command_and_option_has_its_words() -> None:
    """Commands and what they take carry a help text, which the reference page shows."""
    silent = [name for name, command in COMMANDS.items() if not command.help]
    silent += [f"{name} {one.name}" for name, command in COMMANDS.items() for one in command.params if not one.help]
    assert silent == []


def test_the_commands_page_is_right_about_the_common_options() -> None:
    """`--project` and `--json` are where the page says they are."""
    takes = {name: {one.name for one in command.params} for name, command in COMMANDS.items()}
    assert {name for name, options in takes.items() if "project" not in options} == {"init", "demo"}
    assert [name for name, options in takes.items() if "as_json" not in options] == []


@pytest.mark.parametrize("path", PAGES, ids=page_name)
def test_what_a_page_tells_to_type_exists(path: Path) -> None:
    """Commands with their options, make targets, and Python files."""
    targets = set(re.findall(r"^([a-z-]+):.*##", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    wrong = []
    for words in typed(path):
        match words:
            case ["heptad", *rest]:
                wrong += _wrong_in(rest)
            case ["make", target]:
                wrong += [] if target in targets else [f"make {target}"]
            case ["python", script, *_] if not script.startswith("-"):
                wrong += [] if (ROOT / script).is_file() else [f"python {script}"]
            case [program, *_] if program not in {"python", *OTHER_PROGRAMS}:
                wrong.append(program)
    assert wrong == []


def _command_of(words: list[str]) -> str:
    """The command that the words begin with; groups have commands of up to three words. Empty: there is none."""
    return next((path for path in (" ".join(words[:most]) for most in (3, 2, 1)) if path in COMMANDS), "")


def _wrong_in(words: list[str]) -> list[str]:
    """What of a command's words does not exist."""
    path = _command_of(words)
    if not path:
        return [f"heptad {' '.join(words)}"]
    known = {option for one in COMMANDS[path].params for option in one.opts}
    given = [word.partition("=")[0] for word in words if word.startswith("-")]
    return [f"heptad {path} {option}" for option in given if option not in known]


@pytest.mark.parametrize("path", PAGES, ids=page_name)
def test_commands_in_running_text_exist(path: Path) -> None:
    """`heptad something` in a sentence is a command too."""
    wrong = []
    text = re.sub(r"^```.*?^```", "", path.read_text(encoding="utf-8"), flags=re.MULTILINE | re.DOTALL)
    for found in re.finditer(r"`heptad ((?:[a-z][a-z-]*)(?: [a-z][a-z-]*)?)([^`]*)`", text):
        wrong += _wrong_in(f"{found[1]}{found[2]}".split())
    assert wrong == []


@pytest.mark.parametrize("path", PAGES, ids=page_name)
def test_python_in_a_page_compiles_and_imports_what_exists(path: Path) -> None:
    """Snippets are whole programs; each name that they import from heptad is there."""
    wrong = []
    for block in blocks(path, "python"):
        for node in ast.walk(ast.parse(block)):
            if isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] == "heptad":
                module = importlib.import_module(str(node.module))
                wrong += [f"{node.module}.{one.name}" for one in node.names if not hasattr(module, one.name)]
    assert wrong == []


@pytest.mark.parametrize("path", PAGES, ids=page_name)
def test_settings_in_a_page_exist(path: Path) -> None:
    """Sections and settings of TOML snippets are those of heptad.toml."""
    wrong = []
    for block in blocks(path, "toml"):
        if "entry-points" not in block:  # that one is about the pyproject.toml of somebody else
            wrong += list(_unknown_settings(tomllib.loads(block), Config, ""))
    assert wrong == []


def _unknown_settings(values: dict[str, Any], kind: Any, path: str) -> Iterator[str]:
    for name, value in values.items():
        if get_origin(kind) is dict:
            inner = get_args(kind)[1]
        else:
            known = {field.name: field.type for field in msgspec.structs.fields(kind)}
            if name not in known:
                yield f"{path}{name}"
                continue
            inner = known[name]
        if isinstance(value, dict) and (get_origin(inner) is dict or hasattr(inner, "__struct_fields__")):
            yield from _unknown_settings(value, inner, f"{path}{name}.")


@pytest.mark.parametrize("path", PAGES, ids=page_name)
def test_links_lead_somewhere(path: Path) -> None:
    """A relative link names a file that is there, and a heading that the file has."""
    wrong = []
    for target in re.findall(r"\]\(([^)\s]+)\)", path.read_text(encoding="utf-8")):
        if "://" in target:
            continue
        name, _, anchor = target.partition("#")
        place = (path.parent / name).resolve() if name else path
        if not place.exists() or (anchor and anchor not in _anchors(place)):
            wrong.append(target)
    assert wrong == []


def _anchors(path: Path) -> set[str]:
    headings = re.findall(r"^#+ (.+)$", path.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^a-z0-9 -]", "", heading.lower()).strip().replace(" ", "-") for heading in headings}


def test_every_page_is_in_the_navigation() -> None:
    """A page that no menu leads to is a page that nobody reads."""
    settings = tomllib.loads((ROOT / "zensical.toml").read_text(encoding="utf-8"))
    assert sorted(_leaves(settings["project"]["nav"])) == sorted(
        path.relative_to(DOCS).as_posix() for path in DOCS.rglob("*.md")
    )


def _leaves(entry: Any) -> Iterator[str]:
    if isinstance(entry, str):
        yield entry
    else:
        for inner in entry.values() if isinstance(entry, dict) else entry:
            yield from _leaves(inner)


def test_every_decision_is_listed_with_its_number() -> None:
    """The list of decisions and the files are the same, in the order of their numbers."""
    files = sorted(path.name for path in (DOCS / "decisions").glob("0*.md"))
    listed = re.findall(r"\[(\d+)\]\((.+?)\)", (DOCS / "decisions" / "index.md").read_text(encoding="utf-8"))
    assert listed == [(str(int(name[:4])), name) for name in files]


def test_fault_points_are_all_in_the_page_about_durability() -> None:
    """Each boundary at which a test may kill the process is explained, and no other."""
    text = (DOCS / "durability.md").read_text(encoding="utf-8")
    found = {
        node.args[0].value
        for path in (ROOT / "src" / "heptad").rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "boundary"
        if isinstance(node.args[0], ast.Constant)
    }
    assert found == set(re.findall(r"`([a-z]+\.(?:before|after)_[a-z]+)`", text))

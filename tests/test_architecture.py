"""The house rules, read off the syntax trees: who may import what, how large things get, and what they are called."""

import ast
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
SOURCE = ROOT / "src" / "heptad"
STEPS = ["data", "experiments", "training", "release", "serving", "monitoring", "lifecycle"]

OWN_IMPORTS: dict[str, set[str]] = {
    "core": {"core"},
    **{step: {"core", *STEPS[: position + 1]} for position, step in enumerate(STEPS)},
    "config": {"core", *STEPS},
    "project": {"core", "config", *STEPS},
    "adapters": {"core", *STEPS},
    "__main__": {"cli"},
    "cli": {"core", "config", "project", "api", *STEPS},
    "api": {"core", "config", "project", *STEPS},
    "testing": {"core", *STEPS},
    "templates": set(),
    "__init__": {"project"},
}
"""Folder (or module at the top) to what of ours it may import; type-only and late imports count too."""

EVERYWHERE = {"msgspec", "numpy", "polars", "blake3"}
OUTSIDE: dict[str, set[str]] = {
    "core": {"msgspec", "blake3", "sqlalchemy", "psycopg", "numpy", "polars"},
    "data": {
        "deltalake",
        "rapidfuzz",
        "yaml",
        "sklearn",
        "fastavro",
        "fastexcel",
        "backports",
        "scipy",
        "lxml",
        "PIL",
        "tinytag",
        "soundfile",
    },
    "experiments": {"optuna", "cmaes", "scipy", "altair", "vl_convert", "yaml", "threadpoolctl"},
    "training": {"sklearn", "lightgbm", "onnx", "onnxruntime", "scipy", "threadpoolctl", "altair"},
    "release": {"cryptography", "yaml"},
    "serving": {"granian", "deltalake"},
    "monitoring": {"altair"},
    "lifecycle": {"altair"},
    "cli": {"typer", "rich"},
    "api": set(),
    "project": set(),
    "config": set(),
    "testing": {"pytest", "hypothesis"},
    "templates": {"polars"},
    "__init__": set(),
}
"""Folder to the outside libraries it may use besides `EVERYWHERE`; anything else is an adapter's, one file each."""

ONLY_IN: dict[str, str | tuple[str, ...]] = {
    "sqlalchemy": "core/sql_",
    "psycopg": "core/sql_",
    "fastavro": "data/sources/avro",
    "fastexcel": "data/sources/excel",
    "backports": "data/sources/compression",
    "lxml": "data/sources/html_tables",
    "PIL": "data/manifests/images",
    "tinytag": "data/manifests/sounds",
    "soundfile": "data/manifests/sounds",
    "optuna": "experiments/searching/",
    "cmaes": "experiments/searching/cmaes",
    "sklearn": ("training/", "data/cleaning/limits"),
    "scipy": (
        "training/",
        "data/expectations/coverage",
        "data/manifests/fingerprints",
        "experiments/searching/gaussian_process",
    ),
    "lightgbm": "training/",
    "onnxruntime": "training/",
    "granian": "serving/workers",
    "yaml": ("data/expectations/importing/reading", "experiments/mlflow_import/folder", "release/flavours"),
}
"""Libraries that only these places may know."""

FORBIDDEN_NAMES = {"utils", "util", "helpers", "helper", "common", "misc", "base", "manager", "handler", "service"}
LINES_OF_A_FILE = 450
LINES_OF_TESTS = 600
LINES_OF_A_FUNCTION = 60
PUBLIC_METHODS = 12
LINES_OF_CORE = 6_500
UNTESTED_ALONE = {"__init__.py", "records.py", "settings.py", "store.py", "artifacts.py"}
"""Files that only declare: what uses them tests them, and the classes in heptad.testing test every implementation."""

FILES = sorted(SOURCE.rglob("*.py"))


def name_of(path: Path) -> str:
    return path.relative_to(SOURCE).as_posix()


def room(path: Path) -> str:
    """The folder at the top of the house that a file is in, or its own name where it stands at the top."""
    first = path.relative_to(SOURCE).parts[0]
    return first.removesuffix(".py")


def tree_of(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


def imports(path: Path) -> Iterator[tuple[int, str]]:
    """Line and dotted name of everything imported anywhere in the file."""
    for node in ast.walk(tree_of(path)):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{name_of(path)}:{node.lineno} imports relatively"
            yield node.lineno, node.module or ""


@pytest.mark.parametrize("path", FILES, ids=name_of)
def test_imports_point_down_and_left(path: Path) -> None:
    """A file imports the core and the steps to its left, those through their package root only."""
    here = room(path)
    wrong = []
    for line, module in imports(path):
        parts = module.split(".")
        if parts[0] != "heptad" or len(parts) == 1:
            continue
        there = parts[1]
        inside_a_step = there in STEPS and there != here and len(parts) > 2
        if there not in OWN_IMPORTS[here] | {here} or (inside_a_step and path.name != "__init__.py"):
            wrong.append(f"line {line}: {module}")
    assert not wrong, f"{name_of(path)} may import {sorted(OWN_IMPORTS[here])} (steps by their root): {wrong}"


@pytest.mark.parametrize("path", FILES, ids=name_of)
def test_outside_libraries_stay_in_their_folder(path: Path) -> None:
    """Each folder uses the outside libraries of its row in the table and no others."""
    here = room(path)
    wrong = []
    for line, module in imports(path):
        library = module.split(".")[0]
        if library in {*sys.stdlib_module_names, "_typeshed"} or library == "heptad" or here == "adapters":
            continue
        at_home = name_of(path).startswith(ONLY_IN.get(library, ""))
        if library not in OUTSIDE[here] | (EVERYWHERE if here != "core" else set()) or not at_home:
            wrong.append(f"line {line}: {library}")
    assert not wrong, f"{name_of(path)}: {wrong}"


@pytest.mark.parametrize("path", FILES, ids=name_of)
def test_files_functions_and_classes_stay_small(path: Path) -> None:
    """A file has one idea, a function fits on a screen, a class has few public methods."""
    text = path.read_text(encoding="utf-8")
    wrong = []
    if len(text.splitlines()) > (LINES_OF_TESTS if room(path) == "testing" else LINES_OF_A_FILE):
        wrong.append(f"{len(text.splitlines())} lines")
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            length = (node.end_lineno or node.lineno) - node.lineno + 1
            if length > LINES_OF_A_FUNCTION:
                wrong.append(f"{node.name} has {length} lines")
        elif isinstance(node, ast.ClassDef) and room(path) != "testing":
            public = [item.name for item in node.body if isinstance(item, ast.FunctionDef) and item.name[0] != "_"]
            if len(public) > PUBLIC_METHODS:
                wrong.append(f"{node.name} has {len(public)} public methods")
    assert not wrong, f"{name_of(path)}: {wrong}"


def test_no_file_has_a_name_that_says_nothing() -> None:
    """A file is named by the noun of what it defines."""
    assert [name_of(path) for path in FILES if path.stem.strip("_") in FORBIDDEN_NAMES] == []


def test_the_core_stays_small() -> None:
    """The core is the bottom of the house, not its attic."""
    lines = sum(len(path.read_text(encoding="utf-8").splitlines()) for path in (SOURCE / "core").glob("*.py"))
    assert lines <= LINES_OF_CORE


@pytest.mark.parametrize("path", FILES, ids=name_of)
def test_every_module_says_what_it_is_for_and_has_its_test(path: Path) -> None:
    """Each module opens with a sentence; each has a test file of its name in the folder of its name."""
    assert ast.get_docstring(tree_of(path)), f"{name_of(path)} has no docstring"
    if path.name in UNTESTED_ALONE or room(path) in {"testing", "templates"}:
        return
    expected = ROOT / "tests" / path.relative_to(SOURCE).parent / f"test_{path.name}"
    assert expected.is_file(), f"{expected.relative_to(ROOT)} is missing"


@pytest.mark.parametrize("package", ["core", *STEPS])
def test_contracts_have_at_most_seven_methods(package: str) -> None:
    """A contract that needs more is two contracts, or functions on top of one."""
    wrong = []
    for path in (SOURCE / package).rglob("*.py"):
        for node in ast.walk(tree_of(path)):
            if isinstance(node, ast.ClassDef) and any(ast.unparse(base).startswith("Protocol") for base in node.bases):
                methods = [item.name for item in node.body if isinstance(item, ast.FunctionDef)]
                if len(methods) > 7:
                    wrong.append(f"{name_of(path)}: {node.name} has {len(methods)}")
    assert wrong == []


@pytest.mark.parametrize("step", STEPS)
def test_the_root_of_a_step_lists_its_public_names_twice_alike(step: str) -> None:
    """What a type checker sees of a step's root is what Python finds there."""
    tree = tree_of(SOURCE / step / "__init__.py")
    checked = {
        alias.asname: (node.module or "").removeprefix(f"heptad.{step}.")
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith(f"heptad.{step}.")
        for alias in node.names
    }
    table = next(ast.literal_eval(node) for node in ast.walk(tree) if isinstance(node, ast.Dict))
    assert table == checked
    modules = {path.stem for path in (SOURCE / step).iterdir()}
    # Once imported, a module becomes an attribute of its package and would hide the name.
    assert not modules & set(table), f"a name and a module are called alike: {modules & set(table)}"

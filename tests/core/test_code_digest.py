"""What makes a function another function: its code and all of the project's that it reaches."""

import functools
import subprocess
import sys
import textwrap
import types
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

import heptad
from heptad.core.code_digest import CodeReader
from heptad.core.records import canonical_json

NAME = "a_project_pipeline"


@pytest.fixture(autouse=True)
def forgotten() -> Iterator[None]:
    yield
    sys.modules.pop(NAME, None)


def module(source: str) -> Any:
    """A module of a user's project with that source."""
    made = types.ModuleType(NAME)
    sys.modules[NAME] = made
    exec(compile(textwrap.dedent(source), NAME, "exec"), vars(made))
    return made


def parts(source: str, name: str = "f") -> dict[str, str]:
    return CodeReader().parts(getattr(module(source), name))


def changed(before: str, after: str) -> set[str]:
    """Names of the parts of `f` that differ between two sources, without the name of the module."""
    old, new = parts(before), parts(after)
    return {name.removeprefix(f"{NAME}:") for name in old.keys() | new.keys() if old.get(name) != new.get(name)}


BEFORE = '''
RATE = 2
TABLE = {"a": [1, 2]}
def g(x):
    return x * RATE
def h(x):
    return TABLE["a"][0] + x
def unused(x):
    return x
def f(x):
    """Says what it does."""
    return g(x) + [h(one) for one in x][0]
'''


@pytest.mark.parametrize(
    ("old", "new", "names"),
    [
        ("x * RATE", "x + RATE", {"g"}),
        ("RATE = 2", "RATE = 3", {"RATE"}),
        ("[1, 2]", "[1, 3]", {"TABLE"}),
        ("h(one)", "h(one + 1)", {"f"}),
        ('TABLE["a"][0]', 'TABLE["a"][1]', {"h"}),
        ("def unused(x):\n    return x", "def unused(x):\n    return 2 * x", set()),
        ("Says what it does.", "Says something else.", set()),
        ('    """Says what it does."""\n', "", set()),
        ("def h(x):", "# A comment.\n\n\ndef h(x):  # and one more", set()),
        ("[h(one) for one in x][0]", "len(x)", {"f", "h", "TABLE"}),
    ],
)
def test_the_part_that_changed_is_named(old: str, new: str, names: set[str]) -> None:
    """A change is seen in the function and in what it reaches, by name; comments and docstrings do not count."""
    assert old in BEFORE
    assert changed(BEFORE, BEFORE.replace(old, new)) == names


@pytest.mark.parametrize(
    ("before", "old", "new", "names"),
    [
        ("def f(x):\n    return x in {'a', 'b'}", "'b'", "'c'", {"f"}),
        ("def f(x):\n    return 1", "1", "1.0", {"f"}),
        ("def f(x):\n    return 0.0", "0.0", "-0.0", {"f"}),
        ("def f(x):\n    return True", "True", "1", {"f"}),
        ("def f(x):\n    'never used'\n    return 'text'", "'text'", "'never used'", {"f"}),
        ("def f(x):\n    def inner():\n        return 1\n    return inner", "return 1", "return 2", {"f"}),
        ("def f(x):\n    return lambda: 1", "lambda: 1", "lambda: 2", {"f"}),
        ("def g(x, y=1):\n    return y\ndef f(x):\n    return g(x)", "y=1", "y=2", {"g(y)"}),
        ("def g(x, *, y=1):\n    return y\ndef f(x):\n    return g(x)", "y=1", "y=2", {"g(y)"}),
        ("def f(x):\n    return f(x - 1) if x else 0", "else 0", "else 1", {"f"}),
        ("def g(x):\n    return 1\nHOW = {'g': g}\ndef f(x):\n    return HOW[x](x)", "return 1", "return 2", {"g"}),
        ("HOW = []\nHOW.append(HOW)\ndef f(x):\n    return HOW", "return HOW", "return HOW, x", {"f"}),
    ],
)
def test_constants_defaults_and_inner_functions_count(before: str, old: str, new: str, names: set[str]) -> None:
    """Everything that a function holds is part of it, and told apart by type as well as value."""
    assert changed(before, before.replace(old, new)) == names


CLASSES = """
import dataclasses, decimal, enum, functools, re
import msgspec
import polars as pl
class Counted:
    def __init__(self, function):
        functools.update_wrapper(self, function)
        self.function = function
    def __call__(self, x):
        return self.function(x) + 3000
@Counted
def counted(x):
    return x + 4000
CONSTANTS = [{re.compile("a"), re.compile("b"), decimal.Decimal("0.1")}, pl.col("a") > 1, {Counted: len, "x": min}]
class Kind(enum.Enum):
    ONE = 1
class Shape:
    sides = 4
    def area(self):
        return self.width ** 2
    @property
    def width(self):
        return 3
    @staticmethod
    def name():
        return "shape"
    @functools.cached_property
    def slow(self):
        return 10
class Square(Shape):
    pass
class Point(msgspec.Struct):
    x: int = 0
@dataclasses.dataclass
class Pair:
    left: int = 1
INSTANCE = Shape()
INSTANCE.held = 7
@functools.cache
def cached(x):
    return x + 100
def decorate(function):
    @functools.wraps(function)
    def around(*args):
        return function(*args) + 1000
    return around
@decorate
def decorated(x):
    return x + 2000
def f(x):
    return Square().area(), Kind.ONE, Point(), Pair(), INSTANCE, cached(x), decorated(x), counted(x), CONSTANTS
"""


@pytest.mark.parametrize(
    ("old", "new", "names"),
    [
        ("self.width ** 2", "self.width ** 3", {"Shape.area"}),
        ("return 3", "return 4", {"Shape.width"}),
        ('return "shape"', 'return "form"', {"Shape.name"}),
        ("return 10", "return 11", {"Shape.slow"}),
        ("sides = 4", "sides = 5", {"Shape.sides"}),
        ("ONE = 1", "ONE = 2", {"Kind"}),
        ("x: int = 0", "x: int = 1", {"Point.__struct_defaults__"}),
        ("left: int = 1", "left: int = 2", {"Pair.left"}),
        ("held = 7", "held = 8", {"INSTANCE.held"}),
        ("x + 100", "x + 101", {"cached"}),
        ("+ 1000", "+ 1001", {"decorate.<locals>.around"}),
        ("x + 2000", "x + 2001", {"decorated"}),
        ("+ 3000", "+ 3001", {"Counted.__call__"}),
        ("x + 4000", "x + 4001", {"counted"}),
    ],
)
def test_classes_and_wrapped_functions_are_read(old: str, new: str, names: set[str]) -> None:
    """Methods, properties, bases, enumerations, fields, cached and decorated functions are followed."""
    assert old in CLASSES
    found = changed(CLASSES, CLASSES.replace(old, new))
    # A dataclass writes its default into the function that it generates, too.
    assert {name for name in found if "__init__" not in name} == names


@pytest.mark.parametrize(
    ("before", "old", "new", "names"),
    [
        ("HOW = {'a': g, 'b': h}\ndef f(x):\n    return HOW[x](x)", "'a': g, 'b': h", "'a': h, 'b': g", {"HOW"}),
        ("HOW = [g, h]\ndef f(x):\n    return HOW[0](x)", "[g, h]", "[h, g]", {"HOW"}),
        (
            "HOW = [lambda x: x, lambda x: -x]\ndef f(x):\n    return HOW[0](x)",
            "x, lambda x: -x",
            "-x, lambda x: x",
            {"<lambda>"},
        ),
        ("a, b = g, h\ndef f(x):\n    return a(b(x))", "a, b = g, h", "a, b = h, g", {"f"}),
        ("def f(x, a=g, b=h):\n    return a(b(x))", "a=g, b=h", "a=h, b=g", {"f"}),
        ("f = functools.partial(g, h, k=g)", "h, k=g", "g, k=h", {"functools:partial"}),
        (
            "PAIR = make(1), make(2)\ndef f(x):\n    return PAIR[0](x)",
            "make(1), make(2)",
            "make(2), make(1)",
            {"make.<locals>.made.n"},
        ),
        (
            "TOOL.act = g\ndef f(x):\n    return TOOL.act(x) + h(x)",
            "TOOL.act = g",
            "TOOL.act = h",
            {"TOOL", "g", "g(k)"},
        ),
        ("a = min\ndef f(x):\n    return a(x)", "a = min", "a = max", {"a", "f"}),
        ("from statistics import mean as a\ndef f(x):\n    return a(x)", "import mean", "import median", {"f"}),
        ("import math as m\ndef f(x):\n    return m.log(x)", "import math", "import cmath", {"f"}),
        ("import numpy as np\ndef f(x, a=np.min):\n    return a(x)", "a=np.min", "a=np.max", {"f", "f(a)"}),
        ("def f(x, kind=int):\n    return kind(x)", "kind=int", "kind=float", {"f"}),
    ],
)
def test_what_a_name_stands_for_counts(before: str, old: str, new: str, names: set[str]) -> None:
    """Not only which functions are reached, but from where: two that change places are another computation."""
    source = """
import functools
class Tool:
    pass
TOOL = Tool()
def g(x, k=None):
    return x + 1
def h(x):
    return x * 2
def make(n):
    def made(x):
        return x + n
    return made
{}
"""
    source = source.replace("{}", before)
    assert source.count(old) == 1
    assert {name.rpartition("/")[2] for name in changed(source, source.replace(old, new))} == names


@pytest.mark.parametrize(
    ("value", "old", "new"),
    [
        ("re.compile('[a-z]+')", "a-z", "a-y"),
        ("decimal.Decimal('0.10')", "0.10", "0.11"),
        ("range(0, 10, 2)", "10", "12"),
        ("datetime.time(9, 30)", "30", "31"),
        ("zoneinfo.ZoneInfo('Europe/Paris')", "Paris", "Berlin"),
        ("collections.deque([1, 2])", "2", "3"),
        ("collections.defaultdict(list, a=[1])", "1", "2"),
        ("types.MappingProxyType({'a': 1})", "1", "2"),
        ("{re.compile('a'), re.compile('b')}", "'b'", "'c'"),
        ("pl.col('delay') > 15", "15", "20"),
        ("np.dtype('float64')", "64", "32"),
        ("[complex(1, 2)]", "2", "3"),
        ("linear.Ridge(alpha=1.0)", "1.0", "2.0"),
        ("Slotted(1)", "1", "2"),
        ("SlottedData(1)", "1", "2"),
        ("Named(1)", "1", "2"),
        ("Listed([re.compile('a')])", "'a'", "'b'"),
        ("Kind.ONE", "ONE", "TWO"),
        ("Point(1)", "1", "2"),
        ("functools.partial(int, base=2)", "2", "8"),
        ("operator.attrgetter('a')", "'a'", "'b'"),
        ("preprocessing.FunctionTransformer(lambda x: x + 1)", "x + 1", "x + 2"),
    ],
)
def test_constants_of_any_type_count_by_what_they_hold(value: str, old: str, new: str) -> None:
    """Also of types that cannot be stored: of Python's, of installed packages, and of the project's own."""
    source = f"""
import collections, dataclasses, datetime, decimal, enum, functools, operator, re, types, typing, zoneinfo
import msgspec
import numpy as np
import polars as pl
import sklearn.linear_model as linear
import sklearn.preprocessing as preprocessing
class Kind(enum.Enum):
    ONE = 'one'
    TWO = 'two'
class Slotted:
    __slots__ = ("held",)
    def __init__(self, held):
        self.held = held
@dataclasses.dataclass(frozen=True, slots=True)
class SlottedData:
    held: int
class Named(typing.NamedTuple):
    held: object
class Listed(list):
    pass
class Point(msgspec.Struct):
    held: int
CONSTANT = {value}
def f(x):
    return CONSTANT
"""
    where = f"CONSTANT = {value}"
    found = changed(source, source.replace(where, where.replace(old, new)))
    assert found
    assert all(name.startswith("CONSTANT") or name == "<lambda>" for name in found)
    assert not changed(source, source)


def test_what_belongs_to_a_running_program_counts_by_its_type(tmp_path: Path) -> None:
    """An event that was set, an iterator that was read, a lock, a queue, a file: where they are now is no constant."""
    made = module(
        "import itertools, queue, threading\n"
        f"EVENT, QUEUE, FILE = threading.Event(), queue.Queue(), open({str(tmp_path / 'file')!r}, 'w')\n"
        "ITERATOR, COUNT, LOCK = iter([1, 2, 3]), itertools.count(), threading.Lock()\n"
        "def f(x):\n    return EVENT, QUEUE, FILE, ITERATOR, COUNT, LOCK"
    )
    before = CodeReader().parts(made.f)
    made.EVENT.set()
    made.QUEUE.put(1)
    made.FILE.write("text")
    next(made.ITERATOR)
    next(made.COUNT)
    with made.LOCK:
        assert CodeReader().parts(made.f) == before
    made.FILE.close()


METHODS = """
import functools, typing
import msgspec
class Meta(type):
    def __call__(cls, *args):
        return type.__call__(cls, *args)
class Made(metaclass=Meta):
    half = functools.partialmethod(lambda self, by: by / 2, 1)
class Config(msgspec.Struct):
    rate: float = 0.5
    def effective(self):
        return self.rate * 3
class Inner:
    def used(self):
        return 4
class Outer(msgspec.Struct):
    inner: Inner
class Named(typing.NamedTuple):
    held: int
    def doubled(self):
        return self.held * 5
class Shows:
    @functools.singledispatchmethod
    def show(self, value):
        return 8
    @show.register
    def _(self, value: int):
        return 9
@functools.singledispatch
def shown(value):
    return 6
@shown.register
def _(value: int):
    return 7
CONFIG, CONFIGS, NAMED = Config(), {"a": [Config()]}, Named(1)
def f(x: Outer):
    return %s
"""


@pytest.mark.parametrize(
    ("uses", "old", "new"),
    [
        ("CONFIG.effective()", "rate * 3", "rate * 4"),
        ("CONFIGS['a'][0].effective()", "rate * 3", "rate * 4"),
        ("NAMED.doubled()", "held * 5", "held * 6"),
        ("x.inner.used()", "return 4", "return 5"),
        ("Made()", "return type.__call__(cls, *args)", "return None"),
        ("Made().half()", "by / 2", "by / 3"),
        ("Made().half()", "/ 2, 1)", "/ 2, 2)"),
        ("shown(x)", "return 6", "return 66"),
        ("shown(x)", "return 7", "return 77"),
        ("Shows().show(x)", "return 8", "return 88"),
        ("Shows().show(x)", "return 9", "return 99"),
    ],
)
def test_methods_of_what_is_used_count(uses: str, old: str, new: str) -> None:
    """Of Structs and named tuples that are constants, of fields' types, of metaclasses, and of each registered type."""
    source = METHODS % uses
    assert source.count(old) == 1
    assert changed(source, source.replace(old, new))


def test_decorators_of_installed_packages_hide_nothing() -> None:
    """A function of the project is found in what a function from elsewhere holds, also without `functools.wraps`."""
    source = """
    from contextlib import ContextDecorator
    import toolbox_of_others
    @toolbox_of_others.around
    def f(x):
        return x + 1
    """
    toolbox = types.ModuleType("toolbox_of_others")
    toolbox.__file__ = "/anywhere/site-packages/toolbox_of_others.py"
    exec("def around(function):\n    def inner(*a):\n        return function(*a)\n    return inner", vars(toolbox))
    sys.modules["toolbox_of_others"] = toolbox
    try:
        assert changed(source, source.replace("x + 1", "x + 2")) == {"f"}
    finally:
        del sys.modules["toolbox_of_others"]


def test_a_class_named_in_an_annotation_is_read() -> None:
    """The methods of an argument's type count, whether the annotation is a type or text."""
    source = "class A:\n    def m(self):\n        return 1\ndef f(x: list[A]):\n    return x[0].m()"
    assert changed(source, source.replace("return 1", "return 2")) == {"A.m"}
    as_text = "from __future__ import annotations\n" + source
    assert changed(as_text, as_text.replace("return 1", "return 2")) == {"A.m"}


def test_other_modules_of_the_project_are_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Functions reached through a module, a package, or an import inside the function are followed."""
    folder = tmp_path / "a_package_of_mine"
    folder.mkdir()
    (folder / "__init__.py").write_text("")
    (folder / "steps.py").write_text("def clean(x):\n    return x\ndef other(x):\n    return x\n")
    monkeypatch.syspath_prepend(tmp_path)
    for source in (
        "import a_package_of_mine.steps\ndef f(x):\n    return a_package_of_mine.steps.clean(x)",
        "from a_package_of_mine import steps\ndef f(x):\n    return steps.clean(x)",
        "def f(x):\n    from a_package_of_mine.steps import clean\n    return clean(x)",
        "def f(x):\n    import a_package_of_mine.steps as s\n    return s.clean(x)",
    ):
        found = parts(source)
        assert "a_package_of_mine.steps:clean" in found, source
        assert "a_package_of_mine.steps:other" not in found, source
    for name in [name for name in sys.modules if name.startswith("a_package_of_mine")]:
        del sys.modules[name]


def test_installed_packages_and_python_itself_do_not_count() -> None:
    """Of code that is not the project's nothing is read; Heptad's counts by its version."""
    found = parts(
        "import json, polars as pl, numpy as np\n"
        "from msgspec import Struct\n"
        "from heptad.core.records import digest_of\n"
        "def f(x):\n"
        "    import importlib\n"
        "    return json.dumps(x), pl.col('a'), np.mean(x), Struct, digest_of(x)"
    )
    assert found.keys() == {f"{NAME}:f", "heptad"}
    assert found["heptad"] == heptad.__version__


def test_closures_count_with_what_they_captured() -> None:
    """Two functions made by one factory differ in what they hold."""

    def make(depth: int, step: Any) -> Any:
        return lambda x: step(x) * depth

    read = CodeReader().parts
    one, two = read(make(1, len)), read(make(2, len))
    assert {name.rpartition(".")[2] for name in one if one[name] != two[name]} == {"depth"}
    assert read(make(1, len)) == one
    inner = read(make(1, lambda x: x + 1)), read(make(1, lambda x: x + 2))
    assert inner[0] != inner[1]


def test_partials_and_methods_count_with_what_they_are_bound_to() -> None:
    """A partial is its function and its arguments; a bound method is its function and its object."""
    made = module("class A:\n    def m(self, x):\n        return x\ndef f(x, y):\n    return x")
    read = CodeReader().parts
    assert read(functools.partial(made.f, y=1)) != read(functools.partial(made.f, y=2))
    assert f"{NAME}:f" in read(functools.partial(made.f, y=1))
    assert f"{NAME}:A.m" in read(made.A().m)


class Loop:
    """An object that holds itself."""

    def __init__(self) -> None:
        self.me = self
        self.log = open  # something that cannot be stored


def test_objects_that_hold_themselves_end() -> None:
    """Reading an object graph with a circle comes to an end."""
    loop = Loop()
    assert CodeReader().parts(lambda: loop)


def test_two_processes_read_the_same() -> None:
    """Digests do not depend on the process, its hash seed, or the order in which functions are asked for."""
    code = (
        "import sys; sys.path.insert(0, 'tests/core'); import test_code_digest as t; "
        "from heptad.core.records import canonical_json; "
        "print(canonical_json([t.parts(t.CLASSES), t.parts(t.BEFORE), "
        "t.parts(\"def f(x): return x in {'a', 'b', 'c', 'd'}\")]).decode())"
    )
    root = Path(__file__).parent.parent.parent
    answers = {
        subprocess.run(
            [sys.executable, "-c", code],
            check=True,
            capture_output=True,
            text=True,
            cwd=root,
            env={"PYTHONHASHSEED": seed, "PYTHONPATH": str(root / "src")},
        ).stdout.strip()
        for seed in ("1", "2", "3")
    }
    assert len(answers) == 1
    first = msgspec.json.decode(answers.pop())
    assert canonical_json(first[1]) == canonical_json(parts(BEFORE))


def test_a_table_that_compiled_parts_hold_counts_by_what_it_holds() -> None:
    """Columns of text in pandas refer to functions of Cython, whose class says nothing of its fields."""
    import pandas as pd

    def parts(frame: pd.DataFrame) -> object:
        def reading() -> int:
            return len(frame)

        return CodeReader().parts(reading)

    one, same, other = (pd.DataFrame({"name": ["a", last]}) for last in ("b", "b", "c"))
    assert parts(one) == parts(same) != parts(other)

"""Code that computes the same is spelled the same, and nothing else is."""

import subprocess
import sys
from typing import Annotated, Any

import pytest

from heptad.core.code_spelling import codes, spelled_code, spelled_type


def spelled(source: str) -> tuple[Any, ...]:
    """A function of that source, which is called `f`."""
    namespace: dict[str, Any] = {}
    exec(source, namespace)
    return spelled_code(namespace["f"].__code__)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("def f(x):\n    return x", "# Why.\n\n\ndef f(x):  # how\n\n    return x"),
        ("def f(x):\n    'What it does.'\n    return x", "def f(x):\n    'What it is for.'\n    return x"),
        ("def f(x):\n    return x in {1, 2}", "def f(x):\n    return x in {2, 1}"),
    ],
)
def test_what_does_not_count(one: str, other: str) -> None:
    """Comments, places, docstrings, and the order in which a set is written."""
    assert spelled(one) == spelled(other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("def f(x):\n    return 1", "def f(x):\n    return True"),
        ("def f(x):\n    return 1", "def f(x):\n    return 1.0"),
        ("def f(x):\n    return 0.0", "def f(x):\n    return -0.0"),
        ("def f(x):\n    return (1, (2,))", "def f(x):\n    return (1, (True,))"),
        ("def f(x):\n    return lambda: 1", "def f(x):\n    return lambda: 2"),
        ("def f(x):\n    return [y for y in x if y > 1]", "def f(x):\n    return [y for y in x if y > 2]"),
        ("def f(x):\n    return x.a", "def f(x):\n    return x.b"),
        ("def f(x, /):\n    return x", "def f(x):\n    return x"),
        ("def f():\n    'text'\n    return 'text'", "def f():\n    'text'\n    return 'other'"),
        ("def f():\n    try:\n        g()\n    except OSError:\n        h()", "def f():\n    g()"),
    ],
)
def test_what_counts(one: str, other: str) -> None:
    """Constants with their types, inner functions, names, and how parameters are taken."""
    assert spelled(one) != spelled(other)


def test_inner_code_is_found_at_any_depth() -> None:
    """Functions in functions, lambdas and generators."""
    namespace: dict[str, Any] = {}
    exec("def f(x):\n    def g():\n        return lambda: (y for y in x)\n    return g", namespace)
    assert [one.co_name for one in codes(namespace["f"].__code__)] == ["f", "g", "<lambda>", "<genexpr>"]


def test_a_spelling_is_the_same_in_every_process() -> None:
    """Whatever the seed of its hashes."""
    code = (
        "from heptad.core.code_spelling import spelled_code\n"
        "def f(x): return x in {'a', 'b', 'c', 'd', 'e'}\n"
        "print(spelled_code(f.__code__))"
    )
    said = {
        subprocess.run(
            [sys.executable, "-c", code], check=True, capture_output=True, text=True, env={"PYTHONHASHSEED": seed}
        ).stdout
        for seed in ("1", "2", "3")
    }
    assert len(said) == 1


class Part:
    pass


@pytest.mark.parametrize(
    ("annotation", "words"),
    [
        (Part, "Part"),
        ("list[Part]", "list[Part]"),
        (list[Part], "Part"),
        (dict[str, "list[Part] | None"], "Part"),
        (Annotated[Part, "unit"], "unit"),
    ],
)
def test_an_annotation_names_its_classes(annotation: Any, words: str) -> None:
    """As types and as text, however deep."""
    assert words in spelled_type(annotation)

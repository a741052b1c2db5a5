"""What `make` declares is compiled, or refused with every mistake at once."""

from pathlib import Path
from typing import Any

import polars as pl
import pytest

from heptad.core.errors import SettingsError, TaskError
from heptad.data import FeatureSettings, MadeSettings
from heptad.data.features.expressions import compile_steps


def settings_of(**make: MadeSettings) -> FeatureSettings:
    return FeatureSettings(source="s", on=["g"], columns=["v"], make=make)


@pytest.mark.parametrize(
    ("made", "problem"),
    [
        ({"call": "meen", "of": "v"}, "no function 'meen'. Allowed: did you mean 'mean'"),
        ({"call": "mean"}, "was given 0 columns. Allowed: 1 in `of`"),
        ({"call": "mean", "of": ["v", "w"]}, "was given 2 columns"),
        ({"call": "least", "of": "v"}, "Allowed: 2 or more in `of`"),
        ({"call": "add", "of": "v"}, "takes a second column or a `value`"),
        ({"call": "add", "of": ["v", "w"], "value": 1.0}, "takes a second column or a `value`"),
        ({"call": "bin", "of": "v"}, "needs `edges`"),
        ({"call": "bin", "of": "v", "edges": [2.0, 1.0]}, "Allowed: rising numbers"),
        ({"call": "hash", "of": "v"}, "needs `buckets`"),
        ({"call": "hour", "of": "v", "window": "1h"}, "hour takes no `window`. Allowed: zone"),
        ({"call": "absolute", "of": "v", "rows": 2}, "takes no `rows`. Allowed: only `of`"),
        ({"call": "mean", "of": "v", "window": "1h", "rows": 2}, "both given"),
        ({"call": "mean", "of": "v", "window": "0s"}, "a duration above zero"),
        ({"call": "hour", "of": "v", "zone": "Europe/Atlantis"}, "names such as Europe/Berlin"),
        ({"call": "clip", "of": "v", "low": 2.0, "high": 1.0}, "low = 2.0 is above high = 1.0"),
        ({"call": "contains", "of": "v", "pattern": "("}, "Allowed: a regular expression"),
        ({"call": "extract", "of": "v", "pattern": "a"}, "with a group in parentheses"),
        ({"call": "elapsed", "of": ["v", "w"], "unit": "y"}, "Invalid enum value 'y'"),
        ({"call": "target_mean", "of": "v", "target": "w", "folds": 1}, "`int` >= 2"),
        ({"call": "pipeline:f", "of": "v", "window": "1h"}, "a function of the project takes no `window`"),
    ],
)
def test_mistakes_are_named(made: dict[str, Any], problem: str) -> None:
    """Each with the feature it is in, and what is allowed."""
    with pytest.raises(SettingsError) as caught:
        compile_steps("shop", settings_of(x=MadeSettings(**made)), None)
    (one,) = caught.value.problems
    assert problem in one


def test_all_mistakes_are_named_at_once() -> None:
    """So that they can be mended at once."""
    make = {"x": MadeSettings(call="nothing"), "v": MadeSettings(call="hour", of="t"), "y": MadeSettings(call="bin")}
    with pytest.raises(SettingsError) as caught:
        compile_steps("shop", settings_of(**make), None)
    assert [one.partition(":")[0] for one in caught.value.problems] == [
        "[features.shop.make.x]",
        "[features.shop.make.v]",
        "[features.shop.make.y]",
        "[features.shop.make.y]",
    ]
    assert "is one of the columns already" in caught.value.problems[1]


def test_what_depends_on_other_entities_is_made_of_columns() -> None:
    """It is computed before all else, so it cannot see what is made."""
    make = {"a": MadeSettings(call="lower", of="k"), "b": MadeSettings(call="frequency", of="a")}
    with pytest.raises(SettingsError, match="cannot be made of 'a', which is made too"):
        compile_steps("shop", settings_of(**make), None)
    make = {"a": MadeSettings(call="lower", of="k"), "b": MadeSettings(call="frequency", of="k")}
    assert [step.name for step in compile_steps("shop", settings_of(**make), None)] == ["b", "a"]


OWN = """
import polars as pl

def ratio(a, b):
    return a / b

def number(a):
    return 7

def broken(a):
    return a + missing
"""


def test_a_function_of_the_project_makes_an_expression(tmp_path: Path) -> None:
    """It is given expressions and answers one; the digest of its file is part of the step."""
    (tmp_path / "pipeline.py").write_text(OWN)
    made = MadeSettings(call="pipeline:ratio", of=["v", "w"])
    (step,) = compile_steps("shop", settings_of(x=made), tmp_path)
    assert step.scope == "row"
    assert pl.DataFrame({"v": [6.0], "w": [2.0]}).select(step.expression).item() == 3.0
    (tmp_path / "pipeline.py").write_text(OWN + "\n# changed\n")
    (changed,) = compile_steps("shop", settings_of(x=made), tmp_path)
    assert changed.code != step.code
    (back,) = compile_steps(
        "shop", settings_of(x=MadeSettings(call="pipeline:ratio", of=["v", "w"], history=True)), tmp_path
    )
    assert back.scope == "history"
    assert not back.reach.bounded


@pytest.mark.parametrize(
    ("call", "kind", "problem"),
    [
        ("pipeline:number", SettingsError, "answered a int"),
        ("pipeline:broken", TaskError, "NameError"),
        ("pipeline:nothing", SettingsError, "defines no function 'nothing'"),
        ("other:f", SettingsError, "there is no other.py"),
    ],
)
def test_a_function_that_cannot_be_used_is_named(
    tmp_path: Path, call: str, kind: type[Exception], problem: str
) -> None:
    """One that fails, answers something else, or is not there."""
    (tmp_path / "pipeline.py").write_text(OWN)
    with pytest.raises(kind, match=problem):
        compile_steps("shop", settings_of(x=MadeSettings(call=call, of="v")), tmp_path)


def test_without_a_project_there_are_no_own_functions() -> None:
    """A view in a script of its own cannot name one."""
    with pytest.raises(SettingsError, match="there is none here"):
        compile_steps("shop", settings_of(x=MadeSettings(call="pipeline:f", of="v")), None)

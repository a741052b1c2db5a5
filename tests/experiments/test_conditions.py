"""Conditions are read as people write them, and what does not read is pointed at."""

import math
from contextlib import suppress
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from heptad.core.errors import InputError
from heptad.core.query import All, AnyOf, Compare, Condition, Not
from heptad.core.settings import ProjectSettings
from heptad.core.workspace import Workspace
from heptad.experiments import Experiments, Float, SearchSettings
from heptad.experiments.conditions import parse_conditions

A, B, C = Compare("tags.a", ">", 1.0), Compare("tags.b", ">", 2.0), Compare("tags.c", "=", "x")


def test_conditions_are_joined_by_and() -> None:
    """Numbers, truth values, words and quoted texts are told apart."""
    text = "metrics.roc_auc >= 0.8 and params.estimator=lightgbm AND tags.note = 'it is 5' and tags.ok != true"
    assert parse_conditions(text) == All(
        (
            Compare("metrics.roc_auc", ">=", 0.8),
            Compare("params.estimator", "=", "lightgbm"),
            Compare("tags.note", "=", "it is 5"),
            Compare("tags.ok", "!=", value=True),
        )
    )


def test_quotes_make_a_number_a_text() -> None:
    """What stands in quotes is text."""
    assert parse_conditions('params.version = "3"') == Compare("params.version", "=", "3")
    assert parse_conditions("name like trial%") == Compare("name", "like", "trial%")


def test_nothing_is_no_condition() -> None:
    """Empty text holds for every run."""
    assert parse_conditions("  ") == All()


@pytest.mark.parametrize(
    ("text", "condition"),
    [
        ("tags.a > 1 or tags.b > 2 and tags.c = x", AnyOf((A, All((B, C))))),
        ("(tags.a > 1 or tags.b > 2) and tags.c = x", All((AnyOf((A, B)), C))),
        ("not tags.a > 1 and tags.b > 2", All((Not(A), B))),
        ("not (tags.a > 1 and tags.b > 2)", Not(All((A, B)))),
        ("tags.c in (x, 'y', 3)", Compare("tags.c", "in", ("x", "y", 3.0))),
        ("tags.c not in (x)", Not(Compare("tags.c", "in", ("x",)))),
        ("metrics.auc exists", Compare("metrics.auc", "exists", value=True)),
        ("metrics.`mean error (%)` < 5", Compare("metrics.mean error (%)", "<", 5.0)),
        ("params.lr == 1e-3", Compare("params.lr", "=", 0.001)),
        ("tags.note ILIKE '%or and%'", Compare("tags.note", "ilike", "%or and%")),
    ],
)
def test_each_form_reads(text: str, condition: Condition) -> None:
    assert parse_conditions(text) == condition


def test_times_are_written_as_dates() -> None:
    """In UTC, unless they say otherwise."""
    day = datetime(2026, 11, 26, tzinfo=UTC).timestamp()
    assert parse_conditions("started >= 2026-11-26") == Compare("started", ">=", day)
    assert parse_conditions('ended < "2026-11-26 02:00+01:00"') == Compare("ended", "<", day + 3600)
    with pytest.raises(InputError, match="from 'yesterday' on"):
        parse_conditions("started > yesterday")


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("tags.a > 1 & tags.b > 2", "'& tags.b > 2'"),
        ("tags.a", "is not complete"),
        ("tags.a > 1 and", "is not complete"),
        ("= 3", "'= 3'"),
        ("tags.a = 'x", '"\'x" on'),
        ("(tags.a > 1", "is not complete"),
        ("tags.a > 1)", r"'\)' on"),
        ("tags.a in 3", "'3' on"),
        ("tags.a in ()", r"'\)' on"),
        ("tags.a = and", "'and' on"),
        ("tags.a like", "is not complete"),
        ("(" * 5_000, "cannot be read"),
        ("not " * 5_000, "cannot be read"),
    ],
)
def test_the_place_that_does_not_read_is_named(text: str, place: str) -> None:
    """The message quotes the text from the fault on; whoever sends a thousand parentheses gets it too."""
    with pytest.raises(InputError, match=place):
        parse_conditions(text)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ('stauts = "finished"', "did you mean 'status'"),
        ("metrics.auc > 1 and not (accuracy > 0.9)", "metrics.accuracy, params.accuracy"),
        ("metric.auc > 0.9", "did you mean 'metrics.NAME'"),
        ("param.depth exists", "did you mean 'params.NAME'"),
        ("nope in (1, 2)", "name, status, started, ended"),
    ],
)
def test_a_key_that_no_run_has_is_refused(text: str, told: str) -> None:
    """Instead of finding nothing: what is allowed, the nearest first."""
    with pytest.raises(InputError, match="which no run has") as caught:
        parse_conditions(text)
    assert told in str(caught.value)


def test_every_attribute_of_a_run_can_be_asked_for(workspace: Workspace) -> None:
    """Of a trial that failed, of a run that was deleted, and fields of its record."""
    experiments = Experiments(workspace, ProjectSettings(), SearchSettings())
    with experiments.start("all", params={"a b": 1}) as run:
        run.log(auc=0.5)
        run.tag(team="red")
        run.note("odd")
        run.attach("a/b.txt", b"c")
    experiments.delete([run.id], "no use")
    experiments.search(
        {"x": Float(0, 1)}, lambda trial: {"value": 1.0, "cost": 2.0}, trials=1, constraints=["cost <= 1"]
    )
    found = experiments.list(where="deleted exists or not deleted exists")
    keys = {key for run in found for key in run.attributes}
    assert {"deleted_reason", "violation.cost", "study", "params.a b", "artifacts.a/b.txt"} <= keys
    for key in [*keys, "@id", "@actor"]:
        parse_conditions(f"`{key}` exists")
    assert [one.id for one in experiments.list(where=f"@id = '{run.id}' and deleted exists")] == [run.id]


@given(st.text(alphabet="ab01=<>!()'\"`,. notrdi\n", max_size=40))
def test_any_text_reads_or_is_refused(text: str) -> None:
    """Nothing else goes wrong."""
    with suppress(InputError):
        parse_conditions(text)


def test_nan_is_asked_for_by_name() -> None:
    """As what is there and is neither a number in order nor text; between quotes it is a word."""
    (number, text) = parse_conditions("params.a = NaN"), parse_conditions("params.a = 'nan'")
    assert isinstance(number, All)
    assert parse_conditions("params.a != nan") == Not(number)
    assert text == Compare("params.a", "=", "nan")


def test_nan_is_found_in_lists(workspace: Workspace) -> None:
    """Beside other values, alone, and left out of those that are not in the list."""
    experiments = Experiments(workspace, ProjectSettings(), SearchSettings())
    for name, value in (("nan", math.nan), ("one", 1.0), ("two", 2.0)):
        experiments.start(name, params={"a": value}).finish()

    def found(condition: str) -> set[str]:
        return {run.body.name for run in experiments.list(where=condition)}

    assert found("params.a in (nan)") == {"nan"}
    assert found("params.a in (1, nan)") == {"nan", "one"}
    assert found("params.a not in (nan)") == {"one", "two"}
    assert found("params.a not in (nan, 1)") == {"two"}
    assert parse_conditions("params.a in ('nan', 1)") == Compare("params.a", "in", ("nan", 1.0))

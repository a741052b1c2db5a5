"""A version is trained again, and what differs is said."""

from typing import Any

import msgspec
import polars as pl
import pytest

from heptad.experiments import Environment
from heptad.release.reproduce import compare_environments, compare_numbers
from heptad.training import Refit


@pytest.fixture
def registered(house: Any) -> Any:
    for candidate in (house.good, house.weak):
        house.release.register(candidate, house.with_gates().decide(candidate))
    return house


@pytest.mark.parametrize("ref", [1, "m@2"])
def test_a_version_is_identical_when_nothing_has_changed(registered: Any, ref: int | str) -> None:
    """Same data, parameters, split and seed give the same numbers to the last digit, whichever way rows were split."""
    told: list[tuple[str, float]] = []
    again = registered.release.reproduce(ref, lambda what, share: told.append((what, share)))
    assert again.identical
    assert again.model_digest == again.recorded_digest
    assert [one.value for one in again.metrics] == [one.value for one in again.recorded_metrics]
    assert again.differences == []
    assert again.sentence.startswith(f"Identical: {again.label} trained again on {again.train_rows:,} rows")
    shares = [share for _, share in told]
    assert shares == sorted(shares)
    assert shares[-1] == 1.0


def test_reproducing_writes_nothing(registered: Any) -> None:
    """No record, no event."""
    before = registered.workspace.store.follow(0)[-1]
    registered.release.reproduce(1)
    assert registered.workspace.store.follow(0)[-1] == before


def test_rows_that_are_gone_are_told(registered: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """An erased row makes another model, and the reason is named."""
    whole = registered.data.scan

    def without_some(*given: Any, **settings: Any) -> pl.LazyFrame:
        return whole(*given, **settings).filter(~pl.col("id").is_in([3, 4, 5]))

    monkeypatch.setattr(registered.data, "scan", without_some)
    again = registered.release.reproduce(1)
    assert not again.identical
    assert again.differences[0].part == "data"
    assert "3 of 600 rows of data version m@1 are gone" in again.differences[0].sentence
    assert again.model_digest != again.recorded_digest
    assert again.sentence == "Not identical: m@1 differs in data, numbers."
    lines = again.text().splitlines()
    assert max(len(line) for line in lines) <= 80
    assert lines[1] == "data: 3 of 600 rows of data version m@1 are gone."
    shown = next(line.split() for line in lines if line.startswith("roc_auc "))
    assert shown[1] == f"{again.recorded_metrics[0].value:.4f}"
    assert shown[2] == f"{again.metrics[0].value:.4f}"


def test_values_that_were_changed_are_told(registered: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """As many rows, and yet not the same: the digest says so."""
    whole = registered.data.scan
    monkeypatch.setattr(
        registered.data, "scan", lambda *given, **asked: whole(*given, **asked).with_columns(pl.col("x") + 1e-9)
    )
    again = registered.release.reproduce(1)
    assert not again.identical
    assert again.differences[0].sentence == "Values in the rows of data version m@1 are not those that were recorded."


def test_a_table_that_is_gone_is_an_answer_too(registered: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where nothing can be trained any more, that is said and not raised."""
    monkeypatch.setattr(registered.data, "scan", lambda *_given, **_settings: pl.scan_parquet("/nowhere.parquet"))
    again = registered.release.reproduce(1)
    assert (again.identical, again.model_digest, again.metrics) == (False, "", [])
    assert "cannot be read" in again.differences[0].sentence


THEN = Environment(
    python="3.11.7",
    platform="Linux",
    packages={"numpy": "2.4.6", "polars": "2.1.0", "rich": "15.0.0", **{f"other-{n}": "1" for n in range(7)}},
    commit="a" * 40,
)


def test_equal_environments_do_not_differ() -> None:
    """Command line, cores and branch are no part of the comparison."""
    assert compare_environments(THEN, msgspec.structs.replace(THEN, command=["other"], cores=64, branch="x")) == []


def test_code_and_packages_are_compared() -> None:
    """Commit, uncommitted changes, and the packages that make numbers by name; the others are counted."""
    packages = {"numpy": "2.5.0", "polars": "2.1.0", "lightgbm": "4.7.0"}
    now = msgspec.structs.replace(THEN, packages=packages, commit="b" * 40, diff="c" * 64, python="3.12.1")
    assert [(one.part, one.sentence) for one in compare_environments(THEN, now)] == [
        ("code", "The commit was aaaaaaaaaaaa, and is bbbbbbbbbbbb."),
        ("code", "Uncommitted changes was none, and is cccccccccccc."),
        ("environment", "python was 3.11.7, and is 3.12.1."),
        ("environment", "lightgbm was none, and is 4.7.0."),
        ("environment", "numpy was 2.4.6, and is 2.5.0."),
        (
            "environment",
            "8 other packages differ, which should not matter: other-0, other-1, other-2, other-3, other-4, ...",
        ),
    ]


def test_numbers_are_compared_to_the_last_digit(house: Any) -> None:
    """A metric that moved in its last digit is told with how much."""
    recorded = house.good.body
    metrics = list(recorded.evaluation.metrics)
    metrics[0] = msgspec.structs.replace(metrics[0], value=metrics[0].value + 1e-15)
    split = recorded.split
    refit = Refit(
        model_digest="0" * 64, metrics=metrics[:-1], train_rows=split.train_rows - 1, judge_rows=split.judge_rows
    )
    sentences = [one.sentence for one in compare_numbers(recorded, refit)]
    assert len(sentences) == 4
    assert f"now there are {split.train_rows - 1:,} and" in sentences[0]
    assert sentences[1].startswith("The model's numbers were ")
    assert sentences[2].startswith("roc_auc was ")
    assert "e-15)" in sentences[2]
    assert sentences[3].endswith("and is not defined any more.")

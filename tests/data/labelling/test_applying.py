"""Rows without a label get one from functions, as a part of collecting a version."""

from collections.abc import Callable, Sequence
from datetime import timedelta
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from tests.data.conftest import Open

from heptad.core.clock import ManualClock
from heptad.core.errors import DataError
from heptad.core.workspace import Workspace
from heptad.data import CleanSettings, Data, DataSettings, LabellingSettings
from heptad.data.columns.schema import PROBABILITY
from heptad.data.expectations.settings import ColumnExpectation, ExpectSettings

FUNCTIONS = """
import polars as pl

def says(column, name):
    return pl.when(pl.col(column) == 1).then(pl.lit(name)).when(pl.col(column) == 0).then(pl.lit("ham"))

good = says("a", "spam")
fair = says("b", "spam")
poor = says("c", "spam")
never = pl.lit(None, pl.String)
only_spam = pl.when(pl.col("a") == 1).then(pl.lit("spam"))
typo = pl.when(pl.col("a") == 1).then(pl.lit("Spam"))
number = pl.when(pl.col("a") == 1).then(1)
phish = pl.when(pl.col("a") == 1).then(pl.lit("phish"))
"""
NAMES = ["pipeline:good", "pipeline:fair", "pipeline:poor"]


def mails(rows: int = 2_000, labelled: int = 0) -> pl.DataFrame:
    """Three hints of which the first is right in 19 of 20 rows, the others in 7 and 6 of 10; hints may be missing."""
    random = np.random.default_rng(5)
    truth = random.integers(0, 2, rows)
    hints = {
        name: np.where(random.random(rows) < 0.3, np.nan, np.where(random.random(rows) < right, truth, 1 - truth))
        for name, right in (("a", 0.95), ("b", 0.7), ("c", 0.6))
    }
    labels = pl.Series(["spam" if one else "ham" for one in truth])
    kept = pl.Series(np.arange(rows) < labelled)
    frame = pl.DataFrame({"k": np.arange(rows), "x": random.normal(size=rows), "truth": labels, **hints})
    return frame.with_columns(pl.col("a", "b", "c").fill_nan(None)).with_columns(
        pl.when(kept).then("truth").alias("y"), when=pl.datetime(2025, 1, 1) + pl.duration(minutes=pl.col("k"))
    )


@pytest.fixture
def collected(
    open_data: Open, write: Callable[..., Path], workspace: Workspace
) -> Callable[..., tuple[Data, pl.DataFrame]]:
    """Collects a version of a frame with these functions."""

    def made(
        frame: pl.DataFrame,
        names: list[str],
        *,
        least: float = 0.6,
        keep: bool = True,
        allowed: Sequence[str] = (),
        **settings: object,
    ) -> tuple[Data, pl.DataFrame]:
        (workspace.root / "pipeline.py").write_text(FUNCTIONS)
        write(frame)
        data = open_data(
            DataSettings(target="y", key=["k"], ignore=["truth", "when"], **settings),  # type: ignore[arg-type]
            clean=CleanSettings(missing_target="keep" if keep else "drop"),
            labelling=LabellingSettings(functions=names, least=least),
            expect=ExpectSettings(columns={"y": ColumnExpectation(allowed=list(allowed))} if allowed else {}),
        )
        return data, data.scan(data.collect()).collect()

    return made


def test_labels_of_functions_are_a_version_with_their_probability(
    collected: Callable[..., tuple[Data, pl.DataFrame]],
) -> None:
    """Better than any majority could be; every label is accounted for, and nobody learns from its probability."""
    data, rows = collected(mails(), NAMES)
    version = data.version("latest")
    made = rows.filter(pl.col("y").is_not_null())
    right = (made["y"] == made["truth"]).mean()
    votes = made.select(pl.sum_horizontal(*(pl.col(one) * 2 - 1 for one in "abc"))).to_series()
    most = pl.select(pl.when(votes > 0).then(pl.lit("spam")).otherwise(pl.lit("ham"))).to_series()
    assert right > (most == made["truth"]).mean() + 0.03  # type: ignore[operator]
    assert made[PROBABILITY].mean() == pytest.approx(right, abs=0.08)
    assert version.body.labelled == len(made)
    assert sum(one.cells for one in version.body.repairs if one.rule == "labelled_by_functions") == len(made)
    roles = {one.name: one.role for one in version.body.schema.columns}
    assert roles[PROBABILITY] == "ignored"
    assert data.collect().id == version.id


def test_how_functions_did_is_reported(collected: Callable[..., tuple[Data, pl.DataFrame]]) -> None:
    """Coverage, overlaps and conflicts as counted by hand; accuracies near those that are known."""
    frame = mails(4_000, labelled=400)
    data, _ = collected(frame, [*NAMES, "pipeline:never"])
    told = {one.name.removeprefix("pipeline:"): one for one in data.version("latest").body.labelling}
    a, b, c = (frame[one] for one in "abc")
    assert told["good"].coverage == pytest.approx(a.is_not_null().mean())
    assert told["good"].overlaps == pytest.approx((a.is_not_null() & (b.is_not_null() | c.is_not_null())).mean())
    assert told["good"].conflicts == pytest.approx(((a != b).fill_null(False) | (a != c).fill_null(False)).mean())
    for name, right in (("good", 0.95), ("fair", 0.7), ("poor", 0.6)):
        assert told[name].accuracy == pytest.approx(right, abs=0.05)
        assert told[name].measured == pytest.approx(right, abs=0.06)
    assert told["never"].accuracy is None
    assert told["never"].coverage == 0


def test_given_labels_stay(collected: Callable[..., tuple[Data, pl.DataFrame]]) -> None:
    """A person's word counts more than any function's, and has no probability."""
    _, rows = collected(mails(1_000, labelled=300), NAMES)
    given = rows.filter(pl.col("k") < 300)
    assert given["y"].to_list() == given["truth"].to_list()
    assert given[PROBABILITY].null_count() == 300


def test_rows_that_nobody_knows_stay_without_a_label(
    collected: Callable[..., tuple[Data, pl.DataFrame]],
) -> None:
    """Silence is no vote, and a label that is not probable enough is none; by default such rows are set aside."""
    frame = mails(1_000)
    silent = frame.filter(pl.all_horizontal(pl.col("a", "b", "c").is_null()))["k"].to_list()
    _, rows = collected(frame, NAMES, least=0.8)
    assert rows.filter(pl.col("k").is_in(silent))["y"].null_count() == len(silent) > 0
    assert rows[PROBABILITY].drop_nulls().min() >= 0.8  # type: ignore[operator]
    few = rows["y"].count()
    _, more = collected(frame, NAMES, least=0.5)
    assert more["y"].count() > few
    _, dropped = collected(frame, NAMES, least=0.8, keep=False)
    assert len(dropped) == few


def test_a_table_without_the_target_gets_it(collected: Callable[..., tuple[Data, pl.DataFrame]]) -> None:
    """Labels need not come from anywhere else."""
    _, rows = collected(mails().drop("y"), NAMES)
    assert set(rows["y"].drop_nulls()) == {"ham", "spam"}


def test_functions_that_say_one_class_only_are_refused(collected: Callable[..., tuple[Data, pl.DataFrame]]) -> None:
    """There would be nothing to tell apart."""
    with pytest.raises(DataError, match="1 classes"):
        collected(mails(), ["pipeline:only_spam"])


@pytest.mark.parametrize("name", ["typo", "number"])
def test_a_class_that_no_label_has_is_refused(collected: Callable[..., tuple[Data, pl.DataFrame]], name: str) -> None:
    """A slip of the pen would be a class of its own, and draw labels to it."""
    said = {"typo": "'Spam'", "number": "'1'"}[name]
    with pytest.raises(DataError, match=f"no class of y: pipeline:{name} says {said}") as error:
        collected(mails(300, labelled=50), [*NAMES, f"pipeline:{name}"])
    assert "ham, spam" in error.value.allowed
    assert "[expect.columns] y" in error.value.remedy


def test_classes_that_the_settings_name_are_known(collected: Callable[..., tuple[Data, pl.DataFrame]]) -> None:
    """Also where no row is labelled as one yet, or none at all."""
    functions = [*NAMES, "pipeline:phish"]
    for labelled in (0, 50):
        data, _ = collected(mails(300, labelled=labelled), functions, allowed=["ham", "spam", "phish"])
        assert [one.coverage > 0 for one in data.version("latest").body.labelling] == [True] * 4
        with pytest.raises(DataError, match="pipeline:phish says 'phish'"):
            collected(mails(301, labelled=labelled), functions, allowed=["ham", "spam"])


def test_without_two_classes_among_labels_functions_tell_them(
    collected: Callable[..., tuple[Data, pl.DataFrame]],
) -> None:
    """Labels of one class cannot be all that there is."""
    frame = mails(300, labelled=50).with_columns(pl.when(pl.col("y") == "ham").then("y").alias("y"))
    _, rows = collected(frame, NAMES)
    assert set(rows["y"].drop_nulls()) == {"ham", "spam"}


def test_labels_that_are_not_known_yet_have_no_say(
    open_data: Open, write: Callable[..., Path], workspace: Workspace, clock: ManualClock
) -> None:
    """The label model of a moment is fitted to the labels of that moment."""
    (workspace.root / "pipeline.py").write_text(FUNCTIONS)
    days = pl.when(pl.col("k") < 300).then(pl.duration(hours=1)).otherwise(pl.duration(days=3_000))
    late = mails(500, labelled=500).with_columns(landed=pl.col("when") + days)
    write(late)
    data = open_data(
        DataSettings(target="y", key=["k"], time="when", label_time="landed", ignore=["truth"]),
        labelling=LabellingSettings(functions=NAMES),
    )
    version = data.collect(clock.now() - timedelta(days=1))
    known = late.filter(pl.col("k") < 300)
    for one, hint in zip(version.body.labelling, "abc", strict=True):
        assert one.measured_rows == known[hint].count()
    assert version.body.labelled == 300
    rows = data.scan(version).collect()
    assert rows.filter(pl.col("k") >= 300)[PROBABILITY].null_count() == 200
    assert not any(one.cells for one in version.body.repairs if one.rule == "labelled_by_functions")


def test_a_person_corrects_what_functions_said(collected: Callable[..., tuple[Data, pl.DataFrame]]) -> None:
    """Corrections come last."""
    data, rows = collected(mails(500), NAMES)
    row = rows.filter(pl.col("y") == "spam")["k"][0]
    path = data._workspace.root / "right.csv"
    path.write_text(f"k,column,value,reason\n{row},y,ham,I wrote it\n")
    data.corrections.correct(data.version("latest"), path)
    assert data.scan(data.collect()).filter(pl.col("k") == row).collect()["y"].item() == "ham"

"""Questions that follow from each other cost a few passes, however many columns ask."""

import polars as pl
import pytest

from heptad.data.columns.dialogues import Asking, Dialogue, Rows, Told, converse

FRAME = pl.DataFrame({"a": [3, 1, None, 2], "b": [1.5, 2.5, 2.5, None]})


def middle(name: str) -> Dialogue[tuple[float, list[float]]]:
    """The middle of the range of a column, then the values above it."""
    told = yield Asking({"low": pl.col(name).min(), "high": pl.col(name).max()})
    half = (told.values["low"] + told.values["high"]) / 2
    told = yield Asking(samples={"above": pl.col(name).filter(pl.col(name) > half)})
    return half, told.samples["above"].to_list()


def nothing() -> Dialogue[str]:
    """Knows without asking."""
    return "known"
    yield Asking()


def counted() -> Dialogue[int]:
    """Looks at several columns at once."""
    told = yield Asking(tables={"complete": lambda rows: rows.drop_nulls().select("b", "a")})
    return told.tables["complete"].rows()


@pytest.mark.parametrize("rows", [FRAME, FRAME.lazy()], ids=["in memory", "lazy"])
def test_each_is_told_what_it_asked(rows: Rows) -> None:
    """Dialogues of any length run side by side, and those that ask alike do not see each other's answers."""
    assert converse(rows, [middle("a"), nothing(), middle("b"), counted()]) == [
        (2.0, [3]),
        "known",
        (2.0, [2.5, 2.5]),
        [(1.5, 3), (2.5, 1)],
    ]
    assert converse(rows, []) == []


def spread(name: str) -> Dialogue[float]:
    """The range of a column, and how much of it is above the middle."""
    told = yield Asking({"low": pl.col(name).min(), "high": pl.col(name).max()})
    half = (told.values["low"] + told.values["high"]) / 2
    told = yield Asking({"above": (pl.col(name) > half).mean()})
    return float(told.values["above"])


def test_values_that_all_ask_for_at_one_time_take_one_pass() -> None:
    """Rows are read as often as the longest dialogue asks, not once a dialogue; each sample is looked for by itself."""
    passes = []

    def seen(frame: pl.DataFrame) -> pl.DataFrame:
        passes.append(len(frame))
        return frame

    rows = FRAME.lazy().map_batches(seen, streamable=True)
    assert converse(rows, [spread("a"), spread("b")]) == [1 / 3, 2 / 3]
    assert sum(passes) == 2 * len(FRAME)
    converse(rows, [middle("a"), middle("b")])
    assert sum(passes) == (2 + 1 + 2) * len(FRAME)


def test_answers_come_under_the_names_of_the_question() -> None:
    """Names may hold anything."""

    def asked() -> Dialogue[Told]:
        return (yield Asking({"x\0y": pl.col("a").sum(), "": pl.len()}, {"s": pl.col("b").head(1)}))

    (told,) = converse(FRAME.lazy(), [asked()])
    assert (dict(told.values), told.samples["s"].to_list(), told.tables) == ({"x\0y": 6, "": 4}, [1.5], {})

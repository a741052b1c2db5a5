"""A data card tells what people stated, what the records know, and what nobody has said."""

from datetime import UTC, datetime

import msgspec
import pytest

from heptad.core.records import Record
from heptad.data import CardColumn, CardSettings, Column, DatasetVersion, Finding, Repair, Schema, SourceRead
from heptad.data.cards.card import Subject, data_card, unknown_columns
from heptad.data.cards.document import to_html, to_markdown
from heptad.data.profiles.profile import ColumnProfile, Profile

STATED = CardSettings(
    owner="Team Ground",
    purpose="To bill the airlines.",
    unsuitable=["Judging the work of a person."],
    licence="CC-BY-4.0",
    contacts=["ground@example.org"],
    retention="365d",
    columns={
        "name": CardColumn(sensitivity="personal", about="Who sat in front."),
        "delay": CardColumn(sensitivity="internal", unit="min", about="Minutes after plan."),
        "late": CardColumn(sensitivity="public"),
    },
)


def subject(stated: CardSettings = STATED, **changes: object) -> Subject:
    body = DatasetVersion(
        name="flights",
        version=3,
        table="flights",
        delta_version=2,
        rows=100,
        labelled=90,
        digest="d" * 64,
        schema=Schema(
            columns=[
                Column(name="id", type="category", role="key"),
                Column(name="when", type="datetime", role="time"),
                Column(name="name", type="category"),
                Column(name="delay", type="number"),
                Column(name="late", type="category", role="target"),
            ],
            task="classification",
            classes=["no", "yes"],
        ),
        until=datetime(2026, 1, 1, tzinfo=UTC),
        first_time=datetime(2024, 6, 1, tzinfo=UTC),
        last_time=datetime(2025, 12, 31, tzinfo=UTC),
        sources=[SourceRead(name="rows", uri="rows.csv", rows=101, digest="s" * 64)],
        repairs=[Repair(rule="duplicate", rows=1), Repair(rule="trim", column="name", cells=7, examples=["Ann "])],
        findings=[
            Finding(expectation="range", column="delay", severity="warning", passed=False, sentence="delay: 99"),
            Finding(expectation="allowed", column="name", severity="warning", passed=False, sentence="name: has Ann"),
        ],
        profile="p",
    )
    profile = Profile(
        rows=100,
        columns=[
            ColumnProfile(name="name", type="category", rows=100, missing=0, values=["Ann", "Bob"], counts=[60, 40, 0]),
            ColumnProfile(name="delay", type="number", rows=100, missing=5, mean=3, squares=1, min=-2, max=99),
            ColumnProfile(name="late", type="category", rows=100, missing=10, values=["no", "yes"], counts=[72, 18, 0]),
        ],
    )
    record = Record(
        id="data-1", kind="dataset_version", scope="flights", at=datetime(2026, 1, 2, tzinfo=UTC), actor="user:eve",
        body=body,
    )  # fmt: skip
    made = Subject(version=record, profile=profile, about="Late?", stated=stated, users={"candidate": 2})
    return msgspec.structs.replace(made, **changes)


@pytest.mark.parametrize(
    "line",
    [
        "# Data card of flights@3",
        "100 rows and 5 columns, made 02 January 2026 by user:eve.",
        "- Owner: Team Ground.",
        "- Contacts: ground@example.org.",
        "- Licence: CC-BY-4.0.",
        "To bill the airlines.",
        "- Judging the work of a person.",
        "This project asks of it: Late?",
        "- 100 rows, 90 of them with a label.",
        "- A row is named by id.",
        "- From 2024-06-01 00:00 to 2025-12-31 00:00 UTC, by when.",
        "- Classes of late: no 80.0%, yes 20.0%.",
        "- Rows are kept for 365d.",
        "- The oldest row is of 2024-06-01: rows before 2025-01-01 are past that time.",
        "| rows | rows.csv | 101 | ssssssssssss |",
        "| delay | number | feature | internal | 5.0% | -2 to 99 min | Minutes after plan. |",
        "| late | category | target | public | 10.0% | no, yes |  |",
        "| duplicate |  | 1 |  |",
        "- delay: 99",
        "- candidate: 2",
        "- The sensitivity of 2 columns: id, when.",
        "    heptad data get 3 flights.parquet",
    ],
)
def test_the_card_tells(line: str) -> None:
    """Who answers for it, what for, what it holds, how long, where from, each column, repairs, findings, users."""
    assert line in to_markdown(data_card(subject())).splitlines()


def test_no_value_of_a_person_is_on_the_card() -> None:
    """Neither in the table of columns, nor in examples of repairs, nor in what was found."""
    for text in (to_markdown(data_card(subject())), to_html(data_card(subject()))):
        assert "Ann" not in text
        assert "Bob" not in text
        assert "not shown" in text
        assert "name: does not hold allowed" in text


def test_classes_of_a_sensitive_target_are_not_told() -> None:
    """Shares of a health state are nobody's business either."""
    stated = CardSettings(columns={"late": CardColumn(sensitivity="special")})
    assert "Classes of late" not in to_markdown(data_card(subject(stated)))


def test_what_nobody_stated_is_listed() -> None:
    """A reviewer sees the gaps instead of a card that looks complete."""
    text = to_markdown(data_card(subject(CardSettings(columns={"gone": CardColumn(about="x")}))))
    assert "- Owner: not stated." in text
    assert "- How long: not stated." in text
    assert "\\[card\\] owner, purpose, licence, contacts, retention." in text
    assert "\\[card.columns\\] describes gone, which this version does not have." in text


def test_a_complete_card_has_no_gaps() -> None:
    """The section is there only where something is missing."""
    every = {one.name: CardColumn(sensitivity="public") for one in subject().version.body.schema.columns}
    complete = msgspec.structs.replace(STATED, columns=every)
    assert "What nobody has stated" not in to_markdown(data_card(subject(complete)))


def test_rows_within_their_time_are_said_to_be() -> None:
    """Nothing alarms where nothing is past its retention."""
    within = msgspec.structs.replace(STATED, retention="3650d")
    assert "The oldest row is of 2024-06-01, within that time." in to_markdown(data_card(subject(within)))


def test_columns_that_do_not_exist_are_found() -> None:
    """A name that was mistyped describes nothing."""
    assert unknown_columns(STATED, [Column(name="delay", type="number")]) == ["late", "name"]

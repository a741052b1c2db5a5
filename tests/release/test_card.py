"""The model card says what the records say, and nothing else."""

from collections.abc import Callable

import msgspec
import pytest

from heptad.data import to_markdown
from heptad.release.card import Subject, limits, model_card


@pytest.fixture
def text(subject: Callable[..., Subject]) -> str:
    return to_markdown(model_card(subject(label="m@4")))


@pytest.mark.parametrize(
    "line",
    [
        "# Model card of m@4",
        "linear for m, trained 01 January 2026: roc_auc 0.7100 (0.6900 to 0.7300).",
        "Will it be late?",
        "It answers late with one of no, yes, and with probabilities. From a probability of 0.5000 on it answers 'yes'.",  # noqa: E501 - one line of the card
        "| colour | category | may be missing |",
        "- Data set m, version 3: 1,010 rows, 1,000 labelled.",
        "- Learnt from 800 rows from the first row on until 2026-01-01 00:00 UTC.",
        "- Read from rows.csv: 1,012 rows.",
        "- duplicates: 2 rows dropped, 0 cells changed.",
        "The baseline is the trivial model: always 'no'.",
        "| log_loss | 0.4100 | 0.3900 to 0.4300 | 0.5000 | lower |",
        "| roc_auc | 0.7100 | 0.7000 |",
        "| beats champion | yes | roc_auc is better by 0.0100. |",
        "| colour | blue | 0.6200 | 0.6000 to 0.6400 | 80 |",
        "| 0.1000 | 0.1200 | 100 |",
        "| x | 0.8000 |",
        "Accepted, as every gate holds.",
        "- Estimator linear with c = 1.0, seed 7.",
        "    heptad reproduce m@4",
    ],
)
def test_the_card_tells(text: str, line: str) -> None:
    """Purpose, inputs, data, figures with intervals, champion, gates, slices, calibration, reason, and the way back."""
    assert line in text.splitlines()


def test_the_largest_contribution_comes_first(text: str) -> None:
    """The store keeps names in order of the alphabet; a reader wants the weight."""
    assert text.index("| x | 0.8000 |") < text.index("| colour | 0.3000 |")


def test_the_limits_are_those_of_the_records(subject: Callable[..., Subject]) -> None:
    """What was never seen, until when it knows, where it does worst, and what the data's checks warned of."""
    said = limits(subject())
    assert "It knows nothing of what happened since 1 January 2026." in said
    assert "Values that training never saw are answered, with a warning: colour." in said
    assert "It does worst where colour is blue: roc_auc 0.6200 (0.6000 to 0.6400)." in said
    assert "x reaches 9.5." in said
    assert "10 of 1,010 rows had no label and were not learnt from." in said


def test_equal_records_give_equal_cards(subject: Callable[..., Subject]) -> None:
    """The card is part of a package whose bytes must not depend on the day it was made."""
    assert to_markdown(model_card(subject())) == to_markdown(model_card(subject()))


def test_a_card_without_a_number_names_its_candidate(subject: Callable[..., Subject]) -> None:
    """Inside a package there is no version yet; the candidate's id finds it too."""
    text = to_markdown(model_card(subject()))
    assert "# Model card of m\n" in text
    assert "    heptad reproduce candidate-1" in text


def test_what_was_not_measured_has_no_section(subject: Callable[..., Subject]) -> None:
    """A regression has no calibration, a quick evaluation no slices: their headings are left out."""
    whole = subject()
    body = whole.candidate.body
    bare = msgspec.structs.replace(body.evaluation, calibration=[], slices=[], attributions={})
    candidate = msgspec.structs.replace(whole.candidate, body=msgspec.structs.replace(body, evaluation=bare))
    headings = [section.heading for section in model_card(subject(candidate=candidate)).sections]
    assert headings == [
        "Purpose",
        "Data",
        "How well it does",
        "Limits",
        "Why it was released",
        "How to reproduce it",
    ]

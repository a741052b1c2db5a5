"""What is said in words is what the figures say."""

from datetime import UTC, datetime

import msgspec
import pytest

from heptad.training import MEASURES, Difference, Evaluation, Metric, Parity, Signature, Split
from heptad.training.wording import meaning, number, split_sentence, title, verdict

SIGNATURE = Signature(inputs=[], task="classification", target="late", classes=["no", "yes"])


def metric(name: str, value: float, low: float, high: float) -> Metric:
    return Metric(name=name, value=value, low=low, high=high, rows=100, better=MEASURES[name].better)


def evaluation(metrics: list[Metric], baseline: list[Metric], **more: object) -> Evaluation:
    return Evaluation(
        metric="roc_auc",
        metrics=metrics,
        baseline=baseline,
        baseline_name="always 'no'",
        parity=Parity(rows=100, largest_difference=0, tolerance=1e-6, differing_labels=0),
        model_latency_p50_ms=0.1,
        model_latency_p99_ms=0.2,
        **more,  # type: ignore[arg-type]
    )


@pytest.mark.parametrize("name", MEASURES)
def test_every_metric_has_a_title_and_a_meaning(name: str) -> None:
    """No metric is shown without saying what it means, and nothing of the pattern is left over."""
    sentence = meaning(metric(name, 0.714, 0.7, 0.72), SIGNATURE)
    assert sentence.endswith(".")
    assert "{" not in sentence
    assert title(name) != name


def test_the_meaning_of_the_area_is_said_with_its_class() -> None:
    """71 of 100, named by the positive class."""
    sentence = meaning(metric("roc_auc", 0.714, 0.7, 0.72), SIGNATURE)
    assert "“yes”" in sentence
    assert "71 of 100" in sentence


@pytest.mark.parametrize(
    ("value", "low", "said"), [(0.2, 0.1, "is better"), (0.02, -0.05, "within what chance"), (0.0, -0.1, "no better")]
)
@pytest.mark.parametrize("name", ["roc_auc", "rmse"])
def test_the_verdict_goes_by_the_interval_of_the_difference(name: str, value: float, low: float, said: str) -> None:
    """Surely better, perhaps better, or not better than the trivial model, in whichever direction is good."""
    sign = 1 if MEASURES[name].better == "higher" else -1
    low, high = sorted([sign * low, sign * 0.3])
    gain = Difference(
        metric=name, value=sign * value, low=low, high=high, rows=100, better=MEASURES[name].better, a=0.7, b=0.5
    )
    made = evaluation([metric(name, 0.7, 0.4, 0.8)], [metric(name, 0.5, 0.5, 0.5)], gain=gain)
    assert said in verdict(msgspec.structs.replace(made, metric=name))


def test_a_missing_metric_is_explained() -> None:
    """Where the main metric is undefined, the verdict says what it would need."""
    assert "needs rows of both classes" in verdict(
        evaluation([], [], absent={"roc_auc": "roc_auc needs rows of both classes."})
    )


def test_splits_are_said_in_numbers_and_moments() -> None:
    """By hash, and by time with and without a window."""
    moment = datetime(2026, 3, 1, 6, tzinfo=UTC)
    assert "1,200 rows" in split_sentence(Split(by="hash", train_rows=1_200, judge_rows=300))
    whole = split_sentence(Split(by="time", train_until=moment, train_rows=10, judge_rows=5))
    assert whole == "Learnt from 10 rows before 2026-03-01 06:00 UTC; judged on the 5 that came after."
    part = Split(by="time", train_from=moment, train_until=moment, judge_until=moment, train_rows=10, judge_rows=5)
    assert "from 2026-03-01 06:00" in split_sentence(part)
    assert "up to" in split_sentence(part)


def test_numbers_are_written_for_people() -> None:
    """Four digits, thousands parted, no exponent unless it is needed."""
    written = [number(one) for one in (0.5, 71.234, 54_123.4, 2e12, 0.000012, -0.25, 0)]
    assert written == ["0.5000", "71.23", "54,123", "2e+12", "1.2e-05", "-0.2500", "0.0000"]

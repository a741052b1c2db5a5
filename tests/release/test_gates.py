"""The gate language, and what each gate says of a candidate."""

import contextlib
from collections.abc import Sequence

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from heptad.core.errors import SettingsError
from heptad.release.gates import (
    Beats,
    Champion,
    Difference,
    Measured,
    Threshold,
    figure,
    hold,
    parse_gates,
    signed,
    verdict,
)
from heptad.release.records import GateResult
from heptad.training import Difference as Paired
from heptad.training import Evaluation, Metric, Parity

NAMES = ["roc_auc", "log_loss", "calibration_error"]


def metric(name: str, value: float, better: str = "higher", rows: int = 1500) -> Metric:
    return Metric(name=name, value=value, low=value - 0.01, high=value + 0.01, rows=rows, better=better)


METRICS = [metric("roc_auc", 0.7132), metric("log_loss", 0.41, "lower"), metric("calibration_error", 0.021, "lower")]
EVALUATION = Evaluation(
    metric="roc_auc",
    metrics=METRICS,
    baseline=[metric("roc_auc", 0.5), metric("log_loss", 0.5, "lower")],
    baseline_name="rate of the training rows",
    parity=Parity(rows=1500, largest_difference=2e-16, tolerance=1e-5, differing_labels=0),
    model_latency_p50_ms=0.02,
    model_latency_p99_ms=0.04,
)


def champion(difference: Difference | None = None, auc: float = 0.7011) -> Champion:
    metrics = [metric("roc_auc", auc), metric("log_loss", 0.43, "lower"), metric("calibration_error", 0.03, "lower")]
    return Champion(
        label="m@3",
        metrics=metrics,
        latencies={"model_latency_p50_ms": 0.01, "model_latency_p99_ms": 0.02},
        difference=difference or Difference(value=0.0121, low=0.0032, high=0.0201),
    )


def held(gates: Sequence[str], measured: Measured | None = None) -> list[GateResult]:
    measured = measured or Measured(evaluation=EVALUATION, metrics=METRICS, champion=champion())
    return hold(parse_gates(gates, NAMES), measured)[1:]


@pytest.mark.parametrize(
    ("text", "gate"),
    [
        ("roc_auc >= 0.6", Threshold(text="roc_auc >= 0.6", metric="roc_auc", operator=">=", number=0.6)),
        ("log_loss<.5", Threshold(text="log_loss<.5", metric="log_loss", operator="<", number=0.5)),
        ("roc_auc > -1e-3", Threshold(text="roc_auc > -1e-3", metric="roc_auc", operator=">", number=-0.001)),
        (
            "  log_loss  <=  champion ",
            Threshold(text="log_loss <= champion", metric="log_loss", operator="<=", number=0, of_champion=True),
        ),
        (
            "calibration_error <= champion + 0.02",
            Threshold(
                text="calibration_error <= champion + 0.02",
                metric="calibration_error",
                operator="<=",
                number=0.02,
                of_champion=True,
            ),
        ),
        (
            "roc_auc >= champion-0.01",
            Threshold(text="roc_auc >= champion-0.01", metric="roc_auc", operator=">=", number=-0.01, of_champion=True),
        ),
        (
            "model_latency_p99_ms <= 5",
            Threshold(text="model_latency_p99_ms <= 5", metric="model_latency_p99_ms", operator="<=", number=5),
        ),
        ("beats champion", Beats(text="beats champion", opponent="champion")),
        ("beats  baseline", Beats(text="beats baseline", opponent="baseline")),
    ],
)
def test_every_form_of_the_language_is_read(text: str, gate: Threshold | Beats) -> None:
    """The forms that the settings name, with any spaces."""
    assert parse_gates([text], NAMES) == [gate]


def test_all_mistakes_are_named_at_once_with_the_nearest_name() -> None:
    """Four mistakes give four sentences, each with its gate; the sound gate between them gives none."""
    with pytest.raises(SettingsError) as failed:
        parse_gates(["roc_acu >= 0.6", "roc_auc => 0.6", "beats baseline", "beats champ", "roc_auc >= 1e999"], NAMES)
    problems = failed.value.problems
    assert len(problems) == 4
    assert problems[0].startswith(
        "gate 1, 'roc_acu >= 0.6': there is no metric 'roc_acu'. Allowed: did you mean 'roc_auc'?"
    )
    assert problems[1].startswith("gate 2, 'roc_auc => 0.6': it cannot be read. Allowed: METRIC OP NUMBER")
    assert "did you mean 'champion'?" in problems[2]
    assert "gate 5" in problems[3]


@given(st.text(max_size=30))
def test_any_text_is_read_or_refused(text: str) -> None:
    """No text breaks the parser in another way than by the error that lists mistakes."""
    with contextlib.suppress(SettingsError):
        (gate,) = parse_gates([text], NAMES)
        assert gate.text == " ".join(text.split())


@given(
    st.sampled_from([">=", "<=", ">", "<"]),
    st.floats(-1e6, 1e6),
    st.floats(-1e6, 1e6),
)
def test_a_threshold_compares_as_it_reads(operator: str, number: float, value: float) -> None:
    """A gate on a number holds exactly where the comparison that is written holds."""
    measured = Measured(evaluation=EVALUATION, metrics=[metric("roc_auc", value)])
    (result,) = held([f"roc_auc {operator} {number!r}"], measured)
    expected = {">=": value >= number, "<=": value <= number, ">": value > number, "<": value < number}
    assert result.passed is expected[operator]
    assert (result.value, result.limit) == (value, number)


def test_a_threshold_says_value_interval_rows_and_limit() -> None:
    """The sentence of a gate stands alone."""
    (result,) = held(["roc_auc >= 0.6"])
    assert result.sentence == "roc_auc is 0.7132 (0.7032 to 0.7232) on 1,500 rows; at least 0.6 was asked."
    assert (result.low, result.high) == (pytest.approx(0.7032), pytest.approx(0.7232))


def test_a_threshold_may_be_the_champions_value() -> None:
    """The number is added to what the champion came to on the same rows."""
    passed, failed = held(["calibration_error <= champion + 0.02", "calibration_error <= champion - 0.02"])
    assert (passed.passed, failed.passed) == (True, False)
    assert passed.limit == pytest.approx(0.05)
    assert failed.sentence == (
        "calibration_error is 0.0210 (0.0110 to 0.0310) on 1,500 rows, and m@3 has 0.0300 on the same rows; "
        "at most 0.0100 (champion - 0.02) was asked."
    )


def test_a_latency_is_a_figure_without_interval() -> None:
    """The session's latency can be asked for, alone or against the champion's."""
    alone, beside = held(["model_latency_p99_ms <= 5", "model_latency_p99_ms <= champion"])
    assert alone.sentence == "model_latency_p99_ms is 0.0400; at most 5 was asked."
    assert (alone.passed, alone.low, beside.passed) == (True, None, False)


@pytest.mark.parametrize(
    ("difference", "passed", "words"),
    [
        (Difference(value=0.0121, low=0.0032, high=0.0201), True, "better by 0.0121"),
        (Difference(value=0.0005, low=-0.004, high=0.005), True, "better by 5.0000e-04"),
        (Difference(value=0.0, low=0.0, high=0.0), False, "no better"),
        (Difference(value=-0.004, low=-0.01, high=0.002), False, "worse by 0.0040"),
    ],
)
def test_beating_the_champion_shows_its_statistics(difference: Difference, passed: bool, words: str) -> None:
    """The paired difference decides by its sign, and its interval is shown."""
    measured = Measured(evaluation=EVALUATION, metrics=METRICS, champion=champion(difference))
    (result,) = held(["beats champion"], measured)
    assert result.passed is passed
    assert (result.value, result.low, result.high) == (difference.value, difference.low, difference.high)
    assert words.replace("5.0000e-04", "0.0005") in result.sentence
    assert f"{figure(difference.low)} to" in result.sentence
    assert "m@3 has 0.7011 on the same rows" in result.sentence


def test_without_a_champion_its_gates_hold() -> None:
    """The first candidate has nobody to beat, and its gate says so."""
    measured = Measured(evaluation=EVALUATION, metrics=METRICS)
    results = held(["beats champion", "calibration_error <= champion + 0.02"], measured)
    assert [result.passed for result in results] == [True, True]
    assert results[0].sentence == "There is no champion yet to compare with; roc_auc is 0.7132."


@pytest.mark.parametrize(
    ("main", "baseline", "passed"), [("roc_auc", 0.72, False), ("log_loss", 0.5, True), ("log_loss", 0.41, False)]
)
def test_beating_the_baseline_follows_the_metrics_direction(main: str, baseline: float, passed: bool) -> None:
    """Better is higher or lower as the metric says; equal is not better."""
    better = "higher" if main == "roc_auc" else "lower"
    evaluation = msgspec.structs.replace(EVALUATION, metric=main, baseline=[metric(main, baseline, better)])
    (result,) = held(["beats baseline"], Measured(evaluation=evaluation, metrics=METRICS))
    assert result.passed is passed
    assert f"the baseline (rate of the training rows) has {figure(baseline)} on the same rows" in result.sentence


@pytest.mark.parametrize(("low", "high", "chance"), [(0.01, 0.2, False), (-0.01, 0.2, True)])
def test_a_gain_that_may_be_chance_is_called_so(low: float, high: float, chance: bool) -> None:
    """The gate holds by the figure; its sentence has the paired interval, turned so that above 0 is better."""
    gain = Paired(metric="log_loss", value=-0.1, low=-high, high=-low, rows=9, better="lower", a=0.4, b=0.5)
    evaluation = msgspec.structs.replace(EVALUATION, metric="log_loss", gain=gain)
    (result,) = held(["beats baseline"], Measured(evaluation=evaluation, metrics=METRICS))
    assert result.passed
    assert f"paired difference {signed(low)} to {signed(high)}" in result.sentence
    assert ("may be chance" in result.sentence) == chance


def test_what_was_not_measured_does_not_pass() -> None:
    """Where the rows do not define a metric, a gate on it fails instead of holding by default."""
    measured = Measured(evaluation=EVALUATION, metrics=[metric("log_loss", 0.4, "lower")], champion=champion())
    for gate in ("roc_auc >= 0.1", "beats champion", "roc_auc >= champion"):
        (result,) = held([gate], measured)
        assert not result.passed
        assert "could not be measured" in result.sentence


def test_an_export_that_differs_is_always_refused() -> None:
    """Parity is held without being asked for, and a difference refuses whatever the gates say."""
    parity = Parity(rows=1500, largest_difference=0.56, tolerance=1e-5, differing_labels=31)
    evaluation = msgspec.structs.replace(EVALUATION, parity=parity)
    results = hold([], Measured(evaluation=evaluation, metrics=METRICS))
    accepted, reason = verdict(results)
    assert not accepted
    assert "differs from the trained model" in reason
    assert "5.6e-01" in reason


def test_the_verdict_gives_the_reason() -> None:
    """Accepted: the comparison with the champion, else the first gate; refused: every gate that does not hold."""
    beside = Measured(evaluation=EVALUATION, metrics=METRICS, champion=champion())
    yes = hold(parse_gates(["roc_auc >= 0.6", "beats champion"], NAMES), beside)
    assert verdict(yes) == (True, f"Accepted, as every gate holds: {yes[2].sentence}")
    one = hold(parse_gates(["roc_auc >= 0.6"], NAMES), beside)
    assert verdict(one) == (True, f"Accepted, as every gate holds: {one[1].sentence}")
    no = hold(parse_gates(["roc_auc >= 0.9", "log_loss <= 0.1", "beats champion"], NAMES), beside)
    assert verdict(no) == (False, f"Refused, as 2 gates do not hold: {no[1].sentence} {no[2].sentence}")
    none = hold([], beside)
    assert verdict(none) == (True, f"Accepted, as every gate holds: {none[0].sentence}")

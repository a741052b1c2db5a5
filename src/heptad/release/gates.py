"""The gate language of `[release] gates`, and each gate held against what was measured."""

import math
import operator
import re
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Literal, TypeAlias

import msgspec

from heptad.core.errors import InputError, SettingsError, nearest
from heptad.release.records import GateResult
from heptad.training import Difference as Paired
from heptad.training import Evaluation, Metric, Parity

LATENCIES = ("model_latency_p50_ms", "model_latency_p99_ms")
"""What a gate may name besides the metrics: milliseconds of one row through the model's session."""
PARITY = "parity"
"""The gate that is always held: the exported model is the trained one."""
BEATS_CHAMPION = "beats champion"
GRAMMAR = (
    "METRIC OP NUMBER, METRIC OP champion, METRIC OP champion + NUMBER, METRIC OP champion - NUMBER, "
    "beats champion, beats baseline; OP is one of >=, <=, >, <"
)

Operator: TypeAlias = Literal[">=", "<=", ">", "<"]
Opponent: TypeAlias = Literal["champion", "baseline"]

_HOLDS: Mapping[Operator, Callable[[float, float], bool]] = {
    ">=": operator.ge,
    "<=": operator.le,
    ">": operator.gt,
    "<": operator.lt,
}
_ASKED: Mapping[Operator, str] = {">=": "at least", "<=": "at most", ">": "more than", "<": "less than"}
_OPPONENTS = ("baseline", "champion")
_NUMBER = r"(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?"
_THRESHOLD = re.compile(
    rf"(?P<metric>[A-Za-z]\w*)\s*(?P<operator>>=|<=|>|<)\s*"
    rf"(?:(?P<champion>champion)(?:\s*(?P<sign>[+-])\s*(?P<offset>{_NUMBER}))?|(?P<number>[+-]?{_NUMBER}))"
)
_BEATS = re.compile(r"beats\s+(\S+)")


class Threshold(msgspec.Struct, frozen=True, kw_only=True):
    """`METRIC OP NUMBER`; with `of_champion` the number is added to the champion's value on the same rows."""

    text: str
    metric: str
    operator: Operator
    number: float
    of_champion: bool = False


class Beats(msgspec.Struct, frozen=True, kw_only=True):
    """The main metric is better than the opponent's on the same rows."""

    text: str
    opponent: Opponent


Gate: TypeAlias = Threshold | Beats


class Difference(msgspec.Struct, frozen=True, kw_only=True):
    """How much better the candidate is than the champion in the main metric, paired by row, with its interval.

    Above 0 means better, whichever direction of the metric is good.
    """

    value: float
    low: float
    high: float


def turned(found: Paired) -> Difference:
    """A difference of two metrics so that above 0 is better."""
    if found.better == "higher":
        return Difference(value=found.value, low=found.low, high=found.high)
    return Difference(value=-found.value, low=-found.high, high=-found.low)


class Champion(msgspec.Struct, frozen=True, kw_only=True):
    """The version in force, measured on the rows that the candidate is judged on."""

    label: str
    metrics: Sequence[Metric]
    latencies: Mapping[str, float]
    difference: Difference | None
    """`None` where the main metric is not defined on these rows."""


class Measured(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that gates are held against.

    `metrics` are the candidate's on the judged rows; those of `evaluation` are from its held-out rows, as are its
    baseline and its parity. Both are the same where no other rows were given to judge on.
    """

    evaluation: Evaluation
    metrics: Sequence[Metric]
    champion: Champion | None = None


def parse_gates(texts: Sequence[str], metrics: Collection[str]) -> list[Gate]:
    """The gates in order; raises `SettingsError` with every mistake. `metrics` are the names that a gate may use."""
    gates: list[Gate] = []
    problems: list[str] = []
    for number, text in enumerate(texts, 1):
        try:
            gates.append(parse_gate(text, metrics))
        except InputError as error:
            problems.append(f"gate {number}, {text!r}: {error.problem} Allowed: {error.allowed}")
    if problems:
        count = "1 gate" if len(problems) == 1 else f"{len(problems)} gates"
        raise SettingsError(f"[release] gates: {count} cannot be used:", problems=problems)
    return gates


def parse_gate(text: str, metrics: Collection[str]) -> Gate:
    """The gate that `text` says; raises `InputError`. `metrics` are the names that it may use, besides `LATENCIES`."""
    gate = " ".join(text.split())
    if beats := _BEATS.fullmatch(gate):
        if beats[1] in _OPPONENTS:
            return Beats(text=gate, opponent=msgspec.convert(beats[1], Opponent))
        raise InputError(f"there is no opponent {beats[1]!r}.", allowed=nearest(beats[1], _OPPONENTS))
    found = _THRESHOLD.fullmatch(gate)
    if not found:
        raise InputError("it cannot be read.", allowed=GRAMMAR)
    known = sorted({*metrics, *LATENCIES})
    if found["metric"] not in known:
        raise InputError(
            f"there is no metric {found['metric']!r}.", allowed=nearest(found["metric"], known, most=len(known))
        )
    number = float((found["sign"] or "") + (found["offset"] or "0")) if found["champion"] else float(found["number"])
    if not math.isfinite(number):
        raise InputError("the number is too large.", allowed=GRAMMAR)
    return Threshold(
        text=gate,
        metric=found["metric"],
        operator=msgspec.convert(found["operator"], Operator),
        number=number,
        of_champion=found["champion"] is not None,
    )


def hold(gates: Sequence[Gate], measured: Measured) -> list[GateResult]:
    """Each gate's outcome; first of all `PARITY`, which no setting can waive."""
    return [_parity(measured.evaluation.parity), *(_hold(gate, measured) for gate in gates)]


def verdict(results: Sequence[GateResult]) -> tuple[bool, str]:
    """Whether all gates hold, and the reason: what failed, else the comparison with the champion or the first gate."""
    failed = [result for result in results if not result.passed]
    if failed:
        part = "1 gate does" if len(failed) == 1 else f"{len(failed)} gates do"
        return False, f"Refused, as {part} not hold: " + " ".join(result.sentence for result in failed)
    asked = [result for result in results if result.gate != PARITY] or list(results)
    deciding = next((result for result in asked if result.gate == BEATS_CHAMPION), asked[0])
    return True, f"Accepted, as every gate holds: {deciding.sentence}"


def _hold(gate: Gate, measured: Measured) -> GateResult:
    if isinstance(gate, Threshold):
        return _hold_threshold(gate, measured)
    return _beats_baseline(gate, measured) if gate.opponent == "baseline" else _beats_champion(gate, measured)


def _hold_threshold(gate: Threshold, measured: Measured) -> GateResult:
    own = _named(gate.metric, measured.metrics, latencies_of(measured.evaluation))
    if own is None:
        return _not_measured(gate, gate.metric, measured.evaluation)
    asked, compared, limit = f"{gate.number:g}", "", gate.number
    if gate.of_champion:
        champion = measured.champion
        if champion is None:
            return _no_champion(gate, gate.metric, own)
        theirs = _named(gate.metric, champion.metrics, champion.latencies)
        if theirs is None:
            return _not_measured(gate, f"{gate.metric} of the champion", measured.evaluation)
        limit = theirs.value + gate.number
        offset = f" {'-' if gate.number < 0 else '+'} {abs(gate.number):g}" if gate.number else ""
        asked = f"{figure(limit)} (champion{offset})"
        compared = f", and {champion.label} has {figure(theirs.value)}{_on_same(theirs)}"
    passed = _HOLDS[gate.operator](own.value, limit)
    sentence = f"{_stated(own)}{compared}; {_ASKED[gate.operator]} {asked} was asked."
    return _result(gate, own, passed=passed, limit=limit, sentence=sentence)


def _beats_baseline(gate: Beats, measured: Measured) -> GateResult:
    evaluation = measured.evaluation
    own, theirs = evaluation.value(evaluation.metric), _named(evaluation.metric, evaluation.baseline, {})
    if own is None or theirs is None:
        return _not_measured(gate, f"{evaluation.metric} of candidate and baseline", evaluation)
    gain = _gain(own, own.value - theirs.value)
    paired = turned(evaluation.gain) if evaluation.gain else None
    interval = f" ({_interval(paired)})" if paired else ""
    doubt = " That may be chance." if paired and paired.low <= 0 < gain else ""
    sentence = (
        f"{_stated(own)}, and the baseline ({evaluation.baseline_name}) has {figure(theirs.value)}{_on_same(theirs)}: "
        f"{_by_how_much(gain)}{interval}.{doubt}"
    )
    return _result(gate, own, passed=gain > 0, limit=theirs.value, sentence=sentence)


def _beats_champion(gate: Beats, measured: Measured) -> GateResult:
    name, champion = measured.evaluation.metric, measured.champion
    own = _named(name, measured.metrics, {})
    if own is None:
        return _not_measured(gate, name, measured.evaluation)
    if champion is None:
        return _no_champion(gate, name, own)
    theirs = _named(name, champion.metrics, {})
    if theirs is None or champion.difference is None:
        return _not_measured(gate, f"{name} of the candidate and of {champion.label}", measured.evaluation)
    difference = champion.difference
    sentence = (
        f"{_stated(own)}, and {champion.label} has {figure(theirs.value)}{_on_same(theirs)}: "
        f"{_by_how_much(difference.value)} ({_interval(difference)})."
    )
    return GateResult(
        gate=gate.text,
        passed=difference.value > 0,
        value=difference.value,
        limit=0.0,
        low=difference.low,
        high=difference.high,
        sentence=sentence,
    )


def _parity(parity: Parity) -> GateResult:
    if parity.holds:
        outcome = f"agrees with the trained model on all {parity.rows:,} held-out rows"
    else:
        outcome = f"differs from the trained model on {parity.rows:,} held-out rows"
    sentence = (
        f"The exported model {outcome}: largest difference {parity.largest_difference:.1e}, at most "
        f"{parity.tolerance:.1e} is allowed; {parity.differing_labels:,} rows get another label."
    )
    return GateResult(
        gate=PARITY, passed=parity.holds, value=parity.largest_difference, limit=parity.tolerance, sentence=sentence
    )


def _result(gate: Gate, own: Metric, *, passed: bool, limit: float, sentence: str) -> GateResult:
    low, high = (own.low, own.high) if own.rows else (None, None)
    return GateResult(
        gate=gate.text, passed=passed, value=own.value, limit=limit, low=low, high=high, sentence=sentence
    )


def _no_champion(gate: Gate, name: str, own: Metric) -> GateResult:
    sentence = f"There is no champion yet to compare with; {name} is {figure(own.value)}."
    return GateResult(gate=gate.text, passed=True, value=own.value, sentence=sentence)


def _not_measured(gate: Gate, what: str, evaluation: Evaluation) -> GateResult:
    """A gate on a figure that these rows do not define does not hold: nobody may pass by not being measured."""
    name = gate.metric if isinstance(gate, Threshold) else evaluation.metric
    needed = f" {evaluation.absent[name]}" if name in evaluation.absent else ""
    sentence = f"{what} could not be measured on these rows.{needed}"
    return GateResult(gate=gate.text, passed=False, sentence=sentence)


def latencies_of(evaluation: Evaluation) -> dict[str, float]:
    """The figures of a model's session that gates may name; 0 says that it was not measured."""
    measured = {name: float(getattr(evaluation, name)) for name in LATENCIES}
    return {name: value for name, value in measured.items() if value > 0}


def _named(name: str, metrics: Sequence[Metric], latencies: Mapping[str, float]) -> Metric | None:
    """A figure by its name; a latency comes without rows and interval."""
    if name in latencies:
        value = latencies[name]
        return Metric(name=name, value=value, low=value, high=value, rows=0, better="lower")
    return next((metric for metric in metrics if metric.name == name and math.isfinite(metric.value)), None)


def _gain(metric: Metric, difference: float) -> float:
    return difference if metric.better == "higher" else -difference


def _stated(metric: Metric) -> str:
    if not metric.rows:
        return f"{metric.name} is {figure(metric.value)}"
    interval = f"{figure(metric.low)} to {figure(metric.high)}"
    return f"{metric.name} is {figure(metric.value)} ({interval}) on {metric.rows:,} rows"


def _on_same(metric: Metric) -> str:
    return " on the same rows" if metric.rows else ""


def _interval(difference: Difference) -> str:
    return f"interval of the paired difference {signed(difference.low)} to {signed(difference.high)}"


def _by_how_much(gain: float) -> str:
    if gain == 0:
        return "no better"
    return f"{'better' if gain > 0 else 'worse'} by {figure(abs(gain))}"


def figure(value: float) -> str:
    """A number as people read it: four decimals, or four significant digits where that says nothing."""
    return f"{value:.4f}" if value == 0 or 0.001 <= abs(value) < 1000 else f"{value:.4g}"


def signed(value: float) -> str:
    return figure(value) if value < 0 else f"+{figure(value)}"

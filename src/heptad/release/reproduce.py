"""Trains a version again from what is recorded of it, and says whether that gave the same model, and if not, why."""

import textwrap
from collections.abc import Callable, Mapping, Sequence
from typing import Literal, TypeAlias

import msgspec
import polars as pl

from heptad.core import graph
from heptad.core.errors import DataError, IntegrityError, NotFoundError
from heptad.core.records import Record
from heptad.core.workspace import Workspace
from heptad.data import Data, DatasetVersion, erased
from heptad.experiments import Environment, capture_environment
from heptad.release.gates import figure
from heptad.training import Candidate, Metric, Refit, Training

Part: TypeAlias = Literal["data", "code", "environment", "numbers"]
Progress: TypeAlias = Callable[[str, float], None]
"""Told what is being done, and which share of all is done, 0 to 1."""

DECISIVE = ("heptad", "lightgbm", "numpy", "onnx", "onnxruntime", "polars", "scikit-learn", "scipy")
"""Packages whose version can change a model's numbers; the others are counted."""

_UNREADABLE = (OSError, DataError, IntegrityError, NotFoundError)
"""How rows that are gone make themselves known."""


class Difference(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that is not what it was when the model was made."""

    part: Part
    sentence: str


class Reproduction(msgspec.Struct, frozen=True, kw_only=True):
    """What training again came to.

    `identical` is about rows, model and metrics; code and environment that differ are told even where that made none.
    """

    label: str
    identical: bool
    model_digest: str
    """Of the model that was trained again; empty where it could not be."""
    recorded_digest: str
    metrics: list[Metric]
    recorded_metrics: list[Metric]
    train_rows: int
    differences: list[Difference]

    @property
    def sentence(self) -> str:
        """The outcome in one sentence."""
        if self.identical:
            return (
                f"Identical: {self.label} trained again on {self.train_rows:,} rows gave the same numbers "
                f"({self.model_digest[:16]}) and the same {len(self.metrics)} metrics."
            )
        parts = ", ".join(dict.fromkeys(difference.part for difference in self.differences))
        return f"Not identical: {self.label} differs in {parts}."

    def text(self) -> str:
        """The outcome, every difference, and the metrics then and now, in lines of at most 80 characters."""
        lines = textwrap.wrap(self.sentence, 80)
        for difference in self.differences:
            lines += textwrap.wrap(f"{difference.part}: {difference.sentence}", 80, subsequent_indent="  ")
        now = {metric.name: figure(metric.value) for metric in self.metrics}
        lines += ["", f"{'metric':<24}{'recorded':>12}{'again':>12}"]
        lines += [
            f"{metric.name:<24}{figure(metric.value):>12}{now.get(metric.name, '-'):>12}"
            for metric in self.recorded_metrics
        ]
        return "\n".join(lines)


def reproduce(
    workspace: Workspace,
    data: Data,
    training: Training,
    candidate: Record[Candidate],
    label: str,
    on_progress: Progress,
) -> Reproduction:
    """Train a candidate again and compare; nothing is written. Rows that are gone are a difference, not an error."""
    dataset = graph.load(workspace, candidate.body.dataset, DatasetVersion)
    on_progress("comparing code and environment", 0.0)
    recorded = msgspec.json.decode(workspace.blobs.get(candidate.body.environment), type=Environment)
    differences = compare_environments(recorded, capture_environment(workspace.root))
    on_progress("reading the rows", 0.1)
    differences += compare_rows(data, dataset)
    on_progress("training again", 0.2)
    try:
        refit = training.refit(candidate)
    except _UNREADABLE as error:
        differences.append(Difference(part="data", sentence=f"It could not be trained again: {error}"))
        refit = Refit(model_digest="", metrics=[], train_rows=0, judge_rows=0)
    else:
        differences += compare_numbers(candidate.body, refit)
    on_progress("done", 1.0)
    return Reproduction(
        label=label,
        identical=not any(difference.part in {"numbers", "data"} for difference in differences),
        model_digest=refit.model_digest,
        recorded_digest=candidate.body.model_digest,
        metrics=refit.metrics,
        recorded_metrics=candidate.body.evaluation.metrics,
        train_rows=refit.train_rows,
        differences=differences,
    )


def compare_rows(data: Data, dataset: Record[DatasetVersion]) -> list[Difference]:
    """What has become of the recorded rows."""
    body = dataset.body
    named = f"data version {body.name}@{body.version}"
    try:
        if data.digest(dataset) == body.digest:
            return []
        rows = data.scan(dataset).select(pl.len()).collect().item()
    except _UNREADABLE as error:
        return [Difference(part="data", sentence=f"The rows of {named} cannot be read: {error}")]
    gone = erased(dataset.attributes)
    if gone and rows == body.rows - gone[0]:
        sentence = f"{gone[0]:,} of {body.rows:,} rows of {named} were erased, the last on {gone[1]:%Y-%m-%d}."
        return [Difference(part="data", sentence=sentence)]
    if rows != body.rows:
        return [Difference(part="data", sentence=f"{body.rows - rows:,} of {body.rows:,} rows of {named} are gone.")]
    return [Difference(part="data", sentence=f"Values in the rows of {named} are not those that were recorded.")]


def compare_environments(then: Environment, now: Environment) -> list[Difference]:
    """Code and packages, then and now."""
    found: list[Difference] = []
    if then.commit != now.commit:
        found.append(_changed("code", "The commit", then.commit[:12], now.commit[:12]))
    if then.diff != now.diff:
        found.append(_changed("code", "Uncommitted changes", then.diff[:12], now.diff[:12]))
    decisive = {"python": (then.python, now.python), "platform": (then.platform, now.platform)}
    decisive |= {name: (then.packages.get(name, ""), now.packages.get(name, "")) for name in DECISIVE}
    found += [_changed("environment", name, old, new) for name, (old, new) in decisive.items() if old != new]
    others = _other_packages(then.packages, now.packages)
    if others:
        sentence = f"{len(others)} other packages differ, which should not matter: {', '.join(others[:5])}"
        found.append(Difference(part="environment", sentence=sentence + ("." if len(others) <= 5 else ", ...")))
    return found


def compare_numbers(recorded: Candidate, refit: Refit) -> list[Difference]:
    """Rows, model and metrics; equal means equal to the last digit."""
    found: list[str] = []
    split = recorded.split
    if (split.train_rows, split.judge_rows) != (refit.train_rows, refit.judge_rows):
        found.append(
            f"It learnt from {split.train_rows:,} rows and was judged on {split.judge_rows:,}; "
            f"now there are {refit.train_rows:,} and {refit.judge_rows:,}."
        )
    if recorded.model_digest != refit.model_digest:
        found.append(f"The model's numbers were {recorded.model_digest[:16]}, and are {refit.model_digest[:16]}.")
    found += _metrics(recorded.evaluation.metrics, refit.metrics)
    return [Difference(part="numbers", sentence=sentence) for sentence in found]


def _metrics(recorded: Sequence[Metric], again: Sequence[Metric]) -> list[str]:
    now = {metric.name: metric.value for metric in again}
    found = []
    for metric in recorded:
        value = now.get(metric.name)
        if value is None:
            found.append(f"{metric.name} was {figure(metric.value)}, and is not defined any more.")
        elif value != metric.value:
            found.append(
                f"{metric.name} was {figure(metric.value)}, and is {figure(value)} ({value - metric.value:+.1e})."
            )
    return found


def _other_packages(then: Mapping[str, str], now: Mapping[str, str]) -> list[str]:
    names = sorted((then.keys() | now.keys()) - set(DECISIVE))
    return [name for name in names if then.get(name) != now.get(name)]


def _changed(part: Part, what: str, then: str, now: str) -> Difference:
    return Difference(part=part, sentence=f"{what} was {then or 'none'}, and is {now or 'none'}.")

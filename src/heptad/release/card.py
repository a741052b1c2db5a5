"""The model card: what a model is for, what it learnt from, how well it does and where it does not.

After M. Mitchell et al., "Model Cards for Model Reporting", FAT* 2019. Everything in it comes from the records, so
the same records give the same card.
"""

from collections.abc import Sequence
from datetime import datetime

import msgspec

from heptad.core.records import Record
from heptad.data import Block, Code, DatasetVersion, Document, Items, Section, TableBlock
from heptad.release.gates import figure
from heptad.release.records import Decision
from heptad.training import Candidate, Evaluation, Metric, SliceMetric

_TOP = 15
"""How many attributions and columns a table shows before it counts the rest."""


class Subject(msgspec.Struct, frozen=True, kw_only=True):
    """The records that a card is made from. `label` is `NAME@VERSION` once there is a number."""

    about: str
    candidate: Record[Candidate]
    dataset: Record[DatasetVersion]
    decision: Record[Decision]
    label: str = ""


def model_card(subject: Subject) -> Document:
    """The card as a document; `to_markdown` writes it."""
    candidate, evaluation = subject.candidate.body, subject.candidate.body.evaluation
    main = evaluation.value(evaluation.metric)
    sections = [
        Section("Purpose", _purpose(subject)),
        Section("Data", _data(subject)),
        Section("How well it does", _metrics(subject)),
        Section("Where it does better and worse", _slices(evaluation, main)),
        Section("Calibration", _calibration(evaluation)),
        Section("What it looks at", _attributions(evaluation)),
        Section("Limits", [Items(limits(subject))]),
        Section("Why it was released", [subject.decision.body.reason]),
        Section("How to reproduce it", _reproduce(subject)),
    ]
    made = "taken over" if candidate.external else "trained"
    opening = f"{candidate.estimator} for {candidate.name}, {made} {subject.candidate.at:%d %B %Y}"
    opening += f": {_value(main)}." if main else "."
    return Document(
        f"Model card of {subject.label or candidate.name}", opening, [one for one in sections if one.blocks]
    )


def limits(subject: Subject) -> list[str]:
    """What somebody should know before trusting this model, each a sentence that the records support."""
    candidate, dataset = subject.candidate.body, subject.dataset.body
    split, evaluation = candidate.split, candidate.evaluation
    found = [f"It was judged on {split.judge_rows:,} rows that it had not learnt from; other rows may differ."]
    if candidate.external:
        found = [f"It was judged on {split.judge_rows:,} rows; other rows may differ.", *candidate.notes]
    elif split.train_until:
        found.append(f"It knows nothing of what happened since {_day(split.train_until)}.")
    open_sets = [one.name for one in candidate.signature.inputs if one.categories is not None and not one.closed]
    if open_sets:
        found.append(f"Values that training never saw are answered, with a warning: {_listed(open_sets)}.")
    closed = [one.name for one in candidate.signature.inputs if one.closed]
    if closed:
        found.append(f"Values outside of a closed set are refused: {_listed(closed)}.")
    worst = _worst(evaluation)
    if worst:
        found.append(f"It does worst where {worst.column} is {worst.value}: {_value(worst.metric)}.")
    warnings = [finding.sentence for finding in dataset.findings if not finding.passed and finding.sentence]
    found += warnings
    if dataset.rows > dataset.labelled:
        found.append(
            f"{dataset.rows - dataset.labelled:,} of {dataset.rows:,} rows had no label and were not learnt from."
        )
    found.append("What it finds are regularities of the past, not causes.")
    return found


def _purpose(subject: Subject) -> list[Block]:
    signature = subject.candidate.body.signature
    blocks: list[Block] = [subject.about] if subject.about else []
    what = f"It answers {signature.target} with a number."
    if signature.task == "classification":
        what = f"It answers {signature.target} with one of {_listed(signature.classes)}, and with probabilities."
    if signature.threshold is not None and len(signature.classes) == 2:
        what += f" From a probability of {figure(signature.threshold)} on it answers {signature.classes[1]!r}."
    inputs = [[one.name, one.type, "required" if one.required else "may be missing"] for one in signature.inputs]
    return [*blocks, what, TableBlock(["input", "type", "value"], _shortened(inputs))]


def _data(subject: Subject) -> list[Block]:
    dataset, candidate, split = subject.dataset.body, subject.candidate.body, subject.candidate.body.split
    facts = [
        f"Data set {dataset.name}, version {dataset.version}: {dataset.rows:,} rows, {dataset.labelled:,} labelled."
    ]
    if dataset.first_time and dataset.last_time:
        facts.append(f"From {_moment(dataset.first_time)} to {_moment(dataset.last_time)}.")
    if candidate.external:
        facts.append("Learnt from rows that are not known here.")
    elif split.by == "time" and split.train_until:
        since = f"since {_day(split.train_from)}" if split.train_from else "from the first row on"
        facts.append(f"Learnt from {split.train_rows:,} rows {since} until {_moment(split.train_until)}.")
    else:
        facts.append(f"Learnt from {split.train_rows:,} rows, chosen by a hash of the key.")
    facts.append(f"Judged on {split.judge_rows:,} {'' if candidate.external else 'other '}rows.")
    facts += [f"Read from {source.uri}: {source.rows:,} rows." for source in dataset.sources]
    facts += [
        f"{repair.rule}{' of ' + repair.column if repair.column else ''}: "
        f"{repair.rows:,} rows dropped, {repair.cells:,} cells changed."
        for repair in dataset.repairs
        if repair.rows or repair.cells
    ]
    return [Items(facts)]


def _metrics(subject: Subject) -> list[Block]:
    evaluation, decision = subject.candidate.body.evaluation, subject.decision.body
    baseline = {metric.name: metric for metric in evaluation.baseline}
    rows = [
        [metric.name, figure(metric.value), _interval(metric), _figure_of(baseline.get(metric.name)), metric.better]
        for metric in evaluation.metrics
    ]
    blocks: list[Block] = [
        f"The baseline is the trivial model: {evaluation.baseline_name}.",
        TableBlock(["metric", "value", "interval", "baseline", "better"], rows),
    ]
    if decision.champion_metrics:
        theirs = {metric.name: metric for metric in decision.champion_metrics}
        beside = [
            [metric.name, figure(metric.value), _figure_of(theirs.get(metric.name))] for metric in decision.metrics
        ]
        blocks.append(f"Beside the champion of that time, on the same {decision.rows:,} rows:")
        blocks.append(TableBlock(["metric", "this model", "champion"], beside))
    blocks.append(
        TableBlock(["gate", "holds", "because"], [[one.gate, _yes(one.passed), one.sentence] for one in decision.gates])
    )
    return blocks


def _slices(evaluation: Evaluation, main: Metric | None) -> list[Block]:
    if not evaluation.slices:
        return []
    rows = [
        [one.column, one.value, figure(one.metric.value), _interval(one.metric), f"{one.metric.rows:,}"]
        for one in evaluation.slices
    ]
    over_all = f"Over all rows: {_value(main)}." if main else ""
    return [over_all, TableBlock(["column", "value", evaluation.metric, "interval", "rows"], rows)]


def _calibration(evaluation: Evaluation) -> list[Block]:
    if not evaluation.calibration:
        return []
    rows = [[figure(one.predicted), figure(one.observed), f"{one.rows:,}"] for one in evaluation.calibration]
    return [TableBlock(["predicted", "came true", "rows"], rows)]


def _attributions(evaluation: Evaluation) -> list[Block]:
    if not evaluation.attributions:
        return []
    largest = sorted(evaluation.attributions.items(), key=lambda one: -one[1])
    rows = [[name, figure(value)] for name, value in largest]
    return [TableBlock(["feature", "mean contribution to the raw score"], _shortened(rows))]


def _reproduce(subject: Subject) -> list[Block]:
    candidate, split = subject.candidate.body, subject.candidate.body.split
    if candidate.external:
        run = f", of run {candidate.run}" if candidate.run else ""
        return [
            f"It was trained elsewhere and registered as {candidate.external}{run}: it cannot be trained again here."
        ]
    params = ", ".join(f"{name} = {value}" for name, value in sorted(candidate.params.items()))
    data = subject.dataset
    facts = [
        f"Data version {data.id}, digest {data.body.digest[:16]}, table version {data.body.delta_version}.",
        f"Estimator {candidate.estimator} with {params or 'its defaults'}, seed {candidate.seed}.",
        f"Window {candidate.window}, split by {split.by}; candidate {subject.candidate.id}, run {candidate.run}.",
        f"The model's numbers have the digest {candidate.model_digest[:16]}.",
    ]
    return [Items(facts), Code(f"heptad reproduce {subject.label or subject.candidate.id}")]


def _worst(evaluation: Evaluation) -> SliceMetric | None:
    """The slice with the worst figure, where there are two to compare."""
    if len(evaluation.slices) < 2:
        return None
    lowest = evaluation.slices[0].metric.better == "higher"
    pick = min if lowest else max
    return pick(evaluation.slices, key=lambda one: one.metric.value)


def _value(metric: Metric) -> str:
    return f"{metric.name} {figure(metric.value)} ({_interval(metric)})"


def _interval(metric: Metric) -> str:
    return f"{figure(metric.low)} to {figure(metric.high)}"


def _figure_of(metric: Metric | None) -> str:
    return figure(metric.value) if metric else "not defined"


def _yes(passed: bool) -> str:
    return "yes" if passed else "no"


def _day(moment: datetime) -> str:
    return f"{moment.day} {moment:%B %Y}"


def _moment(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d %H:%M} UTC"


def _listed(names: Sequence[str], most: int = 10) -> str:
    shown = ", ".join(names[:most])
    return f"{shown}, and {len(names) - most} more" if len(names) > most else shown


def _shortened(rows: Sequence[Sequence[str]]) -> list[Sequence[str]]:
    if len(rows) <= _TOP:
        return list(rows)
    rest = [f"and {len(rows) - _TOP} more", *[""] * (len(rows[0]) - 1)]
    return [*rows[:_TOP], rest]

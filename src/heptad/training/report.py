"""The evaluation report: one HTML page about one candidate, readable without a network."""

from collections.abc import Iterator
from itertools import groupby

import polars as pl

from heptad.core.markup import Markup, element, joined, page, table
from heptad.core.records import Record
from heptad.data import DatasetVersion
from heptad.training import charts
from heptad.training.records import Candidate, Evaluation, Metric
from heptad.training.wording import meaning, number, split_sentence, title, verdict

_LARGEST_CONFUSION = 12


def render_report(
    candidate: Record[Candidate], version: Record[DatasetVersion], scores: pl.DataFrame, about: str = ""
) -> str:
    """The page. `scores` are the held-out rows as the candidate's artifact has them: `label`, `predicted`, `score`."""
    body = candidate.body
    sections = [
        _headline(candidate, about),
        _figures(body),
        *_plots(body, scores),
        *_slices(body.evaluation),
        *_attributions(body.evaluation),
        _data(version),
        _model(candidate),
    ]
    heading = f"{body.name}: evaluation of {body.estimator}"
    return page(heading, element("main", *sections))


def _headline(candidate: Record[Candidate], about: str) -> Markup:
    body, evaluation = candidate.body, candidate.body.evaluation
    metric = evaluation.value(evaluation.metric)
    figure: list[Markup] = []
    if metric is not None:
        figure = [
            element("span", number(metric.value), class_="big"),
            element(
                "span",
                element("b", title(metric.name)),
                element("br"),
                element("span", f"{evaluation.confidence:.0%} interval {_between(metric)}"),
            ),
        ]
    return joined(
        element("h1", f"{body.name}: {body.estimator}"),
        element("p", about or f"Predicts “{body.signature.target}”.", class_="quiet"),
        _section(
            "",
            element("div", figure, class_="headline"),
            element("p", meaning(metric, body.signature)) if metric else None,
            element("p", verdict(evaluation)),
            element("p", split_sentence(body.split), class_="quiet"),
        ),
    )


def _figures(body: Candidate) -> Markup:
    evaluation = body.evaluation
    trivial = {one.name: one for one in evaluation.baseline}
    rows = [
        [
            element("b", title(one.name)),
            number(one.value),
            _between(one),
            number(trivial[one.name].value) if one.name in trivial else "none",
            meaning(one, body.signature),
        ]
        for one in evaluation.metrics
    ]
    head = ["Metric", "Value", f"{evaluation.confidence:.0%} interval", "Trivial", "What it says"]
    absent = [element("p", reason, class_="quiet") for reason in evaluation.absent.values()]
    return _section("Figures", table(head, rows, class_="figures"), absent)


def _plots(body: Candidate, scores: pl.DataFrame) -> Iterator[Markup]:
    if body.signature.task == "regression":
        truth, predicted = scores["label"].to_numpy(), scores["score"].to_numpy()
        yield _section(
            "Predictions",
            _pair(
                ("Predicted and true", charts.predicted_plot(truth, predicted)),
                ("Errors", charts.residual_histogram(truth, predicted)),
            ),
        )
        return
    if len(body.signature.classes) == 2:
        yield from _binary_plots(body, scores)
    if len(body.signature.classes) <= _LARGEST_CONFUSION:
        yield _section("Right and wrong", _decision_sentence(body), _confusion(body, scores))


def _binary_plots(body: Candidate, scores: pl.DataFrame) -> Iterator[Markup]:
    name = body.signature.classes[1]
    positive, probability = (scores["label"] == name).to_numpy(), scores["score"].to_numpy()
    if positive.any() and not positive.all():
        yield _section(
            "Ranking",
            _pair(
                ("ROC curve", charts.roc_curve(positive, probability)),
                ("Precision and recall", charts.precision_recall_curve(positive, probability)),
            ),
        )
    threshold = 0.5 if body.signature.threshold is None else body.signature.threshold
    spread = (
        "Probabilities by class",
        charts.score_histogram(positive, probability, threshold, body.signature.classes),
    )
    plots = [spread]
    if body.evaluation.calibration:
        plots.insert(0, ("Calibration", charts.calibration_plot(body.evaluation.calibration)))
    yield _section("Probabilities", _pair(*plots))


def _decision_sentence(body: Candidate) -> Markup | None:
    if body.signature.threshold is None:
        return None
    return element(
        "p",
        f"“{body.signature.classes[1]}” is answered from a probability of {number(body.signature.threshold)} on, "
        f"{body.evaluation.threshold_reason}.",
    )


def _confusion(body: Candidate, scores: pl.DataFrame) -> Markup:
    known = list(body.signature.classes)
    truth = [*known, *sorted(set(scores["label"].drop_nulls()) - set(known))]
    counted = scores.group_by("label", "predicted").len()
    counts = {(label, predicted): rows for label, predicted, rows in counted.iter_rows()}
    head = element("tr", element("th", "true ↓  answered →"), [element("th", name) for name in known])
    rows = []
    for label in truth:
        whole = sum(counts.get((label, name), 0) for name in known)
        cells = [_confusion_cell(counts.get((label, name), 0), whole, right=label == name) for name in known]
        rows.append(element("tr", element("td", label), cells))
    return element("div", element("table", head, rows, class_="confusion"), class_="chart")


def _confusion_cell(rows: int, whole: int, *, right: bool) -> Markup:
    share = rows / whole if whole else 0.0
    colour = "37, 99, 235" if right else "217, 119, 6"
    style = f"background: rgba({colour}, {0.05 + 0.4 * share:.2f})"
    return element("td", f"{rows:,} ({share:.0%})", style=style)


def _slices(evaluation: Evaluation) -> Iterator[Markup]:
    overall = evaluation.value(evaluation.metric)
    if overall is None or not evaluation.slices:
        return
    plots = [
        (column, charts.slice_plot(list(slices), overall, title(evaluation.metric)))
        for column, slices in groupby(evaluation.slices, key=lambda one: one.column)
    ]
    note = f"{title(evaluation.metric)} where a column has one value; the dashed line is the figure of all rows."
    yield _section("Slices", element("p", note), _pair(*plots))


def _attributions(evaluation: Evaluation) -> Iterator[Markup]:
    if evaluation.attributions:
        note = "How much each feature moves the score on average. It says what the model uses, not what causes what."
        plot = charts.attribution_plot(evaluation.attributions)
        yield _section("What the model uses", element("p", note), element("div", plot, class_="chart"))


def _data(version: Record[DatasetVersion]) -> Markup:
    body = version.body
    sources = [f"{one.name}: {one.rows:,} rows of {one.uri}" for one in body.sources]
    repairs = [
        [one.rule, one.column, f"{one.rows:,} rows dropped" if one.rows else f"{one.cells:,} cells changed"]
        for one in body.repairs
    ]
    failed = [one for one in body.findings if not one.passed]
    findings = [
        [element("span", one.severity, class_="bad" if one.severity == "error" else "quiet"), one.sentence]
        for one in failed
    ]
    held = f"{len(body.findings) - len(failed)} of {len(body.findings)} expectations hold."
    return _section(
        "Data",
        element("p", f"{body.name}, version {body.version}: {body.rows:,} rows, {body.labelled:,} of them labelled."),
        [element("p", sentence, class_="quiet") for sentence in sources],
        element("p", held) if body.findings else None,
        table(["Severity", "Finding"], findings) if findings else None,
        joined(element("h3", "Repairs"), table(["Rule", "Column", "Extent"], repairs)) if repairs else None,
    )


def _model(candidate: Record[Candidate]) -> Markup:
    body, parity = candidate.body, candidate.body.evaluation.parity
    agreement = (
        f"The exported model agrees with the Python model on all {parity.rows:,} judged rows: they are at most "
        f"{parity.largest_difference:.2g} apart (allowed: {parity.tolerance:.0e})."
        if parity.holds
        else f"The exported model differs from the Python model by up to {parity.largest_difference:.1e} (allowed: "
        f"{parity.tolerance:.0e}), and in the class of {parity.differing_labels:,} of {parity.rows:,} judged rows."
    )
    median, slow = body.evaluation.model_latency_p50_ms, body.evaluation.model_latency_p99_ms
    facts = [
        ("candidate", candidate.id),
        ("trained", f"{candidate.at:%Y-%m-%d %H:%M:%S} UTC by {candidate.actor}"),
        ("data version", body.dataset),
        ("run", body.run),
        ("window", body.window),
        ("seed", str(body.seed)),
        *((name, str(value)) for name, value in body.params.items()),
        ("model artifact", body.model),
        ("model parameters", body.model_digest),
        ("environment", body.environment),
    ]
    return _section(
        "Model",
        element("p", agreement, **({} if parity.holds else {"class_": "bad"})),
        element("p", f"One row takes {median:.2f} ms (median), {slow:.2f} ms at the 99th percentile, on one thread."),
        [element("p", note, class_="quiet") for note in body.notes],
        table(["", ""], facts, class_="ids"),
    )


def _section(heading: str, *children: "Markup | list[Markup] | None") -> Markup:
    """A card of the page."""
    return element("section", element("h2", heading) if heading else None, *children)


def _pair(*plots: tuple[str, Markup]) -> Markup:
    return element("div", [element("div", element("h3", name), plot) for name, plot in plots], class_="grid")


def _between(metric: Metric) -> str:
    return f"{number(metric.low)} to {number(metric.high)}"

"""Says in words what an evaluation found, for readers who do not know the metrics by heart."""

from heptad.training.metrics import MEASURES
from heptad.training.records import Evaluation, Metric, Signature, Split

_MEANINGS: dict[str, str] = {
    "roc_auc": (
        "Of a row that is {positive} and one that is not, taken at random, the model gives the first the higher "
        "probability in {percent} of 100 cases; guessing does so in 50."
    ),
    "average_precision": (
        "Going down from the highest probability, {percent} of 100 rows met are {positive}, averaged over all that are."
    ),
    "log_loss": (
        "The average surprise at what came true: 0 is perfect foresight, and being sure and wrong costs without limit."
    ),
    "brier": "The average squared distance of the probability from what came true: 0 is perfect foresight.",
    "accuracy": "{percent} of 100 rows are given the right class.",
    "f1": "The balance of how many rows called {positive} are, and how many that are were called so; 1 is perfect.",
    "calibration_error": "On average, probabilities are {points} percentage points off the rates that came true.",
    "f1_macro": "The balance of precision and recall, averaged over classes large and small alike; 1 is perfect.",
    "roc_auc_ovr": "How well each class is ranked against the rest, averaged over classes; guessing gives 0.5.",
    "rmse": "A typical error of {value} in units of {target}, in which large errors weigh more.",
    "mae": "Predictions are off by {value} in units of {target} on average.",
    "r2": "{percent}% of the variance of {target} is explained; always answering the mean explains none.",
    "median_error": "Half of the predictions are off by no more than {value} in units of {target}.",
}


def meaning(metric: Metric, signature: Signature) -> str:
    """One sentence on what the value of a metric says about this model."""
    positive = f"“{signature.classes[-1]}”" if signature.classes else ""
    return _MEANINGS[metric.name].format(
        positive=positive,
        percent=f"{metric.value * 100:.0f}",
        points=f"{metric.value * 100:.1f}",
        value=number(metric.value),
        target=f"“{signature.target}”",
    )


def verdict(evaluation: Evaluation) -> str:
    """Whether the model beats the trivial one, by the main metric on the same rows."""
    metric = evaluation.value(evaluation.metric)
    if metric is None:
        return f"There is no {title(evaluation.metric)} here: {evaluation.absent.get(evaluation.metric, '')}"
    gain = evaluation.gain
    if gain is None:
        return "The trivial model has no such figure to compare with."
    against = f"The trivial model ({evaluation.baseline_name}) has {number(gain.b)}"
    if gain.a_is_better:
        return f"{against}: this model is better, and the whole interval of the difference lies on the better side."
    if gain.value > 0 if gain.better == "higher" else gain.value < 0:
        return f"{against}: this model is ahead, but within what chance could do on so few rows."
    return f"{against}: this model is no better."


def split_sentence(split: Split) -> str:
    """Which rows were learnt from and which judged."""
    learnt, judged = f"{split.train_rows:,} rows", f"{split.judge_rows:,}"
    if split.by == "hash":
        chosen = f"their group, {', '.join(split.group)}" if split.group else "the key"
        return f"Learnt from {learnt}; judged on {judged} others, chosen by hash of {chosen}."
    until = f"{split.train_until:%Y-%m-%d %H:%M}" if split.train_until else ""
    since = f" from {split.train_from:%Y-%m-%d %H:%M}" if split.train_from else ""
    end = f", up to {split.judge_until:%Y-%m-%d %H:%M}" if split.judge_until else ""
    return f"Learnt from {learnt}{since} before {until} UTC; judged on the {judged} that came after{end}."


def title(metric: str) -> str:
    """The metric's name as a person writes it."""
    return MEASURES[metric].title if metric in MEASURES else metric


def number(value: float) -> str:
    """Four significant digits, without an exponent where that stays readable.

    >>> number(0.71234), number(54123.4), number(0.0000123)
    ('0.7123', '54,123', '1.23e-05')
    """
    size = abs(value)
    if size >= 1000:
        return f"{value:,.0f}" if size < 1e9 else f"{value:.4g}"
    if size and size < 0.001:
        return f"{value:.3g}"
    return f"{value:.4g}" if size >= 1 else f"{value:.4f}"

"""Step 3: models, and what is measured of them."""

from typing import TYPE_CHECKING

from heptad.core.lazy import attach

if TYPE_CHECKING:
    from heptad.training.charts import ACCENT as ACCENT
    from heptad.training.charts import INK as INK
    from heptad.training.charts import QUIET as QUIET
    from heptad.training.charts import SECOND as SECOND
    from heptad.training.charts import attribution_plot as attribution_plot
    from heptad.training.charts import render_chart as render_chart
    from heptad.training.columns import check_rows as check_rows
    from heptad.training.columns import columns_of as columns_of
    from heptad.training.comparison import difference as difference
    from heptad.training.evaluation import calibration_of as calibration_of
    from heptad.training.explanation import Explanation as Explanation
    from heptad.training.explanation import explain as explain
    from heptad.training.fitting import Fitted as Fitted
    from heptad.training.fitting import fit as fit
    from heptad.training.forgetting import FoundScores as FoundScores
    from heptad.training.forgetting import every_candidate as every_candidate
    from heptad.training.forgetting import find_scores as find_scores
    from heptad.training.forgetting import forget_scores as forget_scores
    from heptad.training.intervals import percentile_interval as percentile_interval
    from heptad.training.intervals import resampled_weights as resampled_weights
    from heptad.training.intervals import shrinkage as shrinkage
    from heptad.training.intervals import thinned as thinned
    from heptad.training.intervals import with_intervals as with_intervals
    from heptad.training.metrics import MEASURES as MEASURES
    from heptad.training.metrics import Sample as Sample
    from heptad.training.metrics import blocks_of as blocks_of
    from heptad.training.metrics import metric_names as metric_names
    from heptad.training.metrics import sample_of as sample_of
    from heptad.training.model import OnnxModel as OnnxModel
    from heptad.training.model import Scores as Scores
    from heptad.training.records import CalibrationBin as CalibrationBin
    from heptad.training.records import Candidate as Candidate
    from heptad.training.records import Difference as Difference
    from heptad.training.records import Evaluation as Evaluation
    from heptad.training.records import Input as Input
    from heptad.training.records import Metric as Metric
    from heptad.training.records import Parity as Parity
    from heptad.training.records import Signature as Signature
    from heptad.training.records import SliceMetric as SliceMetric
    from heptad.training.records import Split as Split
    from heptad.training.search import TrialEnded as TrialEnded
    from heptad.training.settings import ValidateSettings as ValidateSettings
    from heptad.training.training import Refit as Refit
    from heptad.training.training import Training as Training

__getattr__, __all__ = attach(
    __name__,
    {
        "ACCENT": "charts",
        "CalibrationBin": "records",
        "Candidate": "records",
        "Difference": "records",
        "Evaluation": "records",
        "Explanation": "explanation",
        "Fitted": "fitting",
        "FoundScores": "forgetting",
        "INK": "charts",
        "Input": "records",
        "MEASURES": "metrics",
        "Metric": "records",
        "OnnxModel": "model",
        "Parity": "records",
        "QUIET": "charts",
        "Refit": "training",
        "SECOND": "charts",
        "Sample": "metrics",
        "Scores": "model",
        "Signature": "records",
        "SliceMetric": "records",
        "Split": "records",
        "Training": "training",
        "TrialEnded": "search",
        "ValidateSettings": "settings",
        "attribution_plot": "charts",
        "blocks_of": "metrics",
        "calibration_of": "evaluation",
        "check_rows": "columns",
        "columns_of": "columns",
        "difference": "comparison",
        "every_candidate": "forgetting",
        "explain": "explanation",
        "find_scores": "forgetting",
        "fit": "fitting",
        "forget_scores": "forgetting",
        "metric_names": "metrics",
        "percentile_interval": "intervals",
        "render_chart": "charts",
        "resampled_weights": "intervals",
        "sample_of": "metrics",
        "shrinkage": "intervals",
        "thinned": "intervals",
        "with_intervals": "intervals",
    },
)

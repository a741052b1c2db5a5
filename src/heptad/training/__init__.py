"""Step 3: models, and what is measured of them."""

from typing import TYPE_CHECKING

from heptad.core.lazy import attach

if TYPE_CHECKING:
    from heptad.training.charts import attribution_plot as attribution_plot
    from heptad.training.columns import check_rows as check_rows
    from heptad.training.columns import columns_of as columns_of
    from heptad.training.comparison import difference as difference
    from heptad.training.evaluation import calibration_of as calibration_of
    from heptad.training.explanation import Explanation as Explanation
    from heptad.training.explanation import explain as explain
    from heptad.training.fitting import Fitted as Fitted
    from heptad.training.fitting import fit as fit
    from heptad.training.foreign import Foreign as Foreign
    from heptad.training.foreign import read_foreign as read_foreign
    from heptad.training.foreign_candidates import ForeignCandidates as ForeignCandidates
    from heptad.training.forgetting import FoundScores as FoundScores
    from heptad.training.forgetting import every_candidate as every_candidate
    from heptad.training.forgetting import find_scores as find_scores
    from heptad.training.forgetting import forget_scores as forget_scores
    from heptad.training.intervals import percentile_interval as percentile_interval
    from heptad.training.intervals import resampled_weights as resampled_weights
    from heptad.training.intervals import shrinkage as shrinkage
    from heptad.training.intervals import thinned as thinned
    from heptad.training.intervals import with_intervals as with_intervals
    from heptad.training.label_errors import LabelError as LabelError
    from heptad.training.label_errors import LabelErrors as LabelErrors
    from heptad.training.label_errors import find_label_errors as find_label_errors
    from heptad.training.metrics import MEASURES as MEASURES
    from heptad.training.metrics import Sample as Sample
    from heptad.training.metrics import blocks_of as blocks_of
    from heptad.training.metrics import metric_names as metric_names
    from heptad.training.metrics import sample_of as sample_of
    from heptad.training.model import OnnxModel as OnnxModel
    from heptad.training.model import Scores as Scores
    from heptad.training.model import standalone_source as standalone_source
    from heptad.training.nested import NestedResult as NestedResult
    from heptad.training.nested import OuterFold as OuterFold
    from heptad.training.nested import cross_validate as cross_validate
    from heptad.training.next_labels import WAYS as WAYS
    from heptad.training.next_labels import By as By
    from heptad.training.next_labels import LabelQueue as LabelQueue
    from heptad.training.next_labels import QueuedRow as QueuedRow
    from heptad.training.next_labels import label_queue as label_queue
    from heptad.training.next_labels import queue_table as queue_table
    from heptad.training.out_of_fold import model_of as model_of
    from heptad.training.parting import Nested as Nested
    from heptad.training.parting import Parting as Parting
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
    from heptad.training.split_summary import PARTS as PARTS
    from heptad.training.split_summary import SHOWN_CLASSES as SHOWN_CLASSES
    from heptad.training.split_summary import PartSummary as PartSummary
    from heptad.training.split_summary import SplitTable as SplitTable
    from heptad.training.split_summary import split_table as split_table
    from heptad.training.training import Refit as Refit
    from heptad.training.training import Training as Training

__getattr__, __all__ = attach(
    __name__,
    {
        "By": "next_labels",
        "CalibrationBin": "records",
        "Candidate": "records",
        "Difference": "records",
        "Evaluation": "records",
        "Explanation": "explanation",
        "Fitted": "fitting",
        "Foreign": "foreign",
        "ForeignCandidates": "foreign_candidates",
        "FoundScores": "forgetting",
        "Input": "records",
        "LabelError": "label_errors",
        "LabelErrors": "label_errors",
        "LabelQueue": "next_labels",
        "MEASURES": "metrics",
        "Metric": "records",
        "Nested": "parting",
        "NestedResult": "nested",
        "OnnxModel": "model",
        "OuterFold": "nested",
        "Parity": "records",
        "PartSummary": "split_summary",
        "Parting": "parting",
        "QueuedRow": "next_labels",
        "Refit": "training",
        "PARTS": "split_summary",
        "SHOWN_CLASSES": "split_summary",
        "Sample": "metrics",
        "Scores": "model",
        "Signature": "records",
        "SliceMetric": "records",
        "Split": "records",
        "SplitTable": "split_summary",
        "Training": "training",
        "TrialEnded": "search",
        "ValidateSettings": "settings",
        "WAYS": "next_labels",
        "attribution_plot": "charts",
        "blocks_of": "metrics",
        "calibration_of": "evaluation",
        "check_rows": "columns",
        "columns_of": "columns",
        "cross_validate": "nested",
        "difference": "comparison",
        "every_candidate": "forgetting",
        "explain": "explanation",
        "find_label_errors": "label_errors",
        "find_scores": "forgetting",
        "fit": "fitting",
        "forget_scores": "forgetting",
        "label_queue": "next_labels",
        "metric_names": "metrics",
        "model_of": "out_of_fold",
        "percentile_interval": "intervals",
        "queue_table": "next_labels",
        "resampled_weights": "intervals",
        "read_foreign": "foreign",
        "sample_of": "metrics",
        "shrinkage": "intervals",
        "split_table": "split_summary",
        "standalone_source": "model",
        "thinned": "intervals",
        "with_intervals": "intervals",
    },
)

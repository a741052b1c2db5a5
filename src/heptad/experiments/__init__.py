"""Step 2: runs, and the search for a good one."""

from typing import TYPE_CHECKING

from heptad.core.lazy import attach

if TYPE_CHECKING:
    from heptad.experiments.beginning import checked_params as checked_params
    from heptad.experiments.capture import capture_process as capture_process
    from heptad.experiments.charts import draw_curves as draw_curves
    from heptad.experiments.comparison import Interval as Interval
    from heptad.experiments.comparison import RunComparison as RunComparison
    from heptad.experiments.comparison import labelled as labelled
    from heptad.experiments.drawing import ACCENT as ACCENT
    from heptad.experiments.drawing import INK as INK
    from heptad.experiments.drawing import QUIET as QUIET
    from heptad.experiments.drawing import SECOND as SECOND
    from heptad.experiments.drawing import render_chart as render_chart
    from heptad.experiments.ending import end_runs as end_runs
    from heptad.experiments.ending import is_logged_to as is_logged_to
    from heptad.experiments.environment import capture_environment as capture_environment
    from heptad.experiments.event_files.exporting import export_event_files as export_event_files
    from heptad.experiments.event_files.folders import is_event_folder as is_event_folder
    from heptad.experiments.event_files.importing import ImportedRun as ImportedRun
    from heptad.experiments.event_files.importing import import_event_files as import_event_files
    from heptad.experiments.experiments import Experiments as Experiments
    from heptad.experiments.files import Entry as Entry
    from heptad.experiments.files import checked_name as checked_name
    from heptad.experiments.files import file_digest as file_digest
    from heptad.experiments.files import files_of as files_of
    from heptad.experiments.files import in_folder as in_folder
    from heptad.experiments.files import keep_file as keep_file
    from heptad.experiments.files import link_file as link_file
    from heptad.experiments.files import remove_files as remove_files
    from heptad.experiments.journal.messages import Lacking as Lacking
    from heptad.experiments.journal.messages import Points as Points
    from heptad.experiments.journal.messages import RunBegin as RunBegin
    from heptad.experiments.journal.messages import RunUpdate as RunUpdate
    from heptad.experiments.journal.shipper import Shipped as Shipped
    from heptad.experiments.logged_models import LoggedModels as LoggedModels
    from heptad.experiments.logged_models import ModelMetric as ModelMetric
    from heptad.experiments.logged_models import on_data as on_data
    from heptad.experiments.logged_models import points_of as points_of
    from heptad.experiments.machine import Hardware as Hardware
    from heptad.experiments.mlflow_import.attaching import kept_files as kept_files
    from heptad.experiments.mlflow_import.importing import TakenRun as TakenRun
    from heptad.experiments.mlflow_import.importing import import_mlflow as import_mlflow
    from heptad.experiments.mlflow_import.importing import imported_run as imported_run
    from heptad.experiments.mlflow_import.logged_models import TakenLoggedModel as TakenLoggedModel
    from heptad.experiments.mlflow_import.logged_models import import_logged_models as import_logged_models
    from heptad.experiments.mlflow_import.opening import open_mlflow as open_mlflow
    from heptad.experiments.mlflow_import.source import MlflowSource as MlflowSource
    from heptad.experiments.mlflow_import.source import SourceModel as SourceModel
    from heptad.experiments.mlflow_import.source import SourceVersion as SourceVersion
    from heptad.experiments.naming import adopt_runs as adopt_runs
    from heptad.experiments.naming import create_experiment as create_experiment
    from heptad.experiments.naming import experiment_named as experiment_named
    from heptad.experiments.naming import experiment_of_scope as experiment_of_scope
    from heptad.experiments.naming import find_experiment as find_experiment
    from heptad.experiments.naming import numbered_experiment as numbered_experiment
    from heptad.experiments.naming import rename_experiment as rename_experiment
    from heptad.experiments.offline import Offline as Offline
    from heptad.experiments.page import comparison_sections as comparison_sections
    from heptad.experiments.page import metric_of as metric_of
    from heptad.experiments.reading import curve_of as curve_of
    from heptad.experiments.reading import curves_of as curves_of
    from heptad.experiments.reading import thinned as thinned
    from heptad.experiments.receiving import Receiver as Receiver
    from heptad.experiments.records import Environment as Environment
    from heptad.experiments.records import Experiment as Experiment
    from heptad.experiments.records import LoggedDataset as LoggedDataset
    from heptad.experiments.records import LoggedModel as LoggedModel
    from heptad.experiments.records import Run as Run
    from heptad.experiments.records import Status as Status
    from heptad.experiments.records import Study as Study
    from heptad.experiments.records import Upload as Upload
    from heptad.experiments.remote import Remote as Remote
    from heptad.experiments.remote import chosen_folder as chosen_folder
    from heptad.experiments.remote import chosen_server as chosen_server
    from heptad.experiments.remote import ship_to_servers as ship_to_servers
    from heptad.experiments.runs import ActiveRun as ActiveRun
    from heptad.experiments.searching.ledger import Ended as Ended
    from heptad.experiments.searching.objectives import ActiveTrial as ActiveTrial
    from heptad.experiments.searching.objectives import TrialFailed as TrialFailed
    from heptad.experiments.searching.objectives import TrialPruned as TrialPruned
    from heptad.experiments.searching.objectives import constraint as constraint
    from heptad.experiments.searching.records import StudyReport as StudyReport
    from heptad.experiments.searching.search import Search as Search
    from heptad.experiments.searching.space import Branches as Branches
    from heptad.experiments.searching.space import Choice as Choice
    from heptad.experiments.searching.space import Dimension as Dimension
    from heptad.experiments.searching.space import Dimensions as Dimensions
    from heptad.experiments.searching.space import Float as Float
    from heptad.experiments.searching.space import Int as Int
    from heptad.experiments.searching.space import Space as Space
    from heptad.experiments.searching.space import Suggest as Suggest
    from heptad.experiments.searching.space import Value as Value
    from heptad.experiments.searching.space import check_params as check_params
    from heptad.experiments.searching.space import describe_space as describe_space
    from heptad.experiments.searching.studies import StudyPlan as StudyPlan
    from heptad.experiments.searching.studies import run_study as run_study
    from heptad.experiments.searching.told import Told as Told
    from heptad.experiments.searching.told import Trial as Trial
    from heptad.experiments.settings import MetricName as MetricName
    from heptad.experiments.settings import SearchRules as SearchRules
    from heptad.experiments.settings import SearchSettings as SearchSettings
    from heptad.experiments.settings import TrackingSettings as TrackingSettings
    from heptad.experiments.signatures import MLFLOW_TYPES as MLFLOW_TYPES
    from heptad.experiments.signatures import ModelField as ModelField
    from heptad.experiments.signatures import ModelSignature as ModelSignature
    from heptad.experiments.signatures import WrittenModel as WrittenModel
    from heptad.experiments.signatures import dtype_name as dtype_name
    from heptad.experiments.signatures import features as features
    from heptad.experiments.signatures import fields_of as fields_of
    from heptad.experiments.signatures import kind_of as kind_of
    from heptad.experiments.signatures import signature_of as signature_of
    from heptad.experiments.tracking import Tracking as Tracking
    from heptad.experiments.tracking import go_on as go_on
    from heptad.experiments.uploads import Uploads as Uploads

__getattr__, __all__ = attach(
    __name__,
    {
        "ACCENT": "drawing",
        "ActiveRun": "runs",
        "ActiveTrial": "searching.objectives",
        "Branches": "searching.space",
        "Choice": "searching.space",
        "Dimension": "searching.space",
        "Dimensions": "searching.space",
        "Ended": "searching.ledger",
        "Entry": "files",
        "Environment": "records",
        "Experiment": "records",
        "Experiments": "experiments",
        "Float": "searching.space",
        "Hardware": "machine",
        "INK": "drawing",
        "ImportedRun": "event_files.importing",
        "Int": "searching.space",
        "Interval": "comparison",
        "Lacking": "journal.messages",
        "LoggedDataset": "records",
        "LoggedModel": "records",
        "LoggedModels": "logged_models",
        "MLFLOW_TYPES": "signatures",
        "MetricName": "settings",
        "MlflowSource": "mlflow_import.source",
        "ModelField": "signatures",
        "ModelMetric": "logged_models",
        "ModelSignature": "signatures",
        "Offline": "offline",
        "Points": "journal.messages",
        "QUIET": "drawing",
        "Receiver": "receiving",
        "Remote": "remote",
        "Run": "records",
        "RunBegin": "journal.messages",
        "RunComparison": "comparison",
        "RunUpdate": "journal.messages",
        "SECOND": "drawing",
        "Search": "searching.search",
        "SearchRules": "settings",
        "SearchSettings": "settings",
        "Shipped": "journal.shipper",
        "SourceModel": "mlflow_import.source",
        "SourceVersion": "mlflow_import.source",
        "Space": "searching.space",
        "Status": "records",
        "Study": "records",
        "StudyPlan": "searching.studies",
        "StudyReport": "searching.records",
        "Suggest": "searching.space",
        "TakenLoggedModel": "mlflow_import.logged_models",
        "TakenRun": "mlflow_import.importing",
        "Told": "searching.told",
        "Tracking": "tracking",
        "TrackingSettings": "settings",
        "Trial": "searching.told",
        "TrialFailed": "searching.objectives",
        "TrialPruned": "searching.objectives",
        "Upload": "records",
        "Uploads": "uploads",
        "Value": "searching.space",
        "WrittenModel": "signatures",
        "adopt_runs": "naming",
        "capture_environment": "environment",
        "capture_process": "capture",
        "check_params": "searching.space",
        "checked_name": "files",
        "checked_params": "beginning",
        "chosen_folder": "remote",
        "chosen_server": "remote",
        "comparison_sections": "page",
        "constraint": "searching.objectives",
        "create_experiment": "naming",
        "curve_of": "reading",
        "curves_of": "reading",
        "describe_space": "searching.space",
        "draw_curves": "charts",
        "dtype_name": "signatures",
        "end_runs": "ending",
        "experiment_named": "naming",
        "is_logged_to": "ending",
        "experiment_of_scope": "naming",
        "export_event_files": "event_files.exporting",
        "features": "signatures",
        "fields_of": "signatures",
        "file_digest": "files",
        "files_of": "files",
        "find_experiment": "naming",
        "go_on": "tracking",
        "import_event_files": "event_files.importing",
        "import_logged_models": "mlflow_import.logged_models",
        "import_mlflow": "mlflow_import.importing",
        "imported_run": "mlflow_import.importing",
        "in_folder": "files",
        "is_event_folder": "event_files.folders",
        "keep_file": "files",
        "kind_of": "signatures",
        "kept_files": "mlflow_import.attaching",
        "labelled": "comparison",
        "link_file": "files",
        "metric_of": "page",
        "numbered_experiment": "naming",
        "on_data": "logged_models",
        "points_of": "logged_models",
        "open_mlflow": "mlflow_import.opening",
        "remove_files": "files",
        "rename_experiment": "naming",
        "render_chart": "drawing",
        "run_study": "searching.studies",
        "ship_to_servers": "remote",
        "signature_of": "signatures",
        "thinned": "reading",
    },
)

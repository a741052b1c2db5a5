"""Step 2: runs, and the search for a good one."""

from typing import TYPE_CHECKING

from heptad.core.lazy import attach

if TYPE_CHECKING:
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
    from heptad.experiments.environment import capture_environment as capture_environment
    from heptad.experiments.experiments import Experiments as Experiments
    from heptad.experiments.machine import Hardware as Hardware
    from heptad.experiments.offline import Offline as Offline
    from heptad.experiments.reading import curves_of as curves_of
    from heptad.experiments.records import Environment as Environment
    from heptad.experiments.records import Run as Run
    from heptad.experiments.records import Status as Status
    from heptad.experiments.records import Study as Study
    from heptad.experiments.runs import ActiveRun as ActiveRun
    from heptad.experiments.search import Search as Search
    from heptad.experiments.search import Told as Told
    from heptad.experiments.search import Trial as Trial
    from heptad.experiments.settings import MetricName as MetricName
    from heptad.experiments.settings import SearchSettings as SearchSettings
    from heptad.experiments.space import Branches as Branches
    from heptad.experiments.space import Choice as Choice
    from heptad.experiments.space import Dimension as Dimension
    from heptad.experiments.space import Dimensions as Dimensions
    from heptad.experiments.space import Float as Float
    from heptad.experiments.space import Int as Int
    from heptad.experiments.space import Space as Space
    from heptad.experiments.space import Value as Value
    from heptad.experiments.space import check_params as check_params
    from heptad.experiments.space import describe_space as describe_space
    from heptad.experiments.tracking import Tracking as Tracking

__getattr__, __all__ = attach(
    __name__,
    {
        "ACCENT": "drawing",
        "ActiveRun": "runs",
        "Branches": "space",
        "Choice": "space",
        "Dimension": "space",
        "Dimensions": "space",
        "Environment": "records",
        "Experiments": "experiments",
        "Float": "space",
        "Hardware": "machine",
        "INK": "drawing",
        "Int": "space",
        "Interval": "comparison",
        "MetricName": "settings",
        "Offline": "offline",
        "QUIET": "drawing",
        "Run": "records",
        "RunComparison": "comparison",
        "SECOND": "drawing",
        "Search": "search",
        "SearchSettings": "settings",
        "Space": "space",
        "Status": "records",
        "Study": "records",
        "Told": "search",
        "Tracking": "tracking",
        "Trial": "search",
        "Value": "space",
        "capture_environment": "environment",
        "capture_process": "capture",
        "check_params": "space",
        "curves_of": "reading",
        "describe_space": "space",
        "draw_curves": "charts",
        "labelled": "comparison",
        "render_chart": "drawing",
    },
)

"""Step 5: answers, and the log of them."""

from typing import TYPE_CHECKING

from heptad.core.lazy import attach

if TYPE_CHECKING:
    from heptad.serving.access import check_access as check_access
    from heptad.serving.access import check_bind as check_bind
    from heptad.serving.client import PredictionClient as PredictionClient
    from heptad.serving.finding import find_prediction as find_prediction
    from heptad.serving.forgetting import ForgetPredictions as ForgetPredictions
    from heptad.serving.newest import newest_predictions as newest_predictions
    from heptad.serving.process import ServerProcess as ServerProcess
    from heptad.serving.records import Deployment as Deployment
    from heptad.serving.records import Prediction as Prediction
    from heptad.serving.records import Route as Route
    from heptad.serving.records import RouteRole as RouteRole
    from heptad.serving.serving import Serving as Serving
    from heptad.serving.settings import ApiSettings as ApiSettings
    from heptad.serving.settings import DeploySettings as DeploySettings
    from heptad.serving.settings import Strategy as Strategy
    from heptad.serving.snapshot import serve_folder as serve_folder
    from heptad.serving.supervised import SupervisedServer as SupervisedServer
    from heptad.serving.supervised import reserve_port as reserve_port
    from heptad.serving.workers import begin_worker as begin_worker
    from heptad.serving.workers import run_workers as run_workers

__getattr__, __all__ = attach(
    __name__,
    {
        "ApiSettings": "settings",
        "DeploySettings": "settings",
        "Deployment": "records",
        "ForgetPredictions": "forgetting",
        "Prediction": "records",
        "PredictionClient": "client",
        "Route": "records",
        "RouteRole": "records",
        "ServerProcess": "process",
        "Serving": "serving",
        "Strategy": "settings",
        "SupervisedServer": "supervised",
        "begin_worker": "workers",
        "check_access": "access",
        "check_bind": "access",
        "find_prediction": "finding",
        "newest_predictions": "newest",
        "reserve_port": "supervised",
        "run_workers": "workers",
        "serve_folder": "snapshot",
    },
)

"""Model versions without a model, for tests that look only at records."""

from heptad.core import graph
from heptad.core.records import Record
from heptad.core.workspace import Workspace
from heptad.release import ModelVersion


def make_version(workspace: Workspace, number: int) -> Record[ModelVersion]:
    """`rides@NUMBER`, saved as a record with nothing behind it."""
    body = ModelVersion(
        name="rides",
        version=number,
        package=f"{number:064x}",
        candidate="candidate-x",
        decision="decision-x",
        estimator="linear",
        metric="roc_auc",
        value=0.7,
    )
    return graph.save(workspace, body, scope="rides", key=[number], attributes={"version": number})

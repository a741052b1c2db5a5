"""Logged models: what changes is an attribute; the latest metric of each run on each data set is kept."""

import json
import math

import pytest

from heptad.core.errors import InputError, NotFoundError
from heptad.core.query import All, Compare, Order
from heptad.core.workspace import Workspace
from heptad.experiments import LoggedModel, LoggedModels, ModelMetric, on_data


def test_a_model_goes_from_pending_to_ready(workspace: Workspace) -> None:
    """And nowhere else."""
    models = LoggedModels(workspace)
    model = models.create(LoggedModel(name="net", experiment="e"), "e", {"a": "1"}, {"t": "u"})
    assert model.attributes["status"] == "pending"
    assert models.finish(model.id, "ready").attributes["status"] == "ready"
    with pytest.raises(InputError, match="no status"):
        models.finish(model.id, "done")


def test_metrics_are_found_on_all_data_and_on_some(workspace: Workspace) -> None:
    """By the name of the data set, and by its digest; a number that JSON cannot say comes back too."""
    models = LoggedModels(workspace)
    low, high = (models.create(LoggedModel(name=name, experiment="e"), "e", {}, {}).id for name in ("low", "high"))
    models.log_metrics(
        low, [ModelMetric("auc", 0.5, 1, dataset="d", dataset_digest="1"), ModelMetric("x", math.inf, 1)]
    )
    models.log_metrics(high, [ModelMetric("auc", 0.75, 1, dataset="d", dataset_digest="2")])
    order = [Order("metrics.auc", descending=True)]
    assert [one.id for one in models.search(["e"], All(), order, 10).items] == [high, low]
    for key, wanted in ((on_data("d", "", "auc"), {low, high}), (on_data("d", "1", "auc"), {low})):
        found = models.search(["e"], Compare(key, ">", 0), [], 10).items
        assert {one.id for one in found} == wanted
    points = [json.loads(str(value)) for key, value in models.get(low).attributes.items() if key.startswith("point.")]
    assert {one[0]: float(one[1]) for one in points} == {"auc": 0.5, "x": math.inf}


def test_another_kind_of_record_is_no_logged_model(workspace: Workspace) -> None:
    """Nor is a deleted one, but for who asks for it."""
    models = LoggedModels(workspace)
    model = models.create(LoggedModel(name="net", experiment="e"), "e", {}, {})
    models.delete(model.id)
    with pytest.raises(NotFoundError, match="logged model"):
        models.get(model.id)
    assert models.get(model.id, deleted=True).id == model.id
    with pytest.raises(NotFoundError, match="logged model"):
        models.get("run-none")

"""A client's model before the gates: accepted it is a version like any other, refused it stays what it was."""

import pytest
from onnx import TensorProto, helper
from tests.release.conftest import PROJECT, House
from tests.release.test_flavours import external
from tests.training.graphs import saved

from heptad.core.errors import NotFoundError, RefusedError
from heptad.experiments import Experiments, SearchSettings
from heptad.release import Release
from heptad.release.adoption import Adoptions
from heptad.release.describe import external_facts, find_version


def graph(slope: float) -> bytes:
    """`sigmoid(slope * x)` with a missing x taken as 0."""
    filled = {"imputed_value_floats": [0.0], "replaced_value_float": float("nan")}
    nodes = [
        helper.make_node("Imputer", ["x"], ["filled"], domain="ai.onnx.ml", **filled),
        helper.make_node("LinearRegressor", ["filled"], ["raw"], domain="ai.onnx.ml", coefficients=[slope]),
        helper.make_node("Sigmoid", ["raw"], ["probability"]),
    ]
    inputs = [helper.make_tensor_value_info("x", TensorProto.FLOAT, [None, 1])]
    return saved(nodes, inputs, [helper.make_tensor_value_info("probability", TensorProto.FLOAT, [None, 1])])


def adoptions(house: House, release: Release) -> Adoptions:
    experiments = Experiments(house.workspace, PROJECT, SearchSettings())
    return Adoptions(house.workspace, house.data, experiments, house.training, release)


def test_what_holds_the_gates_becomes_a_version_that_can_be_champion(house: House) -> None:
    """Packed, signed, linked to what it came from; adopted again it is the same one."""
    release = house.with_gates("roc_auc >= 0.6")
    theirs = external(house.workspace, {"model.onnx": graph(2.0)})
    adopting = adoptions(house, release)
    adoption = adopting.adopt("theirs@1")
    version = adoption.version
    assert version is not None
    assert (version.body.origin, version.body.label, version.body.estimator) == ("heptad", "m@1", "external")
    again = adopting.adopt("theirs@1").version
    assert again is not None
    assert again.id == version.id
    package = release.package(version)
    assert package.model.predict({"x": [None, 3.0]}).labels == ["yes", "yes"]
    links = {(link.role, link.target) for link in house.workspace.store.trace([version.id], "ancestors")}
    assert {("external", theirs.id), ("candidate", adoption.candidate.id)} <= links
    assert release.promote(version, "It is better than nothing.").body.label == "m@1"
    assert "adopted as m@1" in dict(external_facts(find_version(house.workspace, "theirs@1")))["status"]
    card = str(release.show(version).card)
    assert "whether it had seen the held-out rows is not known" in card
    assert "it cannot be trained again here" in card


def test_what_fails_a_gate_is_refused_and_stays_external(house: House) -> None:
    """The decision says why; no version came of it."""
    release = house.with_gates("roc_auc >= 0.99")
    external(house.workspace, {"model.onnx": graph(2.0)})
    adoption = adoptions(house, release).adopt("theirs@1")
    assert adoption.version is None
    assert "roc_auc" in adoption.decision.body.reason
    assert release.list() == []
    assert "no gate has seen it" in dict(external_facts(find_version(house.workspace, "theirs@1")))["status"]


def test_it_is_held_against_the_champion_and_waits_beside_it(house: House) -> None:
    """On the same rows; the other way round it loses."""
    release = house.with_gates("beats champion")
    own = release.register(house.weak, release.decide(house.weak))
    release.promote(own, "There is no other one.")
    external(house.workspace, {"model.onnx": graph(2.0)})
    external(house.workspace, {"model.onnx": graph(-2.0)})
    better = adoptions(house, release).adopt("theirs@1")
    assert better.version is not None
    assert "challenger" in better.version.aliases
    assert adoptions(house, release).adopt("theirs@2").version is None


def test_one_that_is_not_there_is_refused_with_what_is_there(house: House) -> None:
    """And without any, with how one comes to be there."""
    adopting = adoptions(house, house.with_gates())
    with pytest.raises(NotFoundError) as none:
        adopting.adopt("nope@1")
    assert "mlflow.register_model" in none.value.remedy
    external(house.workspace, {"model.onnx": graph(2.0)})
    with pytest.raises(NotFoundError) as some:
        adopting.adopt("nope@1")
    assert "theirs@1" in some.value.allowed
    assert "heptad release list" in some.value.remedy


def test_ones_own_version_is_not_adopted(house: House) -> None:
    """It has passed the gates."""
    release = house.with_gates("roc_auc >= 0.5")
    release.register(house.good, release.decide(house.good))
    with pytest.raises(RefusedError, match="m@1 is of this project's own loop"):
        adoptions(house, release).adopt("m@1")


def test_it_cannot_be_trained_again(house: House) -> None:
    """Nobody here knows how it was."""
    release = house.with_gates("roc_auc >= 0.6")
    external(house.workspace, {"model.onnx": graph(2.0)})
    version = adoptions(house, release).adopt("theirs@1").version
    assert version is not None
    with pytest.raises(RefusedError, match="m@1 was trained elsewhere"):
        release.reproduce(version)

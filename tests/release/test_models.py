"""Registered models: one name each, and this project's own beside those of clients."""

import pytest

from heptad.core.errors import ConflictError, InputError, NotFoundError, RefusedError
from heptad.core.query import All, Order
from heptad.core.workspace import Workspace
from heptad.release import Models, ModelVersion, Versions
from heptad.release.registry import Registry


def own(workspace: Workspace, candidate: str = "candidate-a") -> None:
    Registry(workspace, "flights").add(ModelVersion(name="flights", version=0, candidate=candidate), [])


def test_a_name_belongs_to_one_model(workspace: Workspace) -> None:
    """Until it is given up, or the model is called otherwise."""
    models = Models(workspace)
    models.create("a", "", {})
    with pytest.raises(ConflictError, match="already exists"):
        models.create("a", "", {})
    models.rename("a", "b")
    models.create("a", "", {})
    with pytest.raises(ConflictError, match="already exists"):
        models.rename("a", "b")
    models.delete("b")
    models.rename("a", "b")
    assert [one.attributes["name"] for one in models.search(All(), [Order("name")], 10).items] == ["b"]


def test_the_projects_own_model_is_there_once_it_has_a_version(workspace: Workspace) -> None:
    """It takes its name, or the next where a client's model has that, and keeps it."""
    models = Models(workspace)
    models.create("flights", "", {})
    own(workspace)
    own(workspace, "candidate-b")
    models.adopt()
    assert models.get("flights").body.origin == "external"
    assert models.get("flights-2").body.origin == "heptad"
    assert Versions(workspace).get("flights-2", 2).body.candidate == "candidate-b"
    for act in (lambda: models.rename("flights-2", "x"), lambda: models.delete("flights-2")):
        with pytest.raises(RefusedError, match="of this project"):
            act()


def test_an_unknown_name_is_answered_with_those_that_there_are(workspace: Workspace) -> None:
    """The nearest first."""
    models = Models(workspace)
    models.create("iris", "", {})
    with pytest.raises(NotFoundError, match="did you mean 'iris'") as caught:
        models.get("irsi")
    assert "registered model" in str(caught.value)


@pytest.mark.parametrize("name", ["", " ", ".", "..", "a/b", "a:b", "x" * 251, "\u6587" * 200])
def test_a_name_that_is_none_is_refused(workspace: Workspace, name: str) -> None:
    """Before anything is written."""
    with pytest.raises(InputError) as caught:
        Models(workspace).create(name, "", {})
    assert ("not blank" in str(caught.value)) == (not name.strip())

"""Experiments by name and number."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from heptad.core import graph
from heptad.core.errors import ConflictError
from heptad.core.workspace import Workspace
from heptad.experiments import (
    Experiment,
    create_experiment,
    experiment_named,
    experiment_of_scope,
    find_experiment,
    naming,
    numbered_experiment,
    rename_experiment,
)


def test_an_experiment_is_found_by_its_name_its_number_and_its_scope(workspace: Workspace) -> None:
    """The first is number 1; the default of MLflow clients is number 0, made when it is asked for."""
    made = experiment_named(workspace, "a")
    assert experiment_named(workspace, "a").id == made.id
    assert numbered_experiment(workspace, 1) == made
    assert experiment_of_scope(workspace, "a") == made
    assert find_experiment(workspace, "b") is None
    assert numbered_experiment(workspace, 5) is None
    default = numbered_experiment(workspace, 0)
    assert default is not None
    assert default.body.name == "Default"


def test_a_name_belongs_to_one(workspace: Workspace) -> None:
    """Several who make it at once make one; numbers are never shared."""
    with ThreadPoolExecutor(8) as pool:
        made = list(pool.map(lambda n: experiment_named(workspace, f"e{n % 4}").body.number, range(16)))
    assert sorted(set(made)) == [1, 2, 3, 4]
    assert len(list(graph.every(workspace, Experiment))) == 4
    with pytest.raises(ConflictError):
        create_experiment(workspace, "e1")


@pytest.mark.parametrize("renamed", [False, True])
def test_one_who_is_overtaken_between_looking_and_writing(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch, renamed: bool
) -> None:
    """The other has the name; where he gave it away at once, it is free, with a scope of its own."""
    looked: list[str] = []
    is_there = naming._is_there

    def look(there: Workspace, identity: str) -> bool:
        looked.append(identity)
        if len(looked) == 1:
            other = create_experiment(there, "a")
            if renamed:
                rename_experiment(there, other, "b")
            return False
        return is_there(there, identity)

    monkeypatch.setattr(naming, "_is_there", look)
    if renamed:
        made = create_experiment(workspace, "a")
        assert made.body.scope == made.id
    else:
        with pytest.raises(ConflictError):
            create_experiment(workspace, "a")
    assert len(list(graph.every(workspace, Experiment))) == 1 + renamed


def test_a_new_name_leaves_the_scope_and_frees_the_old_name(workspace: Workspace) -> None:
    """Whoever takes the old name then gets a scope of its own; a name that is taken is refused."""
    first = create_experiment(workspace, "a")
    rename_experiment(workspace, first, "b")
    second = create_experiment(workspace, "a")
    assert first.body.scope == "a"
    assert second.body.scope == second.id
    with pytest.raises(ConflictError):
        rename_experiment(workspace, second, "b")
    assert experiment_of_scope(workspace, "a").attributes["name"] == "b"


def test_somebodys_default_is_theirs(workspace: Workspace) -> None:
    """One that was called so before gets no number 0."""
    create_experiment(workspace, "Default")
    default = numbered_experiment(workspace, 0)
    assert default is not None
    assert default.body.name == "Default of MLflow"


def test_a_long_name_is_as_good_as_a_short_one(workspace: Workspace) -> None:
    """Also where it is too long for an alias."""
    name = "ü" * 500
    assert experiment_named(workspace, name).id == experiment_named(workspace, name).id

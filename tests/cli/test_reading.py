"""Reading records for lists: only the project's own, newest first."""

import pytest

from heptad.cli.reading import newest_records, record_named
from heptad.core import graph
from heptad.core.errors import InputError, NotFoundError
from heptad.experiments import Run, Study


def study(workspace, name, scope="test"):
    body = Study(name=name, metric="rmse", direction="minimize", sampler="tpe", seed=7)
    return graph.save(workspace, body, scope=scope)


def test_the_newest_come_first_and_others_projects_do_not_come(workspace):
    """A limit keeps the newest."""
    first, second = study(workspace, "a"), study(workspace, "b")
    study(workspace, "c", scope="elsewhere")
    assert [one.id for one in newest_records(workspace, Study, 5)] == [second.id, first.id]
    assert [one.id for one in newest_records(workspace, Study, 1)] == [second.id]


def test_a_record_is_named_by_its_id_or_as_the_latest(workspace):
    """Where there is none, the error says how the first one comes about."""
    with pytest.raises(InputError, match="There is no study yet") as caught:
        record_named(workspace, Study, "latest", "heptad run")
    assert caught.value.remedy == "heptad run"
    first, second = study(workspace, "a"), study(workspace, "b")
    assert record_named(workspace, Study, "latest", "").id == second.id
    assert record_named(workspace, Study, first.id, "").id == first.id


def test_a_name_that_nothing_has_is_answered_with_the_newest(workspace):
    """The nearest one first, and `latest`; a record of another kind is said to be one."""
    there = study(workspace, "a")
    with pytest.raises(NotFoundError, match="There is no study 'study-x'") as caught:
        record_named(workspace, Study, "study-x", "")
    assert caught.value.allowed == f"latest, {there.id}"
    run = graph.save(workspace, Run(name="a", experiment="a", environment=""), scope="a")
    with pytest.raises(NotFoundError) as caught:
        record_named(workspace, Study, run.id, "")
    assert caught.value.remedy == f"{run.id} is a run."

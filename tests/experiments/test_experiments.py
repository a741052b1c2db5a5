"""The front door of step 2: runs are started, found, compared, and begun again where they were cut off."""

import pytest

from heptad.core import graph
from heptad.core.errors import InputError, NotFoundError
from heptad.core.settings import ProjectSettings
from heptad.core.workspace import Workspace
from heptad.experiments import Environment, Experiments, SearchSettings, Study


@pytest.fixture
def experiments(workspace: Workspace) -> Experiments:
    """Step 2 of an empty project."""
    return Experiments(workspace, ProjectSettings(name="test"), SearchSettings())


def finished(experiments: Experiments, name: str, auc: float, **params: object) -> str:
    with experiments.start(name, params=params) as run:
        run.log(auc=auc)
    return run.id


def test_a_run_knows_how_it_began(experiments: Experiments, workspace: Workspace) -> None:
    """Name, parameters, seed, environment and what it was made from are there from the start."""
    source = experiments.start("source")
    run = experiments.start("first", params={"depth": 3}, seed=5, made_from=[("data", source.id)])
    record = experiments.show(run.id)
    assert (record.body.name, record.body.experiment, record.body.seed) == ("first", "test", 5)
    assert record.body.params == {"depth": 3}
    assert record.attributes["status"] == "running"
    assert b'"python"' in workspace.blobs.get(record.body.environment)
    (link,) = workspace.store.trace([run.id], "out")
    assert (link.role, link.target) == ("data", source.id)


def test_equal_environments_are_stored_once(experiments: Experiments) -> None:
    """Runs of one process share the artifact of their environment."""
    bodies = [experiments.show(experiments.start(name).id).body for name in "ab"]
    assert bodies[0].environment == bodies[1].environment


def test_a_run_that_was_cut_off_is_begun_again_under_its_id(experiments: Experiments) -> None:
    """The same key finds the same run while it is unfinished; once finished it cannot be begun again."""
    first = experiments.start("trial", key=("study", 1))
    first.log(loss=1)
    again = experiments.start("trial", key=("study", 1))
    assert again.id == first.id
    again.log(loss=1)
    again.finish()
    assert list(experiments.metric_series(again.id, "loss").values) == [1]
    with pytest.raises(InputError, match="has ended"):
        experiments.start("trial", key=("study", 1))


def test_runs_are_found_by_conditions(experiments: Experiments) -> None:
    """Parameters, metrics and names may be asked for; the newest come first."""
    finished(experiments, "a", 0.7, depth=3)
    good = finished(experiments, "b", 0.9, depth=5)
    best = finished(experiments, "c", 0.95, depth=5)
    assert [run.id for run in experiments.list(where="metrics.auc > 0.8 and params.depth = 5")] == [best, good]
    assert [run.body.name for run in experiments.list(2)] == ["c", "b"]
    assert experiments.list(experiment="another") == []


def test_all_runs_are_one_frame(experiments: Experiments) -> None:
    """A row for each run, a column for each parameter and metric."""
    finished(experiments, "a", 0.7, depth=3)
    finished(experiments, "b", 0.9, kind="x")
    frame = experiments.frame()
    assert frame["name"].to_list() == ["b", "a"]
    assert frame["metrics.auc"].to_list() == [0.9, 0.7]
    assert frame["params.depth"].to_list() == [None, 3]
    assert experiments.frame(where="metrics.auc > 2").is_empty()


def test_runs_are_compared_by_id(experiments: Experiments) -> None:
    """In the order asked, with what differs."""
    ids = [finished(experiments, "a", 0.7, depth=3, rate=1), finished(experiments, "b", 0.9, depth=5, rate=1)]
    compared = experiments.compare(ids)
    assert compared.runs == ids
    assert compared.params == {"depth": [3, 5]}
    with pytest.raises(NotFoundError):
        experiments.compare(["run-unknown"])


def test_a_study_knows_its_trials(experiments: Experiments) -> None:
    """Trials that ended come by number, open ones are left out."""
    body = Study(name="s", metric="auc", direction="maximize", sampler="tpe", seed=1)
    study = graph.save(experiments.workspace, body, scope="test", key=("data", 1))
    for number, status in ((1, "finished"), (0, "failed"), (2, "")):
        run = experiments.start(f"t{number}", study=study.id, number=number, key=(study.id, number))
        if status:
            run.finish(status)  # type: ignore[arg-type]
    assert [run.body.number for run in experiments.trials(study.id)] == [0, 1]


def test_the_environment_can_be_read_back(experiments: Experiments, workspace: Workspace) -> None:
    """What a run's environment artifact holds is an `Environment`."""
    import msgspec

    environment = msgspec.json.decode(workspace.blobs.get(experiments.environment), type=Environment)
    assert "polars" in environment.packages


def test_an_id_of_another_kind_is_no_run(experiments: Experiments, workspace: Workspace) -> None:
    """A study is not shown as a run."""
    body = Study(name="s", metric="auc", direction="maximize", sampler="tpe", seed=1)
    study = graph.save(workspace, body, scope="test")
    with pytest.raises(NotFoundError, match="run"):
        experiments.show(study.id)


def test_a_parameter_that_is_no_number_is_kept_and_found(experiments: Experiments) -> None:
    """NaN and infinities from the start or later, nested too; NaN is asked for by name, and compares with nothing."""
    nan, inf = float("nan"), float("inf")
    with experiments.start("odd", params={"a": nan, "b": {"c": -inf}}) as run:
        run.set_params(later=inf)
    finished(experiments, "plain", 0.5, a=1.0)
    finished(experiments, "text", 0.5, a="x")
    record = experiments.show(run.id)
    assert (str(record.attributes["params.a"]), record.attributes["params.b.c"]) == ("nan", -inf)
    assert record.body.special == {"a": "nan", "b.c": "-inf"}
    asked = {
        "params.a = nan": ["odd"],
        "params.a != nan": ["text", "plain"],
        "params.a > 0": ["plain"],
        "params.b.c < 0": ["odd"],
        "params.later = inf": ["odd"],
        "params.a exists and not params.a = NaN": ["text", "plain"],
    }
    for where, names in asked.items():
        assert [one.body.name for one in experiments.list(where=where)] == names, where


def test_ten_thousand_keys_of_any_script_are_kept(experiments: Experiments) -> None:
    """Parameters and metrics; each is found by its own name."""
    names = [f"größe/日本 {number}" for number in range(10_000)]
    with experiments.start("many", params=dict.fromkeys(names[:5000], 1)) as run:
        run.log({name: number for number, name in enumerate(names[5000:])})
    attributes = experiments.show(run.id).attributes
    assert sum(key.startswith(("params.größe/", "metrics.größe/")) for key in attributes) == 10_000
    assert [one.id for one in experiments.list(where="metrics.`größe/日本 9999` = 4999")] == [run.id]
    assert experiments.metric_series(run.id, "größe/日本 7000").values[-1] == 2000

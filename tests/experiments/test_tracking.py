"""A run is kept around a block, around each call of a function, or until a script ends."""

import asyncio
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import heptad
from heptad.core.errors import InputError
from heptad.project import open_experiments


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder, which is the present one."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_each_call_of_a_function_is_a_run(here: Path):
    """Its plain arguments are parameters, the default ones too; it is handed the run where it asks for it."""

    @heptad.track("fit", params={"fixed": 1})
    def fit(data: object, depth: int, rate: float = 0.1, *, run: Any = None) -> float:
        """Fits."""
        run.log(loss=depth * rate)
        return depth * rate

    assert fit.__doc__ == "Fits."
    assert fit(object(), 3) == pytest.approx(0.3)
    fit(object(), depth=4)
    runs = open_experiments(here).list()
    assert [run.body.params for run in runs] == [
        {"depth": 4, "rate": 0.1, "fixed": 1},
        {"depth": 3, "rate": 0.1, "fixed": 1},
    ]
    assert [run.attributes["status"] for run in runs] == ["finished", "finished"]


def test_a_function_may_be_tracked_without_a_name(here: Path):
    """Its own is taken; an error goes on and is recorded."""

    @heptad.track
    def breaks() -> None:
        raise ValueError("no data")

    with pytest.raises(ValueError, match="no data"):
        breaks()
    (run,) = open_experiments(here).list()
    assert (run.body.name, run.attributes["reason"]) == ("breaks", "ValueError: no data")


def test_a_coroutine_is_tracked_while_it_runs(here: Path):
    """Not only until it is made."""

    @heptad.track
    async def work(run: Any = None) -> int:
        await asyncio.sleep(0)
        run.log(loss=1)
        return 5

    assert asyncio.run(work()) == 5
    assert open_experiments(here).list()[0].attributes["metrics.loss"] == 1


def test_a_generator_is_tracked_while_it_is_walked(here: Path):
    """Its run ends with it; an asynchronous one is refused where it is decorated."""

    @heptad.track
    def batches(count: int, run: Any = None) -> Any:
        for number in range(count):
            run.log(loss=number)
            yield number
        return "all"

    assert list(batches(3)) == [0, 1, 2]
    (run,) = open_experiments(here).list()
    assert (run.attributes["metrics.loss"], run.attributes["status"]) == (2, "finished")
    with pytest.raises(InputError, match="asynchronous generator"):

        @heptad.track
        async def stream() -> Any:
            yield 1


def test_a_block_is_one_run_only():
    """Another run is another call."""
    tracking = heptad.track("a")
    with tracking:
        pass
    with pytest.raises(InputError, match="has begun already"), tracking:
        pass


def test_what_has_not_begun_cannot_be_logged_to():
    """The message says how to begin."""
    with pytest.raises(InputError, match="start"):
        heptad.track("a").log(loss=1)
    with pytest.raises(AttributeError):
        _ = heptad.track("a").nothing


@pytest.mark.parametrize(("end", "status"), [("", "finished"), ("raise ValueError('oops')", "failed")])
def test_a_script_that_just_ends_finishes_its_run(here: Path, end: str, status: str):
    """As finished, or as failed where an error ended it; what it printed is kept."""
    script = f"import heptad\nrun = heptad.track('a').start()\nrun.log(loss=1)\nprint('hello')\n{end}\n"
    subprocess.run([sys.executable, "-c", script], check=False, cwd=here, capture_output=True)
    experiments = open_experiments(here)
    (run,) = experiments.list()
    assert run.attributes["status"] == status
    assert run.attributes["metrics.loss"] == 1
    assert experiments.workspace.blobs.get(str(run.attributes["artifacts.output.txt"])).startswith(b"hello\n")


def test_an_error_from_before_a_run_did_not_end_it(here: Path):
    """As in a notebook, which goes on after an error that Python keeps; one that came later did."""
    script = "import sys, heptad\nsys.last_value = ValueError('old')\nheptad.track('good').start()\n{later}\n"
    for later in ("", "sys.last_value = ValueError('new')"):
        subprocess.run([sys.executable, "-c", script.format(later=later)], check=True, cwd=here, capture_output=True)
    after, before = open_experiments(here).list()
    assert before.attributes["status"] == "finished"
    assert (after.attributes["status"], after.attributes["reason"]) == ("failed", "ValueError: new")


def test_a_run_goes_on_where_it_was_cut_off(here: Path):
    """Its series continue; a finished one stays as it is."""
    first = heptad.track("a", capture=False).start()
    first.log(loss=3)
    first.finish("killed", "KeyboardInterrupt")
    with heptad.track("a", resume=first.id, capture=False) as again:
        again.log(loss=2)
    experiments = open_experiments(here)
    series = experiments.metric_series(first.id, "loss")
    assert (again.id, list(series.steps), list(series.values)) == (first.id, [0, 1], [3, 2])
    attributes = experiments.show(first.id).attributes
    assert attributes["status"] == "finished"
    assert "reason" not in attributes
    with pytest.raises(InputError, match="is finished"), heptad.track("a", resume=first.id):
        pass


def test_a_run_that_goes_on_takes_parameters_and_nothing_else_it_has_begun_with(here: Path):
    """The latest value of a parameter wins; what cannot change is refused, and not forgotten."""
    first = heptad.track("a", params={"rate": 0.1, "depth": 3}, capture=False).start()
    first.finish("killed", "KeyboardInterrupt")
    with pytest.raises(InputError, match="keeps the seed that it began with"):
        heptad.track("a", resume=first.id, seed=5, capture=False).start()
    with heptad.track("b", resume=first.id, params={"rate": 0.2, "epochs": 50}, capture=False):
        pass
    record = open_experiments(here).show(first.id)
    params = {key: value for key, value in record.attributes.items() if key.startswith("params.")}
    assert params == {"params.rate": 0.2, "params.depth": 3, "params.epochs": 50}
    assert record.attributes["name"] == "a"


def test_two_writers_of_one_run_are_told_apart(here: Path):
    """Whoever comes second logs under a mark; no point of either is lost."""
    with heptad.track("a", capture=False) as first:
        first.log(loss=1)
        second = open_experiments(here).resume(first.id)
        second.log(loss=10)
        second.log(loss=20)
        second.finish()
        first.log(loss=2)
    experiments = open_experiments(here)
    names = [key for key in experiments.show(first.id).attributes if key.startswith("metrics.loss")]
    series = [list(experiments.metric_series(first.id, name.removeprefix("metrics.")).values) for name in names]
    assert sorted(series) == [[1, 2], [10, 20]]


def test_a_forked_process_logs_under_a_mark(here: Path):
    """What it logged arrives when the run ends, and its own end does not end the run."""
    script = """
import os, heptad
with heptad.track("a", capture=False) as run:
    run.log(loss=1)
    child = os.fork()
    if child == 0:
        run.log(loss=10)
        run.finish()
        os._exit(0)
    os.waitpid(child, 0)
    run.log(loss=2)
"""
    subprocess.run([sys.executable, "-W", "ignore", "-c", script], check=True, cwd=here)
    experiments = open_experiments(here)
    (run,) = experiments.list()
    assert run.attributes["status"] == "finished"
    found = {
        key.removeprefix("metrics."): list(experiments.metric_series(run.id, key.removeprefix("metrics.")).values)
        for key in run.attributes
        if key.startswith("metrics.")
    }
    assert found.pop("loss") == [1, 2]
    ((name, values),) = found.items()
    assert name.startswith("loss[process=")
    assert values == [10]


def test_what_a_killed_script_printed_is_kept(here: Path):
    """Up to its last line, with the run that it leaves."""
    script = "import os, heptad\nrun = heptad.track('a').start()\nprint('hello', flush=True)\nos.kill(os.getpid(), 9)\n"
    subprocess.run([sys.executable, "-c", script], check=False, cwd=here, capture_output=True)
    experiments = open_experiments(here)
    experiments.ship()
    (run,) = experiments.list()
    assert run.attributes["status"] == "killed"
    assert experiments.workspace.blobs.get(str(run.attributes["artifacts.output.txt"])) == b"hello\n"


def test_runs_may_be_nested(here: Path):
    """The inner one is linked to the outer one as its parent."""
    with heptad.track("outer", capture=False) as outer, outer.child("inner", params={"depth": 1}) as inner:
        inner.log(loss=1)
    links = open_experiments(here).workspace.store.trace([inner.id], "out")
    assert [(link.role, link.target) for link in links] == [("parent", outer.id)]


def test_parameters_without_names_are_refused_at_once() -> None:
    """Where the run is asked for, not where it begins."""
    with pytest.raises(InputError, match="parameters are 3"):
        heptad.track("x", params=3)  # type: ignore[call-overload]


def test_secrets_among_the_arguments_of_a_function_are_not_recorded(here: Path) -> None:
    """The function has them; the run has stars, of defaults too."""
    got = []

    @heptad.track
    def fetch(depth: int, api_key: str, *, password: str = "sesame", headers: dict[str, str] | None = None) -> None:
        got.append((api_key, password, headers))

    fetch(3, "hunter2", headers={"token": "hunter2", "accept": "json"})
    (run,) = open_experiments(here).list()
    assert got == [("hunter2", "sesame", {"token": "hunter2", "accept": "json"})]
    kept = {"depth": 3, "api_key": "***", "password": "***", "headers.token": "***", "headers.accept": "json"}
    assert {f"params.{name}": value for name, value in kept.items()}.items() <= run.attributes.items()
    assert "hunter2" not in repr(run)


def test_secrets_among_parameters_are_not_recorded(here: Path) -> None:
    """However they are given: as all arguments of a command are, later, or to a run inside of the run."""
    with heptad.track("outer", params={"depth": 3, "api_key": "hunter2"}, capture=False) as outer:
        outer.set_params(db={"password": "hunter2"}, url="postgresql://ada:hunter2@db/x")
        with outer.child("inner", params={"hub_token": "hunter2"}):
            pass
    runs = open_experiments(here).list()
    assert {run.body.name: run.attributes.get("params.depth") for run in runs} == {"outer": 3, "inner": None}
    assert "hunter2" not in repr(runs)

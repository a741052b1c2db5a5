"""Trials are run, whatever they do; none is lost and none counts twice, whoever is killed."""

import asyncio
import contextlib
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.experiments.searching.functions import (
    SPACE,
    conditional,
    dreadful,
    experiments_at,
    forking,
    once_killed,
    parental,
    pooled,
    restless,
    slow_square,
    square,
    stepwise,
    talkative,
    with_many,
)

from heptad.core.workspace import Workspace
from heptad.experiments import Experiments, Told, TrialPruned
from heptad.experiments.searching import conduct


def trials_of(experiments: Experiments, study: str) -> list[tuple[Any, ...]]:
    return [
        (run.body.number, run.body.params, run.attributes["status"], run.attributes.get("metrics.value"))
        for run in experiments.trials(study)
    ]


def test_every_misdeed_of_an_objective_is_a_failed_trial_with_its_reason(experiments: Experiments) -> None:
    """It raises, hangs, eats memory, answers NaN or text, or ends its process: the search goes on."""
    report = experiments.search(SPACE, dreadful, trials=9, timeout="3s", memory="400MB")
    assert report.finished == 2
    reasons = {run.body.number: run.attributes.get("reason") for run in experiments.trials(report.study)}
    assert reasons == {
        0: None,
        1: "ValueError: no luck",
        2: "It ran longer than 3 s.",
        3: "It used more than 400 MB of memory.",
        4: "The objective gave nan for value.",
        5: "Its process ended with exit code 3.",
        6: "The objective gave 'much', which is no number.",
        7: "SystemExit: 2",
        8: None,
    }


def test_a_trial_that_always_has_something_to_say_is_ended_in_time(experiments: Experiments) -> None:
    """What it has spent by then counts."""
    report = experiments.search(SPACE, restless, trials=1, timeout="1s")
    assert report.reasons == {"It ran longer than 1 s.": 1}
    (run,) = experiments.trials(report.study)
    cost = run.attributes["trial.cost"]
    assert isinstance(cost, float)
    assert cost >= 1


def test_what_a_trial_has_started_ends_with_it(
    experiments: Experiments, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whether it hangs or dies; nobody waits for what it has forked."""
    monkeypatch.setenv("HEPTAD_TEST_MARK", str(tmp_path / "mark"))
    report = experiments.search(SPACE, parental, trials=3, timeout="2s")
    assert report.reasons == {"It ran longer than 2 s.": 1, "Its process ended with exit code 3.": 2}
    started = [int(line) for line in (tmp_path / "mark").read_text().splitlines()]
    assert len(started) == 3
    assert [one for one in started if is_alive(one)] == []


def test_memory_of_what_a_trial_has_started_counts(experiments: Experiments) -> None:
    """None of its processes takes too much; all of them together do."""
    report = experiments.search(SPACE, with_many, trials=1, memory="220MB")
    assert report.reasons == {"It used more than 220 MB of memory.": 1}


def test_a_trial_in_a_process_of_its_own_may_have_a_pool_and_no_output(
    experiments: Experiments, workspace: Workspace
) -> None:
    """Trials that come after it can print all the same."""
    report = experiments.search(SPACE, pooled, trials=2, isolated=True)
    assert (report.finished, report.reasons) == (2, {})
    for run in experiments.trials(report.study):
        printed = workspace.blobs.get(str(run.attributes["artifacts.output.txt"]))
        assert printed == f"trial {run.body.number}\n".encode()


@pytest.mark.parametrize("isolated", [True, False])
def test_a_process_that_an_objective_forks_does_not_answer_for_it(experiments: Experiments, isolated: bool) -> None:
    """Neither does it go on as a second search."""
    report = experiments.search(SPACE, forking, trials=3, isolated=isolated)
    assert report.finished == 3
    assert [run.attributes["metrics.value"] >= 0 for run in experiments.trials(report.study)] == [True] * 3


def test_what_a_trial_prints_is_kept_with_its_run(
    experiments: Experiments, workspace: Workspace, capfd: pytest.CaptureFixture[str]
) -> None:
    """In a process of its own, nothing reaches the terminal, and each run has its own output."""
    report = experiments.search(SPACE, dreadful, trials=2, isolated=True)
    for run in experiments.trials(report.study):
        printed = workspace.blobs.get(str(run.attributes["artifacts.output.txt"]))
        assert printed.splitlines()[0] == f"I am trial {run.body.number}".encode()
    assert capfd.readouterr() == ("", "")


def test_secrets_of_a_trial_are_not_stored(experiments: Experiments, workspace: Workspace) -> None:
    """Neither in the reason of its failure nor in what it printed."""
    report = experiments.search(SPACE, talkative, trials=1, isolated=True)
    (run,) = experiments.trials(report.study)
    assert run.attributes["reason"] == "ValueError: no answer of postgresql://***@host/db"
    assert workspace.blobs.get(str(run.attributes["artifacts.output.txt"])) == b"api_key=***\n"
    assert list(report.reasons) == [run.attributes["reason"]]


def test_a_trial_whose_process_is_killed_from_outside_is_run_again(
    experiments: Experiments, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The trial is not lost, and its parameters stay."""
    monkeypatch.setenv("HEPTAD_TEST_MARK", str(tmp_path / "mark"))
    report = experiments.search(SPACE, once_killed, trials=3, isolated=True, sampler="random")
    assert (report.finished, report.failed) == (3, 0)
    assert (tmp_path / "mark").exists()


@pytest.mark.parametrize("sampler", ["tpe", "random", "grid", "cmaes", "gp"])
def test_processes_run_the_same_trials_as_one_where_the_sampler_does_not_learn(
    experiments: Experiments, sampler: str
) -> None:
    """Random and grid ask the same points however many run at once; the others as many, each once."""
    alone = experiments.search(SPACE, square, trials=6, sampler=sampler, name="alone")
    beside = experiments.search(SPACE, square, trials=6, sampler=sampler, name="beside", processes=2)
    mine, theirs = trials_of(experiments, alone.study), trials_of(experiments, beside.study)
    assert [one[0] for one in mine] == [one[0] for one in theirs] == list(range(6))
    if sampler in ("random", "grid"):
        assert mine == theirs


@settings(max_examples=8, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    sampler=st.sampled_from(["tpe", "random", "cmaes", "gp"]),
    pruner=st.sampled_from(["none", "median", "halving"]),
    stop=st.integers(0, 11),
    in_python=st.booleans(),
)
def test_a_search_that_was_interrupted_ends_as_if_it_had_not_been(
    tmp_path_factory: pytest.TempPathFactory, sampler: str, pruner: str, stop: int, in_python: bool
) -> None:
    """Interrupted in any trial and called again, it has the trials of an undisturbed search."""
    space = conditional if in_python else SPACE

    def run(folder: Path, interrupt: int) -> list[tuple[Any, ...]]:
        experiments, rules = experiments_at(str(folder), ""), {"trials": 12, "sampler": sampler, "pruner": pruner}
        left = [interrupt]

        def objective(trial: Any) -> float:
            if trial.number == left[0]:
                left[0] = -1
                raise KeyboardInterrupt
            return stepwise(trial)

        # One code for both, so that the second call goes on with the study of the first.
        try:
            report = experiments.search(space, Stable(objective), **rules)  # type: ignore[arg-type]
        except KeyboardInterrupt:
            report = experiments.search(space, Stable(objective), **rules)  # type: ignore[arg-type]
        return trials_of(experiments, report.study)

    folders = [tmp_path_factory.mktemp("search") for _ in range(2)]
    assert run(folders[0], stop) == run(folders[1], -1)


class Stable:
    """A function whose state does not make it another one."""

    def __init__(self, function: Any) -> None:
        self._function = function

    def __getstate__(self) -> dict[str, Any]:
        return {}

    def __call__(self, trial: Any) -> Any:
        return self._function(trial)


def test_a_budget_of_cost_ends_the_search_and_counts_what_was_spent_before(experiments: Experiments) -> None:
    """No trial begins once the budget is spent, also where the search is called again."""

    def costly(trial: Any) -> float:
        trial.spend(2.0)
        return square(trial)

    for _ in range(2):
        assert experiments.search(SPACE, costly, cost=7).finished == 4


def test_a_budget_of_time_ends_the_search_and_counts_what_was_spent_before(experiments: Experiments) -> None:
    """The seconds of trials that ended are added up, over all calls."""
    first = experiments.search(SPACE, slow_square, budget="200ms", sampler="random")
    assert 0 < first.finished <= 10
    assert experiments.search(SPACE, slow_square, budget="200ms", sampler="random").finished == first.finished


def test_nothing_that_a_trial_does_in_this_process_ends_the_search(experiments: Experiments) -> None:
    """It takes its parameters apart, is cancelled, is pruned unasked, or fails with what no store can hold."""

    def odd(trial: Any) -> float:
        match trial.number:
            case 0:
                trial.params.pop("x")
            case 1:
                raise asyncio.CancelledError
            case 2:
                raise TrialPruned
            case 3:
                raise ValueError("bad\x00byte \ud800")
            case 4:
                trial.report(1.0, 2)
                trial.report(1.0, 1)
        return 1.0

    report = experiments.search(SPACE, odd, trials=6, sampler="random")
    assert (report.finished, report.failed, report.pruned, report.running) == (2, 3, 1, 0)
    reasons = sorted(reason.splitlines()[0] for reason in report.reasons)
    assert reasons == [
        "CancelledError",
        "InputError: A trial reports step 1 after step 2.",
        "ValueError: bad\\x00byte \\ud800",
    ]


def test_an_objective_may_be_called_as_what_the_search_measures_itself(experiments: Experiments) -> None:
    """`seconds` and `cost` are what the objective gave, also where the search goes on; time and spending lie beside."""

    def slow(trial: Any) -> dict[str, float]:
        return {"seconds": 100 + float(trial["x"]), "cost": 1000.0}

    for trials in (3, 6):
        report = experiments.search(SPACE, slow, trials=trials, objectives={"seconds": "minimize"}, cost=50)
        assert report.finished == trials
    assert report.best is not None
    assert report.best.values["seconds"] >= 99
    assert report.seconds < 99
    run = experiments.trials(report.study)[0]
    assert (run.attributes["metrics.cost"], run.attributes.get("trial.cost")) == (1000.0, None)
    assert experiments.list(where="trial.seconds < 99")


def test_a_budget_of_time_counts_alike_when_the_search_is_called_again(experiments: Experiments) -> None:
    """Trials that ran four at a time used up a quarter of their seconds each, however many run at a time now."""
    first = experiments.search(SPACE, slow_square, budget="100ms", sampler="random", processes=4)
    assert first.seconds > 0.2
    more = experiments.search(SPACE, slow_square, budget="200ms", sampler="random")
    assert more.finished > first.finished


def test_a_pruner_ends_trials_early_and_they_count_as_such(experiments: Experiments) -> None:
    """A pruned trial has the step at which it ended, its reports, and no value."""
    report = experiments.search(SPACE, stepwise, trials=20, sampler="random", pruner="median")
    assert report.pruned > 0
    assert report.finished + report.pruned == 20
    pruned = next(run for run in experiments.trials(report.study) if "pruned" in run.attributes)
    assert pruned.attributes["status"] == "killed"
    assert list(experiments.metric_series(pruned.id, "reported").steps)[-1] == pruned.attributes["pruned"]


def test_whoever_watches_is_told_each_trial_once_it_is_written(experiments: Experiments) -> None:
    """In order, and with the value that the run has."""
    told: list[Told] = []
    report = experiments.search(SPACE, square, trials=5, on_trial=told.append)
    assert [(one.number, one.params, "finished", one.value) for one in told] == trials_of(experiments, report.study)


def test_a_trial_that_another_process_holds_is_waited_for(
    experiments: Experiments, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two searches over one store share the trials, and both end when all have ended."""
    monkeypatch.setattr(conduct, "_RETRY", 0.1)
    process = start(tmp_path, "", 40, 1)
    report = experiments_at(str(tmp_path), "").search(SPACE, slow_square, sampler="random", trials=40, isolated=True)
    assert process.wait(60) == 0
    check(experiments_at(str(tmp_path), ""), report.study, 40)


def start(folder: Path, url: str, trials: int, processes: int) -> "subprocess.Popen[bytes]":
    program = "from tests.experiments.searching.functions import main; main()"
    arguments = [sys.executable, "-c", program, str(folder), url, str(trials), str(processes)]
    return subprocess.Popen(arguments, start_new_session=True)


def check(experiments: Experiments, study: str, trials: int) -> None:
    """Each trial is there, finished, with its own parameters, and was told once."""
    runs = experiments.trials(study)
    assert [run.body.number for run in runs] == list(range(trials))
    assert {run.attributes["status"] for run in runs} == {"finished"}
    events = experiments.workspace.store.follow(0, ["experiments.run_finished"], limit=10_000)
    assert sorted(event.subject for event in events) == sorted(run.id for run in runs)


@pytest.mark.slow
@pytest.mark.parametrize(("database", "seed"), [("sqlite", 1), ("postgresql", 2)])
def test_killing_searches_and_their_processes_at_random_loses_and_doubles_nothing(
    database: str, seed: int, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    """Two programs with two processes each share one store, and are killed again and again, whole or in part."""
    url = request.getfixturevalue("postgresql_url") if database == "postgresql" else ""
    choice, trials = random.Random(seed), 60
    programs = [start(tmp_path, url, trials, 2) for _ in range(2)]
    for _ in range(5):
        time.sleep(choice.uniform(0.5, 2.0))
        victim = choice.randrange(2)
        children = children_of(programs[victim].pid)
        if children and choice.random() < 0.4:
            kill(choice.choice(children))
        else:
            kill(programs[victim].pid)
            programs[victim].wait(60)
            programs[victim] = start(tmp_path, url, trials, 2)
    for program in programs:
        assert program.wait(180) == 0
    experiments = experiments_at(str(tmp_path), url)
    check(experiments, experiments.study().study, trials)
    (tmp_path / "alone").mkdir()
    alone = experiments_at(str(tmp_path / "alone"), "")
    undisturbed = alone.search(SPACE, slow_square, sampler="random", trials=trials)
    assert trials_of(experiments, experiments.study().study) == trials_of(alone, undisturbed.study)


def is_alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def children_of(pid: int) -> list[int]:
    found = Path(f"/proc/{pid}/task/{pid}/children")
    return [int(one) for one in found.read_text().split()] if found.exists() else []


def kill(pid: int) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, signal.SIGKILL)

"""Flows as a user sees them: what runs, what is read, what is kept."""

import functools
import importlib
import itertools
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

from heptad.core.errors import DataError, InputError, SettingsError, TaskError, UnavailableError
from heptad.core.executors import processes, threads
from heptad.core.flow import Flow, FlowEvent, task
from heptad.core.flow_cache import TaskResult
from heptad.core.identity import acting_as, current_actor
from heptad.core.query import Query
from heptad.core.workspace import Workspace


def cleaned(raw):
    return [one for one in raw if one is not None]


def total(cleaned, factor=2):
    return factor * sum(cleaned)


def shown(total):
    return f"{total} in all"


def run(workspace: Workspace, functions: Any, inputs: Any = None, **options: Any) -> tuple[Any, dict[str, list[str]]]:
    """Results, and the tasks by what happened to them."""
    events: dict[str, list[str]] = {}

    def note(event: FlowEvent) -> None:
        events.setdefault(event.kind, []).append(event.task)

    return Flow("test", functions).run(workspace, inputs, on_event=note, **options), events


def test_results_are_found_by_the_names_of_the_functions(workspace: Workspace) -> None:
    """Every task's result is there when the flow has run."""
    results, events = run(workspace, [shown, total, cleaned], {"raw": [1, None, 3]})
    assert dict(results) == {"cleaned": [1, 3], "total": 8, "shown": "8 in all"}
    assert events["finished"] == ["cleaned", "total", "shown"]


def test_a_second_run_reads_everything(workspace: Workspace) -> None:
    """Nothing runs again where nothing changed, and the results are the same."""
    first, _ = run(workspace, [cleaned, total, shown], {"raw": [1, None, 3]})
    second, events = run(workspace, [cleaned, total, shown], {"raw": [1, None, 3]})
    assert events == {"cached": ["cleaned", "total", "shown"]}
    assert dict(second) == dict(first)
    assert second.ids == first.ids


def test_a_changed_input_runs_what_depends_on_it(workspace: Workspace) -> None:
    """Other inputs, other results; and the old ones are still known."""
    run(workspace, [cleaned, total], {"raw": [1]})
    results, events = run(workspace, [cleaned, total], {"raw": [2]})
    assert results["total"] == 4
    assert events["finished"] == ["cleaned", "total"]
    assert run(workspace, [cleaned, total], {"raw": [1]})[1] == {"cached": ["cleaned", "total"]}


def test_an_equal_result_stops_the_change(workspace: Workspace) -> None:
    """Where a task answers what it answered before, nothing behind it runs again."""
    run(workspace, [cleaned, total, shown], {"raw": [1, 3]})
    _, events = run(workspace, [cleaned, total, shown], {"raw": [1, None, 3]})
    assert events["finished"] == ["cleaned"]
    assert events["cached"] == ["total", "shown"]


def test_a_changed_parameter_runs_the_task(workspace: Workspace) -> None:
    """Default values count, as do an input of the same name and the arguments of a partial."""
    functions: dict[str, Any] = {"cleaned": cleaned, "total": total}
    assert run(workspace, functions, {"raw": [1]})[0]["total"] == 2
    results, events = run(workspace, functions, {"raw": [1], "factor": 5})
    assert (results["total"], events["finished"]) == (5, ["total"])
    results, events = run(workspace, {**functions, "total": functools.partial(total, factor=7)}, {"raw": [1]})
    assert (results["total"], events["finished"]) == (7, ["total"])


def test_changed_code_runs_the_task(workspace: Workspace) -> None:
    """A function that calls another one of the project runs again when that one changes."""

    def flow(step: Callable[[int], int]) -> Any:
        return {"one": lambda start: step(start) + 0, "two": lambda one: one * 10}

    assert run(workspace, flow(lambda x: x + 1), {"start": 1})[0]["two"] == 20
    results, events = run(workspace, flow(lambda x: x + 2), {"start": 1})
    assert (results["two"], events["finished"]) == (30, ["one", "two"])


def test_flows_do_not_mix(workspace: Workspace) -> None:
    """Results belong to their flow."""
    Flow("one", [cleaned]).run(workspace, {"raw": [1]})
    events: list[FlowEvent] = []
    Flow("two", [cleaned]).run(workspace, {"raw": [1]}, on_event=events.append)
    assert [event.kind for event in events] == ["started", "finished"]


def test_nothing_starts_where_something_is_wrong(workspace: Workspace) -> None:
    """A mistake anywhere in the flow is found before the first task runs."""
    ran: list[int] = []

    def first(raw):
        ran.append(raw)
        return raw

    def last(frist):
        return frist

    with pytest.raises(SettingsError, match="did you mean 'first'"):
        Flow("test", [first, last]).run(workspace, {"raw": 1})
    assert ran == []


def test_inputs_that_cannot_be_stored_are_named_at_once(workspace: Workspace) -> None:
    """All such inputs are listed, with what they are."""
    with pytest.raises(SettingsError) as caught:
        run(workspace, [cleaned], {"raw": object(), "other": threading.Lock()})
    assert len(caught.value.problems) == 2
    assert "the input 'raw' is a builtins.object" in caught.value.problems[0]


def test_tasks_do_not_share_what_can_be_changed(workspace: Workspace) -> None:
    """Each task gets its own copy, so what one does to it another does not see."""

    def source():
        return {"list": [1], "frame": pl.DataFrame({"a": [1]}), "array": np.array([1])}

    def spoils(source):
        source["list"].append(2)
        source["frame"][0, "a"] = 2
        assert not source["array"].flags.writeable
        return source["list"]

    def reads(source, spoils):
        return source["list"], source["frame"]["a"].to_list()

    results, _ = run(workspace, [source, spoils, reads])
    assert results["reads"] == ([1], [1])
    assert results["source"]["list"] == [1]
    results["source"]["list"].append(3)
    assert results["source"]["list"] == [1]


def test_large_results_come_back_from_the_store(workspace: Workspace) -> None:
    """Frames and arrays are artifacts; a later run reads them from there."""

    def made(rows):
        return pl.DataFrame({"n": range(rows)}), np.arange(rows)

    def length(made):
        return made[0].height + len(made[1])

    first, _ = run(workspace, [made, length], {"rows": 50_000})
    assert first["length"] == 100_000
    assert len(list(workspace.blobs.digests())) == 2
    second, events = run(workspace, [made, length], {"rows": 50_000})
    assert events == {"cached": ["made", "length"]}
    frame, array = second["made"]
    assert frame["n"].sum() == array.sum() == sum(range(50_000))


def test_a_task_that_is_not_cached_runs_every_time(workspace: Workspace) -> None:
    """What is behind it runs only where its answer is another one."""
    answers = iter(["a", "a", "b"])

    @task(cache=False)
    def asked():
        return next(answers)

    def behind(asked):
        return asked * 2

    ran = [run(workspace, [asked, behind])[1]["finished"] for _ in range(3)]
    assert ran == [["asked", "behind"], ["asked"], ["asked", "behind"]]


def test_a_failing_task_says_what_it_was_given(workspace: Workspace) -> None:
    """The error names flow, task and inputs, and carries the original error as its cause."""
    with pytest.raises(TaskError) as caught:
        run(workspace, [cleaned, total, shown], {"raw": [1, "a"]})
    assert caught.value.task == "total"
    assert "The task 'total' of the flow 'test' failed: TypeError" in caught.value.problem
    assert 'cleaned = [1,"a"]' in caught.value.problem
    assert isinstance(caught.value.__cause__, TypeError)
    assert run(workspace, [cleaned], {"raw": [1, "a"]})[1] == {"cached": ["cleaned"]}


def test_bad_input_stays_bad_input(workspace: Workspace) -> None:
    """An error that is the user's keeps its exit code and remedy inside a flow."""

    def read():
        raise DataError("The file is empty.", allowed="a file with rows", remedy="Give another one.")

    with pytest.raises(TaskError) as caught:
        run(workspace, [read])
    assert caught.value.exit_code == 2
    assert caught.value.remedy == "Give another one."


def test_a_result_that_cannot_be_stored_fails_its_task(workspace: Workspace) -> None:
    """The error says where in the result the thing is that cannot be kept."""

    def opens():
        return {"file": threading.Lock()}

    with pytest.raises(TaskError, match=r"the result of opens\['file'\] is a _thread.lock") as caught:
        run(workspace, [opens])
    assert isinstance(caught.value.__cause__, InputError)


def test_others_that_run_finish_and_are_kept(workspace: Workspace) -> None:
    """When one task fails, one that is running beside it ends and is not computed again; nothing else starts."""
    failed, running = threading.Event(), threading.Event()

    def bad():
        assert running.wait(60)
        raise ValueError("no")

    def good():
        running.set()
        assert failed.wait(60)
        return 1

    def after(good):
        return good

    def note(event: FlowEvent) -> None:
        if event.kind == "failed":
            failed.set()

    flow = Flow("test", [bad, good, after])
    with threads(2) as executor, pytest.raises(TaskError, match="bad"):
        flow.run(workspace, executor=executor, on_event=note)
    _, events = run(workspace, {"bad": lambda: 0, "good": good, "after": after})
    assert events["cached"] == ["good"]
    assert events["finished"] == ["bad", "after"]


def test_every_failure_is_told(workspace: Workspace) -> None:
    """Where two tasks fail side by side the first of the plan is raised, and the other is in its notes."""
    both = threading.Barrier(2, timeout=60)

    def one():
        both.wait()
        raise ValueError("first")

    def two():
        both.wait()
        raise ValueError("second")

    with threads(2) as executor, pytest.raises(TaskError, match="first") as caught:
        run(workspace, [one, two], executor=executor)
    assert "second" in caught.value.__notes__[0]


def test_retryable_errors_are_tried_again(workspace: Workspace) -> None:
    """An error that may pass is tried again after growing pauses, and the result says how often."""
    tries: list[int] = []

    @task(retries=3, backoff="10ms")
    def flaky():
        tries.append(1)
        if len(tries) < 3:
            raise UnavailableError("not yet")
        return len(tries)

    results, events = run(workspace, [flaky])
    assert results["flaky"] == 3
    assert events["retried"] == ["flaky", "flaky"]
    (record,) = workspace.store.get([results.ids["flaky"]])
    assert record.body["tries"] == 3


@pytest.mark.parametrize(("error", "tries"), [(UnavailableError("down"), 3), (ValueError("wrong"), 1)])
def test_retries_end(workspace: Workspace, error: Exception, tries: int) -> None:
    """A retryable error is raised after the last try; any other one at once."""
    count: list[int] = []

    @task(retries=2, backoff="1ms")
    def fails():
        count.append(1)
        raise error

    with pytest.raises(TaskError) as caught:
        run(workspace, [fails])
    assert len(count) == tries
    assert ("after 3 tries" in caught.value.problem) is (tries == 3)


def test_a_task_that_takes_too_long_is_given_up(workspace: Workspace) -> None:
    """After its timeout a task has failed, and the flow goes on without waiting for it."""
    release = threading.Event()

    @task(timeout="50ms")
    def slow():
        release.wait(30)

    with pytest.raises(TaskError, match=r"did not finish within 0\.05 seconds"):
        run(workspace, [slow])
    release.set()


def test_a_timeout_may_be_tried_again(workspace: Workspace) -> None:
    """Taking too long is an error that may pass."""
    release = threading.Event()
    tries: list[int] = []

    @task(timeout="100ms", retries=1, backoff="1ms")
    def slow_once():
        tries.append(1)
        if len(tries) == 1:
            release.wait(30)
        return "done"

    assert run(workspace, [slow_once])[0]["slow_once"] == "done"
    release.set()


def test_independent_tasks_run_side_by_side(workspace: Workspace) -> None:
    """On two threads, two tasks that wait for each other both end."""
    both = threading.Barrier(2, timeout=60)

    def one():
        both.wait()
        return 1

    def two():
        both.wait()
        return 2

    with threads(2) as executor:
        results, _ = run(workspace, [one, two, lambda_sum], executor=executor)
    assert results["lambda_sum"] == 3


def lambda_sum(one, two):
    return one + two


MODULE = """
import os
from heptad.core.errors import NotFoundError
class Odd(Exception):
    def __init__(self, one, two):
        super().__init__(f"{one} and {two}")
def number():
    return 20
def process(number):
    return os.getpid()
def doubled(number, factor=2):
    return {"is": number * factor}
def odd():
    raise Odd(1, 2)
def missing():
    raise NotFoundError("column", "agee", ["age"])
"""


@pytest.fixture
def module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """A module of a user's project, which other processes can import."""
    (tmp_path / "flow_of_a_user.py").write_text(MODULE)
    monkeypatch.syspath_prepend(tmp_path)
    yield importlib.import_module("flow_of_a_user")
    del sys.modules["flow_of_a_user"]


def test_tasks_run_in_processes(workspace: Workspace, module: Any) -> None:
    """The same flow runs in processes of this machine, and its results serve any other executor."""
    functions = [module.number, module.process, module.doubled]
    with processes(2) as executor:
        results, _ = run(workspace, functions, executor=executor)
        assert results["doubled"] == {"is": 40}
        assert results["process"] not in {0, None, __import__("os").getpid()}
        for broken, words, cause in (
            (module.odd, "Odd: 1 and 2", "HeptadError"),
            (module.missing, "There is no column 'agee'", "NotFoundError"),
        ):
            # Errors come back, also those that cannot be rebuilt; and the pool goes on.
            with pytest.raises(TaskError, match=words) as caught:
                run(workspace, [broken], executor=executor)
            assert type(caught.value.__cause__).__name__ == cause
        with pytest.raises(SettingsError, match="cannot be sent to another process"):
            run(workspace, {"inside": lambda: 1}, executor=executor)
    assert run(workspace, functions)[1] == {"cached": ["number", "process", "doubled"]}


def test_the_actor_is_the_one_who_ran_the_flow(workspace: Workspace) -> None:
    """Tasks and their records carry the actor, also in threads."""

    def who():
        return current_actor()

    with threads(1) as executor, acting_as("plan:p-1"):
        results, _ = run(workspace, [who], executor=executor)
    assert results["who"] == "plan:p-1"
    (record,) = workspace.store.get([results.ids["who"]])
    assert record.actor == "plan:p-1"
    assert record.at == workspace.clock.now()


def test_records_say_what_came_from_what(workspace: Workspace) -> None:
    """Each result is linked to the results that it was made from."""
    results, _ = run(workspace, [cleaned, total], {"raw": [1]})
    (link,) = workspace.store.trace([results.ids["total"]], "ancestors")
    assert (link.role, link.target) == ("input:cleaned", results.ids["cleaned"])


def test_a_result_that_is_lost_while_it_is_used_is_computed_again(workspace: Workspace) -> None:
    """A task that took it before goes on undisturbed, and the one that comes too late waits for it."""
    calls, is_computed_again = itertools.count(), threading.Event()

    def long():
        if next(calls):
            is_computed_again.set()
            time.sleep(0.3)
        return list(range(9000))

    def early(long):
        assert is_computed_again.wait(60)
        return len(long)

    def losing():
        digests = list(workspace.blobs.digests())
        workspace.blobs.delete(digests)
        return len(digests)

    def late(long, losing):
        return sum(long)

    run(workspace, [long])
    with threads(3) as executor:
        results, _ = run(workspace, {"long": long, "early": early, "losing": losing, "late": late}, executor=executor)
    assert (results["early"], results["losing"], results["late"]) == (9000, 1, sum(range(9000)))
    assert next(calls) == 2


@pytest.mark.parametrize("harm", ["delete", "damage"])
def test_lost_and_damaged_results_are_computed_again(workspace: Workspace, harm: str, tmp_path: Path) -> None:
    """A stored result that is gone or not what it was is computed again where it is needed, and mended."""
    tasks = {"made": lambda rows: np.arange(rows) + 0, "used": lambda made: int(made.sum())}
    run(workspace, tasks, {"rows": 1000})
    (digest,) = workspace.blobs.digests()
    path = tmp_path / ".heptad" / "artifacts" / digest[:2] / digest[2:]
    if harm == "delete":
        workspace.blobs.delete([digest])
    else:
        path.chmod(0o644)
        path.write_bytes(b"something else")
    tasks["used"] = lambda made: int(made.sum()) + 1
    results, events = run(workspace, tasks, {"rows": 1000})
    assert results["used"] == 499_501
    assert events["finished"] == ["made", "used"]
    assert workspace.blobs.get(digest)
    assert run(workspace, tasks, {"rows": 1000})[1] == {"cached": ["made", "used"]}


def test_old_results_are_found_among_many(workspace: Workspace) -> None:
    """A result from long ago is read, though many newer ones came after it."""
    for number in range(12):
        run(workspace, [cleaned, total], {"raw": [number]})
    assert run(workspace, [cleaned, total], {"raw": [0]})[1] == {"cached": ["cleaned", "total"]}
    assert len(workspace.store.find(Query(kind=TaskResult.kind), limit=100).items) == 24


def test_two_threads_that_want_the_same_step(workspace: Workspace) -> None:
    """One computes it, the other waits and reads it."""
    started, go_on = threading.Event(), threading.Event()
    count = threading.Semaphore(10)

    def slow():
        assert count.acquire(blocking=False)
        started.set()
        assert go_on.wait(30)
        return "done"

    def note(event: FlowEvent) -> None:
        if event.kind == "waiting":
            go_on.set()

    with ThreadPoolExecutor(2) as pool:
        first = pool.submit(Flow("test", [slow]).run, workspace)
        assert started.wait(30)
        second = pool.submit(Flow("test", [slow]).run, workspace, on_event=note)
        assert first.result(60)["slow"] == second.result(60)["slow"] == "done"
    assert count._value == 9


def test_a_claim_is_given_back_when_a_task_fails(workspace: Workspace) -> None:
    """After a failure another run does not wait for the lease to expire."""

    def fails():
        raise ValueError("no")

    def next_one(fails):
        return fails

    for _ in range(2):
        with pytest.raises(TaskError):
            run(workspace, [fails, next_one])
    assert workspace.store.find(Query(kind=TaskResult.kind)).items == []

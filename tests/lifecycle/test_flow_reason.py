"""Why a task ran again names the part that changed."""

import sys
import types
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

from heptad.core.errors import NotFoundError
from heptad.core.flow import Flow
from heptad.core.flow_cache import KeyParts
from heptad.core.workspace import Workspace
from heptad.lifecycle.flow_reason import differences_of, why

SOURCE = """
def clean(raw):
    return [one for one in raw if one is not None]
def cleaned(raw):
    return clean(raw)
def total(cleaned, factor=2):
    return factor * sum(cleaned)
def shown(total):
    return f"{total} in all"
"""


@pytest.fixture(autouse=True)
def forgotten() -> Iterator[None]:
    yield
    sys.modules.pop("the_pipeline", None)


def run(workspace: Workspace, source: str = SOURCE, **inputs: Any) -> None:
    module = types.ModuleType("the_pipeline")
    sys.modules["the_pipeline"] = module
    exec(source, vars(module))
    names = ["cleaned", "total", "shown"]
    Flow("sums", [getattr(module, name) for name in names]).run(workspace, {"raw": [1, None, 3], **inputs})


def test_the_first_time_has_no_reason(workspace: Workspace) -> None:
    """A task that never ran before ran for the first time."""
    run(workspace)
    assert str(why(workspace, "sums/total")) == "sums/total ran for the first time."


def test_changed_code_is_named(workspace: Workspace) -> None:
    """The function that changed is named, also where the task only calls it."""
    run(workspace)
    run(workspace, SOURCE.replace("if one is not None", "if one"))
    assert str(why(workspace, "sums/cleaned")) == "sums/cleaned ran again: the code of the_pipeline:clean changed."


def test_a_changed_parameter_is_shown(workspace: Workspace) -> None:
    """A default value is shown before and after."""
    run(workspace)
    run(workspace, SOURCE.replace("factor=2", "factor=3"))
    assert str(why(workspace, "sums/total")) == "sums/total ran again: the parameter factor was 2 and is 3."


def test_a_changed_input_leads_back_to_its_cause(workspace: Workspace) -> None:
    """An input that is another task's result carries the reason of that one, back to what changed first."""
    run(workspace)
    run(workspace, raw=[1, None, 4])
    reason = why(workspace, "sums/shown")
    assert str(reason) == "sums/shown ran again: the input total changed."
    total = reason.differences[0].reason
    assert total is not None
    assert total.task == "sums/total"
    cleaned = total.differences[0].reason
    assert cleaned is not None
    assert str(cleaned) == "sums/cleaned ran again: the input raw changed."
    assert cleaned.differences[0].reason is None


def test_several_changes_are_all_named(workspace: Workspace) -> None:
    """Code, parameters and inputs are listed together."""
    run(workspace)
    run(workspace, SOURCE.replace("factor * sum", "1 + factor * sum"), raw=[5], factor=9)
    assert str(why(workspace, "sums/total")) == (
        "sums/total ran again: the code of the_pipeline:total changed; the parameter factor was 2 and is absent; "
        "the input cleaned changed; the input factor changed."
    )


def test_functions_that_came_or_went_are_told_apart() -> None:
    """Code that is new or no longer used is said to be so, and another Python too."""
    before = KeyParts(code={"m:a": "1", "m:b": "2"}, parameters={}, inputs={}, python="3.11")
    after = KeyParts(code={"m:a": "1", "m:c": "3"}, parameters={}, inputs={}, python="3.12")
    assert [str(one) for one in differences_of(before, after)] == [
        "the code of m:b is no longer used",
        "the code of m:c is new",
        "Python was 3.11 and is 3.12",
    ]


def test_a_result_can_be_asked_about_by_its_id(workspace: Workspace) -> None:
    """The id of an older result explains that one."""
    run(workspace)
    run(workspace, raw=[2])
    run(workspace, raw=[3], factor=5)
    newest = why(workspace, "sums/total")
    assert newest.before is not None
    middle = why(workspace, newest.before)
    assert [one.name for one in middle.differences] == ["cleaned"]
    assert why(workspace, middle.result) == middle
    assert middle.before is not None
    assert why(workspace, middle.before).before is None


def test_a_result_that_was_lost_says_so(workspace: Workspace) -> None:
    """A task that gave another answer for the same key ran again because its result was gone."""
    answers = iter([1, 2])
    tasks = {"made": lambda: np.full(1000, next(answers)), "used": lambda made: int(made.sum())}
    Flow("lost", tasks).run(workspace)
    workspace.blobs.delete(list(workspace.blobs.digests()))
    Flow("lost", tasks).run(workspace)
    assert "damaged or gone" in str(why(workspace, "lost/made"))


@pytest.mark.parametrize("ref", ["sums/totl", "sum/total", "task-unknown"])
def test_an_unknown_task_is_not_found(workspace: Workspace, ref: str) -> None:
    """What never ran cannot be explained; the tasks of the flow are named."""
    run(workspace)
    with pytest.raises(NotFoundError) as caught:
        why(workspace, ref)
    assert ("did you mean 'sums/total'" in caught.value.allowed) is (ref == "sums/totl")

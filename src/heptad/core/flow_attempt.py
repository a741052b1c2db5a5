"""One try of one task, where the executor runs it: perhaps in another process."""

import pickle
import threading
import time
import traceback
from collections.abc import Mapping
from typing import Any, NamedTuple

from heptad.core.errors import HeptadError, UnavailableError
from heptad.core.flow_plan import Function
from heptad.core.flow_values import Packed, pack
from heptad.core.identity import acting_as


class Call(NamedTuple):
    """What to run: plain data and a function, so that it can be sent to another process."""

    task: str
    function: Function
    arguments: Mapping[str, Any]
    actor: str
    timeout: float | None
    """Seconds."""
    portable: bool
    """Whether what is answered must be able to travel back."""


class Outcome(NamedTuple):
    """What it answered, taken apart, and how long it took."""

    packed: Packed
    seconds: float


def attempt(call: Call) -> Outcome:
    """Run the function and take its result apart; raises what it raises, or `UnavailableError` after its time.

    A function that overruns cannot be stopped: it is left behind in its thread, and its result thrown away.
    """
    try:
        return _run(call) if call.timeout is None else _run_in_time(call, call.timeout)
    except Exception as error:
        if call.portable and not _travels(error):
            text = "".join(traceback.format_exception(error))
            raise HeptadError(f"{type(error).__name__}: {error}\n{text}") from None
        raise


def _run(call: Call) -> Outcome:
    started = time.perf_counter()
    with acting_as(call.actor):
        result = call.function(**call.arguments)
    return Outcome(pack(result, f"the result of {call.task}"), time.perf_counter() - started)


def _run_in_time(call: Call, timeout: float) -> Outcome:
    answer: list[Outcome | BaseException] = []

    def run() -> None:
        try:
            answer.append(_run(call))
        except BaseException as error:  # noqa: BLE001 - raised again in the thread that waits
            answer.append(error)

    thread = threading.Thread(target=run, name=f"heptad-task-{call.task}", daemon=True)
    thread.start()
    thread.join(timeout)
    if not answer:
        raise UnavailableError(
            f"It did not finish within {timeout:g} seconds and was given up.", remedy="Give it a longer timeout."
        )
    if isinstance(answer[0], BaseException):
        raise answer[0]
    return answer[0]


def _travels(error: Exception) -> bool:
    """Whether the error comes out of another process as itself; one that does not would break the whole pool."""
    try:
        return type(pickle.loads(pickle.dumps(error))) is type(error)  # noqa: S301 - made in this very process
    except Exception:  # noqa: BLE001 - a constructor may raise anything
        return False

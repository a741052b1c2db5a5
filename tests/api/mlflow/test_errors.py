"""Errors in the words of the protocol."""

import pytest

from heptad.api.mlflow.errors import STATUS, translated
from heptad.core.errors import (
    ConflictError,
    HeptadError,
    InputError,
    IntegrityError,
    NotFoundError,
    RequestError,
    UnavailableError,
    WorkspaceError,
)


def test_a_model_that_is_missing_may_have_been_a_prompt() -> None:
    """The client reads both by the same call."""
    said = translated(NotFoundError("registered model", "greet", ["iris"])).message
    assert said == "There is no registered model 'greet'. Models: iris. Prompts are not offered."


@pytest.mark.parametrize(
    ("error", "code", "status"),
    [
        (NotFoundError("run", "x"), "RESOURCE_DOES_NOT_EXIST", 404),
        (InputError("no"), "INVALID_PARAMETER_VALUE", 400),
        (RequestError("no", status=403), "PERMISSION_DENIED", 403),
        (ConflictError("no"), "RESOURCE_CONFLICT", 409),
        (UnavailableError("no"), "TEMPORARILY_UNAVAILABLE", 503),
        (WorkspaceError("full"), "TEMPORARILY_UNAVAILABLE", 503),
        (IntegrityError("no"), "INTERNAL_ERROR", 500),
    ],
)
def test_only_what_may_succeed_later_is_tried_again(error: HeptadError, code: str, status: int) -> None:
    """The client sends again after 429 and 5xx: a mistake of its own answers neither."""
    found = translated(error)
    assert (found.code, found.status) == (code, status)
    assert STATUS[code] == status

"""Errors as the MLflow client expects them: a code that it knows, a message, and the status that goes with the code."""

import msgspec

from heptad.core.errors import (
    ConflictError,
    HeptadError,
    InputError,
    NotFoundError,
    RefusedError,
    RequestError,
    UnavailableError,
    WorkspaceError,
)

STATUS = {
    "INVALID_PARAMETER_VALUE": 400,
    "RESOURCE_ALREADY_EXISTS": 400,
    "BAD_REQUEST": 400,
    "INVALID_STATE": 400,
    "PERMISSION_DENIED": 403,
    "RESOURCE_DOES_NOT_EXIST": 404,
    "ENDPOINT_NOT_FOUND": 404,
    "NOT_FOUND": 404,
    "RESOURCE_CONFLICT": 409,
    "NOT_IMPLEMENTED": 501,
    "TEMPORARILY_UNAVAILABLE": 503,
    "INTERNAL_ERROR": 500,
}
"""The codes that are used here. The client tries again after 429 and 5xx, so none of those answers a mistake of its."""


class ProtocolError(Exception):
    """A call that is refused, in the words of the protocol."""

    def __init__(self, code: str, message: str, status: int | None = None) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.status = STATUS[code] if status is None else status


def invalid(message: str) -> ProtocolError:
    """A value that cannot be used."""
    return ProtocolError("INVALID_PARAMETER_VALUE", message)


def missing(what: str, name: str) -> ProtocolError:
    """A thing that does not exist."""
    return ProtocolError("RESOURCE_DOES_NOT_EXIST", f"No {what} with {name} exists.")


def exists(message: str) -> ProtocolError:
    return ProtocolError("RESOURCE_ALREADY_EXISTS", message)


def translated(error: HeptadError) -> ProtocolError:
    """An error of ours in the words of the protocol."""
    message = str(error).replace("\n", " ")
    if isinstance(error, NotFoundError):
        if error.what == "registered model":
            # For the client a prompt is one, and it puts the one word for the other in what it is told.
            message = " ".join((error.problem, f"Models: {error.allowed or 'none'}.", "Prompts are not offered."))
        return ProtocolError("RESOURCE_DOES_NOT_EXIST", message)
    if isinstance(error, RequestError):
        code = {403: "PERMISSION_DENIED", 404: "ENDPOINT_NOT_FOUND"}.get(error.status, "BAD_REQUEST")
        return ProtocolError(code, message, error.status)
    if isinstance(error, InputError | RefusedError):
        return invalid(message)
    if isinstance(error, ConflictError):
        return ProtocolError("RESOURCE_CONFLICT", message)
    if isinstance(error, UnavailableError | WorkspaceError):
        # A full disk, one that is read-only: nothing is wrong with the call, which may be sent again when it is mended.
        return ProtocolError("TEMPORARILY_UNAVAILABLE", message)
    return ProtocolError("INTERNAL_ERROR", message)


def encode_error(error: ProtocolError) -> bytes:
    return msgspec.json.encode({"error_code": error.code, "message": error.message})

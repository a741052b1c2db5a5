"""What counts of a code object and of an annotation, spelled so that it is the same in every process."""

import dis
import types
import typing
from collections.abc import Iterator
from typing import Any

_LOADS_CONSTANT = {dis.opmap[name] for name in ("LOAD_CONST", "RETURN_CONST") if name in dis.opmap}


def codes(code: types.CodeType) -> Iterator[types.CodeType]:
    """The code and all code inside it: inner functions, lambdas, comprehensions."""
    yield code
    for constant in code.co_consts:
        if isinstance(constant, types.CodeType):
            yield from codes(constant)


def spelled_code(code: types.CodeType) -> tuple[Any, ...]:
    """What counts of a code object, in an order that is the same in every process."""
    constants: list[Any] = list(code.co_consts)
    if constants and isinstance(constants[0], str) and _is_docstring(code):
        constants[0] = None
    return (
        code.co_code,
        code.co_exceptiontable,
        code.co_names,
        code.co_varnames,
        code.co_freevars,
        code.co_cellvars,
        (code.co_argcount, code.co_posonlyargcount, code.co_kwonlyargcount, code.co_flags),
        [_spelled(one) for one in constants],
    )


def _is_docstring(code: types.CodeType) -> bool:
    """Whether the first constant is a docstring: no instruction loads it."""
    steps = zip(code.co_code[::2], code.co_code[1::2], strict=True)
    return not any(operation in _LOADS_CONSTANT and argument == 0 for operation, argument in steps)


def _spelled(constant: Any) -> Any:
    if isinstance(constant, types.CodeType):
        return spelled_code(constant)
    if isinstance(constant, tuple):
        return tuple(_spelled(one) for one in constant)  # pyright: ignore[reportUnknownVariableType] - any constant
    if isinstance(constant, frozenset):
        return "frozenset", sorted(repr(_spelled(one)) for one in constant)  # pyright: ignore[reportUnknownVariableType] - any constant
    return type(constant).__name__, repr(constant)


def spelled_type(annotation: Any) -> str:
    """An annotation as text; the name of a class that annotates is looked up like any other name."""
    if isinstance(annotation, str):
        return annotation
    inner = typing.get_args(annotation)
    spelled = annotation.__name__ if isinstance(annotation, type) and not inner else repr(annotation)
    return " ".join([spelled, *map(spelled_type, inner)])

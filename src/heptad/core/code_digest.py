"""What a function computes, as digests: its bytecode, and that of everything of the project it reaches.

Idea: a function's bytecode says what it does but for the names it looks up; so names are looked up too, in its
globals, its closure and the modules it uses, and what they stand for is read in turn. Functions and classes of
the project are read, at any distance; data that can be stored counts by its content; Heptad's own code counts by
its version, the standard library and installed packages not at all. Comments, blank lines, docstrings and the place
of a function in its file do not count. Not seen: what is reached only through a value at run time (`getattr` by a
computed name, a method of an object that arrives as an argument of a type that no annotation names).
"""

import dis
import enum
import functools
import importlib
import importlib.util
import re
import sys
import sysconfig
import types
import typing
from collections.abc import Callable, Collection, Iterator, Mapping
from pathlib import Path
from typing import Any, Literal, NamedTuple, TypeAlias

import heptad
from heptad.core.errors import InputError
from heptad.core.flow_values import pack
from heptad.core.records import digest_of

Home: TypeAlias = Literal["project", "heptad", "outside"]

DIGITS = 16
"""Hexadecimal digits of a part's digest: enough to tell versions of one function apart."""
_IMPORT = dis.opmap["IMPORT_NAME"]
_LOADS_CONSTANT = {dis.opmap[name] for name in ("LOAD_CONST", "RETURN_CONST") if name in dis.opmap}
_STANDARD = tuple(Path(sysconfig.get_path(name)) for name in ("stdlib", "platstdlib"))
_INSTALLED = {"site-packages", "dist-packages"}
_WORD = re.compile(r"[A-Za-z_]\w*")


class Reached(NamedTuple):
    """A value that code refers to, and what to call it where it has no name of its own."""

    label: str
    value: Any


class Part(NamedTuple):
    """One function, class or piece of data: its name, the digest of itself alone, and what it refers to."""

    name: str
    digest: str
    reaches: list[Reached]


class CodeReader:
    """Reads the code of functions; remembers what it read, so that functions which share code are quick."""

    def __init__(self) -> None:
        self._read: dict[Any, tuple[Any, Part]] = {}

    def parts(self, function: Any, without: Collection[str] = ()) -> dict[str, str]:
        """Name to digest of everything that makes up the function: itself, and what it reaches.

        Default values of its parameters in `without` are left out: they are given, or counted, elsewhere.
        """
        found: dict[str, set[str]] = {}
        seen: set[Any] = set()
        waiting = [Reached(_name_of(function), function)]
        while waiting:
            label, value = waiting.pop()
            # Equal numbers and texts may be one object under many names; anything else is met once.
            key = (label, id(value)) if type(value) in _SIMPLE else id(value)
            if key not in seen:
                seen.add(key)
                part = self._part(label, value)
                waiting += part.reaches
                if part.digest:
                    found.setdefault(part.name, set()).add(part.digest)
        for parameter in without:
            for name in _names_of(function):
                found.pop(f"{name}({parameter})", None)
        # Two closures of one function have one name.
        return {name: _joined(digests) for name, digests in sorted(found.items())}

    def _part(self, label: str, value: Any) -> Part:
        key = id(value) if isinstance(value, types.FunctionType | type) else (label, id(value))
        if key not in self._read:
            # The value is kept with its part, so that its id stays its own.
            self._read[key] = value, _part_of(label, value)
        return self._read[key][1]


def _joined(digests: set[str]) -> str:
    return min(digests) if len(digests) == 1 else _short("".join(sorted(digests)))


def _short(text: str) -> str:
    return digest_of(text.encode("utf-8", "surrogatepass"))[:DIGITS]


def _part_of(label: str, value: Any) -> Part:
    for kinds, read in _READERS:
        if isinstance(value, kinds):
            return read(label, value)
    # A function in some other shape, for example with a cache around it.
    wrapped = getattr(value, "__wrapped__", None)
    return _data_part(label, value) if wrapped is None else _only([Reached(label, wrapped)])


def _only(reaches: list[Reached]) -> Part:
    """A part that is nothing by itself."""
    return Part("", "", reaches)


def _method_part(label: str, value: types.MethodType) -> Part:
    return _only([Reached(label, value.__func__), Reached(f"{label}.self", value.__self__)])


def _partial_part(label: str, value: "functools.partial[Any]") -> Part:
    bound = [*enumerate(value.args), *value.keywords.items()]
    return _only([Reached(label, value.func), *(Reached(f"{label}({name})", one) for name, one in bound)])


def _property_part(label: str, value: property) -> Part:
    return _only([Reached(label, one) for one in (value.fget, value.fset, value.fdel) if one])


def _wrapper_part(label: str, value: Any) -> Part:
    return _only([Reached(label, value.func if isinstance(value, functools.cached_property) else value.__func__)])


def _module_part(label: str, value: types.ModuleType) -> Part:
    return _HEPTAD if _home(value.__name__) == "heptad" else Part(label, _short(value.__name__), [])


def _data_part(label: str, value: Any) -> Part:
    """Data by its content; else what a container or an object of the project holds; of any other, its type."""
    try:
        return Part(label, pack(value).digest[:DIGITS], [])
    except InputError:
        kind: type[Any] = type(value)  # pyright: ignore[reportUnknownVariableType] - any value at all
    home = _home(kind.__module__)
    if home == "heptad":
        return _HEPTAD
    inside: list[Reached] = []
    if isinstance(value, Mapping):
        inside = [Reached(f"{label}[{key!r}]", one) for key, one in value.items()]  # pyright: ignore[reportUnknownVariableType] - any mapping
    elif isinstance(value, list | tuple | set | frozenset):
        inside = [Reached(f"{label}[]", one) for one in value]  # pyright: ignore[reportUnknownVariableType] - any container
    elif home == "project":
        held = getattr(value, "__dict__", {})
        inside = [Reached(label, kind), *(Reached(f"{label}.{name}", one) for name, one in held.items())]
    return Part(label, _short(f"{kind.__module__}:{kind.__qualname__}"), inside)


def _function_part(label: str, function: types.FunctionType) -> Part:  # noqa: ARG001 - a function has its own name
    wrapped = getattr(function, "__wrapped__", None)
    around = [] if wrapped is None else [Reached(_name_of(wrapped), wrapped)]
    home = _home(_module_of(function))
    if home != "project":
        return _HEPTAD if home == "heptad" else _only(around)
    code, name = function.__code__, _code_name(function)
    reaches = [Reached(f"{name}.{one}", value) for one, value in _free(function)]
    reaches += [Reached(f"{name}({one})", value) for one, value in _defaults(function)]
    names = sorted({one for inner in _codes(code) for one in inner.co_names})
    words = _WORD.findall(" ".join(map(_spelled_type, function.__annotations__.values())))
    for one in dict.fromkeys([*names, *sorted(words)]):
        if one in function.__globals__:
            reaches += _resolved(f"{function.__module__}:{one}", function.__globals__[one], names)
    for module in _imported(code, function.__globals__):
        reaches += _resolved(module.__name__, module, names)
    return Part(name, _short(repr(_spelled_code(code))), reaches + around)


def _class_part(label: str, kind: type) -> Part:  # noqa: ARG001 - a class has its own name
    """A class: the digest of its bases and fields; its methods, data and bases are parts of their own."""
    home = _home(_module_of(kind))
    if home != "project":
        return _HEPTAD if home == "heptad" else _only([])
    name, members, defaults = _name_of(kind), vars(kind), getattr(kind, "__struct_defaults__", ())
    fields = {one: _spelled_type(value) for one, value in members.get("__annotations__", {}).items()}
    reaches = [Reached(_name_of(base), base) for base in kind.__bases__]
    if issubclass(kind, enum.Enum):
        fields |= {one: repr(member.value) for one, member in kind.__members__.items()}
    else:
        reaches += [Reached(f"{name}.{one}", value) for one, value in members.items() if _is_data(one, value)]
        reaches.append(Reached(f"{name}.__struct_defaults__", defaults))
    reaches += [Reached(f"{name}.{one}", value) for one, value in members.items() if isinstance(value, _CODE)]
    return Part(name, _short(repr(([_name_of(base) for base in kind.__bases__], fields))), reaches)


def _is_data(name: str, value: Any) -> bool:
    slots = types.MemberDescriptorType | types.GetSetDescriptorType
    return not name.startswith("__") and not isinstance(value, (*_CODE, slots))


def _free(function: types.FunctionType) -> Iterator[tuple[str, Any]]:
    for name, cell in zip(function.__code__.co_freevars, function.__closure__ or (), strict=True):
        try:
            yield name, cell.cell_contents
        except ValueError:
            # Not assigned yet: a function that is being defined refers to itself.
            continue


def _defaults(function: types.FunctionType) -> Iterator[tuple[str, Any]]:
    code = function.__code__
    values = function.__defaults__ or ()
    positional = code.co_varnames[: code.co_argcount]
    yield from zip(positional[len(positional) - len(values) :], values, strict=True)
    yield from (function.__kwdefaults__ or {}).items()


def _resolved(label: str, value: Any, names: list[str]) -> Iterator[Reached]:
    """What a global name stands for; of a module of the project, those of its names that the code mentions."""
    if not isinstance(value, types.ModuleType) or _home(value.__name__) == "heptad":
        yield Reached(label, value)
    elif _home(value.__name__) == "project":
        for name in names:
            inner = vars(value).get(name)
            if inner is not None and inner is not value:
                yield from _resolved(f"{value.__name__}:{name}", inner, [one for one in names if one != name])


def _imported(code: types.CodeType, namespace: dict[str, Any]) -> Iterator[types.ModuleType]:
    """Modules of the project (or Heptad's) that the code imports when it runs; they are imported now."""
    for inner in _codes(code):
        if _IMPORT not in inner.co_code[::2]:
            continue
        before: list[Any] = []
        for step in dis.get_instructions(inner):
            if step.opcode == _IMPORT:
                # The two values before it are the level of a relative import and the names wanted.
                level = next((one for one in reversed(before) if isinstance(one, int)), 0)
                module = _module_named("." * level + step.argval, namespace)
                if module is not None:
                    yield module
            elif step.opname.startswith("LOAD_"):
                before = [*before[-1:], step.argval]


def _module_named(name: str, namespace: dict[str, Any]) -> types.ModuleType | None:
    try:
        full = importlib.util.resolve_name(name, namespace.get("__package__") or "")
        top = full.partition(".")[0]
        spec = None if top in sys.stdlib_module_names else importlib.util.find_spec(top)
        if spec is None or (top != "heptad" and spec.origin and _is_installed(Path(spec.origin))):
            return None
        return importlib.import_module(full)
    except ImportError:
        # It will fail when the function runs, if it comes to that line.
        return None


def _codes(code: types.CodeType) -> Iterator[types.CodeType]:
    """The code and all code inside it: inner functions, lambdas, comprehensions."""
    yield code
    for constant in code.co_consts:
        if isinstance(constant, types.CodeType):
            yield from _codes(constant)


def _spelled_code(code: types.CodeType) -> tuple[Any, ...]:
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
        return _spelled_code(constant)
    if isinstance(constant, tuple):
        return tuple(_spelled(one) for one in constant)  # pyright: ignore[reportUnknownVariableType] - any constant
    if isinstance(constant, frozenset):
        return "frozenset", sorted(repr(_spelled(one)) for one in constant)  # pyright: ignore[reportUnknownVariableType] - any constant
    return type(constant).__name__, repr(constant)


def _spelled_type(annotation: Any) -> str:
    """An annotation as text; the name of a class that annotates is looked up like any other name."""
    if isinstance(annotation, str):
        return annotation
    inner = typing.get_args(annotation)
    spelled = annotation.__name__ if isinstance(annotation, type) and not inner else repr(annotation)
    return " ".join([spelled, *map(_spelled_type, inner)])


def _code_name(function: types.FunctionType) -> str:
    """The name in the code: a decorator gives its own function the name of the one inside."""
    return f"{_module_of(function)}:{function.__code__.co_qualname}"


def _names_of(function: Any) -> set[str]:
    """The names under which the defaults of a function, method or partial are found."""
    inner = getattr(function, "__func__", None) or getattr(function, "func", None)
    own = {_code_name(function)} if isinstance(function, types.FunctionType) else set[str]()
    return own | {_name_of(function)} | (set[str]() if inner is None else _names_of(inner))


def _name_of(value: Any) -> str:
    return f"{_module_of(value)}:{getattr(value, '__qualname__', type(value).__qualname__)}"


def _module_of(value: Any) -> str:
    return getattr(value, "__module__", None) or "__main__"


@functools.cache
def _home(module: str) -> Home:
    """Whose code a module is: the user's project, Heptad's, or of an installed package or Python itself."""
    top = module.partition(".")[0]
    if top == "heptad":
        return "heptad"
    if top in sys.stdlib_module_names:
        return "outside"
    loaded = sys.modules.get(module) or sys.modules.get(top)
    file = getattr(loaded, "__file__", None)
    # A session, a notebook or a string that was executed has no file, and is the user's.
    return "outside" if file is not None and _is_installed(Path(file)) else "project"


def _is_installed(file: Path) -> bool:
    return not _INSTALLED.isdisjoint(file.parts) or any(file.is_relative_to(folder) for folder in _STANDARD)


_HEPTAD = Part("heptad", heptad.__version__, [])
_SIMPLE = (type(None), bool, int, float, str, bytes)
_CODE = (types.FunctionType, type, staticmethod, classmethod, property, functools.cached_property)
_READERS: list[tuple[Any, Callable[[str, Any], Part]]] = [
    (types.FunctionType, _function_part),
    (type, _class_part),
    (types.MethodType, _method_part),
    (functools.partial, _partial_part),
    (property, _property_part),
    ((staticmethod, classmethod, functools.cached_property), _wrapper_part),
    (types.ModuleType, _module_part),
]
"""How each kind of thing that code can refer to is read; anything else is data."""

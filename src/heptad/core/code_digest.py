"""What a function computes, as digests: its bytecode, and that of everything of the project it reaches.

Idea: a function's bytecode says what it does but for the names it looks up; so names are looked up too, in its
globals, its closure and the modules it uses, and what they stand for is read in turn. Functions and classes of
the project are read, at any distance; data counts by its content, objects by what they hold or would be pickled as;
Heptad's own code counts by its version, the standard library and installed packages by the names that are used of
them. Comments, blank lines, docstrings and the place of a function in its file do not count. Not seen: what is reached
only through a value at run time (`getattr` by a computed name, a method of an object that arrives as an argument of a
type that no annotation names), and what an object does not tell of itself (a lock, a connection).
"""

import copyreg
import dis
import enum
import functools
import importlib
import importlib.util
import pickle
import re
import sys
import sysconfig
import types
from collections.abc import Collection, Iterable, Iterator, Mapping
from io import BytesIO
from pathlib import Path
from typing import Any, Literal, NamedTuple, TypeAlias

import heptad
from heptad.core.code_spelling import codes, spelled_code, spelled_type
from heptad.core.errors import InputError
from heptad.core.flow_values import pack, struct_types
from heptad.core.records import digest_of

Home: TypeAlias = Literal["project", "heptad", "outside"]

DIGITS = 16
"""Hexadecimal digits of a part's digest: enough to tell versions of one function apart."""
_IMPORT = dis.opmap["IMPORT_NAME"]
_STANDARD = tuple(Path(sysconfig.get_path(name)) for name in ("stdlib", "platstdlib"))
_INSTALLED = {"site-packages", "dist-packages"}
_WORD = re.compile(r"[A-Za-z_]\w*")


class Reached(NamedTuple):
    """A value that code refers to, and what to call it where it has no name of its own."""

    label: str
    value: Any


class Part(NamedTuple):
    """One function, class or piece of data: its name, what it is by itself as a digest, and what it refers to."""

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
        found: dict[str, list[str]] = {}
        followed: set[int] = set()
        waiting = [Reached(_name_of(function), function)]
        while waiting:
            label, value = waiting.pop()
            part = self._part(label, value)
            if part.digest:
                found.setdefault(part.name, []).append(part.digest)
            if id(value) not in followed:
                followed.add(id(value))
                waiting += part.reaches
        for parameter in without:
            for name in _names_of(function):
                found.pop(f"{name}({parameter})", None)
        return {name: _joined(digests) for name, digests in sorted(found.items())}

    def _part(self, label: str, value: Any) -> Part:
        key = id(value) if isinstance(value, types.FunctionType | type) else (label, id(value))
        if key not in self._read:
            # The value is kept with its part, so that its id stays its own.
            self._read[key] = value, _with_ends(_part_of(label, value))
        return self._read[key][1]


def _joined(digests: list[str]) -> str:
    """Of one name; closures of one function share theirs, and then it matters which was met first."""
    return digests[0] if len(set(digests)) == 1 else _short("".join(digests))


def _short(text: str) -> str:
    return digest_of(text.encode("utf-8", "surrogatepass"))[:DIGITS]


def _part_of(label: str, value: Any) -> Part:
    match value:
        case types.FunctionType():
            return _function_part(label, value)
        case type():
            return _class_part(label, value)
        case types.ModuleType():
            return _HEPTAD if _home(value.__name__) == "heptad" else _only(label, [])
        case _:
            inside = _inside(label, value)
            return _data_part(label, value) if inside is None else _only(label, inside)


def _only(label: str, reaches: list[Reached]) -> Part:
    """A part that is nothing but what it refers to."""
    return Part(label, "", reaches)


def _inside(label: str, value: Any) -> list[Reached] | None:
    """What a function in another shape is made of; `None` for anything else."""
    inside: list[Reached] | None = None
    match value:
        case types.MethodType():
            inside = [Reached(label, value.__func__), Reached(f"{label}.self", value.__self__)]
        case functools.partial() | functools.partialmethod():
            bound = [*enumerate(value.args), *value.keywords.items()]
            inside = [Reached(label, value.func), *(Reached(f"{label}({name})", one) for name, one in bound)]
        case property():
            inside = [Reached(label, one) for one in (value.fget, value.fset, value.fdel) if one]
        case staticmethod() | classmethod():
            inside = [Reached(label, value.__func__)]  # pyright: ignore[reportUnknownMemberType] - of any type
        case functools.cached_property():
            inside = [Reached(label, value.func)]
        case functools.singledispatchmethod():
            inside = [Reached(label, value.dispatcher)]  # pyright: ignore[reportUnknownMemberType] - of any type
        case _ if hasattr(value, "__wrapped__") and _home(_module_of(type(value))) != "project":
            # For example with a cache around it.
            inside = [Reached(label, value.__wrapped__)]
        case _:
            pass
    return inside


def _with_ends(part: Part) -> Part:
    """What its names stand for belongs to a part: two functions that change places are another computation."""
    ends = [(label, called) for label, value in part.reaches if (called := _called(value))]
    return part._replace(digest=_short(repr((part.digest, ends)))) if ends else part


def _called(value: Any) -> str:
    """What a function, class or module calls itself; nothing for other values."""
    name = getattr(value, "__qualname__", None) or getattr(value, "__name__", None)
    return f"{_module_of(value)}:{name}" if isinstance(name, str) else ""


def _data_part(label: str, value: Any) -> Part:
    """Data by its content; else the type, and what is in a container or an object."""
    kind = _kind_of(value)
    try:
        packed = pack(value)
    except InputError:
        home = _home(kind.__module__)
    else:
        return Part(label, packed.digest[:DIGITS], [Reached(_name_of(one), one) for one in struct_types(packed)])
    if home == "heptad":
        return _HEPTAD
    inside = list(_entries(label, value))
    if home == "project":
        inside += [Reached(label, kind), *_attributes(label, value)]
    elif not issubclass(kind, _CONTAINERS):
        inside += _reduced(label, value)
    return Part(label, _short(f"{kind.__module__}:{kind.__qualname__}"), inside)


def _entries(label: str, value: Any) -> Iterator[Reached]:
    """What a container holds, in an order that is the same in every process."""
    kind = _kind_of(value)
    if issubclass(kind, Mapping):
        for place, (key, one) in enumerate(value.items()):
            name = repr(key) if type(key) in {str, int, float} else _called(key) or place
            yield Reached(f"{label}[{name}]", one)
    elif issubclass(kind, list | tuple):
        yield from (Reached(f"{label}[{place}]", one) for place, one in enumerate(value))
    elif issubclass(kind, set | frozenset):
        members: list[Any] = sorted(value, key=lambda one: _called(one) or repr(one))
        yield from (Reached(f"{label}[]", one) for one in members)


def _attributes(label: str, value: Any) -> Iterator[Reached]:
    """What an object of the project holds, also in its slots."""
    for held in filter(None, _as_tuple(object.__getstate__(value))):
        yield from (Reached(f"{label}.{name}", one) for name, one in held.items())


class _Probe(pickle.Pickler):
    """Finds out whether an object is data, but for the code in it: what belongs to a running program is not."""

    def persistent_id(self, obj: Any) -> str | None:
        return "code" if isinstance(obj, _CODE) else None


def _reduced(label: str, value: Any) -> Iterator[Reached]:
    """What an object of Python's or of an installed package would be pickled as; nothing where it cannot be."""
    kind = _kind_of(value)
    if issubclass(kind, Iterator):
        # How far it was read is no constant.
        return
    try:
        _Probe(BytesIO()).dump(value)
        reduce = copyreg.dispatch_table.get(kind)
        reduced: Any = reduce(value) if reduce else value.__reduce_ex__(4)
    except Exception:  # noqa: BLE001 - it is foreign code, and says in any way that it does not tell
        return
    for one in _as_tuple(reduced):
        yield Reached(label, list(one) if issubclass(_kind_of(one), Iterator) else one)


def _kind_of(value: Any) -> type[Any]:
    return type(value)  # pyright: ignore[reportUnknownVariableType] - any value at all


def _as_tuple(value: Any) -> tuple[Any, ...]:
    return value if type(value) is tuple else (value,)  # pyright: ignore[reportUnknownVariableType] - of anything


def _function_part(label: str, function: types.FunctionType) -> Part:
    """A function of the project: its code, and what its names stand for. Of any other, what it was put around."""
    # A function of `functools.singledispatch` has one for each type.
    reaches = list(_entries(label, getattr(function, "registry", None)))
    if (wrapped := getattr(function, "__wrapped__", None)) is not None:
        reaches.append(Reached(_name_of(wrapped), wrapped))
    home = _home(_module_of(function))
    if home == "heptad":
        return _HEPTAD
    code, name = function.__code__, _code_name(function)
    held = [Reached(f"{name}.{one}", value) for one, value in _free(function)]
    if home == "outside":
        return _only(label, [*reaches, *(one for one in held if isinstance(one.value, _CODE))])
    reaches += held
    reaches += [Reached(f"{name}({one})", value) for one, value in _defaults(function)]
    names = sorted({one for inner in codes(code) for one in inner.co_names})
    for one in dict.fromkeys([*names, *_words(function.__annotations__.values())]):
        if one in function.__globals__:
            reaches += _resolved(f"{function.__module__}:{one}", function.__globals__[one], names)
    for module in _imported(code, function.__globals__):
        reaches += _resolved(module.__name__, module, names)
    return Part(name, _short(repr(spelled_code(code))), reaches)


def _class_part(label: str, kind: type) -> Part:
    """A class: the digest of its bases and fields; its methods, data and bases are parts of their own."""
    home = _home(_module_of(kind))
    # What is compiled belongs to a package, also where its module has no file, as Cython's functions have none.
    if home != "project" or isinstance(vars(kind).get("__annotations__"), types.GetSetDescriptorType):
        return _HEPTAD if home == "heptad" else _only(label, [])
    name, members, defaults = _name_of(kind), vars(kind), getattr(kind, "__struct_defaults__", ())
    fields = {one: spelled_type(value) for one, value in members.get("__annotations__", {}).items()}
    reaches = [Reached(_name_of(base), base) for base in (type(kind), *kind.__bases__)]
    namespace = vars(sys.modules.get(kind.__module__, types))
    for word in _words(fields.values()):
        if word in namespace:
            reaches += _resolved(f"{kind.__module__}:{word}", namespace[word], [])
    if issubclass(kind, enum.Enum):
        fields |= {one: repr(member.value) for one, member in kind.__members__.items()}
    else:
        reaches += [Reached(f"{name}.{one}", value) for one, value in members.items() if _is_data(one, value)]
        reaches.append(Reached(f"{name}.__struct_defaults__", defaults))
    reaches += [Reached(f"{name}.{one}", value) for one, value in members.items() if isinstance(value, _CODE)]
    return Part(name, _short(repr(([_name_of(base) for base in kind.__bases__], fields))), reaches)


def _words(annotations: Iterable[Any]) -> list[str]:
    """Names in annotations, which may stand for classes."""
    return sorted(set(_WORD.findall(" ".join(map(spelled_type, annotations)))))


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
    if not isinstance(value, types.ModuleType) or _home(value.__name__) != "project":
        yield Reached(label, value)
    else:
        for name in names:
            inner = vars(value).get(name)
            if inner is not None and inner is not value:
                yield from _resolved(f"{value.__name__}:{name}", inner, [one for one in names if one != name])


def _imported(code: types.CodeType, namespace: dict[str, Any]) -> Iterator[types.ModuleType]:
    """Modules of the project (or Heptad's) that the code imports when it runs; they are imported now."""
    for inner in codes(code):
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
_CONTAINERS = (Mapping, list, tuple, set, frozenset)
_CODE = (types.FunctionType, type, staticmethod, classmethod, property, functools.cached_property)

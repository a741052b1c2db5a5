"""Values that pass between tasks, as plain JSON and artifacts that are read back without executing anything."""

import base64
import importlib
import math
import re
import sys
from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime, timedelta
from io import BytesIO
from operator import attrgetter
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias
from zoneinfo import ZoneInfo

import msgspec

from heptad.core.errors import InputError, IntegrityError
from heptad.core.records import canonical_json, digest_of

if TYPE_CHECKING:
    import numpy as np
    import polars as pl

Tree: TypeAlias = Any
"""Plain JSON. An object with the key `$` stands for what JSON lacks; large parts are named by their digest."""
Blobs: TypeAlias = dict[str, bytes]
Leaves: TypeAlias = dict[str, Any]
Fetch: TypeAlias = Callable[[str], bytes]

INLINE_BYTES = 256
"""Longer `bytes` become an artifact of their own."""
TREE_BYTES = 16_384
"""A tree that is longer as JSON becomes an artifact too, so that the records that carry values stay small."""
_STRUCT = re.compile(rb'"\$":"struct","type":"([^"]+)"')
SHORT = 60
"""So many characters of a value are shown; a longer one is named by its digest."""
STORABLE = (
    "None, booleans, numbers, text, bytes, dates, times, paths, lists, tuples, sets, dicts, msgspec Structs of an "
    "importable module, numpy arrays and scalars, polars DataFrames and Series"
)


class Packed(NamedTuple):
    """A value taken apart: its tree, its digest, and the bytes of its artifacts by their digests."""

    tree: Tree
    digest: str
    """Of the content: equal values have equal digests."""
    blobs: Blobs


class Value:
    """A packed value that is put together anew for each reader, so that none can spoil it for another.

    Arrays come read-only and are shared; frames come as clones, which Polars copies when they are changed.
    `fetch` gets artifacts that are not in memory. `str(value)` is the value in a few characters, for messages.
    """

    def __init__(self, packed: Packed, fetch: Fetch, *, is_stored: bool = False) -> None:
        self.tree = packed.tree
        self.digest = packed.digest
        self.blobs = packed.blobs
        self.is_stored = is_stored
        """Whether its artifacts can be fetched, so that it may be forgotten."""
        self._fetch = fetch
        self._leaves: Leaves = {}

    def read(self) -> Any:
        return _unpack(self.tree, self._leaf_bytes, self._leaves)

    def __str__(self) -> str:
        encoded = canonical_json(self.tree).decode()
        return encoded if len(encoded) <= SHORT and "artifact" not in encoded else self.digest[:16]

    def forget(self) -> None:
        """Drop from memory what can be fetched again; called when its artifacts are stored."""
        self.blobs = {}
        self._leaves = {}

    def _leaf_bytes(self, digest: str) -> bytes:
        data = self.blobs.get(digest)
        return self._fetch(digest) if data is None else data


def pack(value: Any, name: str = "value") -> Packed:
    """Take a value apart; raises `InputError` that says where in it something cannot be stored."""
    blobs: Blobs = {}
    try:
        tree = _pack(value, name, blobs)
        encoded = canonical_json(tree)
    except RecursionError as error:
        raise InputError(f"{name} contains itself, or is nested too deeply to be stored.") from error
    except UnicodeEncodeError as error:
        raise InputError(
            f"{name} holds text that is no Unicode: {error}.", allowed="text without surrogates"
        ) from error
    digest = digest_of(encoded)
    if len(encoded) > TREE_BYTES:
        blobs[digest] = encoded
        tree = {"$": "tree", "artifact": digest}
    return Packed(tree, digest, blobs)


def struct_types(packed: Packed) -> list[Any]:
    """The types of the Structs in a value, each once."""
    encoded = packed.blobs.get(packed.digest) or canonical_json(packed.tree)
    return [_imported(name.decode()) for name in sorted(set(_STRUCT.findall(encoded)))]


def _pack(value: Any, path: str, blobs: Blobs) -> Tree:
    kind: type[Any] = type(value)  # pyright: ignore[reportUnknownVariableType] - any value at all
    if kind in _AS_THEY_ARE or (kind is float and math.isfinite(value)):
        return value
    if kind is list:
        return [_pack(one, f"{path}[{place}]", blobs) for place, one in enumerate(value)]
    if kind in _PLAIN_TAGS:
        tag = _PLAIN_TAGS[kind]
        return {"$": tag, "v": _PLAIN[tag].pack(value)}
    if kind is dict and _is_plain(value):
        return {key: _pack(one, f"{path}[{key!r}]", blobs) for key, one in value.items()}
    packer = _PACKERS.get(kind) or _PACKERS_BY_NAME.get((kind.__module__.split(".")[0], kind.__name__))
    if packer is None and issubclass(kind, msgspec.Struct):
        packer = _pack_struct
    if packer is None and "numpy" in sys.modules and isinstance(value, sys.modules["numpy"].generic):
        packer = _pack_scalar
    if packer is None:
        remedy = "Call collect() on it." if kind.__name__ == "LazyFrame" else "Return the parts that matter, or an id."
        raise InputError(
            f"{path} is a {kind.__module__}.{kind.__qualname__}, which cannot be stored.",
            allowed=STORABLE,
            remedy=remedy,
        )
    return packer(value, path, blobs)


class Plain(NamedTuple):
    """A type whose values are a little JSON, there and back."""

    kind: type
    pack: Callable[[Any], Any]
    unpack: Callable[[Any], Any]


def _is_plain(value: Mapping[Any, Any]) -> bool:
    """Whether a JSON object brings the dict back as it was: text keys, in the order that records keep."""
    keys = list(value)
    return all(type(key) is str for key in keys) and keys == sorted(keys) and "$" not in value


def _pack_dict(value: dict[Any, Any], path: str, blobs: Blobs) -> Tree:
    pairs = [
        [_pack(key, f"a key of {path}", blobs), _pack(one, f"{path}[{key!r}]", blobs)] for key, one in value.items()
    ]
    return {"$": "dict", "v": pairs}


def _pack_tuple(value: tuple[Any, ...], path: str, blobs: Blobs) -> Tree:
    return {"$": "tuple", "v": [_pack(one, f"{path}[{place}]", blobs) for place, one in enumerate(value)]}


def _pack_set(value: set[Any] | frozenset[Any], path: str, blobs: Blobs) -> Tree:
    members = [_pack(one, f"a member of {path}", blobs) for one in value]
    return {"$": type(value).__name__, "v": sorted(members, key=canonical_json)}


def _pack_bytes(value: bytes, path: str, blobs: Blobs) -> Tree:  # noqa: ARG001 - one shape for all packers
    if len(value) <= INLINE_BYTES:
        return {"$": "bytes", "v": base64.b64encode(value).decode("ascii")}
    return {"$": "bytes", "artifact": _stored(value, blobs)}


def _pack_datetime(value: datetime, path: str, blobs: Blobs) -> Tree:  # noqa: ARG001 - one shape for all packers
    node = {"$": "datetime", "v": value.isoformat()}
    if isinstance(value.tzinfo, ZoneInfo):
        node = {"$": "datetime", "v": value.replace(tzinfo=None).isoformat(), "zone": value.tzinfo.key}
    return {**node, "fold": value.fold} if value.fold else node


def _pack_struct(value: msgspec.Struct, path: str, blobs: Blobs) -> Tree:
    kind = type(value)
    name = f"{kind.__module__}:{kind.__qualname__}"
    if _imported(name) is not kind:
        raise InputError(
            f"{path} is a {name}, which cannot be imported by that name.",
            allowed=STORABLE,
            remedy="Define the Struct at the top level of a module.",
        )
    fields = {field: _pack(getattr(value, field), f"{path}.{field}", blobs) for field in kind.__struct_fields__}
    return {"$": "struct", "type": name, "v": fields}


def _pack_array(value: "np.ndarray[Any, Any]", path: str, blobs: Blobs) -> Tree:
    import numpy as np  # noqa: PLC0415 - whoever gives an array has loaded it

    buffer = BytesIO()
    try:
        np.lib.format.write_array(buffer, value, allow_pickle=False)
    except ValueError as error:
        raise InputError(f"{path} is an array of Python objects.", allowed="arrays of numbers or text") from error
    return {"$": "array", "artifact": _stored(buffer.getvalue(), blobs)}


def _pack_scalar(value: "np.generic", path: str, blobs: Blobs) -> Tree:  # noqa: ARG001 - one shape for all packers
    return {"$": "scalar", "dtype": value.dtype.str, "v": base64.b64encode(value.tobytes()).decode("ascii")}


def _pack_frame(value: "pl.DataFrame", path: str, blobs: Blobs) -> Tree:
    return {"$": "frame", "artifact": _stored(_ipc(value, path), blobs)}


def _pack_series(value: "pl.Series", path: str, blobs: Blobs) -> Tree:
    return {"$": "series", "artifact": _stored(_ipc(value.to_frame(), path), blobs)}


def _ipc(frame: "pl.DataFrame", path: str) -> bytes:
    """Arrow IPC, in the layout that depends on the values alone and not on how the frame came about."""
    import polars as pl  # noqa: PLC0415 - whoever gives a frame has loaded it

    objects = [name for name, kind in frame.schema.items() if kind == pl.Object]
    if objects:
        raise InputError(f"{path} holds Python objects in the column {objects[0]!r}.", allowed="columns of data")
    buffer = BytesIO()
    frame.rechunk().write_ipc(buffer, compression="lz4", compat_level=pl.CompatLevel.oldest())
    return buffer.getvalue()


def _stored(data: bytes, blobs: Blobs) -> str:
    digest = digest_of(data)
    blobs[digest] = data
    return digest


def _unpack(node: Tree, fetch: Fetch, leaves: Leaves) -> Any:
    if isinstance(node, list):
        return [_unpack(one, fetch, leaves) for one in node]  # pyright: ignore[reportUnknownVariableType] - JSON
    if not isinstance(node, dict):
        return node
    tree: dict[str, Any] = node  # pyright: ignore[reportUnknownVariableType] - JSON
    if "$" not in tree:
        return {key: _unpack(one, fetch, leaves) for key, one in tree.items()}
    return _unpack_tagged(tree, fetch, leaves)


def _unpack_tagged(tree: dict[str, Any], fetch: Fetch, leaves: Leaves) -> Any:
    tag = tree["$"]
    if tag == "tree":
        return _unpack(msgspec.json.decode(fetch(tree["artifact"])), fetch, leaves)
    if "artifact" in tree:
        digest = tree["artifact"]
        if digest not in leaves:
            leaves[digest] = _LEAVES[tag](fetch(digest))
        return leaves[digest].clone() if tag in _CLONED else leaves[digest]
    if tag in _PLAIN:
        return _PLAIN[tag].unpack(tree["v"])
    if tag in _COMPOUND:
        return _COMPOUND[tag]([_unpack(one, fetch, leaves) for one in tree["v"]])
    if tag == "struct":
        fields = {name: _unpack(one, fetch, leaves) for name, one in tree["v"].items()}
        return _struct_type(tree["type"])(**fields)
    return _SIMPLE[tag](tree)


def _struct_type(name: str) -> Callable[..., msgspec.Struct]:
    found = _imported(name)
    if not (isinstance(found, type) and issubclass(found, msgspec.Struct)):
        raise IntegrityError(
            f"A stored value is a {name}, which is no msgspec Struct of this program.",
            remedy="Install the code that made it, or run the task again.",
        )
    return found


def _imported(name: str) -> Any:
    """What `module:Qualified.Name` stands for, or `None`."""
    module, _, path = name.partition(":")
    try:
        found: Any = sys.modules.get(module) or importlib.import_module(module)
    except ImportError:
        return None
    for part in path.split("."):
        found = getattr(found, part, None)
    return found


def _array(data: bytes) -> "np.ndarray[Any, Any]":
    """The array over the very bytes of its artifact: nothing is copied, and it is read-only."""
    import numpy as np  # noqa: PLC0415 - heavy, and needed only where an array is read

    stream = BytesIO(data)
    version = np.lib.format.read_magic(stream)
    read_header = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
    shape, is_fortran, dtype = read_header(stream)
    return np.ndarray(shape, dtype, data, stream.tell(), order="F" if is_fortran else "C")


def _scalar(node: Mapping[str, Any]) -> "np.generic":
    import numpy as np  # noqa: PLC0415 - heavy, and needed only where a scalar is read

    scalar: np.generic = np.frombuffer(base64.b64decode(node["v"]), node["dtype"])[0]
    return scalar


def _frame(data: bytes) -> "pl.DataFrame":
    import polars as pl  # noqa: PLC0415 - heavy, and needed only where a frame is read

    return pl.read_ipc(BytesIO(data))


def _timedelta(parts: Sequence[int]) -> timedelta:
    return timedelta(*parts)


def _zoned(node: Mapping[str, Any]) -> datetime:
    moment = datetime.fromisoformat(node["v"]).replace(fold=node.get("fold", 0))
    return moment.replace(tzinfo=ZoneInfo(node["zone"])) if "zone" in node else moment


_AS_THEY_ARE: frozenset[type] = frozenset({type(None), bool, int, str})
_PLAIN: dict[str, Plain] = {
    "float": Plain(float, repr, float),
    "date": Plain(date, date.isoformat, date.fromisoformat),
    "timedelta": Plain(timedelta, attrgetter("days", "seconds", "microseconds"), _timedelta),
    "path": Plain(type(Path()), str, Path),
}
_PLAIN_TAGS = {plain.kind: tag for tag, plain in _PLAIN.items()}
_PACKERS: dict[type, Callable[[Any, str, Blobs], Tree]] = {
    dict: _pack_dict,
    tuple: _pack_tuple,
    set: _pack_set,
    frozenset: _pack_set,
    bytes: _pack_bytes,
    datetime: _pack_datetime,
}
_PACKERS_BY_NAME: dict[tuple[str, str], Callable[[Any, str, Blobs], Tree]] = {
    ("numpy", "ndarray"): _pack_array,
    ("polars", "DataFrame"): _pack_frame,
    ("polars", "Series"): _pack_series,
}
_SIMPLE: dict[str, Callable[[Mapping[str, Any]], Any]] = {
    "bytes": lambda node: base64.b64decode(node["v"]),
    "datetime": _zoned,
    "scalar": _scalar,
}
_COMPOUND: dict[str, Callable[[list[Any]], Any]] = {"tuple": tuple, "set": set, "frozenset": frozenset, "dict": dict}
_LEAVES: dict[str, Callable[[bytes], Any]] = {
    "bytes": bytes,
    "array": _array,
    "frame": _frame,
    "series": lambda data: _frame(data).to_series(),
}
_CLONED = frozenset({"frame", "series"})

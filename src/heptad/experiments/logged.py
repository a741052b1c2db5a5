"""What can be logged beside numbers, as attributes and as bytes: parameters, figures, tables, images, paths."""

import io
import json
import math
import struct
import zlib
from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any, Final

import msgspec

from heptad.core.errors import InputError
from heptad.core.records import Id, Scalar
from heptad.core.sql_values import name as stored_name
from heptad.core.store import at_seconds
from heptad.experiments.files import checked_name
from heptad.experiments.records import Run, Special

if TYPE_CHECKING:
    import numpy as np

FIGURES = {
    "matplotlib": ("png", "svg", "pdf"),
    "altair": ("json", "html", "png", "svg"),
    "plotly": ("json", "html"),
}
"""Library to the formats its figures are kept in; the first where the path names none."""


_SPECIAL: Final[dict[str, Special]] = {"nan": "nan", "inf": "inf", "-inf": "-inf"}
_LARGEST: Final = 2**63 - 1
"""Whole numbers beyond stand as text in the body of a run: JSON's readers have 64 bits."""


def flat(prefix: str, values: Mapping[str, Any]) -> dict[str, Scalar]:
    """Nested values as attributes: names joined by dots, lists as JSON, missing values left out.

    >>> flat("params", {"model": {"depth": 3}, "sizes": [8, 4], "note": None})
    {'params.model.depth': 3, 'params.sizes': '[8, 4]'}
    """
    attributes: dict[str, Scalar] = {}
    for name, value in values.items():
        key, one = f"{prefix}.{name}", _plain(value)
        if isinstance(one, Mapping):
            attributes |= flat(key, one)
        elif isinstance(one, list):
            attributes[key] = json.dumps(_finite(one))
        elif one is not None:
            attributes[key] = one
    return attributes


def with_params(body: Run, params: Mapping[str, Any]) -> Run:
    """The run with these parameters, of any type, as JSON can hold them."""
    special = {
        key.removeprefix("params."): _SPECIAL[str(value)]
        for key, value in flat("params", params).items()
        if isinstance(value, float) and not math.isfinite(value)
    }
    return msgspec.structs.replace(body, params=_finite(_plain(params)), special=special)


def params_of(body: Run) -> dict[str, Scalar]:
    """The parameters that a run began with, as attributes: what `with_params` was given."""
    return flat("params", body.params) | {f"params.{name}": float(value) for name, value in body.special.items()}


def _plain(value: Any) -> Any:
    """A value as numbers, text, truth values, lists and mappings of these; anything else as its text."""
    if type(value).__module__ == "numpy":  # asked like this, a server that takes messages need not load it
        value = value.tolist()
    if isinstance(value, Mapping):
        return {str(name): _plain(one) for name, one in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(one) for one in value]
    if isinstance(value, set | frozenset):
        return sorted((_plain(one) for one in value), key=repr)
    return value if value is None or isinstance(value, str | int | float) else str(value)


def _finite(value: Any) -> Any:
    """The same without the numbers that JSON has not: as text in a list, and left out of a mapping."""
    match value:
        case dict():
            return {name: _finite(one) for name, one in value.items() if not _is_special(one)}
        case list():
            return [str(one) if _is_special(one) else _finite(one) for one in value]
        case int():
            return value if -_LARGEST <= value <= _LARGEST else str(value)
        case _:
            return value


def _is_special(value: Any) -> bool:
    return isinstance(value, float) and not math.isfinite(value)


def attributes_of(body: Run, at: datetime) -> dict[str, Scalar]:
    """What stands beside a run when it begins."""
    begun: dict[str, Scalar] = {"status": "running", "name": body.name, "started": at_seconds(at)}
    return begun | ({"study": body.study} if body.study else {}) | params_of(body)


def links_of(body: Run, parent: Id, made_from: Sequence[tuple[str, Id]]) -> list[tuple[str, Id]]:
    """What a run is linked to when it begins."""
    own = [("study", body.study), ("parent", parent)]
    return [*made_from, *((role, target) for role, target in own if target)]


def number(name: str, value: Any) -> float:
    """The value of a metric; raises `InputError` for what is no number."""
    try:
        return float(value)
    except (TypeError, ValueError, OverflowError):
        raise InputError(f"The metric {name} is {value!r}.", allowed="a number; text belongs in a tag") from None


def artifact_key(path: str) -> str:
    """`path`, which must be a relative one inside the run; raises `InputError`."""
    if any(part != part.strip() for part in checked_name(path).split("/")):
        raise InputError(f"{path!r} is no path of a file of a run.", allowed="names without blanks around them")
    stored_name(f"artifacts.{path}", "path of a file")
    return path


def figure_bytes(path: str, figure: Any) -> tuple[str, bytes]:
    """The figure in the format that `path` names, and the path with that ending."""
    library = next(
        (root for kind in type(figure).__mro__ if (root := kind.__module__.split(".", 1)[0]) in FIGURES), None
    )
    if library is None:
        raise InputError(
            f"A {type(figure).__module__}.{type(figure).__qualname__} is no figure that can be kept.",
            allowed=f"a figure of {', '.join(FIGURES)}",
            remedy="draw it to bytes yourself and attach those",
        )
    path, form = with_ending(path, FIGURES[library], "figure")
    if library == "plotly":
        return path, (figure.to_json() if form == "json" else figure.to_html()).encode()
    if library == "altair" and form == "json":
        return path, str(figure.to_json()).encode()
    stream: Any = io.StringIO() if library == "altair" and form != "png" else io.BytesIO()
    if library == "altair":
        figure.save(stream, format=form)
    else:
        getattr(figure, "figure", figure).savefig(stream, format=form, bbox_inches="tight")
    drawn = stream.getvalue()
    return path, drawn.encode() if isinstance(drawn, str) else drawn


def image_bytes(path: str, image: Any) -> tuple[str, bytes]:
    """The image as PNG, and the path with that ending."""
    import numpy as np  # noqa: PLC0415 - only who logs images needs it

    path, _ = with_ending(path, ("png",), "image")
    if any(kind.__module__.startswith("PIL.") for kind in type(image).__mro__):
        return path, _pillow_png(image)
    pixels = np.asarray(image)
    if pixels.ndim == 2:
        pixels = pixels[:, :, np.newaxis]
    if pixels.ndim != 3 or pixels.shape[2] not in {1, 3, 4} or not pixels.size:
        raise InputError(
            f"An array of shape {np.shape(image)} is no image.", allowed="(height, width) or (height, width, 1, 3 or 4)"
        )
    if pixels.dtype.kind == "f":
        if not (np.isfinite(pixels).all() and pixels.min() >= 0 and pixels.max() <= 1):
            raise InputError("The image holds numbers outside of 0 to 1.", remedy="scale it, or give bytes (uint8)")
        pixels = np.rint(pixels * 255)
    elif pixels.dtype.kind not in "bui" or pixels.min() < 0 or pixels.max() > 255:
        raise InputError("The image holds numbers outside of 0 to 255.", remedy="scale it, or give bytes (uint8)")
    return path, _png(np.ascontiguousarray(pixels, dtype=np.uint8))


def _pillow_png(image: Any) -> bytes:
    """An image of Pillow; PNG has no colours of print or of the eye, and these are turned into those of a screen."""
    if image.mode in {"I", "F"}:
        raise InputError(
            f"An image of mode {image.mode} is not kept as PNG.",
            remedy="scale it to 0 to 255 and convert it to L, or log the array",
        )
    if image.mode in {"CMYK", "LAB", "HSV", "YCbCr"}:
        image = image.convert("RGB")
    stream = io.BytesIO()
    image.save(stream, format="PNG")
    return stream.getvalue()


def _png(pixels: "np.ndarray[Any, np.dtype[np.uint8]]") -> bytes:
    """PNG, 8 bits a channel, without filters (ISO/IEC 15948)."""
    import numpy as np  # noqa: PLC0415 - as above

    height, width, channels = pixels.shape
    kind = {1: 0, 3: 2, 4: 6}[channels]
    rows = np.hstack([np.zeros((height, 1), np.uint8), pixels.reshape(height, width * channels)])

    def chunk(name: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))

    head = struct.pack(">IIBBBBB", width, height, 8, kind, 0, 0, 0)
    body = zlib.compress(rows.tobytes(), 6)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", body) + chunk(b"IEND", b"")


def with_ending(path: str, forms: tuple[str, ...], what: str) -> tuple[str, str]:
    form = PurePosixPath(path).suffix.removeprefix(".").lower()
    if form in forms:
        return path, form
    if form and len(form) <= 5 and form.isalpha():
        raise InputError(f"A {what} is not kept as {form}.", allowed=", ".join(forms))
    return f"{path}.{forms[0]}", forms[0]

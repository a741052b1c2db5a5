"""What can be logged beside numbers, as bytes: figures, images; and how values and paths are checked."""

import io
import operator
import struct
import zlib
from collections.abc import Iterable
from pathlib import PurePosixPath
from typing import Any

import numpy as np

from heptad.core.errors import InputError
from heptad.core.sql_values import name as stored_name
from heptad.experiments.files import checked_name

FIGURES = {
    "matplotlib": ("png", "svg", "pdf"),
    "altair": ("json", "html", "png", "svg"),
    "plotly": ("json", "html"),
}
"""Library to the formats its figures are kept in; the first where the path names none."""
_FIRST_STEP, _LAST_STEP = -(2**63), 2**63 - 1


def number(name: str, value: Any) -> float:
    """The value of a metric; raises `InputError` for what is no number."""
    try:
        return float(value)
    except (TypeError, ValueError, OverflowError):
        raise InputError(f"The metric {name} is {value!r}.", allowed="a number; text belongs in a tag") from None


def whole_step(step: Any) -> int:
    """The step of a point; raises `InputError` for what is no whole number of 64 bits."""
    try:
        whole = operator.index(step)
    except TypeError:
        raise InputError(f"The step is {step!r}.", allowed="a whole number") from None
    if not _FIRST_STEP <= whole <= _LAST_STEP:
        raise InputError(f"The step {whole} is too large.", allowed=f"{_FIRST_STEP} to {_LAST_STEP}")
    return whole


class FileNames:
    """The files that a process has given a run: none of them may be the folder of another."""

    def __init__(self) -> None:
        self._files: set[str] = set()
        self._folders: set[str] = set()

    def add(self, names: Iterable[str]) -> None:
        """Take these too; raises `InputError` for the first that cannot be, and takes none then."""
        files = set(names)
        folders = {folder for name in files for folder in _folders_of(name)}
        for name in sorted(files):
            if name in folders or name in self._folders:
                raise InputError(
                    f"{name!r} is a folder of this run, so it cannot be a file.", remedy="use another name"
                )
            if file := next((one for one in _folders_of(name) if one in self._files), None):
                raise InputError(
                    f"{file!r} is a file, so it cannot be the folder of {name!r}.", remedy="use another name"
                )
        self._files |= files
        self._folders |= folders


def _folders_of(name: str) -> list[str]:
    return [str(one) for one in PurePosixPath(name).parents][:-1]


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

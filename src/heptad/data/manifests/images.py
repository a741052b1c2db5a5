"""Images: how large they are, whether they can be decoded to their end, and what they look like in 64 bits."""

import warnings
from pathlib import Path
from typing import Any

import msgspec

from heptad.core.errors import WorkspaceError


class Image(msgspec.Struct, frozen=True, kw_only=True):
    """What is told of an image. `hash` as 64 bits with a sign, as columns hold them."""

    media: str = ""
    width: int | None = None
    height: int | None = None
    hash: int | None = None
    problem: str | None = None


def look_at(path: Path, most_pixels: int) -> Image:
    """The image in a file; what claims more pixels is not decoded, since few bytes can claim any number."""
    library: Any = _library(path)
    seen = Image()
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # its own limit is told as a warning; ours is the one that holds
            with library.open(path) as image:
                width, height = image.size
                seen = Image(media=library.MIME.get(image.format, ""), width=width, height=height)
                if width * height > most_pixels:
                    problem = f"it claims {width:,} by {height:,} pixels, more than {most_pixels / 1e6:g} million"
                    return msgspec.structs.replace(seen, problem=problem)
                if image.format == "JPEG":
                    image.draft("L", (64, 64))
                return msgspec.structs.replace(seen, hash=difference_hash(image))
    except library.DecompressionBombError:
        most = 2 * library.MAX_IMAGE_PIXELS  # the library's own, before it tells how many there are
        return msgspec.structs.replace(seen, problem=f"it claims more than {most / 1e6:.0f} million pixels")
    except library.UnidentifiedImageError:
        # Its message holds the path, and equal files have to have equal rows wherever they lie.
        return msgspec.structs.replace(seen, problem="its content is that of no image that can be read")
    except (OSError, SyntaxError, ValueError, EOFError, IndexError, TypeError, OverflowError, ArithmeticError) as error:
        # Decoders raise whatever broken bytes lead them to.
        return msgspec.structs.replace(seen, problem=" ".join(f"{error or type(error).__name__}".split())[:200])


def difference_hash(image: Any) -> int:
    """Whether each pixel of a 9 by 8 miniature in grey is darker than its right neighbour, as 64 bits with a sign.

    Alike for other sizes, qualities and formats of an image, and for small changes of brightness; not for parts of it,
    or its mirror image.

    Source: Krawetz (2013), "Kind of Like That", the hash called dHash.
    """
    small = image.convert("L").resize((9, 8), resample=_BOX)
    grey = small.tobytes()
    bits = 0
    for row in range(8):
        for column in range(8):
            bits = bits << 1 | (grey[9 * row + column] < grey[9 * row + column + 1])
    return bits - (1 << 64) if bits >> 63 else bits


_BOX = 4
"""Pillow's number for the mean over the pixels that fall into one."""


def _library(path: Path) -> Any:
    try:
        from PIL import Image as library  # noqa: N813, PLC0415 - an extra, which only images need
    except ModuleNotFoundError as error:
        raise WorkspaceError(
            f"{path.name} is an image, which needs the package 'pillow'.", remedy="pip install 'heptad[images]'"
        ) from error
    return library

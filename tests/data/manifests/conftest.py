"""Files as cameras, recorders and people leave them."""

import io
import wave
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from heptad.data import ManifestSettings, Place, Source, SourceSettings, open_source


def picture(seed: int, width: int = 120, height: int = 90) -> Image.Image:
    """Soft patches of colour, as photos have them; another seed is another photo."""
    coarse = np.random.default_rng(seed).integers(0, 256, (6, 8, 3), dtype=np.uint8)
    return Image.fromarray(coarse).resize((width, height), Image.Resampling.BICUBIC)


def encoded(image: Image.Image, kind: str = "PNG", **how: Any) -> bytes:
    out = io.BytesIO()
    image.save(out, kind, **how)
    return out.getvalue()


def sound(seconds: float, rate: int = 8000) -> bytes:
    out = io.BytesIO()
    with wave.open(out, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(rate)
        file.writeframes(b"\1\2" * int(seconds * rate))
    return out.getvalue()


@pytest.fixture
def put(tmp_path: Path) -> Callable[[str, bytes | str], Path]:
    """Writes a file below the folder `files`."""

    def written(name: str, content: bytes | str) -> Path:
        path = tmp_path / "files" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return path

    return written


@pytest.fixture
def manifest(tmp_path: Path) -> Callable[..., Source]:
    def opened(**settings: Any) -> Source:
        made = SourceSettings(uri="files", format="manifest", manifest=ManifestSettings(**settings))
        return open_source(made, Place(root=tmp_path, cache=tmp_path / "cache"))

    return opened

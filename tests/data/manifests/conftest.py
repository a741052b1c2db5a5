"""Files as cameras, recorders and people leave them."""

import io
import wave
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
from PIL import Image

from heptad.data import ManifestSettings, Place, Source, SourceSettings, open_source
from heptad.data.manifests.fingerprints import Samples

RATE = 16_000


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


def tune(seed: int, seconds: float) -> Samples:
    """Notes of one scale in one rhythm, as all tunes here have them: only the order of the notes tells one."""
    random = np.random.default_rng(seed)
    times = np.arange(RATE // 4) / RATE
    notes = 220 * 2 ** (random.choice([0, 2, 4, 5, 7, 9, 11, 12, 14], int(seconds * 4)) / 12)
    parts = [sum(np.sin(2 * np.pi * note * k * times) / k for k in range(1, 6)) * np.exp(-times * 6) for note in notes]
    return loud(np.concatenate(parts))


def loud(samples: Samples) -> Samples:
    return np.asarray(samples / np.abs(samples).max() / 2)


def recorded(samples: Samples, kind: str) -> bytes:
    out = io.BytesIO()
    soundfile.write(out, samples, RATE, format=kind)
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

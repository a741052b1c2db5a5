"""Sounds are told by what is heard: whatever their volume, rate and format; and other sounds are others."""

import io
import time
from collections.abc import Iterator

import numpy as np
import pytest
import soundfile
from scipy.signal import butter, iirpeak, lfilter, resample_poly, square
from tests.data.manifests.conftest import RATE, loud, recorded, tune

from heptad.data.manifests.fingerprints import Samples, fingerprint, near_sounds


def speech(seed: int, seconds: float) -> Samples:
    """A buzz through three resonances that change from syllable to syllable, with pauses."""
    random = np.random.default_rng(seed)
    parts: list[Samples] = []
    while sum(map(len, parts)) < seconds * RATE:
        count = int(random.uniform(0.08, 0.25) * RATE)
        source = square(2 * np.pi * random.uniform(90, 160) * np.arange(count) / RATE, 0.1)
        source += 0.1 * random.normal(size=count)
        formants = random.uniform([300, 900, 2_400], [800, 2_300, 3_300])
        parts.append(sum(lfilter(*iirpeak(one, 8, fs=RATE), source) for one in formants) * np.hanning(count))
        parts.append(np.zeros(int((random.random() < 0.3) * 0.1 * RATE)))
    return loud(np.concatenate(parts)[: int(seconds * RATE)])


def rain(seed: int, seconds: float) -> Samples:
    return loud(lfilter([1], [1, -0.9], np.random.default_rng(seed).normal(size=int(seconds * RATE))))


def copies(samples: Samples) -> Iterator[tuple[str, Samples, int]]:
    random = np.random.default_rng(1)
    yield "a tenth as loud", samples * 0.1, RATE
    yield "44,100 a second", resample_poly(samples, 441, 160), 44_100
    yield "8,000 a second", resample_poly(samples, 1, 2), 8_000
    yield "few bits", np.round(samples * 100) / 100, RATE
    yield "half a second gone", samples[int(0.3 * RATE) : -int(0.2 * RATE)], RATE
    yield "noise of a tenth", samples + random.normal(size=len(samples)) * samples.std() / 10, RATE
    yield "no basses", lfilter(*butter(2, 300, "highpass", fs=RATE), samples), RATE
    yield "Vorbis", *soundfile.read(io.BytesIO(recorded(samples, "OGG")))
    yield "MP3", *soundfile.read(io.BytesIO(recorded(samples, "MP3")))


@pytest.mark.parametrize("kind", [tune, speech, rain])
def test_copies_are_near_and_others_are_not(kind) -> None:
    """Of eight sounds of a kind in ten forms each, every form is found, and no sound is taken for another."""
    sounds = [kind(seed, 6) for seed in range(8)]
    known = [("as it was", number, fingerprint(one, RATE).tobytes()) for number, one in enumerate(sounds)]
    known += [
        (form, number, fingerprint(changed, rate).tobytes())
        for number, one in enumerate(sounds)
        for form, changed, rate in copies(one)
    ]
    near = near_sounds([one for *_, one in known], alike=0.8)
    for (form, number, _), place in zip(known, near, strict=True):
        assert place == (None if form == "as it was" else number), (form, number)


def test_short_and_silent_sounds_are_near_nothing() -> None:
    """A second tells too little; two seconds are enough."""
    short = [fingerprint(tune(1, 1) * loud, RATE).tobytes() for loud in (1, 0.3)]
    assert near_sounds(short, 0.8) == [None, None]
    enough = [fingerprint(tune(1, 2) * loud, RATE).tobytes() for loud in (1, 0.3)]
    assert near_sounds(enough, 0.8) == [None, 0]
    silent = [fingerprint(np.zeros(count), RATE).tobytes() for count in (0, 100, 8_000, 80_000, 90_000)]
    assert near_sounds(silent, 0.8) == [None] * 5
    assert near_sounds([], 0.8) == []
    assert near_sounds([b"", b""], 0.8) == [None, None]


def test_a_part_is_no_copy() -> None:
    """Of less than `alike`; nor is the same beginning with another end."""
    whole, other = tune(1, 8), tune(2, 8)
    parts = [whole, whole[: 5 * RATE], np.concatenate([whole[: 4 * RATE], other[4 * RATE :]])]
    prints = [fingerprint(one, RATE).tobytes() for one in parts]
    assert near_sounds(prints, 0.8) == [None, None, None]
    assert near_sounds(prints, 0.5) == [None, 0, 0]


def test_thousands_are_compared_quickly() -> None:
    """By what they share, not each with each: three thousand of half a minute, with one instant that all have."""
    random = np.random.default_rng(1)
    prints = random.integers(1, 2**32, (3_000, 640), dtype=np.uint32)
    prints[:, 100:110] = 77
    for copy in range(2_000, 3_000):
        flipped = np.uint32(1) << random.integers(0, 32, 640, dtype=np.uint32)
        prints[copy] = prints[copy - 2_000] ^ np.where(random.random(640) < 0.7, flipped, 0).astype(np.uint32)
    began = time.process_time()
    near = near_sounds([one.tobytes() for one in prints], 0.8)
    assert near == [None] * 2_000 + list(range(1_000))
    assert time.process_time() - began < 60

"""Lands a stream and brings it online in forked processes, killed at each boundary in turn; prints what came of it.

Nothing here uses a thread of polars or of Delta before it forks, so that every boundary can have a process of its own.
Usage: python -m tests.data.features.landing_killed FOLDER
"""

import itertools
import json
import sys
from pathlib import Path

import polars as pl
from tests.data.features.conftest import MOMENT, at
from tests.data.features.killing import MAKE, held, in_child

from heptad.adapters.lmdb import LmdbStore
from heptad.data import FeatureSettings
from heptad.data.columns.column_types import Dates
from heptad.data.features.definitions import define
from heptad.data.features.materialising import materialise
from heptad.data.features.streaming import StreamedView
from heptad.data.features.views import View
from heptad.data.streams.decoding import JsonDecoder
from heptad.data.streams.landed_rows import LandedRows
from heptad.data.streams.landing import Landing
from heptad.data.streams.stream import Batch

ROWS = [(f"g{number % 5}", number, number + (number * 7) % 13, number) for number in range(40)]
SCHEMA = {"g": pl.String, "t": MOMENT, "k": MOMENT, "v": pl.Int64}
PAYLOADS = [
    json.dumps({"g": g, "t": at(t).isoformat(), "k": at(k).isoformat(), "v": v}).encode() for g, t, k, v in ROWS
]
SIZE = 20
SOME, ALL = at(30), at(1_000)
"""By the first moment some rows have landed that are not known yet."""


def view() -> View:
    return View("shop", FeatureSettings(source="s", on=["g"], make=MAKE, known="k", stream=True), time="t")


def bring(folder: Path) -> None:
    """Lands what has not landed, portion by portion, and brings each online."""
    landing = Landing(folder / "landed", JsonDecoder)
    store = LmdbStore(f"lmdb://{folder / 'online'}", "test")
    body = define(view(), pl.LazyFrame(schema=SCHEMA))
    streamed = StreamedView(store, view(), body, LandedRows(folder / "landed", "t", Dates()))
    streamed.bring(SOME)
    for start in range(0, len(PAYLOADS), SIZE):
        some = PAYLOADS[start : start + SIZE]
        places = list(range(start, start + len(some)))
        zeros = [0] * len(some)
        batch = Batch(payloads=some, keys=[None] * len(some), times=zeros, partitions=zeros, positions=places)
        landing.land(batch)
        streamed.bring(SOME)
    streamed.bring(ALL)


def offline(folder: Path) -> None:
    """What a materialisation of all rows comes to."""
    source = pl.LazyFrame([(g, at(t), at(k), v) for g, t, k, v in ROWS], schema=SCHEMA, orient="row")
    body = define(view(), source)
    materialise(LmdbStore(f"lmdb://{folder / 'online'}", "test"), view(), body, source, ALL)


def main() -> None:
    root = Path(sys.argv[1])
    for name in ("offline", "undisturbed"):
        (root / name).mkdir()
    in_child(lambda: offline(root / "offline"))
    in_child(lambda: bring(root / "undisturbed"))
    expected, different = held(root / "offline" / "online"), []
    if held(root / "undisturbed" / "online") != expected:
        different.append(0)
    for boundary in itertools.count(1):
        place = root / str(boundary)
        place.mkdir()
        finished = in_child(lambda: bring(place), boundary)  # noqa: B023 - called at once
        if not finished:
            in_child(lambda: bring(place))  # noqa: B023 - called at once
        if held(place / "online") != expected:
            different.append(boundary)
        if finished:
            break
    sys.stdout.write(json.dumps({"entities": len(expected), "killed": boundary, "different": different}) + "\n")


if __name__ == "__main__":
    main()

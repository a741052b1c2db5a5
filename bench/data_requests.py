"""A row cleaned by the rules of a version before a model takes it, beside reading it for the model."""

import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import msgspec
import numpy as np

from bench.figures import Figure
from heptad.data import CleanRule, CleanSettings, Column, DatasetVersion, Fitted, RowCleaner, Schema, request_rules
from heptad.data.cleaning.settings import RowRule
from heptad.training import Input, Signature, check_rows

COLUMNS, RULES, TIMES = 30, 10, 5_000
FLOOR_US = 100.0


def measure() -> list[Figure]:
    """The median of many rows, each read and cleaned in turn."""
    cleaner, signature = RowCleaner(_rules()), _signature()
    plain: dict[str, Any] = {one.name: 0.5 if one.type == "number" else "red" for one in signature.inputs}
    dirty = plain | {f"n{place}": f" {place},100.50 EUR" for place in range(4)}
    dirty |= {"c0": "  Red ", "c1": None, "n9": 99.0}
    taken: tuple[list[float], list[float], list[float]] = ([], [], [])
    for _ in range(TIMES):
        acts: tuple[Callable[[], object], ...] = (
            lambda: cleaner.clean_all([dirty]),
            lambda: cleaner.clean_all([plain]),
            lambda: check_rows([plain], signature),
        )
        for act, found in zip(acts, taken, strict=True):
            began = time.perf_counter()
            act()
            found.append(time.perf_counter() - began)
    repaired, clean, read = (float(np.median(one)) * 1e6 for one in taken)
    return [
        Figure(
            name=f"{what} of {COLUMNS} inputs, {RULES} columns with rules, in a server",
            value=value,
            unit="us",
            limit=read,
            ratio=value / read,
            floor=f"{FLOOR_US:g} us; the limit is reading the row for the model",
            holds=value <= FLOOR_US,
        )
        for what, value in (("a dirty row cleaned", repaired), ("a clean row looked at", clean))
    ]


def _rules() -> Any:
    columns = {f"n{place}": CleanRule(numbers="point") for place in range(4)}
    columns |= {f"n{place}": CleanRule(min=-9, outliers="iqr", outlying="cap") for place in range(4, 8)}
    columns |= {
        "c0": CleanRule(trim=True, case="lower", canonical={"red": ["rd"], "blue": []}, unlisted="drop"),
        "c1": CleanRule(told_by=["c0"], fill="none"),
    }
    clean = CleanSettings(columns=columns, rows={"odd": RowRule(where="n9 > 50 and c0 in ['red'] and not n8 < 0")})
    version = DatasetVersion(
        name="bench",
        version=1,
        table="bench",
        delta_version=0,
        rows=1,
        labelled=1,
        digest="",
        schema=Schema(
            columns=[
                *(Column(name=one.name, type=one.type) for one in _signature().inputs),
                Column(name="late", type="category", role="target"),
            ],
            task="classification",
        ),
        until=datetime(2026, 1, 1, tzinfo=UTC),
        profile="",
        fitted=Fitted(bounds={f"n{place}": [(0.0, 3.0)] for place in range(4, 8)}, votes={"c1": {"red": "warm"}}),
        settings={"clean": msgspec.to_builtins(clean)},
    )
    return request_rules(version, [one.name for one in _signature().inputs])


def _signature() -> Signature:
    numbers = [Input(name=f"n{place}", type="number") for place in range(COLUMNS - 6)]
    texts = [Input(name=f"c{place}", type="category", categories=["red", "warm"]) for place in range(6)]
    return Signature(inputs=[*numbers, *texts], task="classification", target="late", classes=["no", "yes"])

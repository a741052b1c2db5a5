"""Holds a version, or a file, against `[expect]` on demand: findings, rows that break them, a record."""

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

import msgspec
import polars as pl

from heptad.core import graph
from heptad.core.records import Record
from heptad.core.workspace import Workspace
from heptad.data.assembling.assembly import Assembly
from heptad.data.columns.keys import ROW
from heptad.data.expectations.checks import Expectations, bind
from heptad.data.expectations.history import History, rows_of
from heptad.data.expectations.settings import ColumnExpectation, ExpectSettings
from heptad.data.expectations.table import Expectation
from heptad.data.passes import ask_in_turn
from heptad.data.records import DatasetVersion, ExpectationResult, Finding
from heptad.data.settings import DataSettings
from heptad.data.versions.remaining import as_it_is

SHOWN = 5
"""Rows that are shown of those that break one expectation."""
TEXT = 120
"""Characters of a value that are shown."""


class Checked(msgspec.Struct, frozen=True, kw_only=True):
    """What came of a check. `samples`: place of a finding to a few rows that break it, their key first."""

    what: str
    """`NAME@VERSION`, or the file's name."""
    at: datetime
    rows: int
    findings: list[Finding]
    samples: dict[int, list[dict[str, Any]]] = {}
    record: str = ""
    """Id of the record; empty for a file."""

    @property
    def passed(self) -> bool:
        """Whether everything holds whose severity is `error`."""
        return all(one.passed for one in self.findings if one.severity == "error")


class Checking:
    """Checks the tables of one project; reads them once, and once more for samples where something is broken."""

    def __init__(
        self, workspace: Workspace, name: str, assembly: Assembly, data: DataSettings, expect: ExpectSettings
    ) -> None:
        self._workspace = workspace
        self._name = name
        self._assembly = assembly
        self._data = data
        self._expect = expect
        self._history = History(workspace, assembly, expect, data.time)

    def compared_with(self) -> set[int]:
        """The numbers of the versions that others are compared with for good."""
        return self._expect.versions()

    def version(self, record: Record[DatasetVersion]) -> Checked:
        """A version, recorded with the event `data.expectations_checked`; its versions before count as they were."""
        body = as_it_is(self._workspace, graph.load(self._workspace, record.id, DatasetVersion))
        rows = rows_of(self._workspace, body)
        context = self._history.context(body.name, rows.collect_schema(), body.until, record)
        earlier = self._history.earlier(body.name, record)
        reference = self._history.reference(body.name, earlier)
        expected = Expectations(context, self._data.key or [ROW], self._expect, earlier[0].schema if earlier else None)
        checked = self._check(f"{body.name}@{body.version}", rows, expected, body.schema.named("key"))
        result = ExpectationResult(
            name=body.name,
            version=body.version,
            compared_with=reference.version if reference else 0,
            rows=body.rows,
            passed=checked.passed,
            findings=checked.findings,
        )
        broken = sum(not one.passed for one in checked.findings)
        saved = graph.save(
            self._workspace,
            result,
            scope=body.name,
            made_from=[("checked", record.id)],
            attributes={"name": body.name, "version": body.version, "passed": checked.passed},
            event="data.expectations_checked",
            event_body={
                "name": body.name,
                "version": body.version,
                "passed": checked.passed,
                "expectations": len(checked.findings),
                "broken": broken,
            },
        )
        return msgspec.structs.replace(checked, record=saved.id)

    def file(self, path: Path) -> Checked:
        """A file as it is, before any cleaning, held to what a person wrote; all versions there are come before it."""
        rows = self._assembly.file(path)
        earlier = self._history.earlier(self._name)
        rows = bind(rows, earlier[0].schema) if earlier else rows
        types = rows.collect_schema()
        context = self._history.context(self._name, types, None)
        lacking = [one for one in self._data.key if one not in types]
        expect = self._expect
        if lacking and not self._data.function:  # which may make the key of other columns
            there = dict.fromkeys(lacking, ColumnExpectation(present=True))
            expect = msgspec.structs.replace(expect, columns={**there, **expect.columns})
        # A part of a key need not be unique.
        key = [] if lacking else self._data.key
        return self._check(path.name, rows, Expectations(context, key or [ROW], expect, None), key)

    def _check(self, what: str, rows: pl.LazyFrame, expected: Expectations, key: Sequence[str]) -> Checked:
        (findings,) = ask_in_turn(rows, expected)
        count = rows.select(pl.len()).collect(engine="streaming").item()
        samples = {
            place: sample(rows, one, findings[place], key)
            for place, one in expected.failed(findings)
            if one.test.broken is not None
        }
        return Checked(what=what, at=self._workspace.clock.now(), rows=count, findings=findings, samples=samples)


def sample(rows: pl.LazyFrame, one: Expectation, finding: Finding, key: Sequence[str]) -> list[dict[str, Any]]:
    """A few rows that break an expectation: their key, or number from 0, and the columns it is about."""
    broken = one.test.broken
    assert broken is not None, f"{one.name} is not about rows"
    types = rows.collect_schema()
    about = one.test.about or [finding.column]
    number = "row" if "row" not in types else "row number"
    named = [name for name in key if name != ROW]
    numbered = rows if named else rows.with_row_index(number)
    shown = [*(named or [number]), *about]
    found = broken(numbered).select(list(dict.fromkeys(shown))).head(SHOWN).collect(engine="streaming")
    return [{name: _short(value) for name, value in row.items()} for row in found.iter_rows(named=True)]


def _short(value: Any) -> Any:
    if isinstance(value, str) and len(value) > TEXT:
        return value[:TEXT] + "…"
    if value is None or isinstance(value, str | int | bool):
        return value
    return float(value) if isinstance(value, float) and value == value and abs(value) != float("inf") else str(value)  # noqa: PLR0124 - NaN

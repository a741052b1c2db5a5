"""`heptad data features` and `heptad data parity`: from a file of settings to values that are served."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import polars as pl
import pytest
import typer

from heptad.adapters.lmdb import LmdbStore
from heptad.cli.data import features
from heptad.cli.parameters import read_without_pydantic
from heptad.core.errors import InputError, NotFoundError
from heptad.data.features.packing import pack, times_of

START = datetime(2024, 1, 1, tzinfo=UTC)
SETTINGS = """
[project]
name = "shop"

[sources.orders]
uri = "orders.csv"
time = "at"

[sources.customers]
uri = "customers.csv"

[data]
source = "orders"
target = "returned"
key = ["order"]
time = "at"

[features.spending]
source = "orders"
on = ["customer"]
columns = ["amount"]
known = "seen"
ttl = "400d"
owner = "sales"

[features.spending.make]
total = { call = "sum", of = "amount", window = "30d" }
before = { call = "lag", of = "amount" }

[features.customer]
source = "customers"
on = ["customer"]
columns = ["country"]
"""


class Answer:
    """What a command printed, and its exit code."""

    def __init__(self, code: int, out: str) -> None:
        self.code, self.out = code, out

    @property
    def json(self) -> Any:
        return json.loads(self.out)


class Terminal:
    """Calls the commands of this topic on a project."""

    def __init__(self, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
        self.folder, self._capsys = folder, capsys
        self._command: Any = typer.main.get_command(features.app)
        read_without_pydantic(self._command)

    def __call__(self, *words: str) -> Answer:
        self._capsys.readouterr()
        code = self._command([*words, "--project", str(self.folder)], standalone_mode=False)
        return Answer(code or 0, self._capsys.readouterr().out)


@pytest.fixture
def call(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Terminal:
    """A project with 300 orders of 20 customers, one in ten seen a week late."""
    monkeypatch.setenv("COLUMNS", "80")
    (tmp_path / "heptad.toml").write_text(SETTINGS)
    orders = pl.DataFrame(
        {
            "order": range(300),
            "customer": [f"c{number * 7 % 20}" for number in range(300)],
            "at": [START + timedelta(hours=5 * number) for number in range(300)],
            "seen": [START + timedelta(hours=5 * number, days=7 * (number % 10 == 3)) for number in range(300)],
            "amount": [float(number * 13 % 50) for number in range(300)],
            "returned": [("yes", "no")[number % 3 == 0] for number in range(300)],
        }
    )
    orders.write_csv(tmp_path / "orders.csv")
    customers = {"customer": [f"c{number}" for number in range(20)], "country": ["DE", "FR"] * 10}
    pl.DataFrame(customers).write_csv(tmp_path / "customers.csv")
    return Terminal(tmp_path, capsys)


def test_applying_shows_the_difference_first(call: Terminal) -> None:
    """Nothing is done without --yes; afterwards there is nothing to do."""
    shown = call("features", "apply")
    assert "+ spending\n    by customer: amount, total, before" in shown.out
    assert "Nothing was changed" in shown.out
    assert "not applied" in call("features", "list").out
    assert call("features", "apply", "--yes", "--json").json["applied"] is True
    assert "Nothing to do" in call("features", "apply").out
    settings = call.folder / "heptad.toml"
    settings.write_text(settings.read_text().replace('"30d"', '"7d"').partition("[features.customer]")[0])
    shown = call("features", "apply")
    assert "- customer" in shown.out
    assert "make.total" in shown.out
    assert "made anew" in shown.out
    assert [one["action"] for one in call("features", "apply", "--json").json["plan"]["changes"]] == [
        "remove",
        "change",
    ]


def test_from_the_file_to_a_value(call: Terminal) -> None:
    """Materialised, listed, read by key, with how fresh it is."""
    call("features", "apply", "--yes")
    done = {one["view"]: one["entities"] for one in call("features", "materialise", "--json").json}
    assert done == {"spending": 20, "customer": 20}
    assert call("features", "materialise", "spending", "--json").json[0]["entities"] == 0
    assert call("features", "materialise", "spending", "--afresh", "--json").json[0]["entities"] == 20
    states = {one["name"]: one["state"] for one in call("features", "list", "--json").json}
    assert states == {"spending": "in force", "customer": "in force"}
    found = call(
        "features", "read", "customer=c3", "--feature", "customer", "--feature", "spending:total", "--json"
    ).json
    assert found["values"] == {"country": "FR", "total": None}
    assert [one["state"] for one in found["freshness"]] == ["fresh", "stale"]
    assert "Freshness" in call("features", "read", "customer=c3").out
    assert "Nothing was made with spending" in call("features", "users", "spending").out


def test_until_a_moment_of_the_past(call: Terminal) -> None:
    """What became known later is not there yet; a moment needs its zone."""
    call("features", "apply", "--yes")
    done = call("features", "materialise", "spending", "--until", "2024-01-01T12:00:00+01:00", "--json").json
    assert done[0]["entities"] == 3
    with pytest.raises(InputError, match="is no moment"):
        call("features", "materialise", "--until", "2024-01-01")
    with pytest.raises(InputError, match="is no moment"):
        call("features", "materialise", "--until", "soon")


def test_a_training_set_is_written(call: Terminal) -> None:
    """The rows of a file with what was known at each; the order stays."""
    asked = pl.DataFrame(
        {"customer": ["c7", "c3", "x"], "when": ["2024-01-01 06:00", "2024-02-01 00:00", "2024-02-01 00:00"]}
    )
    asked.write_csv(call.folder / "asked.csv")
    out = call.folder / "set.parquet"
    done = call(
        "features", "join", str(call.folder / "asked.csv"), str(out), "--time", "when", "--memory", "100", "--json"
    ).json
    assert done["columns"] == ["customer", "when", "amount", "total", "before", "country"]
    rows = pl.read_parquet(out)
    assert rows["customer"].to_list() == ["c7", "c3", "x"]
    assert rows["amount"].to_list()[::2] == [13.0, None]
    assert rows["country"].to_list() == ["FR", "FR", None]


def test_the_ending_names_the_format_of_a_training_set(call: Terminal) -> None:
    """Of one that says nothing, and of a folder, nothing is begun."""
    asked = call.folder / "asked.csv"
    asked.write_text("customer,when\nc7,2024-01-01 06:00\nc3,2024-02-01 00:00\n")
    out = call.folder / "set.csv"
    call("features", "join", str(asked), str(out), "--time", "when", "--view", "customer")
    assert pl.read_csv(out)["country"].to_list() == ["FR", "FR"]
    for wrong in ("set.xlsx", ".", ""):
        with pytest.raises(InputError, match="does not end in a format"):
            call("features", "join", str(asked), wrong, "--time", "when")


def test_leaks_of_a_version_are_listed(call: Terminal) -> None:
    """Also what a back-fill would have told."""
    from heptad.project import open_project

    open_project(call.folder).data.collect()
    found = {one["expectation"]: one for one in call("features", "leaks", "--json").json}
    assert found["joined_as_known"]["failing_rows"] > 0
    assert found["key_on_both_sides"]["passed"]
    assert "ok: " in call("features", "leaks", "latest", "--holdout", "30").out


def test_parity_ends_with_one_where_values_differ(call: Terminal) -> None:
    """And names the first differences."""
    call("features", "apply", "--yes")
    call("features", "materialise", "--until", "2024-02-01T00:00:00Z")
    same = call("parity", "--entities", "10", "--moments", "3")
    assert same.code == 0
    assert "First differences" not in same.out
    store = LmdbStore(f"lmdb://{call.folder / '.heptad' / 'online'}", "shop")
    for key, row in list(store.scan(b"customer@")):
        store.put([(key, pack(*times_of(row), ["XX"]))])
    other = call("parity", "customer", "--json")
    assert other.code == 1
    assert other.json[0]["different"] == 20
    shown = call("parity", "customer")
    assert "country of customer 'c" in shown.out
    assert "online 'XX'" in shown.out


def test_what_is_not_there_is_named(call: Terminal) -> None:
    """Views and keys."""
    with pytest.raises(NotFoundError, match="heptad data features apply"):
        call("features", "materialise", "spending")
    with pytest.raises(InputError, match="COLUMN=VALUE"):
        call("features", "read", "c3")
    with pytest.raises(NotFoundError, match="nothing"):
        call("features", "users", "nothing")
    assert "Apply some" in call("features", "materialise").out
    assert "Apply some" in call("parity").out

"""The front door of step 1: versions in, rows out, history replayed; bad input is refused and nothing is written."""

import math
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec
import numpy as np
import polars as pl
import pytest

from heptad.core.errors import ConflictError, DataError, HeptadError, SettingsError, UnavailableError
from heptad.core.workspace import Workspace
from heptad.data import CleanRule, CleanSettings, Data, DataSettings, FeatureSettings, SourceSettings

START = datetime(2020, 1, 1, tzinfo=UTC)


def days(count: int) -> pl.DataFrame:
    return pl.DataFrame(
        {
            "k": [f"r{x:03}" for x in range(count)],
            "t": [START + timedelta(days=x) for x in range(count)],
            "landed": [START + timedelta(days=x + 2) if x != 3 else None for x in range(count)],
            "a": [float(x % 9) for x in range(count)],
            "y": ["late" if x % 2 else "on time" for x in range(count)],
        }
    ).with_columns(pl.when(pl.col("landed").is_not_null()).then("y").alias("y"))


BY_TIME = DataSettings(target="y", key=["k"], time="t", label_time="landed")


def test_scans_select_by_time_and_by_what_was_known(open_data: Callable[..., Data], write: Callable[..., Path]) -> None:
    """Rows of a window, with the labels known at a moment, or only those that have one."""
    write(days(30))
    data = open_data(BY_TIME, clean=CleanSettings(missing_target="keep"))
    version = data.collect(until=START + timedelta(days=20))
    window = data.scan(version, start=START + timedelta(days=5), end=START + timedelta(days=10))
    assert window.collect()["k"].to_list() == ["r005", "r006", "r007", "r008", "r009"]
    then = data.scan(version, known_at=START + timedelta(days=8))
    assert then.collect()["y"].count() == 6
    labelled = data.scan(version, known_at=START + timedelta(days=8), labelled=True).collect()
    assert labelled["k"].to_list() == ["r000", "r001", "r002", "r004", "r005", "r006"]
    assert data.scan(version).collect_schema().names() == [column.name for column in version.body.schema.columns]


def test_a_version_is_a_user_of_its_features(open_data: Callable[..., Data], write: Callable[..., Path]) -> None:
    """Each version names the definitions that its columns were joined by, once, applied or not."""
    write(days(9).drop("landed"))
    write(pl.DataFrame({"k": ["r001", "r002"], "height": [1.0, 2.0]}), "heights.csv")
    data = open_data(
        DataSettings(source="rows", target="y", key=["k"], time="t"),
        sources={"rows": SourceSettings(uri="rows.csv", time="t"), "heights": SourceSettings(uri="heights.csv")},
        features={"heights": FeatureSettings(source="heights", on=["k"], columns=["height"])},
    )
    versions = [data.collect(until=START + timedelta(days=day)) for day in (4, 8)]
    assert {user.id for user in data.features.registry.users("heights")} == {version.id for version in versions}
    (definition,) = data.features.registry.log("heights")
    assert [one.name for one in definition.body.features] == ["height"]
    assert data.features.registry.in_force() == {}


def test_without_time_there_is_no_window(open_data: Callable[..., Data], write: Callable[..., Path]) -> None:
    """A table without a time column cannot be selected by it, nor replayed."""
    write(days(9))
    data = open_data(DataSettings(target="y", key=["k"]))
    version = data.collect()
    assert len(data.scan(version).collect()) == 8
    with pytest.raises(DataError, match="has no time"):
        data.scan(version, start=START)
    with pytest.raises(DataError, match="no history"):
        data.history(START, START)


def test_history_replays_what_versions_will_hold(
    workspace: Workspace, open_data: Callable[..., Data], write: Callable[..., Path]
) -> None:
    """Rows of a window in order of time, repaired, with labels and when they were known, none set aside; no version."""
    write(days(30).with_columns(a=pl.when(pl.col("k") == "r004").then(999.0).otherwise("a")).reverse())
    data = open_data(BY_TIME, clean=CleanSettings(columns={"a": CleanRule(max=100)}))
    first = data.collect(until=START + timedelta(days=4))
    rows = data.history(START + timedelta(days=2), START + timedelta(days=6))
    assert rows["k"].to_list() == ["r002", "r003", "r004", "r005"]
    assert rows["y"].to_list() == ["on time", None, "on time", "late"]
    assert rows["a"].to_list() == [2.0, 3.0, None, 5.0]
    assert rows["landed"][0] == START + timedelta(days=4)
    assert data.log() == [first]
    assert data.history(START + timedelta(days=90), START + timedelta(days=99)).is_empty()
    later = data.collect(until=START + timedelta(days=6))
    assert data.scan(later, start=START + timedelta(days=2)).collect().schema == rows.schema


def test_what_is_stored_is_read_without_the_secrets_of_its_sources(
    open_data: Callable[..., Data], write: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    """On another machine, or by somebody who may not have them; only who collects needs them."""
    monkeypatch.setenv("PLACE", str(write(days(20))))
    sources = {"rows": SourceSettings(uri="${PLACE}")}
    settings = DataSettings(target="y", key=["k"])
    made = open_data(settings, sources=sources).collect()
    monkeypatch.delenv("PLACE")
    data = open_data(settings, sources=sources)
    assert data.scan(data.version("latest")).collect().height == made.body.labelled
    assert data.diff(made, made).text()
    with pytest.raises(SettingsError, match=r"\$\{PLACE\}, which is not set"):
        data.collect()


def test_history_follows_its_sources(open_data: Callable[..., Data], write: Callable[..., Path]) -> None:
    """What is kept in memory is made again when a file changes."""
    write(days(5))
    data = open_data(BY_TIME)
    assert len(data.history(START, START + timedelta(days=50))) == 5
    write(days(8))
    assert len(data.history(START, START + timedelta(days=50))) == 8


def test_a_sample_is_a_data_set_of_its_own(open_data: Callable[..., Data], write: Callable[..., Path]) -> None:
    """As many rows as asked for, the same ones each time, and the whole data set is untouched."""
    write(days(30))
    data = open_data(BY_TIME)
    sample = data.collect(sample=7)
    assert (sample.body.name, sample.body.rows, sample.body.version) == ("test-sample-7", 7, 1)
    assert data.collect(sample=7).id == sample.id
    assert data.latest() is None
    assert len(data.scan(sample).collect()) == 7


def test_a_preview_writes_nothing(
    workspace: Workspace, open_data: Callable[..., Data], write: Callable[..., Path]
) -> None:
    """The first rows as a version would hold them."""
    write(days(30))
    assert open_data(BY_TIME).preview(3)["k"].to_list() == ["r000", "r001", "r002"]
    assert not workspace.tables.exists()


def test_a_faster_process_is_followed(
    open_data: Callable[..., Data], write: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where another process records a version in between, its version is the base of ours."""
    write(days(30))
    data, other = open_data(BY_TIME), open_data(BY_TIME)
    save, raced = data._collecting._save, []

    def slowly(*arguments: object) -> object:
        if not raced:
            raced.append(other.collect(until=START + timedelta(days=5)))
        return save(*arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(data._collecting, "_save", slowly)
    second = data.collect(until=START + timedelta(days=10))
    assert [one.body.version for one in data.log()] == [2, 1]
    assert (second.body.rows, raced[0].body.rows) == (9, 4)
    assert data.digest(second) == second.body.digest
    assert data.digest(raced[0]) == raced[0].body.digest


def test_a_race_without_end_may_be_retried(
    open_data: Callable[..., Data], write: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    """After some attempts the error says that trying again may help."""
    write(days(30))
    data = open_data(BY_TIME)

    def beaten(*_: object) -> None:
        raise ConflictError("Another was faster.")

    monkeypatch.setattr(data._collecting, "_save", beaten)
    with pytest.raises(UnavailableError, match="kept recording versions of test first"):
        data.collect()


def test_large_tables_make_the_same_versions(
    tmp_path: Path, open_at: Callable[[Path], Data], work_in_files: Callable[[], None]
) -> None:
    """Digest, schema, repairs, findings, profile and rows do not depend on whether a table fits into memory."""
    frame = pl.DataFrame(
        {
            "k": [f"r{x:03}" for x in range(200)],
            "t": [START + timedelta(days=x) for x in range(200)],
            "a": [float(x % 9) for x in range(200)],
            "y": [None if x % 50 == 4 else x % 2 for x in range(200)],
        }
    ).with_columns(
        text=pl.Series([f"a sentence about number {x} of them" for x in range(200)]),
        code=pl.Series([f"u{x}" for x in range(200)]),
        same=pl.lit("s"),
        huge=pl.Series([1e300 if x == 7 else x / 3 for x in range(200)]),
    )
    frame = pl.concat([frame.sample(fraction=1, shuffle=True, seed=1), frame.head(3)])
    made, moments = {}, {}
    for size in ("small", "large"):
        if size == "large":
            work_in_files()
        (tmp_path / size).mkdir()
        frame.write_csv(tmp_path / size / "rows.csv")
        data = open_at(tmp_path / size)
        first, second = data.collect(until=START + timedelta(days=90)), data.collect(until=START + timedelta(days=150))
        sample = data.collect(sample=20)
        made_here = [first, second, sample]
        history = data.history(START + timedelta(days=10), START + timedelta(days=40))
        # Sums of parts may differ in their last digits, and so does the digest of the profile.
        known = [msgspec.structs.replace(one.body, until=START, delta_version=0, profile="") for one in made_here]
        profiles = [column for one in made_here for column in data.profile(one).columns]
        made[size] = (
            known,
            [msgspec.structs.replace(one, mean=None, squares=None) for one in profiles],
            [data.scan(one).collect().rows() for one in made_here],
            history.rows(),
            data.diff(first, second),
            data.preview(3).rows(),
        )
        moments[size] = [value for one in profiles for value in (one.mean, one.squares) if value is not None]
    assert made["small"] == made["large"]
    assert moments["small"] == pytest.approx(moments["large"])


def lines(*rows: str, times: int = 10) -> str:
    return "\n".join([rows[0], *rows[1:] * times]) + "\n"


GOOD = lines("a,y", "1.5,0", "2.5,1")
BAD: dict[str, tuple[str | bytes, DataSettings, str]] = {
    "empty": ("", DataSettings(target="y"), "is empty"),
    "header": ("a,y\n", DataSettings(target="y"), "a header and no rows"),
    "no target": (GOOD, DataSettings(target="yy"), "no column 'yy'"),
    "null target": (lines("a,y", "1,", "2,"), DataSettings(target="y"), "is empty in all 20 rows"),
    "constant target": (lines("a,y", "1,0", "2,0"), DataSettings(target="y"), "nothing to learn"),
    "repeated names": (lines("a,a,y", "1,2,0"), DataSettings(target="y"), "column name more than once: 'a'"),
    "too wide": (
        ",".join(f"c{x}" for x in range(10_001)) + "\n" + ",".join("1" * 10_001) + "\n",
        DataSettings(target="c1"),
        "10,001 columns",
    ),
    "binary": (
        bytes(np.random.default_rng(0).integers(0, 256, 2000, dtype=np.uint8)),
        DataSettings(target="y"),
        "binary",
    ),
    "image": (b"\x89PNG\r\n\x1a\n", DataSettings(target="y"), "a PNG image"),
    "broken bytes": ("a,y\né,0\nü,1\n".encode() + b"\xff,1\n", DataSettings(target="y"), "byte 0xff in line 4"),
    "no times": (lines("t,a,y", "soon,1,0", "late,2,1"), DataSettings(target="y", time="t"), "does not hold times"),
    "ambiguous times": (
        lines("t,a,y", "01/02/2020,1,0", "03/04/2020,2,1"),
        DataSettings(target="y", time="t"),
        "day before month",
    ),
    "key": (lines("k,a,y", "1,5,0", "1,6,1", times=1), DataSettings(target="y", key=["k"]), "key k: not unique"),
    "only the target": (lines("y", "0", "1"), DataSettings(target="y"), "No column is left"),
    "long line": (GOOD + "1,2,3\n", DataSettings(target="y"), "3 fields in line 22"),
}


@pytest.mark.parametrize("case", BAD)
def test_bad_input_is_refused_with_nothing_written(
    case: str, workspace: Workspace, open_data: Callable[..., Data], write: Callable[..., Path]
) -> None:
    """A clear error of exit code 2; no table, no artifact, no record is left behind."""
    content, settings, problem = BAD[case]
    write(content)
    data = open_data(settings)
    with pytest.raises(HeptadError, match=problem) as error:
        data.collect()
    assert error.value.exit_code == 2
    assert error.value.allowed or error.value.remedy
    assert data.log() == []
    assert list(workspace.blobs.digests()) == []
    assert {path.name for path in workspace.tables.glob("*")} <= {"test-quarantine"}


USABLE: dict[str, tuple[str | bytes, str, int]] = {
    "mixed types": (lines("a,y", "1.5,0", "2.5,1", times=20) + "abc,1\n", "not_a_number", 1),
    "infinite": (lines("a,y", "1.5,0", "2.5,1") + "inf,1\n-1e999,0\n", "not_finite", 2),
    "huge": (lines("a,y", "1.5,0", "2.5,1") + "1e300,1\n", "huge", 1),
    "blank": (lines("a,y", "1.5,0", "2.5,1") + " ,1\n", "blank", 1),
    "short line": (lines("y,b,a", "0,x,1.5", "1,z,2.5") + "1,q\n", "short_line", 1),
    "two formats": (
        "t,a,y\n" + "".join(f"2020-01-{x:02},{x},{x % 2}\n" for x in range(1, 29)) + "02/15/2020,5,1\n",
        "second_date_format",
        1,
    ),
    "stray time": (
        "t,a,y\n" + "".join(f"2020-01-{x:02},{x},{x % 2}\n" for x in range(1, 29)) + "soon,5,1\n",
        "not_a_time",
        1,
    ),
}


@pytest.mark.parametrize("case", USABLE)
def test_what_can_be_repaired_is_repaired_and_counted(
    case: str, open_data: Callable[..., Data], write: Callable[..., Path]
) -> None:
    """The table is used, and the version says what was done, in which column, to how many cells."""
    content, rule, count = USABLE[case]
    write(content)
    body = open_data(DataSettings(target="y", time="t" if "t," in str(content)[:2] else "")).collect().body
    repairs = {one.rule: one.cells or one.rows for one in body.repairs}
    assert repairs[rule] == count
    numbers = [column for column in body.schema.columns if column.name == "a"]
    assert all(math.isfinite(column.max or 0) and (column.max or 0) < 1e38 for column in numbers)


@pytest.mark.parametrize("rows", [2, 10, 1000])
def test_tables_of_any_size_are_collected(
    rows: int, open_data: Callable[..., Data], write: Callable[..., Path]
) -> None:
    """From two rows up."""
    write(pl.DataFrame({"a": [x * 1.5 for x in range(rows)], "y": [x % 2 for x in range(rows)]}))
    body = open_data(DataSettings(target="y")).collect().body
    assert (body.rows, body.schema.task, body.schema.named("key")) == (rows, "classification", ["_row"])


def test_any_format_and_dialect_gives_the_same_version(
    workspace: Workspace, open_data: Callable[..., Data], write: Callable[..., Path]
) -> None:
    """CSV with other separators, quotes and encodings, JSON lines and Parquet of one table have one digest."""
    frame = pl.DataFrame({"a": [x + 0.5 for x in range(20)], "s": ["Zoë", "it's"] * 10, "y": ["no", "yes"] * 10})
    semicolons = frame.select(pl.col("a").cast(pl.String).str.replace(".", ",", literal=True), "s", "y")
    contents = {
        "comma.csv": frame.write_csv().encode(),
        "quoted.csv": frame.write_csv(quote_style="always", line_terminator="\r\n").encode("utf-8-sig"),
        "semicolon.csv": semicolons.write_csv(separator=";").encode("cp1252"),
        "tab.tsv": frame.write_csv(separator="\t").encode("utf-16"),
        "lines.jsonl": frame.write_ndjson().encode(),
    }
    frame.write_parquet(workspace.root / "table.parquet")
    digests = set()
    for name in [*contents, "table.parquet"]:
        if name in contents:
            write(contents[name], name)
        sources = {"rows": SourceSettings(uri=name)}
        digests.add(open_data(DataSettings(target="y"), sources=sources).collect().body.digest)
    assert len(digests) == 1

"""Tables and queries of real databases are sources: complete, incremental, read only, and patient."""

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import polars as pl
import psycopg
import pytest
from sqlalchemy.engine import make_url
from tests.adapters.databases.conftest import OpenSource, Run, proxied

from heptad.adapters.databases import pieces as pieces_module
from heptad.adapters.databases import reading
from heptad.adapters.databases import source as source_module
from heptad.adapters.databases.addresses import Address
from heptad.adapters.databases.failures import LostConnectionError
from heptad.adapters.databases.pieces import forget_pieces
from heptad.adapters.databases.sessions import Session
from heptad.core.errors import DataError, SettingsError, UnavailableError
from heptad.data import Place, Source, SourceSettings, Subjects, open_source
from heptad.project import open_project
from heptad.testing.source_contract import SourceContract

ROOT = Path(__file__).parents[3]
MAKE = "CREATE TABLE t (id INTEGER PRIMARY KEY, number INTEGER, word VARCHAR(20))"
FIRST = "INSERT INTO t VALUES (1, 10, 'a'), (2, 20, 'b'), (3, 30, NULL)"


def rows_of(source: Source) -> pl.DataFrame:
    source.digest()
    return source.read().rows.collect()


class TestDatabaseSource(SourceContract):
    @pytest.fixture(params=["", "id"], ids=["whole", "cursor"])
    def source(self, request: pytest.FixtureRequest, url: str, run: Run, opened: OpenSource) -> Source:
        run(url, MAKE, FIRST)
        return opened(url, table="t", cursor=request.param)

    @pytest.fixture
    def change(self, url: str, run: Run) -> Callable[[], None]:
        return lambda: run(url, "INSERT INTO t VALUES (4, 40, 'd')")


def test_a_query_and_a_table_give_the_same_rows(url: str, run: Run, opened: OpenSource) -> None:
    """A query may end with a semicolon, and hold colons, per cents and quotes."""
    run(url, MAKE, FIRST)
    query = "SELECT id, number, word, ':x 100% it''s' AS said FROM t ORDER BY id; -- that is all"
    rows = rows_of(opened(url, query=query))
    assert rows.drop("said").equals(rows_of(opened(url, table="t")))
    assert rows["said"].unique().to_list() == [":x 100% it's"]


def test_names_are_quoted(url: str, run: Run, opened: OpenSource) -> None:
    """Tables and columns may be called by words of SQL."""
    quote = "`" if url.startswith("mysql") else '"'
    run(url, f"CREATE TABLE {quote}select{quote} ({quote}order by{quote} INTEGER)")
    run(url, f"INSERT INTO {quote}select{quote} VALUES (1)")
    assert rows_of(opened(url, table="select", cursor="order by")).columns == ["order by"]


def test_with_a_cursor_only_what_is_past_it_is_asked_for(
    url: str, run: Run, opened: OpenSource, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Rows at its greatest value are read again, so late ones are found and none is there twice."""
    run(url, "CREATE TABLE t (k INTEGER, word VARCHAR(9))", "INSERT INTO t VALUES (1, 'a'), (2, 'b'), (2, 'c')")
    source = opened(url, table="t", cursor="k")
    assert sorted(rows_of(source).rows()) == [(1, "a"), (2, "b"), (2, "c")]
    run(url, "INSERT INTO t VALUES (2, 'late'), (3, 'd')", "DELETE FROM t WHERE word = 'a'")
    taken: list[int] = []
    batches = reading.batches

    def counted(*arguments: Any) -> Any:
        for one in batches(*arguments):
            taken.append(len(one.rows))
            yield one

    monkeypatch.setattr("heptad.adapters.databases.source.batches", counted)
    # That a row was deleted is not seen.
    assert sorted(rows_of(source).rows()) == [(1, "a"), (2, "b"), (2, "c"), (2, "late"), (3, "d")]
    assert sum(taken) == 4
    digest = source.digest()
    assert rows_of(source)["k"].to_list()[-1] == 3
    assert source.digest() == digest


def test_a_changed_row_replaces_its_earlier_state(url: str, run: Run, opened: OpenSource) -> None:
    """With a column that says when a row changed, and the primary key, each row is there once, as it is now."""
    made = "CREATE TABLE t (id INTEGER PRIMARY KEY, changed TIMESTAMP, word VARCHAR(9))"
    run(url, made, "INSERT INTO t VALUES (1, '2026-01-01 00:00:00', 'a'), (2, '2026-01-02 00:00:00', 'b')")
    key = ["id"] if url.startswith("duckdb") else []
    source = opened(url, table="t", cursor="changed", key=key)
    rows_of(source)
    run(url, "UPDATE t SET word = 'new', changed = '2026-01-03 00:00:00' WHERE id = 1")
    rows = rows_of(source)
    assert rows.select("id", "word").rows() == [(2, "b"), (1, "new")]
    assert rows.schema["changed"] == pl.Datetime("us", "UTC")


def test_other_columns_are_read_from_the_start(url: str, run: Run, opened: OpenSource) -> None:
    """What is held of a table is only a copy: where its columns changed, it is made anew."""
    run(url, MAKE, FIRST)
    source = opened(url, table="t", cursor="id")
    rows_of(source)
    run(url, "ALTER TABLE t ADD COLUMN added INTEGER", "INSERT INTO t VALUES (9, 90, 'i', 5)")
    assert rows_of(source)["added"].to_list() == [None, None, None, 5]
    run(url, "ALTER TABLE t DROP COLUMN added")
    assert rows_of(source).columns == ["id", "number", "word"]


def test_rows_come_in_batches_and_pieces(
    url: str, run: Run, opened: OpenSource, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever their sizes, every row is there once and in order."""
    monkeypatch.setattr(reading, "BATCH", 7)
    monkeypatch.setattr(pieces_module, "PIECE_BYTES", 300)
    values = ", ".join(f"({n}, {n // 10}, 'w{n}')" for n in range(100))
    run(url, MAKE, f"INSERT INTO t VALUES {values}")
    for cursor in ("", "id", "number"):
        rows = rows_of(opened(url, table="t", cursor=cursor))
        assert sorted(rows["id"].to_list()) == list(range(100))
        assert rows["number"].is_sorted()


def test_an_empty_table_is_told(url: str, run: Run, opened: OpenSource) -> None:
    """There is nothing to learn from no rows."""
    run(url, MAKE)
    with pytest.raises(DataError, match=r"table t in .* has no rows"):
        opened(url, table="t").read()


def test_a_table_that_is_not_there_names_those_that_are(url: str, run: Run, opened: OpenSource) -> None:
    """The nearest first."""
    run(url, "CREATE TABLE flights (id INTEGER)")
    with pytest.raises(DataError, match="no table flihgts") as error:
        opened(url, table="flihgts").digest()
    assert "did you mean 'flights'" in error.value.allowed


def test_columns_that_the_settings_name_are_looked_for(url: str, run: Run, opened: OpenSource) -> None:
    """Cursor and key; and a cursor must have a value in every row."""
    run(url, MAKE, FIRST)
    with pytest.raises(DataError, match=r"no column 'nubmer' .* cursor names") as error:
        opened(url, table="t", cursor="nubmer").digest()
    assert "did you mean 'number'" in error.value.allowed
    with pytest.raises(DataError, match=r"no column 'no' .* key names"):
        opened(url, table="t", cursor="id", key=["no"]).digest()
    with pytest.raises(DataError, match="missing in some rows"):
        opened(url, table="t", cursor="word").digest()


def test_sql_that_the_database_does_not_understand_is_quoted(url: str, opened: OpenSource) -> None:
    """In its own words, on one line."""
    with pytest.raises(DataError, match="cannot do what it was asked: ") as error:
        opened(url, query="SELECT FROM WHERE").digest()
    assert "SELECT set_config" not in str(error.value)


def test_a_query_that_writes_is_refused(postgresql_url: str, run: Run, opened: OpenSource) -> None:
    """By the session, which can only read, whatever the query looks like."""
    run(
        postgresql_url,
        MAKE,
        "CREATE FUNCTION sly() RETURNS integer LANGUAGE sql AS 'INSERT INTO t VALUES (1, 1, NULL) RETURNING id'",
    )
    for query in ("SELECT sly() AS id", "WITH x AS (DELETE FROM t RETURNING id) SELECT * FROM x"):
        with pytest.raises(DataError, match="is only read, and the query would write"):
            opened(postgresql_url, query=query).digest()


def test_mariadb_and_duckdb_refuse_to_write_too(
    mariadb_url: str, duckdb_url: str, sqlite_url: str, run: Run, opened: OpenSource
) -> None:
    """What begins like a query and writes."""
    for url in (mariadb_url, duckdb_url, sqlite_url):
        run(url, MAKE)
        with pytest.raises(DataError):
            opened(url, query="WITH x AS (SELECT 7 AS id) INSERT INTO t SELECT id, id, NULL FROM x").digest()
        with pytest.raises(DataError, match="has no rows"):
            opened(url, table="t").read()
    run(mariadb_url, "CREATE FUNCTION sly() RETURNS INTEGER BEGIN INSERT INTO t VALUES (1, 1, NULL); RETURN 1; END")
    with pytest.raises(DataError, match="is only read, and the query would write"):
        opened(mariadb_url, query="SELECT sly() AS id").digest()


def test_one_state_is_read_whatever_is_written_meanwhile(
    postgresql_url: str, run: Run, opened: OpenSource, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Rows that others commit during the reading come the next time."""
    monkeypatch.setattr("heptad.adapters.databases.arrow.batches", lambda *_: None)
    monkeypatch.setattr(reading, "BATCH", 10)
    run(postgresql_url, MAKE, "INSERT INTO t SELECT n, n, 'w' FROM generate_series(1, 100) n")
    batches = reading.batches

    def disturbed(*arguments: Any) -> Any:
        for number, one in enumerate(batches(*arguments)):
            if number == 2:
                run(postgresql_url, "DELETE FROM t WHERE id > 50", "INSERT INTO t VALUES (1000, 0, 'n')")
            yield one

    monkeypatch.setattr("heptad.adapters.databases.source.batches", disturbed)
    source = opened(postgresql_url, table="t")
    assert rows_of(source)["id"].to_list() == list(range(1, 101))
    assert rows_of(source)["id"].to_list() == [*range(1, 51), 1000]


@pytest.mark.parametrize("arrow", [True, False], ids=["adbc", "psycopg"])
@pytest.mark.parametrize("cursor", ["", "id"])
def test_a_connection_that_is_cut_is_begun_again(
    tmp_path: Path,
    postgresql_url: str,
    run: Run,
    opened: OpenSource,
    monkeypatch: pytest.MonkeyPatch,
    arrow: bool,
    cursor: str,
) -> None:
    """The rows are those of an undisturbed reading; where it happens again and again, the error can be retried."""
    if not arrow:
        monkeypatch.setattr("heptad.adapters.databases.arrow.batches", lambda *_: None)
    run(postgresql_url, MAKE, "INSERT INTO t SELECT n, n, repeat('w', 20) FROM generate_series(1, 60000) n")
    with proxied(postgresql_url, tmp_path) as (url, cuts):
        cuts.set(1_000_000, 1_000_000)
        source = opened(url, table="t", cursor=cursor)
        assert rows_of(source)["id"].to_list() == list(range(1, 60_001))
        assert cuts.left == 0
        run(postgresql_url, "INSERT INTO t SELECT n, n, repeat('w', 20) FROM generate_series(60001, 120000) n")
        cuts.set(*[1_000_000] * 100)
        with pytest.raises(UnavailableError, match="did not answer"):
            source.digest()
        cuts.set()
        assert rows_of(source)["id"].to_list() == list(range(1, 120_001))


def test_mariadb_that_goes_away_is_asked_again(tmp_path: Path, mariadb_url: str, run: Run, opened: OpenSource) -> None:
    """As PostgreSQL is."""
    run(mariadb_url, MAKE, "INSERT INTO t SELECT seq, seq, repeat('w', 20) FROM seq_1_to_60000")
    with proxied(mariadb_url, tmp_path) as (url, cuts):
        cuts.set(1_000_000)
        assert rows_of(opened(url, table="t"))["id"].to_list() == list(range(1, 60_001))
        assert cuts.left == 0


@pytest.mark.parametrize("ask", ["digest", "estimate"])
def test_a_database_that_is_not_there_is_told(ask: str, opened: OpenSource, caplog: pytest.LogCaptureFixture) -> None:
    """After as many attempts as `retries` says, each told; trying again later may help."""
    with pytest.raises(UnavailableError, match=r"127.0.0.1:1/x did not answer") as error:
        getattr(opened("postgresql://me@127.0.0.1:1/x", table="t", retries=2), ask)()
    assert "then do the same again" in error.value.remedy
    assert [one.message.count("It is asked again") for one in caplog.records] == [1, 1]


def test_a_database_that_starts_again_is_waited_for(
    opened: OpenSource, run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As long as a server takes to recover: the pauses of the default are 30 s in all."""
    url = f"sqlite:///{tmp_path}/s.db"
    run(url, MAKE, FIRST)
    pauses: list[float] = []
    real = source_module.snapshot

    def recovering(address: Address, seconds: float) -> AbstractContextManager[Session]:
        if len(pauses) < 4:
            raise LostConnectionError("The database system is starting up.")
        return real(address, seconds)

    source = opened(url, table="t")
    monkeypatch.setattr(source_module, "PAUSE", 2.0)
    monkeypatch.setattr(source_module, "snapshot", recovering)
    monkeypatch.setattr(source_module.time, "sleep", pauses.append)
    assert len(rows_of(source)) == 3
    assert pauses == [2.0, 4.0, 8.0, 16.0]


def test_whoever_is_not_let_in_is_told(mariadb_url: str, opened: OpenSource, monkeypatch: pytest.MonkeyPatch) -> None:
    """A wrong password is a mistake in the settings, and is quoted nowhere."""
    monkeypatch.setenv("HEPTAD_TEST_PASSWORD", "open/sesame")
    url = mariadb_url.replace("root@", "nobody:${HEPTAD_TEST_PASSWORD}@")
    monkeypatch.setenv("HEPTAD_TEST_PASSWORD", "open%2Fsesame")
    with pytest.raises(SettingsError, match="does not let this user in") as error:
        opened(url, table="t").digest()
    assert "sesame" not in str(error.value) + repr(error.value.__cause__)


@pytest.mark.parametrize("arrow", [True, False], ids=["adbc", "psycopg"])
def test_a_query_that_takes_too_long_is_ended(
    postgresql_url: str,
    mariadb_url: str,
    sqlite_url: str,
    duckdb_url: str,
    opened: OpenSource,
    monkeypatch: pytest.MonkeyPatch,
    arrow: bool,
) -> None:
    """By the database itself, after `read_timeout`."""
    if not arrow:
        monkeypatch.setattr("heptad.adapters.databases.arrow.batches", lambda *_: None)
    endless = "WITH RECURSIVE c(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c WHERE n < 100000000) SELECT sum(n) FROM c"
    queries = {
        postgresql_url: "SELECT pg_sleep(60)::text AS s",
        mariadb_url: "SELECT sum(a.seq * b.seq) AS s FROM seq_1_to_100000 a, seq_1_to_100000 b",
        sqlite_url: endless,
        duckdb_url: "SELECT sum(a.range * b.range) AS s FROM range(1000000) a, range(1000000) b",
    }
    for url, query in queries.items():
        with pytest.raises(UnavailableError, match="took longer than"):
            opened(url, query=query, read_timeout="200ms").digest()


def test_a_table_that_somebody_locks_is_waited_for_only_so_long(
    postgresql_url: str, run: Run, opened: OpenSource
) -> None:
    """Then the error says what it is, and that it may pass."""
    run(postgresql_url, MAKE, FIRST)
    with psycopg.connect(postgresql_url) as other:
        other.execute("LOCK TABLE t IN ACCESS EXCLUSIVE MODE")
        with pytest.raises(UnavailableError, match=r"is locked by somebody else|took longer"):
            opened(postgresql_url, table="t", read_timeout="300ms").digest()


def test_what_was_read_is_new_for_as_long_as_the_settings_say(
    postgresql_url: str, run: Run, opened: OpenSource
) -> None:
    """One command reads once; with `refresh`, others do not read either."""
    run(postgresql_url, MAKE, FIRST)
    one, lasting = (opened(postgresql_url, table="t", refresh=refresh) for refresh in ("", "1h"))
    before = one.digest(), lasting.digest()
    run(postgresql_url, "DELETE FROM t WHERE id = 1")
    assert (one.digest(), lasting.digest()) == before
    assert opened(postgresql_url, table="t", refresh="1h").digest() == before[1]
    assert opened(postgresql_url, table="t", refresh="").digest() != before[0]


def test_a_password_is_found_nowhere(
    postgresql_url: str, tmp_path: Path, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not in the workspace, records and lineage included, nor in what is said of a mistake."""
    run(
        postgresql_url,
        "CREATE TABLE t (id INTEGER PRIMARY KEY, x FLOAT, y FLOAT)",
        "INSERT INTO t SELECT n, n % 7, n % 5 FROM generate_series(1, 200) n",
    )
    secret = "open-sesame-4711"
    monkeypatch.setenv("HEPTAD_TEST_PASSWORD", secret)
    user = make_url(postgresql_url)
    uri = postgresql_url.replace(f"{user.username}@", f"{user.username}:${{HEPTAD_TEST_PASSWORD}}@", 1)
    (tmp_path / "heptad.toml").write_text(
        f'[sources.rows]\nuri = "{uri}"\ntable = "t"\ncursor = "id"\n[data]\ntarget = "y"\nkey = ["id"]\n'
    )
    assert open_project(tmp_path).data.collect().body.rows == 200
    environment = os.environ | {"HEPTAD_TEST_PASSWORD": secret}
    program = Path(sys.executable).with_name("heptad")
    said = ""
    for arguments in (["status"], ["data", "show"], ["data", "log"], ["data", "show", "--json"]):
        done = subprocess.run(
            [program, *arguments, "--project", tmp_path], capture_output=True, env=environment, text=True, check=False
        )
        assert done.returncode == 0, done.stderr
        said += done.stdout + done.stderr
    assert secret not in said
    files = [path for path in (tmp_path / ".heptad").rglob("*") if path.is_file()]
    assert any(path.suffix == ".parquet" and "sources" in path.parts for path in files)
    assert [path for path in files if secret.encode() in path.read_bytes()] == []


BRING = """
import sys
from pathlib import Path
from heptad.data import Place, SourceSettings, open_source
from heptad.adapters.databases import pieces
pieces.PIECE_BYTES = 100
settings = SourceSettings(uri="sqlite:///rows.db", table="t", cursor="changed")
source = open_source(settings, Place(root=Path(sys.argv[1])))
source.digest()
"""


def test_killed_at_any_boundary_nothing_is_lost_or_there_twice(
    sqlite_url: str, tmp_path: Path, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Rows and position are one commit: whoever comes next reads on from the last one."""
    monkeypatch.setattr(pieces_module, "PIECE_BYTES", 100)

    def killed(at: int) -> bool:
        log = tmp_path / "boundaries"
        environment = os.environ | {"HEPTAD_FAULT_KILL": f"{at}", "HEPTAD_FAULT_LOG": f"{log}"}
        code = subprocess.run([sys.executable, "-c", BRING, str(tmp_path)], env=environment, check=False).returncode
        assert code in {0, -signal.SIGKILL}
        return code != 0

    def read_on() -> list[dict[str, Any]]:
        settings = SourceSettings(uri="sqlite:///rows.db", table="t", cursor="changed")
        source = open_source(settings, Place(root=tmp_path))
        source.digest()
        return source.read().rows.sort("id").collect().to_dicts()

    run(sqlite_url, "CREATE TABLE t (id INTEGER PRIMARY KEY, changed INTEGER, word TEXT)")
    expected: dict[int, int] = {}
    for kill in range(1, 20):
        base = kill * 10
        values = ", ".join(f"({base + n}, {base + n // 2}, 'w{n}')" for n in range(6))
        run(sqlite_url, f"INSERT INTO t VALUES {values}", f"UPDATE t SET changed = {base} WHERE id = {base - 10}")
        expected |= {base + n: base + n // 2 for n in range(6)}
        if base - 10 in expected:
            expected[base - 10] = base
        if not killed(kill):
            break
        found = read_on()
        assert {row["id"]: row["changed"] for row in found} == expected
        assert len(found) == len(expected)
    boundaries = {line.split()[1] for line in (tmp_path / "boundaries").read_text().splitlines()}
    assert kill > 4
    assert {"source.after_write", "source.before_commit", "source.after_commit"} <= boundaries


def test_two_at_once_come_to_one_copy(postgresql_url: str, run: Run, opened: OpenSource) -> None:
    """Whoever comes second waits for the first, and both read the same."""
    run(postgresql_url, MAKE, "INSERT INTO t SELECT n, n, 'w' FROM generate_series(1, 5000) n")
    found: list[str] = []
    sources = [opened(postgresql_url, table="t", cursor="id") for _ in range(4)]
    threads = [threading.Thread(target=lambda one=one: found.append(one.digest())) for one in sources]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 4
    assert len(set(found)) == 1


def test_settings_of_databases_are_refused_elsewhere(tmp_path: Path) -> None:
    """A table that a file does not have is not passed over."""
    (tmp_path / "t.csv").write_text("a,b\n1,2\n")
    with pytest.raises(SettingsError, match="table is a setting of databases"):
        open_source(SourceSettings(uri="t.csv", table="t"), Place(root=tmp_path))
    with pytest.raises(SettingsError, match="as_of is a setting of Delta tables"):
        open_source(SourceSettings(uri="t.csv", as_of=3), Place(root=tmp_path))


@pytest.mark.parametrize("arrow", [True, False], ids=["adbc", "psycopg"])
@pytest.mark.parametrize(
    ("kind", "values"),
    [
        ("timestamptz", ["2026-01-01 10:00:00.123456+02", "2026-01-01 10:00:00.123457+02", "2026-01-02 00:00+00"]),
        ("timestamp", ["2026-01-01 10:00:00.123456", "2026-01-01 10:00:00.123457", "2026-01-02 00:00"]),
        ("date", ["2026-01-01", "2026-01-02", "2026-01-03"]),
        ("numeric(30, 20)", ["0.10000000000000000001", "0.10000000000000000002", "0.10000000000000000003"]),
        ('text COLLATE "C"', ["a%c:d", "a'b", "b\\"]),
        ("float8", ["0.1", "0.2", "0.30000000000000004"]),
        ("bigint", ["9007199254740993", "9007199254740994", "9007199254740995"]),
    ],
)
def test_a_cursor_of_any_type_goes_on_exactly(
    postgresql_url: str,
    run: Run,
    opened: OpenSource,
    monkeypatch: pytest.MonkeyPatch,
    kind: str,
    values: list[str],
    arrow: bool,
) -> None:
    """Values that differ in their last digit are different positions, also where they are kept as numbers."""
    if not arrow:
        monkeypatch.setattr("heptad.adapters.databases.arrow.batches", lambda *_: None)
    run(postgresql_url, f"CREATE TABLE t (k {kind}, id INTEGER)")
    source = opened(postgresql_url, table="t", cursor="k")
    for number, value in enumerate(values):
        quoted = value.replace("'", "''")
        run(postgresql_url, f"INSERT INTO t VALUES ('{quoted}', {2 * number}), ('{quoted}', {2 * number + 1})")
        assert sorted(rows_of(source)["id"].to_list()) == list(range(2 * number + 2))


def test_types_that_only_postgresql_has_are_as_it_writes_them(
    postgresql_url: str, run: Run, opened: OpenSource
) -> None:
    """Not as the objects that its driver makes of them; alone, in lists and in rows."""
    shown = {
        "r": ("int4range", "[1,4]", "[1,5)"),
        "e": ("numrange", "empty", "empty"),
        "m": ("int4multirange", "{[1,3),[5,9)}", "{[1,3),[5,9)}"),
        "z": ("tstzrange", "[2026-01-01 02:00+02,)", '["2026-01-01 00:00:00+00",)'),
        "i": ("inet", "10.0.0.1/24", "10.0.0.1/24"),
        "h": ("inet", "10.0.0.1", "10.0.0.1"),
        "c": ("cidr", "10.0.0.0/24", "10.0.0.0/24"),
        "p": ("point", "(1,2)", "(1,2)"),
        "b": ("bit(3)", "101", "101"),
        "l": ("int4range[]", '{"[1,5)","[7,8)"}', "[1,5) [7,8)"),
    }
    columns = ", ".join(f"{name} {kind}" for name, (kind, _, _) in shown.items())
    values = ", ".join(f"'{written}'" for _, written, _ in shown.values())
    run(postgresql_url, f"CREATE TABLE t (id INTEGER, {columns})", f"INSERT INTO t VALUES (1, {values})")
    table = opened(postgresql_url, query="SELECT *, row(1, 'a b') AS o FROM t").read()
    rows = table.rows.collect().to_dicts()
    assert rows == [{"id": 1} | {name: text for name, (_, _, text) in shown.items()} | {"o": '(1,"a b")'}]
    assert table.understood["column r"] == "ranges, as text"
    assert table.understood["column i"] == "network addresses, as text"


def test_people_are_taken_out_of_what_was_read(url: str, run: Run, opened: OpenSource, tmp_path: Path) -> None:
    """And out of every file that had them; the database keeps them, and what was read past them is not read again."""
    run(url, "CREATE TABLE t (id INTEGER PRIMARY KEY, who VARCHAR(20))")
    run(url, "INSERT INTO t VALUES (1, 'token-of-anna'), (2, 'bert'), (3, 'token-of-anna')")
    source = opened(url, table="t", cursor="id")
    assert rows_of(source).height == 3
    run(url, "INSERT INTO t VALUES (4, 'token-of-anna'), (5, 'carl')")
    assert rows_of(source).height == 5
    anna = Subjects(columns=["who"], keys=[["token-of-anna"]])
    folder = tmp_path / ".heptad"
    assert [forget_pieces(folder, anna, dry_run=True) for _ in range(2)] == [3, 3]
    assert [forget_pieces(folder, anna), forget_pieces(folder, anna)] == [3, 0]
    kept = b"".join(path.read_bytes() for path in (folder / "sources").rglob("*") if path.is_file())
    assert b"token-of-anna" not in kept
    assert rows_of(opened(url, table="t", cursor="id"))["who"].to_list() == ["bert", "carl"]
    assert forget_pieces(folder, Subjects(columns=["nobody"], keys=[["x"]])) == 0

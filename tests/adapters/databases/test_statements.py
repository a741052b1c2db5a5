"""What is asked of a database: one table or one query that reads."""

from collections.abc import Iterator

import pytest
import sqlalchemy as sa
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy.dialects import mysql, postgresql

from heptad.adapters.databases.statements import statement_of
from heptad.core.errors import DataError, SettingsError
from heptad.data import SourceSettings


def asked(dialect: str = "postgresql", **settings: str) -> str:
    statement = statement_of(SourceSettings(uri="x", **settings), dialect)
    return " ".join(str(statement.select(["a"], ["a"])).split())


def test_a_table_or_a_query_is_needed() -> None:
    """Exactly one of them."""
    with pytest.raises(SettingsError, match="a table or a query"):
        asked()
    with pytest.raises(SettingsError, match="not both"):
        asked(table="t", query="SELECT 1")


@pytest.mark.parametrize(
    "query",
    ["SELECT 1; SELECT 2", "SELECT 1; DROP TABLE t", "SELECT ';' ; SELECT 1", "/* ; */ SELECT 1 ;; x", "SELECT 1;\n;x"],
)
def test_a_query_of_two_statements_is_refused(query: str) -> None:
    """Before the database sees it."""
    with pytest.raises(SettingsError, match="more than one statement"):
        asked(query=query)


@pytest.mark.parametrize("query", ["DELETE FROM t", "insert into t values (1)", "", "-- SELECT", "EXPLAIN SELECT 1"])
def test_sql_that_is_not_a_query_is_refused(query: str) -> None:
    """With what a query begins with."""
    with pytest.raises(SettingsError, match=r"not a query|a table or a query"):
        asked(query=query)


@pytest.mark.parametrize(
    ("query", "dialect"),
    [
        ("SELECT ';'", "postgresql"),
        ("SELECT 'it''s; fine' -- ; not here", "sqlite"),
        ("SELECT 1 /* ; \n ; */", "duckdb"),
        ("(SELECT $tag$ ; $tag$)", "postgresql"),
        ("with a as (select 1) select * from a", "mysql"),
        (r"SELECT 'it\'s; fine' # ;", "mysql"),
        (r"SELECT 'a\' AS b", "postgresql"),
        ('SELECT 1 AS "a;b", `c;d`', "mysql"),
    ],
)
def test_semicolons_in_texts_and_comments_end_nothing(query: str, dialect: str) -> None:
    """Each database has its own quotes."""
    assert asked(dialect, query=query)
    assert asked(dialect, query=query + ("\n;" if "#" in query or "--" in query else ";"))


@given(st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1).filter(lambda one: "." not in one))
def test_every_name_is_quoted_whole(name: str) -> None:
    """A name that holds quotes ends nothing either: it comes back out of the SQL as it was."""
    statement = statement_of(SourceSettings(uri="x", table=name), "postgresql")
    for dialect, quote in ((postgresql.dialect(), '"'), (mysql.dialect(), "`")):
        sql = str(statement.select([name], []).compile(dialect=dialect, compile_kwargs={"literal_binds": True}))
        quoted = dialect.identifier_preparer.quote(name)
        assert sql.count(quoted) >= 2
        if quoted.startswith(quote):
            # psycopg and PyMySQL read %% as %.
            assert quoted[1:-1].replace(quote * 2, quote).replace("%%", "%") == name


def test_a_cursor_makes_a_query_a_table_of_its_own() -> None:
    """So that any query may have one, with a value bound and never written into it."""
    statement = statement_of(SourceSettings(uri="x", query="SELECT a FROM t WHERE b = ':c'", cursor="a"), "sqlite")
    select = statement.select(["a"], ["a"], past="x' OR 1=1")
    compiled = sa.create_engine("sqlite://").dialect.statement_compiler(sa.create_engine("sqlite://").dialect, select)
    assert "FROM (SELECT a FROM t WHERE b = ':c' ) AS heptad_rows" in " ".join(str(compiled).split())
    assert "1=1" not in str(compiled)


@pytest.fixture(params=["sqlite", "duckdb"])
def connection(request: pytest.FixtureRequest) -> Iterator[sa.Connection]:
    with sa.create_engine(f"{request.param}://").connect() as made:
        for name in ("a", "b"):
            made.execute(sa.text(f"CREATE TABLE {name} (id INTEGER, id_1 INTEGER)"))
        yield made


@pytest.mark.parametrize("cursor", ["", "id"])
def test_names_that_repeat_are_refused_where_a_database_renames_them(connection: sa.Connection, cursor: str) -> None:
    """SQLite makes id:1 of the second, DuckDB id_1, where the query is asked for as a table."""
    for query, twice in (("SELECT a.*, b.* FROM a JOIN b ON a.id = b.id", "id, id_1"), ("SELECT 1 id, 2 id", "id")):
        statement = statement_of(SourceSettings(uri="x", query=query, cursor=cursor), connection.dialect.name)
        with pytest.raises(DataError, match=f"names? of columns twice: {twice}"):
            statement.names(connection)
    statement = statement_of(SourceSettings(uri="x", query="SELECT * FROM a", cursor=cursor), connection.dialect.name)
    assert statement.names(connection) == ["id", "id_1"]


def test_a_query_may_end_in_a_comment(connection: sa.Connection) -> None:
    """Which does not reach what is put around it."""
    for query in ("SELECT id FROM a WHERE id < 5 -- few", "SELECT id FROM a; -- all"):
        statement = statement_of(SourceSettings(uri="x", query=query, cursor="id"), connection.dialect.name)
        assert statement.names(connection) == ["id"]
        assert list(connection.execute(statement.select(["id"], ["id"], past=1))) == []

"""Values are looked up as Polars itself does, without holding the column."""

import subprocess
import sys

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from heptad.data.columns.lookups import look_up, replace_known

texts = st.sampled_from(["", "a", "b", "ä", "None", " a"])


@given(values=st.lists(st.none() | texts), known=st.dictionaries(texts, texts))
def test_they_say_what_polars_says(values: list[str | None], known: dict[str, str]) -> None:
    """Of whatever is known, nothing at all included."""
    rows = pl.LazyFrame({"t": values}, schema={"t": pl.String})
    asked = rows.select(look_up(pl.col("t"), known, pl.String()).alias("found"), new=replace_known(pl.col("t"), known))
    made = asked.collect(engine="streaming") if values else asked.collect()
    assert made["found"].to_list() == [known.get(one) if one is not None else None for one in values]
    assert made["new"].to_list() == [known.get(one, one) if one is not None else None for one in values]


def test_numbers_have_a_default() -> None:
    """For what is not known, and for null."""
    rows = pl.DataFrame({"t": ["a", "b", None]})
    assert rows.select(look_up(pl.col("t"), {"a": 2.0}, pl.Float64(), default=1.0))["t"].to_list() == [2.0, 1.0, 1.0]


@pytest.mark.parametrize("call", ["look_up(texts, known, pl.String())", "replace_known(texts, known)"])
def test_a_column_larger_than_what_is_held_goes_through(call: str) -> None:
    """A gigabyte of text takes a fraction of that."""
    script = (
        "import polars as pl\n"
        "from heptad.core.memory import peak_rss_mb\n"
        "from heptad.data.columns.lookups import look_up, replace_known\n"
        "numbers = pl.LazyFrame({'n': range(1_000_000)})\n"
        "texts, known = pl.col('n').cast(pl.String) + 'x' * 1000, {'a': 'b'}\n"
        f"numbers.select({call}.null_count()).collect(engine='streaming')\n"
        "print(peak_rss_mb())\n"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert float(done.stdout) < 900

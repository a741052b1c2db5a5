"""Looks at a table: which cells are likely wrong, and what they should say."""

import io

import numpy as np
import polars as pl
import pytest
from sklearn import datasets

from heptad.data.cleaning.suggesting.labels import Labels
from heptad.data.cleaning.suggesting.suggestions import Suggester

ROWS = 400


def clean_table() -> pl.DataFrame:
    """Places with a code that tells name and state, a size with a unit, a number."""
    rng = np.random.default_rng(11)
    places = [("Riverside", "CA"), ("Portland", "OR"), ("Springfield", "IL"), ("Madison", "WI"), ("Georgetown", "TX")]
    at = rng.integers(0, 5, ROWS)
    return pl.DataFrame(
        {
            "key": [f"k{n:04d}" for n in range(ROWS)],
            "code": [f"P{one}" for one in at],
            "city": [places[one][0] for one in at],
            "state": [places[one][1] for one in at],
            "size": [f"{n}" for n in rng.integers(10, 99, ROWS)],
            "score": [f"{one:.1f}" for one in rng.normal(50, 5, ROWS)],
        }
    )


def dirty_table() -> tuple[pl.DataFrame, pl.DataFrame]:
    """Letters replaced in cities, wrong states, a unit behind every third size, marks for missing scores."""
    clean = clean_table()
    rng = np.random.default_rng(12)
    cells = clean.to_dict(as_series=False)
    for row in rng.choice(ROWS, 16, replace=False):
        cells["city"][row] = cells["city"][row][:3] + "x" + cells["city"][row][4:]
    for row in rng.choice(ROWS, 10, replace=False):
        cells["state"][row] = "OR" if cells["state"][row] != "OR" else "TX"
    for row in range(0, ROWS, 3):
        cells["size"][row] += " cm"
    for row in rng.choice(ROWS, 12, replace=False):
        cells["score"][row] = "N/A"
    return pl.DataFrame(cells), clean.with_columns(
        score=pl.when(pl.Series(cells["score"]) == "N/A").then(pl.lit("")).otherwise("score")
    )


DIRTY, CLEAN = dirty_table()
WRONG = {(row, name) for name in DIRTY.columns for row in range(ROWS) if DIRTY[name][row] != CLEAN[name][row]}


def scores(labels: Labels | None) -> tuple[float, float, float]:
    """Precision and recall of detection, and the share of wrong cells that got their right value."""
    cells = Suggester(DIRTY, labels).suggest().cells
    flagged = {(cell.row, cell.column) for cell in cells}
    right = sum(cell.proposal == CLEAN[cell.column][cell.row] for cell in cells if (cell.row, cell.column) in WRONG)
    return len(flagged & WRONG) / len(flagged), len(flagged & WRONG) / len(WRONG), right / len(WRONG)


def known(rows: list[int]) -> Labels:
    return Labels({(row, name): CLEAN[name][row] for row in rows for name in CLEAN.columns})


def test_errors_are_found_and_put_right_without_being_told_any() -> None:
    """Most of what was put in, little else."""
    precision, recall, repaired = scores(None)
    assert precision > 0.9
    assert recall > 0.85
    assert repaired > 0.75


def test_a_few_known_rows_make_it_better() -> None:
    """The rows that it asked for itself."""
    precision, recall, repaired = scores(known(Suggester(DIRTY).ask(10, 7)))
    assert precision > 0.97
    assert recall > 0.97
    assert repaired > 0.9


def test_hardly_anything_is_found_in_a_clean_table() -> None:
    """At most one cell in two hundred."""
    assert len(Suggester(CLEAN).suggest().cells) <= ROWS * CLEAN.width / 200


def test_a_measured_number_far_out_is_found() -> None:
    """Though nothing is made of how floating-point numbers are printed."""
    drawn = np.random.default_rng(7).normal(size=2_000)
    drawn[:4] = [2.5, 1.0, 0.00009999999999976694, 4_000.0]
    cells = Suggester(pl.DataFrame({"x": drawn}), measured={"x"}).suggest().cells
    assert [(cell.row, cell.rule) for cell in cells] == [(3, "unusual: Far beyond the other numbers")]


def test_what_a_person_knows_is_final() -> None:
    """A cell known to be right is never flagged, a wrong one always, with its correct value."""
    rows = sorted({row for row, _ in WRONG})[:6]
    labels = {(row, name): DIRTY[name][row] for row in rows for name in DIRTY.columns} | {(rows[0], "key"): "other"}
    cells = {(cell.row, cell.column): cell.proposal for cell in Suggester(DIRTY, Labels(labels)).suggest().cells}
    assert cells[rows[0], "key"] == "other"
    assert [place for place in cells if place[0] in rows] == [(rows[0], "key")]


def test_cells_known_to_be_right_are_forgiven_in_the_rest_of_the_column() -> None:
    """Where all marked cells that a person looked at are right, others like them are not flagged."""
    marked = [row for row in range(ROWS) if DIRTY["score"][row] == "N/A"]
    before = [cell for cell in Suggester(DIRTY).suggest().cells if cell.value == "N/A"]
    labels = Labels({(row, "score"): "N/A" for row in marked[:6]})
    after = [cell for cell in Suggester(DIRTY, labels).suggest().cells if cell.value == "N/A"]
    assert len(before) == len(marked)
    assert after == []


def test_texts_in_another_case_are_asked_about_and_then_found() -> None:
    """Titles that occur once each, a tenth of them without their capital: what is like them is what has none."""
    rng = np.random.default_rng(2)
    words = ["amber", "basin", "cedar", "delta", "ember", "fjord", "grove", "heron", "islet", "jetty", "knoll"]
    ends = [".", "?", ":", "!", ""]
    right = [" ".join(rng.permutation(words)[:5]).capitalize() + str(rng.choice(ends)) for _ in range(500)]
    odd = set(rng.choice(500, 50, replace=False).tolist())
    pages = [str(one) for one in rng.integers(1, 400, 500)]
    frame = pl.DataFrame({"title": [t.lower() if row in odd else t for row, t in enumerate(right)], "pages": pages})
    asked = Suggester(frame).ask(20, 7)
    labels = Labels({(row, "title"): right[row] for row in asked} | {(row, "pages"): pages[row] for row in asked})
    found = Suggester(frame, labels).suggest().cells
    assert {(cell.row, cell.proposal) for cell in found} == {(row, right[row]) for row in odd}


def test_codes_of_letters_among_codes_of_digits_are_no_mistakes() -> None:
    """Regions that some countries number and others name; a word that stands there once is one."""
    rng = np.random.default_rng(4)
    names = ["ENG", "SCT", "WLS", "NY", "CA", "TX", "FL", "IL", "MA", "MD"]
    cells = [f"{one:02d}" for one in rng.integers(1, 60, 350)] + [str(one) for one in rng.choice(names, 150)]
    frame = pl.DataFrame({"region": cells, "size": [str(one) for one in rng.integers(10, 99, 500)]})
    assert len(Suggester(frame).suggest().cells) <= 5


def test_it_says_the_same_again() -> None:
    """Equal tables and labels give equal answers, in order of rows; rules count the cells."""
    one, two = (Suggester(DIRTY, known([1, 2])).suggest() for _ in range(2))
    assert one == two
    assert [cell.row for cell in one.cells] == sorted(cell.row for cell in one.cells)
    assert sum(rule.cells for rule in one.rules) == len(one.cells)
    assert one.looked_at == ROWS * DIRTY.width


def test_odd_tables_are_looked_at_too() -> None:
    """One row, one column, nothing but empty cells, numbers instead of texts."""
    for frame in (
        pl.DataFrame({"a": ["x"]}),
        pl.DataFrame({"a": [None, None, None]}, schema={"a": pl.String}),
        pl.DataFrame({"a": [1, 2, 3], "b": [0.5, None, 2.0]}),
        pl.DataFrame({"a": ["same"] * 30, "b": [""] * 30}),
    ):
        suggester = Suggester(frame, Labels({(0, "a"): "x"}))
        assert len(suggester.suggest().cells) <= frame.height * frame.width
        assert suggester.ask(5, 1) == [row for row in suggester.ask(5, 1) if row != 0]


def products(wrong: int, seed: int = 4) -> tuple[pl.DataFrame, list[str]]:
    """600 rows of six products that tell three categories, some of which are other ones; and the right ones."""
    rng = np.random.default_rng(seed)
    at = rng.integers(0, 6, 600)
    names = ["Electronics", "Furniture", "Stationery"]
    right = [names[one // 2] for one in at]
    came = list(right)
    for row in rng.choice(600, wrong, replace=False):
        came[row] = names[(names.index(right[row]) + 1) % 3]
    product = [["Laptop", "Phone", "Desk", "Chair", "Pen", "Notebook"][one] for one in at]
    key, size = [f"K{row:04d}" for row in range(600)], [f"{one}" for one in rng.integers(1, 99, 600)]
    return pl.DataFrame({"key": key, "product": product, "category": came, "size": size}), right


def test_contradictions_are_found_among_few_values() -> None:
    """Three categories, of which each is common; and nothing where none is wrong."""
    for wrong in (12, 0):
        table, right = products(wrong)
        cells = {(cell.row, cell.proposal) for cell in Suggester(table).suggest().cells}
        assert cells == {(row, right[row]) for row in range(600) if table["category"][row] != right[row]}


def test_exceptions_of_a_tendency_are_no_mistakes() -> None:
    """Of six departments half tend to one of two answers, nine times in ten."""
    rng = np.random.default_rng(1)
    at, otherwise = rng.integers(0, 6, 1000), rng.random(1000) < 0.1
    answer = [("yes", "no")[(one % 2) ^ int(other)] for one, other in zip(at, otherwise, strict=True)]
    table = pl.DataFrame({"department": [f"Group {one}" for one in at], "answer": answer})
    assert Suggester(table).suggest().cells == []


def test_one_correction_speaks_of_contradictions_and_not_of_a_value() -> None:
    """A category that is right in most of its rows stays right in them; those like the corrected cell are found."""
    table, right = products(wrong=12)
    wrong = [row for row in range(600) if table["category"][row] != right[row]]
    known = Labels({(wrong[0], "category"): right[wrong[0]]}).completed(table)
    cells = Suggester(table, known).suggest().cells
    assert {(cell.row, cell.proposal) for cell in cells} == {(row, right[row]) for row in wrong}


@pytest.mark.parametrize("name", ["iris", "wine", "breast_cancer", "diabetes"])
def test_hardly_a_cell_of_a_clean_table_is_flagged(name: str) -> None:
    """Measurements that are as they should be: no more than one of a thousand cells, and never surely."""
    rows = getattr(datasets, f"load_{name}")(as_frame=True).frame
    frame = pl.read_csv(io.BytesIO(rows.to_csv(index=False).encode()), infer_schema=False)
    found = Suggester(frame).suggest()
    assert len(found.cells) <= 0.001 * found.looked_at
    assert all(cell.precision < 0.8 for cell in found.cells)


def test_each_proposal_says_how_likely_it_is_right() -> None:
    """Never more likely than that the cell is wrong; nothing is said where nothing is proposed."""
    cells = Suggester(DIRTY).suggest().cells
    assert all((cell.repaired is None) == (cell.proposal is None) for cell in cells)
    assert all(cell.repaired <= cell.precision for cell in cells if cell.repaired is not None)


def test_an_empty_cell_that_no_other_row_can_fill_is_no_mistake() -> None:
    """It is missing; nothing says that something belongs there."""
    names = [f"name {n}" for n in range(300)]
    names[7] = names[8] = ""
    assert not Suggester(pl.DataFrame({"key": [str(n) for n in range(300)], "name": names})).suggest().cells

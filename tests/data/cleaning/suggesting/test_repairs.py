"""What a wrong cell should say."""

from collections.abc import Sequence

import numpy as np
import polars as pl

from heptad.data.cleaning.suggesting.cells import encode
from heptad.data.cleaning.suggesting.evidence import gather
from heptad.data.cleaning.suggesting.repairs import Repairer


def repairer(cells: dict[str, list[str]], name: str, flagged: Sequence[int], pairs: dict[int, str]) -> Repairer:
    """Of a table without corrections, but with pairs of what rows say and should say."""
    columns = [encode(pl.Series(column, values)) for column, values in cells.items()]
    evidence = gather(columns, columns, np.ones(columns[0].rows))
    one = evidence[list(cells).index(name)]
    return Repairer(
        one, list(cells), np.array(flagged), {row: (cells[name][row], right) for row, right in pairs.items()}
    )


def proposed(cells: dict[str, list[str]], name: str, row: int, pairs: dict[int, str]) -> tuple[str, str]:
    made = repairer(cells, name, [row, *pairs], pairs).propose(row)
    assert made is not None
    assert 0 < made.chance < 1
    return made.text, made.kind


def test_the_group_says_what_is_meant() -> None:
    """Other rows of the same code agree."""
    rng = np.random.default_rng(0)
    code = [str(one) for one in rng.integers(0, 9, 120)]
    names = [f"place {one}" for one in code]
    names[5] = "xyz"
    assert proposed({"code": code, "name": names}, "name", 5, {}) == (f"place {code[5]}", "told")


def test_a_program_learnt_from_two_pairs_repairs_the_rest() -> None:
    """No other row has the value."""
    cells = {"size": [f"{n}.0 oz" for n in range(10, 60)]}
    assert proposed(cells, "size", 30, {1: "11", 2: "12"}) == ("40", "program")


def test_a_value_that_was_corrected_is_corrected_alike() -> None:
    """The same wrong text elsewhere."""
    cells = {"sex": ["male"] * 30 + ["f"] * 3 + ["female"] * 30}
    assert proposed(cells, "sex", 31, {30: "female"})[0] == "female"


def test_a_value_that_is_mostly_right_is_not_corrected_alike() -> None:
    """What was true of one cell is not of others; the group of the cell says what it should be."""
    code = [str(n % 6) for n in range(240)]
    kinds = [["low", "middle", "high"][n % 3] for n in range(240)]
    kinds[0], kinds[1] = "high", "high"
    assert proposed({"code": code, "kind": kinds}, "kind", 1, {0: "low"}) == ("middle", "told")


def test_what_is_wrong_throughout_is_not_what_a_group_says() -> None:
    """Three of twelve sources put the day before each time, and before another time that tells this one; two err."""
    flights = [n // 12 for n in range(240)]
    day = ["12/02/2011 " if n % 12 < 3 else "" for n in range(240)]
    left = [f"{day[n]}{flights[n]}:05" for n in range(240)]
    came = [f"{day[n]}{(flights[n] + (n % 12 > 9)) % 20 + 30}:55" for n in range(240)]
    came[0] = ""
    cells = {"flight": [f"AA-{one}" for one in flights], "left": left, "came": came}
    made = repairer(cells, "came", [n for n in range(240) if day[n]], {}).propose(0)
    assert made is not None
    assert made.text == "30:55"


def test_a_program_gives_way_where_other_rows_say_that_it_is_another_value() -> None:
    """A unit taken away leaves a number that the group has not, or just the one that it has."""
    code = [str(n % 12) for n in range(240)]
    sizes = [str(100 + n % 12) for n in range(240)]
    sizes[2], sizes[3], sizes[24], sizes[25], sizes[26] = "777 kg", "103 kg", "100 kg", "101 kg", "102 kg"
    made = repairer({"code": code, "size": sizes}, "size", [2, 3, 24, 25, 26], {24: "100", 25: "101", 26: "102"})
    assert [one.text for one in map(made.propose, (2, 3)) if one] == ["102", "103"]


def test_spelling_is_put_right() -> None:
    """The near common value, and the word inside of a longer text, in the case that it had."""
    cities = {"city": ["birmingham"] * 40 + ["boston"] * 30 + ["birminghxm"]}
    assert proposed(cities, "city", 70, {})[0] == "birmingham"
    titles = {"title": [f"Study of sample {n}" for n in range(40)] + ["Studdy of tissue"]}
    assert proposed(titles, "title", 40, {}) == ("Study of tissue", "words")


def test_a_mark_becomes_empty_and_a_format_the_usual_one() -> None:
    """N/A is nothing; the phone number gets its brackets."""
    numbers = {"ibu": [str(n) for n in range(40)] + ["N/A"]}
    assert proposed(numbers, "ibu", 40, {}) == ("", "missing")
    phones = {"phone": [f"({200 + n}) 555-{1000 + n}" for n in range(40)] + ["2125559876"]}
    assert proposed(phones, "phone", 40, {}) == ("(212) 555-9876", "format")


def test_kinds_that_were_wrong_before_are_believed_less() -> None:
    """Where the group was wrong about known rows, its word counts less."""
    rng = np.random.default_rng(0)
    code = [str(one) for one in rng.integers(0, 9, 120)]
    names = [f"place {one}" for one in code]
    for row in (1, 2, 3, 4, 5):
        names[row] = f"odd {row}"
    cells = {"code": code, "name": names}
    before = repairer(cells, "name", [5], {}).propose(5)
    after = repairer(
        cells, "name", [5], dict(zip((1, 2, 3, 4), ("alpha", "beta", "gamma", "delta"), strict=True))
    ).propose(5)
    assert before is not None
    assert after is None or after.chance < before.chance


def test_where_nothing_can_be_made_nothing_is_proposed() -> None:
    """A cell of its own kind."""
    made = repairer({"x": [f"{chr(97 + n % 26)}{n}" for n in range(40)] + ["!!!!"]}, "x", [40], {}).propose(40)
    assert made is None


def test_no_case_is_proposed_that_fewer_cells_have() -> None:
    """A code in capitals stays in them where all are; in a column of small letters it is written as they are."""
    codes = [f"{n:04}-{a}{b}KXW" for n, (a, b) in enumerate(zip("ABCDEFGH" * 8, "LMNOPQRS" * 8, strict=True))]
    made = repairer({"code": codes}, "code", [5], {}).propose(5)
    assert made is None or made.text != codes[5].lower()
    words = ["red", "green", "blue"] * 20 + ["RED"]
    assert proposed({"colour": words}, "colour", 60, {})[0] == "red"


def test_a_format_keeps_what_a_number_says() -> None:
    """Without its point or its sign a number is another one, however usual that is."""
    sizes = ["55"] * 30 + ["70"] * 30 + [f"{n}.5 cm" for n in range(10)] + ["5.5", "-70"]
    for row in (70, 71):
        made = repairer({"size": sizes}, "size", [row], {}).propose(row)
        assert made is None or made.kind != "format"


def test_of_free_text_no_number_is_left() -> None:
    """A message with one number in it is no number with a unit."""
    rng = np.random.default_rng(0)
    texts = [" ".join(rng.choice(["call", "me", "at", "home", "now"], 5)) + f" {n}!" for n in range(50)]
    texts += [str(n) for n in range(5)]
    for row in range(50):
        made = repairer({"text": texts}, "text", [row], {}).propose(row)
        assert made is None or made.by not in {("bare",), ("number",)}


def test_a_number_has_no_more_decimals_than_the_column_has_elsewhere() -> None:
    """What a program printed of a share loses its noise with its sign."""
    shares = [f"0.{n:03}" for n in range(40, 80)] + ["0.05%", "0.061%", "0.052000000000000005%"]
    made = repairer({"share": shares}, "share", [40, 41, 42], {40: "0.05", 41: "0.061"}).propose(42)
    assert made is not None
    assert made.text == "0.052"

"""What speaks for and against each cell."""

import numpy as np
import polars as pl

from heptad.data.cleaning.suggesting.cells import encode
from heptad.data.cleaning.suggesting.evidence import NAMES, gather


def table(rows: int = 300) -> dict[str, list[str]]:
    rng = np.random.default_rng(3)
    code = rng.integers(0, 15, rows)
    return {
        "code": [f"c{one}" for one in code],
        "name": [f"name {one}" for one in code],
        "size": [str(one) for one in rng.integers(0, 90, rows)],
    }


def test_a_cell_that_its_group_contradicts_has_the_evidence() -> None:
    """And those that their group backs have the opposite."""
    cells = table()
    cells["name"][5] = "name 3" if cells["name"][5] != "name 3" else "name 4"
    cells["name"][6] = ""
    columns = [encode(pl.Series(name, values)) for name, values in cells.items()]
    found = gather(columns, columns, np.ones(300))[1]
    features = found.features()
    told, backed, empty = (features[:, NAMES.index(name)] for name in ("told", "backed", "told_empty"))
    assert told.argmax() == 5
    assert told[5] > 1.5
    assert backed[5] == 0
    assert backed[7] > 1
    assert empty[6] > 1.5


def test_rows_are_read_alone_as_together() -> None:
    """Features and traits of some rows are those rows of all."""
    columns = [encode(pl.Series(name, values)) for name, values in table().items()]
    for one in gather(columns, columns, np.ones(300)):
        some = np.array([4, 2, 250])
        assert (one.features(some) == one.features()[some]).all()
        assert (one.traits(some) == one.traits()[some]).all()


def test_texts_of_one_case_are_alike() -> None:
    """Whatever they say; another case or another sign makes them others."""
    cells = ["First one", "second one", "third title", "Fourth title", "fifth, title"] + ["Any title"] * 20
    kinds = gather([encode(pl.Series("title", cells))], [encode(pl.Series("title", cells))], np.ones(25))[0].traits()
    assert kinds[1, 0] == kinds[2, 0] != kinds[0, 0] == kinds[3, 0]
    assert kinds[4, 0] not in kinds[:4, 0]
    assert (kinds[:4, -1] == kinds[0, -1]).all()


def test_votes_go_by_what_is_believed() -> None:
    """A row that a person set right counts for more than the rest of its group."""
    code = ["a"] * 4 + ["b"] * 40 + ["c"] * 40
    name = ["old", "old", "old", "old", *["bee"] * 40, *["sea"] * 40]
    columns = [encode(pl.Series("code", code)), encode(pl.Series("name", name))]
    name[0] = "new"
    believed = [columns[0], encode(pl.Series("name", name))]
    weights = np.ones(84)
    weights[0] = 4.0
    found = gather(columns, believed, weights)[1]
    assert believed[1].values[int(found.told[0].vote.most[1])] == "new"


def test_what_was_set_right_has_the_evidence_against_what_it_was() -> None:
    """The votes know the right value; the cell was contradicted all the same, by a value that others have or none."""
    cells = table()
    for was in ("name 3" if cells["name"][5] != "name 3" else "name 4", "nobody's", ""):
        came = [*cells["name"][:5], was, *cells["name"][6:]]
        code, right = encode(pl.Series("code", cells["code"])), encode(pl.Series("name", cells["name"]))
        alone = gather([code, encode(pl.Series("name", came))], [code, right], np.ones(300))[1]
        judged = dict(zip(NAMES, alone.features([5])[0], strict=True))
        assert judged["backed"] == 0
        assert judged["told" if was else "told_empty"] > 1.5
        assert alone.traits([5])[0, 2] == 2
        assert alone.traits([7])[0, 2] == 1


def test_exceptions_of_a_rule_break_it_and_those_of_a_tendency_do_not() -> None:
    """Where all groups agree but for a row or two, what dissents is a mistake; not where some are of two minds."""
    rng = np.random.default_rng(5)
    code = rng.integers(0, 6, 600)
    names = ["low", "middle", "high"]
    rule = [names[one % 3] for one in code]
    rule[7] = names[(names.index(rule[7]) + 1) % 3]
    tendency = [names[one % 3] if one < 4 or rng.random() < 0.6 else "low" for one in code]
    table = [encode(pl.Series(name, texts)) for name, texts in (("code", list(map(str, code))), ("told", rule))]
    loose = [table[0], encode(pl.Series("told", tendency))]
    broken = NAMES.index("broken")
    found = gather(table, table, np.ones(600))[1].features()[:, broken]
    assert found.argmax() == 7
    assert np.flatnonzero(found).tolist() == [7]
    assert gather(loose, loose, np.ones(600))[1].features()[:, broken].max() == 0

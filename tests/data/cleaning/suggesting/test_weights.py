"""What each kind of evidence weighs where nobody has judged a cell yet."""

from heptad.data.cleaning.suggesting.evidence import NAMES
from heptad.data.cleaning.suggesting.weights import BIAS, SCALE, WEIGHTS


def test_every_kind_of_evidence_has_its_weight() -> None:
    """And a scale above zero; a cell without evidence is right."""
    assert len(WEIGHTS) == len(SCALE) == len(NAMES)
    assert (SCALE > 0).all()
    assert BIAS < -2


def test_evidence_that_speaks_for_a_cell_weighs_against_an_error() -> None:
    """Backing and free text lower the guess, contradiction and marks raise it."""
    weight = dict(zip(NAMES, WEIGHTS, strict=True))
    assert max(weight["backed"], weight["free_text"]) < 0
    assert min(weight[name] for name in ("told_alone", "letters", "variant", "marker", "not_number", "slipped")) > 0

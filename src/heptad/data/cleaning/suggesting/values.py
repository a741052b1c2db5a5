"""What speaks against each different value of a column, apart from the rows it stands in."""

import msgspec
import numpy as np
import polars as pl

from heptad.data.cleaning.suggesting import formats, missing, ngrams, numbers, shapes, spelling, variants, words
from heptad.data.cleaning.suggesting.cells import Column, Floats, Ints, codes_of
from heptad.data.cleaning.suggesting.rarity import rarity

NAMES = (
    "rare_value",
    "rare_coarse",
    "rare_cased",
    "rare_fine",
    "rare_symbols",
    "rare_character",
    "rare_pair",
    "rare_word",
    "rare_length",
    "rare_part",
    "often",
    "letters",
    "digits",
    "word",
    "variant",
    "not_number",
    "outlier",
    "marker",
    "weak_marker",
    "empty",
    "few_empty",
    "padded",
    "unit",
    "ungrouped",
    "other_shape",
    "other_length",
    "other_case",
    "foreign",
    "free_text",
)
_SHAPES = (shapes.coarse, shapes.cased, shapes.symbols, shapes.fine)
_OF_TEXTS = ("letters", "digits")
_OF_SHAPES = (
    "rare_coarse",
    "rare_cased",
    "rare_fine",
    "rare_symbols",
    "rare_character",
    "rare_pair",
    "rare_length",
    "rare_part",
    "other_shape",
    "other_length",
    "other_case",
)
_OF_MARKERS = {"marker", "weak_marker", "not_number"}
_OF_EMPTY = {"empty", "few_empty"}


class ValueEvidence(msgspec.Struct):
    """Of m values: `features` (m, len(NAMES)), codes of shapes and signs, words to the common word they are nearly.

    `near`: the place of the common value that one is nearly; `sister`: of the commonest of its spellings; -1: none.
    """

    features: Floats
    shape: Ints
    cased: Ints
    symbols: Ints
    fine: Ints
    near: Ints
    sister: Ints
    corrections: dict[str, str]


def value_evidence(column: Column) -> ValueEvidence:
    """Evidence about each of m values."""
    values, m = column.values, len(column.values)
    marker = missing.strong(values).to_numpy()
    real = ~marker
    if column.empty >= 0:
        real[column.empty] = False
    counts = np.where(real, column.counts, 0)
    found = {name: np.zeros(m) for name in NAMES} | _commonness(column, counts)
    shape = cased = symbols = fine = np.zeros(m, dtype=np.int64)
    near = sister = np.full(m, -1)
    corrections: dict[str, str] = {}
    if not column.measured:
        shape, cased, symbols, fine = (codes_of(of(values)) for of in _SHAPES)
        found |= _shapes(column, counts, shape, cased, symbols, fine)
        found |= _parts(column, counts)
        found["letters"], found["digits"], near = spelling.misspelt(column)
        found["word"], corrections = words.misspelt_words(column)
        found["variant"], sister = variants.variants(column)
    found |= {"marker": marker.astype(float), "weak_marker": missing.weak(values).to_numpy().astype(float)}
    near = _numbers(column, counts, found, near)
    if column.empty >= 0:
        found["empty"][column.empty] = 1.0
        found["few_empty"][column.empty] = -np.log10(column.counts[column.empty] / column.rows)
    kept = [np.where(real | (marker & (name in _OF_MARKERS)) | (name in _OF_EMPTY), found[name], 0.0) for name in NAMES]
    return ValueEvidence(np.stack(kept, axis=1), shape, cased, symbols, fine, near, sister, corrections)


def _commonness(column: Column, counts: Ints) -> dict[str, Floats]:
    m = len(column.values)
    return {
        "rare_value": rarity(np.arange(m), counts),
        "often": np.log10(np.maximum(1, column.counts)),
        "free_text": np.full(m, float((counts[counts > 0] == 1).mean()) if (counts > 0).any() else 0.0),
    }


def _shapes(column: Column, counts: Ints, shape: Ints, cased: Ints, symbols: Ints, fine: Ints) -> dict[str, Floats]:
    values = column.values
    lengths = values.str.len_chars().to_numpy().astype(np.int64)
    other = formats.standing_out(shape, counts)
    return {
        "rare_coarse": rarity(shape, counts),
        "rare_cased": rarity(cased, counts),
        "rare_fine": rarity(fine, counts),
        "rare_symbols": rarity(symbols, counts),
        "rare_length": rarity(lengths, counts),
        "rare_part": formats.rare_part(values, shape, counts),
        "other_shape": other,
        "other_case": np.maximum(0.0, formats.standing_out(cased, counts) - other),
        "other_length": formats.other_length(shape, lengths, counts),
        "ungrouped": formats.ungrouped(values, counts),
        "unit": formats.units(values, counts),
    }


def _parts(column: Column, counts: Ints) -> dict[str, Floats]:
    values = column.values
    view = Column(column.name, values, column.codes, counts)
    padded = values.str.contains(r"^\s|\s$|\s\s").to_numpy().astype(float)
    return {
        "rare_character": ngrams.rarest_character(view),
        "rare_pair": ngrams.rarest_pair(view),
        "rare_word": ngrams.rarest_word(view),
        # Blanks that half of the column has are its way of writing.
        "padded": padded * (1 - min(1.0, 2 * float(column.counts @ padded) / max(1, column.rows))),
    }


def _numbers(column: Column, counts: Ints, found: dict[str, Floats], near: Ints) -> Ints:
    """Evidence of a column of numbers: one is not another misspelt, and signs tell only of numbers of one length."""
    parsed = numbers.parsed(column.values)
    share = numbers.share_of_numbers(parsed, column)
    if share < numbers.MOST:
        return near
    none = np.isnan(parsed)
    strange = min(2.0, -np.log10(max(1 - share, 1e-4))) * numbers.strangeness(column.values, ~none, counts)
    found["not_number"] = np.where(none, strange, 0.0)
    found["outlier"] = numbers.outlying(parsed, counts)
    for name in _OF_TEXTS if numbers.of_one_length(column.values, ~none, counts) else (*_OF_TEXTS, *_OF_SHAPES):
        found[name] = np.where(none, found[name], 0.0)
    return np.where(none, near, -1)


def mark_foreign(columns: list[Column], evidence: list[ValueEvidence]) -> None:
    """Marks values that are usual in another column and rare in this one: log10 of how much commoner there."""
    frames = [
        pl.DataFrame({"value": column.values, "n": column.counts, "at": at, "place": np.arange(len(column.values))})
        for at, column in enumerate(columns)
        if len(column.values) <= _MOST_VALUES
    ]
    if not frames:
        return
    table = pl.concat(frames).filter(pl.col("value").str.contains(r"\p{L}"))
    home = pl.col("at").sort_by("n", descending=True).first().over("value")
    table = table.with_columns(home=home, most=pl.col("n").max().over("value"))
    enough = (pl.col("most") >= 5) & (pl.col("most") >= 10 * pl.col("n"))
    for at, place, n, most in (
        table.filter((pl.col("home") != pl.col("at")) & enough).select("at", "place", "n", "most").iter_rows()
    ):
        evidence[at].features[place, NAMES.index("foreign")] = np.log10(most / n)


_MOST_VALUES = 5_000

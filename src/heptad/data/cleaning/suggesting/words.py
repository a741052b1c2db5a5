"""Rare words that are nearly a common word of the same column."""

import numpy as np
import polars as pl
from rapidfuzz import process
from rapidfuzz.distance import OSA

from heptad.data.cleaning.suggesting.cells import Column, Floats
from heptad.data.cleaning.suggesting.spelling import COMPARED, alike_anyway

MOST_COMMON = 3_000
MOST_RARE = 6_000
"""Words that are compared at most: the commonest with the rarest."""
LIKE = 0.7
EDGES = ".,;:!?()[]{}\"'"
"""What may stand around a word; a sign inside of it makes it none."""


def misspelt_words(column: Column) -> tuple[Floats, dict[str, str]]:
    """Of each value the evidence that one of its words is a common one misspelt; words to the common ones.

    A word of four letters or more that up to three cells have, against those that five and more have; by optimal
    string alignment.
    """
    found = np.zeros(len(column.values))
    words = (
        pl.DataFrame({"at": np.arange(len(column.values)), "word": column.values, "n": column.counts})
        .with_columns(pl.col("word").str.to_lowercase().str.split(" "))
        .explode("word")
        .with_columns(pl.col("word").str.strip_chars(EDGES))
        .filter(pl.col("word").str.contains(r"^[\p{L}\p{M}]{4,}$"))
    )
    tally = words.group_by("word").agg(pl.col("n").sum()).sort("n", "word", descending=[True, False])
    common, rare = tally.filter(pl.col("n") >= 5).head(MOST_COMMON), tally.filter(pl.col("n") <= 3).tail(MOST_RARE)
    if common.is_empty() or rare.is_empty():
        return found, {}
    alike = process.cdist(
        rare["word"].to_list(),
        common["word"].to_list(),
        scorer=OSA.normalized_similarity,
        score_cutoff=LIKE,
        dtype=np.float32,
    )
    lead = np.log10(common["n"].to_numpy()[None, :] / rare["n"].to_numpy()[:, None])
    score = np.where((alike > LIKE) & (lead >= 0.6), np.minimum(lead, 2) + 1 - 4 * (1 - alike), -1.0)
    best = score.argmax(axis=1)
    score = score[np.arange(len(best)), best]
    usual = alike_anyway(common["word"].head(COMPARED).to_list(), common["n"].head(COMPARED).to_numpy())[0]
    score *= [1 - usual(float(like)) for like in alike[np.arange(len(best)), best]]
    hits = np.flatnonzero(score > 0)
    corrections = {str(rare["word"][i]): str(common["word"][int(best[i])]) for i in hits.tolist()}
    strength = {str(rare["word"][i]): float(score[i]) for i in hits.tolist()}
    for at, word in words.filter(pl.col("word").is_in(list(corrections))).select("at", "word").iter_rows():
        found[at] = max(found[at], strength[word])
    return found, corrections

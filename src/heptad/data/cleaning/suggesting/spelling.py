"""Rare values that are nearly a common one."""

from collections.abc import Callable
from functools import partial

import numpy as np
from rapidfuzz import process
from rapidfuzz.distance import OSA

from heptad.data.cleaning.suggesting import shapes
from heptad.data.cleaning.suggesting.cells import Column, Floats, Ints

MOST_COMMON = 2_000
MOST_RARE = 20_000
COMPARED = 500
"""Common values that are compared among themselves at most."""
LEAD = 0.47
"""How much commoner the other one is at least, as log10: three times."""
MOST_EDITS, EDITED = 2, 0.15
"""Letters that slip at most: so many, or this share of a long text."""


def misspelt(column: Column) -> tuple[Floats, Floats, Ints]:
    """Of each value the evidence that it is a common one misspelt: in letters, in digits; and which common one.

    Evidence: log10 of how much commoner the other is, less what the distance costs.
    """
    m = len(column.values)
    letters, digits, near = np.zeros(m), np.zeros(m), np.full(m, -1)
    counts = column.counts
    common = np.flatnonzero(counts >= 3)
    common = common[np.argsort(-counts[common], kind="stable")][:MOST_COMMON]
    common = common[common != column.empty]
    if not len(common):
        return letters, digits, near
    rare = np.flatnonzero(counts * 3 <= counts[common].max())
    rare = rare[np.argsort(counts[rare], kind="stable")][:MOST_RARE]
    rare = rare[rare != column.empty]
    texts = column.values.to_list()
    targets = [texts[i].lower() for i in common]
    lengths = np.array([len(text) for text in texts])
    usual = alike_anyway([texts[i] for i in common[:COMPARED]], counts[common[:COMPARED]])
    step = max(1, 4_000_000 // len(common))
    for start in range(0, len(rare), step):
        part = rare[start : start + step]
        sims = process.cdist(
            [texts[i].lower() for i in part],
            targets,
            scorer=OSA.normalized_similarity,
            score_cutoff=0.5,
            dtype=np.float32,
        )
        longest = np.maximum(lengths[part][:, None], lengths[common][None, :])
        slips = (1 - sims) * longest <= np.maximum(MOST_EDITS, EDITED * longest) + 0.01
        lead = np.log10(counts[common][None, :] / counts[part][:, None])
        score = np.where((sims > 0.5) & (sims < 1) & slips & (lead >= LEAD), lead + 4 * (sims - 1), -np.inf)
        best = score.argmax(axis=1)
        for row, at in enumerate(best):
            if score[row, at] == -np.inf:
                continue
            i, j = part[row], common[at]
            near[i] = j
            # log10 lead, less the distance
            value = max(0.0, float(lead[row, at]) + 1 - 4 * (1 - float(sims[row, at])))
            kind = int(_digits(texts[i]) != _digits(texts[j]))
            # Other digits in the same places are another thing.
            if not kind or shapes.fine_text(texts[i]) != shapes.fine_text(texts[j]):
                (letters, digits)[kind][i] = value * (1 - usual[kind](float(sims[row, at])))
    return letters, digits, near


def alike_anyway(texts: list[str], counts: Ints) -> list[Callable[[float], float]]:
    """Of common values, how many have another one, about as common, as like them: in letters, in digits.

    Where values are alike that are all right, to be nearly another one says little.
    """
    small, digits = [text.lower() for text in texts], np.array([_digits(text) for text in texts])
    sims = process.cdist(small, small, scorer=OSA.normalized_similarity, score_cutoff=0.5, dtype=np.float32)
    lead = np.abs(np.log10(counts[:, None] / counts[None, :]))
    sims[(sims == 1) | (lead >= LEAD)] = 0.0
    same = digits[:, None] == digits[None, :]
    nearest = [np.sort(np.where(of, sims, 0.0).max(axis=1)) for of in (same, ~same)]
    return [partial(_share_from, of) for of in nearest]


def _share_from(ranked: Floats, least: float) -> float:
    """How much of what is ranked reaches the least."""
    return 1 - float(np.searchsorted(ranked, least - 1e-6)) / len(ranked)


def _digits(text: str) -> str:
    return "".join(c for c in text if c.isdigit())

"""Rare values that are nearly a common one."""

import numpy as np
from rapidfuzz import process
from rapidfuzz.distance import OSA

from heptad.data.cleaning.suggesting.cells import Column, Floats, Ints

MOST_COMMON = 2_000
MOST_RARE = 20_000


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
        lead = np.log10(counts[common][None, :] / counts[part][:, None])
        score = np.where((sims > 0.5) & (sims < 1) & (lead >= 0.47), lead + 4 * (sims - 1), -np.inf)
        best = score.argmax(axis=1)
        for row, at in enumerate(best):
            if score[row, at] == -np.inf:
                continue
            i, j = part[row], common[at]
            near[i] = j
            # log10 lead, less the distance; comparing the digits only tells codes from words
            value = max(0.0, float(lead[row, at]) + 1 - 4 * (1 - float(sims[row, at])))
            if _digits(texts[i]) != _digits(texts[j]):
                digits[i] = value
            else:
                letters[i] = value
    return letters, digits, near


def _digits(text: str) -> str:
    return "".join(c for c in text if c.isdigit())

"""What each kind of evidence weighs where nobody has judged a cell yet."""

import numpy as np

from heptad.data.cleaning.suggesting.evidence import NAMES

_LEARNT: dict[str, tuple[float, float]] = {
    "rare_value": (-0.58, 0.34),
    "rare_coarse": (-0.43, 0.25),
    "rare_cased": (0.26, 0.27),
    "rare_fine": (0.60, 0.34),
    "rare_symbols": (0.53, 0.23),
    "rare_character": (-0.18, 0.30),
    "rare_pair": (0.86, 0.31),
    "rare_word": (-0.13, 0.28),
    "rare_length": (0.09, 0.33),
    "rare_part": (2.19, 0.29),
    "often": (-0.95, 1.28),
    "letters": (2.39, 0.27),
    "digits": (1.15, 0.26),
    "word": (1.60, 0.20),
    "variant": (6.08, 0.18),
    "not_number": (6.59, 0.18),
    "outlier": (1.52, 0.35),
    "marker": (4.32, 0.18),
    "weak_marker": (0.72, 0.13),
    "empty": (0.30, 0.25),
    "few_empty": (-0.24, 0.21),
    "padded": (3.32, 0.11),
    "unit": (2.22, 0.30),
    "ungrouped": (5.18, 0.14),
    "other_shape": (2.99, 0.22),
    "other_length": (0.76, 0.23),
    "other_case": (2.93, 0.17),
    "foreign": (2.04, 0.13),
    "free_text": (-2.67, 0.49),
    "told": (-0.50, 0.45),
    "told_sum": (0.28, 0.49),
    "told_alone": (2.01, 0.52),
    "broken": (0.50, 0.30),
    "backed": (-2.46, 1.81),
    "rare_backed": (-0.58, 0.48),
    "told_empty": (8.68, 0.25),
    "empty_backed": (1.68, 0.14),
    "blamed": (0.73, 0.23),
    "slipped": (2.96, 0.13),
}
"""Weight in logits, and how widely the evidence varies.

Ridge logistic regression, drawn towards weights learnt before on 25 tables, on 129 real and made tables, each as it is
and with errors put in: typing errors, wrong values, other formats and units, marks for missing, swaps, outliers and
sources that disagree, 0 to 30% of the cells. Those without an error count alike. The published tables by which it is
judged are not among them. Gaps that no other row can fill count as neither: nothing tells which are meant.
"""
BIAS = -3.13
USUAL_SHARE, BY_SHARE = 0.033, 2.0
"""The share of a table that is wrong by the first guesses at which they stand as they are; and what ten times as many
or as few add to each guess or take from it, in logits: somewhat less than these tables say."""
WEIGHTS = np.array([_LEARNT[name][0] for name in NAMES])
SCALE = np.array([_LEARNT[name][1] for name in NAMES])

"""Values written otherwise than most of their column: another shape, length or unit, other number signs."""

import numpy as np
import polars as pl

from heptad.data.cleaning.suggesting import dates, shapes
from heptad.data.cleaning.suggesting.cells import Column, Floats, Ints
from heptad.data.cleaning.suggesting.rarity import surprise


def standing_out(groups: Ints, counts: Ints) -> Floats:
    """Of each value: how much of the column has the one usual trait, where the value has another; 0 to 1.

    0 where less than half of the column has one trait.
    """
    total = np.bincount(groups, weights=counts)
    if not total.sum():
        return np.zeros(len(groups))
    usual = int(total.argmax())
    share = total[usual] / total.sum()
    return np.where(groups != usual, max(0.0, 2 * share - 1), 0.0)


def other_length(shape: Ints, lengths: Ints, counts: Ints) -> Floats:
    """As `standing_out` for the length, among values of the same shape."""
    found = np.zeros(len(shape))
    total = np.bincount(shape, weights=counts)
    for one in np.flatnonzero(total >= max(10, 0.05 * total.sum())):
        of = shape == one
        found[of] = standing_out(lengths[of], counts[of])
    return found


def ungrouped(values: pl.Series, counts: Ints) -> Floats:
    """Numbers of four and more digits without separators of thousands, where others have them; and the reverse."""
    grouped = values.str.contains(r"^[-+]?[0-9]{1,3}(,[0-9]{3})+(\.[0-9]+)?$").to_numpy()
    plain = values.str.contains(r"^[-+]?[0-9]{4,}(\.[0-9]+)?$").to_numpy()
    g, p = counts[grouped].sum(), counts[plain].sum()
    if g < 3 or p < 1:
        return np.zeros(len(values))
    share = g / (g + p)
    return np.where(plain, share, 0.0) + np.where(grouped, 1 - share, 0.0)


def units(values: pl.Series, counts: Ints) -> Floats:
    """Numbers with other text around them than is usual in their column, 0 to 1.

    1 where nothing is usual: no text, none included, is around 70% of the numbers. Where most have a letter right
    before their digits, these are the codes of something (N14228, N619AA), and no letters around them are unusual.
    """
    parts = values.str.extract_groups(_WITH_TEXT).struct.unnest()
    numeric = parts["number"].is_not_null().to_numpy()
    found = np.zeros(len(values))
    if not numeric.any() or counts[numeric].sum() < 0.6 * counts.sum():
        return found
    coded = values.str.contains(_CODE).to_numpy()
    if counts[coded].sum() > 0.5 * counts[numeric].sum():
        return found
    texts = parts["before"].fill_null("") + "\0" + parts["after"].fill_null("")
    tally = pl.DataFrame({"text": texts, "n": counts}).filter(numeric).group_by("text").agg(pl.col("n").sum())
    usual, most = tally.sort("n", "text", descending=True).row(0)
    share = most / max(1, counts[numeric].sum())
    if share >= 0.7 or usual == "\0":
        return np.where((texts != usual).to_numpy() & numeric, share, 0.0)
    return np.where(numeric & (texts != "\0").to_numpy(), 1.0, 0.0)


_CODE = r"^[^0-9.+-]{0,4}\p{L}[0-9]"
_WITH_TEXT = r"^(?P<before>[^0-9.+-]{0,5})(?P<number>[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+))(?P<after>[^0-9]{0,24})$"


def rare_part(values: pl.Series, shape: Ints, counts: Ints) -> Floats:
    """How unusual the rarest number part is among values of the same shape with two to six number parts."""
    found = np.zeros(len(values))
    total = np.bincount(shape, weights=counts)
    for one in np.flatnonzero(total >= max(20, 0.2 * total.sum())):
        of = np.flatnonzero(shape == one)
        parts = values.gather(of).str.extract_all(r"[0-9]+").list.eval(pl.element().str.strip_chars_start("0"))
        wide = int(parts.list.len().to_numpy().max())
        if not 2 <= wide <= 6:
            continue
        for place in range(wide):
            codes = parts.list.get(place, null_on_oob=True).fill_null("").rank("dense").cast(pl.Int64).to_numpy() - 1
            if codes.max() + 1 > 120:
                continue
            seen = np.bincount(codes, weights=counts[of])
            found[of] = np.maximum(found[of], surprise(seen[codes], counts[of]))
    return found


class Templates:
    """The usual way of writing in a column, and texts brought into it: digits in their places, dates in their order."""

    def __init__(self, column: Column, seen: Ints) -> None:
        counts = np.where(np.arange(len(seen)) == column.empty, 0, np.maximum(seen, 0))
        self._shape = _commonest(shapes.fine(column.values), counts)
        self._digits = self._shape.count("9")
        self._date = _commonest(dates.pattern(column.values), counts)

    def looks_usual(self, text: str) -> bool:
        """Whether a text has the shape of most of the column, each letter and digit in its place."""
        return bool(self._shape) and shapes.fine_text(text) == self._shape

    def fitted(self, text: str) -> str | None:
        """The text as the column usually writes it; None where it is so, or cannot be."""
        if self._date:
            moved = dates.rewritten(text, self._date)
            if moved is not None and moved != text:
                return moved
        digits = "".join(sign for sign in text if sign.isdigit())
        if not self._digits or any(sign in "Aa" for sign in self._shape):
            return None
        if text.isdigit() and self._shape == "9" * self._digits and len(text) == self._digits - 1:
            return text.zfill(self._digits)
        if len(digits) == self._digits and self._digits >= 5 and not any(sign.isalpha() for sign in text):
            rest = iter(digits)
            made = "".join(next(rest) if sign == "9" else sign for sign in self._shape)
            return made if made != text else None
        return None


def _commonest(traits: pl.Series, counts: Ints) -> str:
    """The trait that more than half of the cells have, empty where none is."""
    tally = pl.DataFrame({"trait": traits.fill_null(""), "n": counts}).group_by("trait").agg(pl.col("n").sum())
    if not len(tally) or not tally["n"].sum():
        return ""
    trait, most = tally.sort("n", "trait", descending=True).row(0)
    return str(trait) if most > 0.5 * float(tally["n"].sum()) else ""

"""What a wrong cell should say: the proposals of everything that can make one, and the most likely of them."""

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence

import msgspec
import numpy as np

from heptad.data.cleaning.suggesting.cells import Ints
from heptad.data.cleaning.suggesting.dependencies import Determinant
from heptad.data.cleaning.suggesting.evidence import Evidence
from heptad.data.cleaning.suggesting.formats import Templates
from heptad.data.cleaning.suggesting.programs import LIBRARY, Program, explained, learn, shape
from heptad.data.cleaning.suggesting.values import NAMES
from heptad.data.cleaning.suggesting.words import EDGES

CHANCES = {
    "known": 0.97,
    "program": 0.8,
    "slip": 0.9,
    "told": 0.8,
    "spelling": 0.6,
    "variant": 0.85,
    "words": 0.6,
    "format": 0.6,
    "missing": 0.85,
}
"""How often a proposal of each kind for a wrong cell is right, before any pair of a column is known."""
WEIGHT = 3.0
"""How many known pairs that is worth."""
STRANGE = 0.4
"""What the chance of a proposal is multiplied by that looks like nothing in its column."""


_LITERAL = {"before", "behind", "without_before", "without_behind", "replace", "empty"}
_PLAIN = re.compile(r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)")
_ANY = 99
_CASES = {"lower", "upper", "title", "capital"}
_MOST_PROGRAMS = 40
_CONTRADICTED = {"program", "format", "known"}
_OF_NUMBERS = {"bare", "number"}
_LETTERS, _MARKER, _UNIT, _NOT_NUMBER = (NAMES.index(name) for name in ("letters", "marker", "unit", "not_number"))
_FORMAT = [NAMES.index(name) for name in ("unit", "ungrouped", "other_shape", "other_length", "other_case", "padded")]


class Proposal(msgspec.Struct, frozen=True):
    """A new text, what made it (`kind`, `by`), and the estimated chance that it is right where the cell is wrong."""

    text: str
    kind: str
    by: tuple[str, ...]
    chance: float


class Repairer:
    """Makes proposals for the cells of one column; `pairs` are wrong and right texts of it by row."""

    def __init__(
        self, evidence: Evidence, names: Sequence[str], flagged: Ints, pairs: Mapping[int, tuple[str, str]]
    ) -> None:
        self._evidence = evidence
        self._names = names
        column = evidence.column
        seen = column.counts - np.bincount(column.codes[flagged], minlength=len(column.counts))
        self._usual = {text for text, n in zip(column.values.to_list(), seen.tolist(), strict=True) if n >= 2}
        some = [text for text, n in zip(column.values.to_list(), seen.tolist(), strict=True) if n >= 1 and text]
        tally = Counter(map(shape, some))
        self._decimals = max((_decimals(text) for text in some if _number_of(text) is not None), default=_ANY)
        self._shapes = {one for one, n in tally.items() if n >= max(2, 0.02 * len(some))}
        self._cases = Counter[str]()
        for text, n in zip(column.values.to_list(), seen.tolist(), strict=True):
            self._cases[_case_of(text)] += n
        self._templates = Templates(column, seen)
        self._programs = self._learnt(list(pairs.values()))
        # A value that is right in most of its cells is another one's in few, and one that is wrong in all is none's.
        self._wrong = 1 - seen / np.maximum(1, column.counts)
        self._rejected = {text for text, share in zip(column.values.to_list(), self._wrong, strict=True) if share == 1}
        self._known = {wrong: Counter(r for w, r in pairs.values() if w == wrong) for wrong, _ in pairs.values()}
        self._chances = dict(CHANCES)
        self._made: dict[str, list[Proposal]] = {}
        self._calibrate(pairs)

    def propose(self, row: int) -> Proposal | None:
        """The likeliest proposal for a cell, None where nothing can be made of it."""
        text = self._evidence.column.text(row)
        found: dict[str, Proposal] = {}
        for one in self._proposals(row, text):
            if one.text != text:
                before = found.get(one.text)
                if before is None:
                    found[one.text] = one
                else:
                    together = 1 - (1 - before.chance) * (1 - one.chance)
                    best = max(before, one, key=lambda each: each.chance)
                    found[one.text] = msgspec.structs.replace(best, chance=min(0.99, together))
        return max(found.values(), key=lambda one: (one.chance, one.text), default=None)

    def _proposals(self, row: int, text: str) -> Iterator[Proposal]:
        if row in self._evidence.slipped:
            yield Proposal(self._evidence.slipped[row], "slip", (), self._chances["slip"])
        told = list(self._told(row))
        yield from told
        if text not in self._made:
            self._made[text] = list(self._by_value(row, text))
        for one in self._made[text]:
            # What a value is made into is right where other rows do not say that it is another one.
            against = max((other.chance for other in told if other.text != one.text), default=0.0)
            yield msgspec.structs.replace(one, chance=one.chance * (1 - against)) if one.kind in _CONTRADICTED else one

    def _told(self, row: int) -> Iterator[Proposal]:
        votes: dict[int, float] = {}
        by: dict[int, Determinant] = {}
        for one in self._evidence.told:
            code = int(one.vote.most[row])
            if code >= 0:
                others = float(one.vote.others[row])
                sure = one.strength * float(one.vote.share[row]) * others / (others + 0.5)
                votes[code] = 1 - (1 - votes.get(code, 0.0)) * (1 - 0.9 * sure)
                by.setdefault(code, one)
        for code, sure in votes.items():
            names = tuple(self._names[at] for at in by[code].columns)
            text = str(self._evidence.believed.values[code])
            chance = self._chances["told"] / CHANCES["told"] * min(0.97, sure)
            chance *= STRANGE if text in self._rejected else 1.0
            yield Proposal(text, "told", names, min(0.98, chance))

    def _by_value(self, row: int, text: str) -> Iterator[Proposal]:
        evidence = self._evidence
        code = int(evidence.column.codes[row])
        feature = evidence.value.features[code]
        if text in self._known and text:
            right, n = self._known[text].most_common(1)[0]
            share = n / self._known[text].total()
            yield Proposal(right, "known", (), self._chances["known"] * share * self._wrong[code] * self._fits(right))
        for program, chance in self._programs:
            made = program(text)
            if made is not None:
                yield Proposal(made, "program", (program.kind, *program.words), chance * self._fits(made))
        if evidence.value.sister[code] >= 0:
            yield Proposal(
                str(evidence.column.values[int(evidence.value.sister[code])]), "variant", (), self._chances["variant"]
            )
        if evidence.value.near[code] >= 0:
            # Other digits are another thing more often than a slip of the finger.
            sure = 0.5 + 0.25 * float(feature[_LETTERS]) if feature[_LETTERS] else 0.4
            chance = self._chances["spelling"] * min(1.0, sure)
            yield Proposal(str(evidence.column.values[int(evidence.value.near[code])]), "spelling", (), chance)
        corrected = _with_words(text, evidence.value.corrections)
        if corrected != text:
            yield Proposal(corrected, "words", (), self._chances["words"])
        if feature[_MARKER]:
            yield Proposal("", "missing", (), self._chances["missing"])
        yield from self._formats(text, feature)

    def _formats(self, text: str, feature: np.ndarray) -> Iterator[Proposal]:
        """What the library and the usual template make of it, where that looks like the rest of the column."""
        template = self._templates.fitted(text)
        if template is not None:
            yield Proposal(template, "format", ("template",), self._chances["format"] * 1.2)
        number = _number_of(text)
        for sign in sorted({sign for sign in text if not sign.isalnum() and sign != " "}):
            if number is None and text.replace(sign, "") in self._usual:
                yield Proposal(text.replace(sign, ""), "format", ("replace", sign, ""), self._chances["format"] * 1.2)
        numeric = feature[_UNIT] > 0 or feature[_NOT_NUMBER] > 0
        for order, program in enumerate(LIBRARY):
            if program.kind in _OF_NUMBERS and not numeric:
                continue
            made = program(text)
            if not made or made == text or (program.kind in _CASES and not self._is_rarer_case(text, made)):
                continue
            if number is not None and _number_of(made) != number:
                continue
            bare = program.kind == "number" and feature[_UNIT] >= 1
            if made in self._usual or bare or (feature[_FORMAT].max() > 0.2 and self._fits(made) == 1.0):
                chance = self._chances["format"] * (1.1 if made in self._usual else 0.8) - 0.01 * order
                yield Proposal(made, "format", (program.kind,), chance)

    def _is_rarer_case(self, text: str, made: str) -> bool:
        """Whether fewer cells are in the case of one text than in that of another."""
        return self._cases[_case_of(text)] < self._cases[_case_of(made)]

    def _fits(self, text: str) -> float:
        """1 for a text that is like others in the column, less for a strange one."""
        if text == "" or text in self._usual or not self._shapes:
            return 1.0
        if self._templates.looks_usual(text):
            return 1.0
        if _number_of(text) is not None and _decimals(text) > self._decimals:
            return STRANGE
        return 1.0 if shape(text) in self._shapes else STRANGE

    def _learnt(self, pairs: list[tuple[str, str]]) -> list[tuple[Program, float]]:
        """Programs that explain pairs and contradict none that they speak of, with their chances, the best first."""
        order: dict[Program, int] = {}
        for wrong, right in pairs:
            for place, program in enumerate(learn(wrong, right)):
                if program.kind != "value":
                    order.setdefault(program, place)
        found = []
        for program, (hits, misses) in explained(order, pairs).items():
            if hits > misses:
                chance = (hits + WEIGHT * CHANCES["program"]) / (hits + misses + WEIGHT)
                general = 0.95 if program.kind == "tokens" else 0.75 if program.kind in _LITERAL and hits < 2 else 1.0
                found.append((program, min(0.97, chance * general - 0.002 * min(10, order[program]))))
        return sorted(found, key=lambda one: -one[1])[:_MOST_PROGRAMS]

    def _calibrate(self, pairs: Mapping[int, tuple[str, str]]) -> None:
        """Chances in this column, by what each kind says of the known pairs."""
        right: Counter[str] = Counter()
        asked: Counter[str] = Counter()
        for row, (wrong, truth) in pairs.items():
            said: dict[str, set[str]] = {}
            for one in [*self._told(row), *self._by_value(row, wrong)]:
                if one.kind not in {"program", "known"}:
                    said.setdefault(one.kind, set()).add(one.text)
            for kind, texts in said.items():
                asked[kind] += 1
                right[kind] += truth in texts
        for kind in asked:
            self._chances[kind] = (right[kind] + WEIGHT * CHANCES[kind]) / (asked[kind] + WEIGHT)


def _number_of(text: str) -> float | None:
    """What a plain number says; other signs of it would be another number, which is no format."""
    return float(text) if _PLAIN.fullmatch(text) else None


def _decimals(text: str) -> int:
    """How many digits a number has behind its point."""
    return len(text.partition(".")[2])


def _case_of(text: str) -> str:
    """Capitals, small letters, words that begin with a capital, or several; none where there are no letters."""
    tests = (("upper", str.isupper), ("lower", str.islower), ("title", str.istitle))
    return next((case for case, test in tests if test(text)), "mixed" if any(map(str.isalpha, text)) else "")


def _with_words(text: str, corrections: Mapping[str, str]) -> str:
    """The text with words put right, in the case that they had."""
    return " ".join(_with_word(word, corrections) for word in text.split(" ")) if corrections else text


def _with_word(word: str, corrections: Mapping[str, str]) -> str:
    inner = word.strip(EDGES)
    better = corrections.get(inner.lower())
    if better is None:
        return word
    cased = better.upper() if inner.isupper() else better.capitalize() if inner[:1].isupper() else better
    return word.replace(inner, cased)

"""Ways from a wrong value to the right one: a small library, and more learnt from pairs of both."""

import re
from collections.abc import Callable, Iterable, Iterator

import msgspec

MONTHS = (
    "january",
    "february",
    "march",
    "april",
    "may",
    "june",
    "july",
    "august",
    "september",
    "october",
    "november",
    "december",
)
FACTORS = (60, 12, 100, 1000)
"""How many of the smaller make the larger, where a clean number is two added up: minutes, inches, cents, metres."""
MOST = 12
"""Token programs learnt from one pair at most."""
_TOKEN = re.compile(r"[^\W\d_]+|\d+")
_NUMBER = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?")


class Program(msgspec.Struct, frozen=True):
    """One way: `kind` names it, `words` are what it works with; called with a text it gives the new one, or None."""

    kind: str
    words: tuple[str, ...] = ()

    def __call__(self, text: str) -> str | None:
        return _KINDS[self.kind](text, *self.words)


def learn(wrong: str, right: str) -> Iterator[Program]:
    """Every known way from one value to another, the most general first; the last is to know the two by heart."""
    if wrong in {"", right}:
        return
    if right == "":
        yield Program("empty")
        return
    for program in LIBRARY:
        if program(wrong) == right:
            yield program
    yield from _pieces(wrong, right)
    yield from _tokens(wrong, right)
    yield Program("value", (wrong, right))


def _pieces(wrong: str, right: str) -> Iterator[Program]:
    """Something put before or behind, taken away there, or replaced throughout."""
    if right.endswith(wrong):
        yield Program("before", (right[: -len(wrong)],))
    if right.startswith(wrong):
        yield Program("behind", (right[len(wrong) :],))
    if wrong.endswith(right):
        yield Program("without_before", (wrong[: -len(right)],))
    if wrong.startswith(right):
        yield Program("without_behind", (wrong[len(right) :],))
    if right.isdecimal() and wrong.isdecimal() and right.lstrip("0") == wrong.lstrip("0") and len(right) > len(wrong):
        yield Program("zeros", (str(len(right)),))
    yield from _replacements(wrong, right)


def _replacements(wrong: str, right: str) -> Iterator[Program]:
    """One piece replaced throughout, alone or with its neighbours; signs taken away."""
    start = _alike(wrong, right)
    end = _alike(wrong[start:][::-1], right[start:][::-1])
    stop, last = len(wrong) - end, len(right) - end
    short = stop + last - 2 * start <= max(4, len(wrong) // 2)
    for wider in (0, 1) if short else ():
        old = wrong[max(0, start - wider) : stop + wider]
        new = right[max(0, start - wider) : last + wider]
        if old and wrong.replace(old, new) == right and not old.isalnum():
            yield Program("replace", (old, new))
    for sign in sorted({sign for sign in wrong if not sign.isalnum()} - set(right)):
        if wrong.replace(sign, "") == right:
            yield Program("replace", (sign, ""))


def _alike(one: str, two: str) -> int:
    """How many characters two texts begin with together."""
    return next((at for at, (a, b) in enumerate(zip(one, two, strict=False)) if a != b), min(len(one), len(two)))


def _tokens(wrong: str, right: str) -> Iterator[Program]:
    """The right value put together from words and numbers of the wrong one, and from signs and words of its own."""
    given = _TOKEN.findall(wrong)
    choices: list[list[tuple[str, ...]]] = []
    place = 0
    for found in _TOKEN.finditer(right):
        if found.start() > place:
            choices.append([("=" + right[place : found.start()],)])
        ways: list[tuple[str, ...]] = [(way,) for way in _ways(found[0], given)]
        choices.append(ways[:3] or [("=" + found[0],)])
        place = found.end()
    if place < len(right):
        choices.append([("=" + right[place:],)])
    programs: list[tuple[str, ...]] = [()]
    for options in choices:
        programs = [(*one, *way) for one in programs for way in options][:MOST]
    for pieces in programs:
        if any(not piece.startswith("=") for piece in pieces):
            yield Program("tokens", (shape(wrong), *pieces))


def _ways(token: str, given: list[str]) -> Iterator[str]:
    """How a word or number can be made of those given: `TRANSFORM:PLACE`."""
    for place, source in enumerate(given):
        for name, transform in _TRANSFORMS.items():
            if transform(source) == token:
                yield f"{name}:{place}"
                break
        if token.isdecimal() and source.isdecimal() and int(source) == int(token) and len(token) > len(source):
            yield f"zeros{len(token)}:{place}"
    if token.isdecimal():
        for place in range(len(given) - 1):
            for later in range(place + 1, len(given)):
                one, two = given[place], given[later]
                if one.isdecimal() and two.isdecimal():
                    yield from (
                        f"sum{factor}:{place}+{later}"
                        for factor in FACTORS
                        if int(one) * factor + int(two) == int(token)
                    )


def shape(text: str) -> str:
    """Letters as one letter, digits as one digit, the rest as it is: programs of tokens work on texts of one shape."""
    return re.sub(r"\d+", "9", re.sub(r"[^\W\d_]+", "w", text))


def _put_together(text: str, of: str, *pieces: str) -> str | None:
    given = _TOKEN.findall(text)
    if shape(text) != of:
        return None
    out = []
    for piece in pieces:
        if piece.startswith("="):
            out.append(piece[1:])
            continue
        name, _, places = piece.partition(":")
        first, _, second = places.partition("+")
        source = given[int(first)]
        made = (
            str(int(source) * int(name[3:]) + int(given[int(second)]))
            if second
            else source.zfill(int(name[5:]))
            if name.startswith("zeros")
            else _TRANSFORMS[name](source)
        )
        if made is None:
            return None
        out.append(made)
    return "".join(out)


def _month_number(word: str) -> str | None:
    at = [place for place, month in enumerate(MONTHS, 1) if len(word) >= 3 and month.startswith(word.lower())]
    return str(at[0]) if at else None


def _month(word: str, length: int) -> str | None:
    return MONTHS[int(word) - 1][:length].title() if word.isdecimal() and 1 <= int(word) <= 12 else None


_TRANSFORMS: dict[str, Callable[[str], str | None]] = {
    "same": lambda word: word,
    "lower": str.lower,
    "upper": str.upper,
    "title": str.title,
    "whole": lambda word: str(int(word)) if word.isdecimal() else None,
    "first": lambda word: word[:1],
    "month": _month_number,
    "padded_month": lambda word: (_month_number(word) or "").zfill(2),
    "month_name": lambda word: _month(word, 3),
    "long_month": lambda word: _month(word, 9),
    "short_year": lambda word: word[2:] if len(word) == 4 and word.isdecimal() else None,
    "long_year": lambda word: (
        ("19" if int(word) > 50 else "20") + word if len(word) == 2 and word.isdecimal() else None
    ),
}


def _bare(text: str) -> str | None:
    found = _NUMBER.findall(text.replace(" ", " "))
    return found[0] if len(found) == 1 else None


def _number(text: str) -> str | None:
    bare = _bare(text)
    return None if bare is None else f"{float(bare):.10g}"


def _grouped(text: str) -> str | None:
    return f"{int(text):,}" if re.fullmatch(r"-?\d{4,15}", text) else None


def _without_groups(text: str) -> str | None:
    return text.replace(",", "") if re.fullmatch(r"[+-]?\d{1,3}(,\d{3})+(\.\d+)?", text) else None


def _pointed(text: str) -> str | None:
    return text.replace(",", ".") if re.fullmatch(r"[+-]?\d+,\d+", text) else None


_KINDS: dict[str, Callable[..., str | None]] = {
    "strip": lambda text: " ".join(text.split()),
    "lower": str.lower,
    "upper": str.upper,
    "title": str.title,
    "capital": str.capitalize,
    "bare": _bare,
    "number": _number,
    "grouped": _grouped,
    "without_groups": _without_groups,
    "pointed": _pointed,
    "edges": lambda text: re.sub(r"^[\W_]+|[\W_]+$", "", text),
    "outside_brackets": lambda text: re.sub(r"\s*[(\[{].*?[)\]}]\s*", " ", text).strip(),
    "empty": lambda _text: "",
    "value": lambda text, wrong, right: right if text == wrong else None,
    "before": lambda text, more: more + text,
    "behind": lambda text, more: text + more,
    "without_before": lambda text, less: text[len(less) :] if text.startswith(less) else None,
    "without_behind": lambda text, less: text[: -len(less)] if text.endswith(less) else None,
    "replace": lambda text, old, new: text.replace(old, new) if old in text else None,
    "zeros": lambda text, width: text.zfill(int(width)) if text.isdecimal() else None,
    "tokens": _put_together,
}
LIBRARY = tuple(
    Program(kind)
    for kind in (
        "strip",
        "bare",
        "number",
        "pointed",
        "without_groups",
        "grouped",
        "edges",
        "lower",
        "upper",
        "title",
        "capital",
        "outside_brackets",
    )
)
"""What works without an example, in the order in which it is tried."""


def explained(programs: Iterable[Program], pairs: Iterable[tuple[str, str]]) -> dict[Program, tuple[int, int]]:
    """Of each program how many pairs it gets right, and how many wrong; where it gives nothing, neither."""
    known = list(pairs)
    tally = {}
    for program in programs:
        results = [(program(wrong), right) for wrong, right in known]
        tally[program] = (sum(a == b for a, b in results), sum(a is not None and a != b for a, b in results))
    return tally

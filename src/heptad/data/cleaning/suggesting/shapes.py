"""The shapes of values: what is left when letters are all one letter and digits all one digit."""

import polars as pl

LONGEST = 40


def coarse(values: pl.Series) -> pl.Series:
    """Runs of letters, of digits and of blanks become one sign each, and words in a row one word."""
    return (
        values.str.replace_all(r"\p{L}[\p{L}\p{M}']*", "w")
        .str.replace_all(r"[0-9]+", "9")
        .str.replace_all(r"\s+", " ")
        .str.replace_all(r"w(?: w)+", "w")
    )


def cased(values: pl.Series) -> pl.Series:
    """Runs of digits, capitals, small letters, and capitalised words become a sign each; the same sign in a row one."""
    signs = (
        values.str.replace_all(r"[0-9]+", "9")
        .str.replace_all(r"\p{Lu}{2,}", "3")
        .str.replace_all(r"\p{Lu}[\p{Ll}\p{M}']+", "1")
        .str.replace_all(r"[\p{Ll}\p{M}]+", "2")
        .str.replace_all(r"\p{Lu}", "4")
    )
    for sign in "1234":
        signs = signs.str.replace_all(rf"{sign}(?: {sign})+", sign)
    return signs


def fine(values: pl.Series) -> pl.Series:
    """Each letter and digit becomes a sign of its class, in its place; long texts are cut."""
    return (
        values.str.slice(0, LONGEST)
        .str.replace_all(r"[0-9]", "9")
        .str.replace_all(r"\p{Lu}", "A")
        .str.replace_all(r"\p{Ll}", "a")
    )


def fine_text(text: str) -> str:
    """`fine` of one text."""
    return "".join(
        "9" if "0" <= sign <= "9" else "A" if sign.isupper() else "a" if sign.islower() else sign
        for sign in text[:LONGEST]
    )


def symbols(values: pl.Series) -> pl.Series:
    """Only what is neither letter nor digit nor a single blank, each sign once, in order of first appearance."""
    return (
        values.str.replace_all(r"[\p{L}\p{M}0-9]+| ", "").str.split("").list.unique(maintain_order=True).list.join("")
    )

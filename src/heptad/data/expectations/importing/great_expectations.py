"""Suites of Great Expectations, as it writes them in JSON: up to 0.18 and from 1.0."""

import re
from collections.abc import Callable, Mapping
from typing import Any

from heptad.core.errors import DataError
from heptad.data.columns.conditions import moment
from heptad.data.expectations.importing.row_conditions import from_pandas
from heptad.data.expectations.importing.several_columns import SEVERAL_COLUMNS
from heptad.data.expectations.importing.translation import (
    Arguments,
    Gathering,
    Imported,
    NoTwinError,
    Pieces,
    column_name,
    partly,
    pattern_of,
    plain_values,
    quoted,
    range_of,
    texts_of,
    type_of,
    wider,
)

_SEVERITIES = {"critical": "error", "warning": "warning", "info": "info"}


def read_suite(suite: Mapping[str, Any]) -> Imported:
    """The expectations of a suite; raises `DataError` where it is none."""
    written = suite.get("expectations")
    if not isinstance(written, list):
        raise DataError("This is no suite of Great Expectations.", allowed='an object with a list "expectations"')
    gathering = Gathering()
    for one in written:
        gathering.take(_name(one), _pieces(one))
    return gathering.done()


def _name(one: Any) -> str:
    arguments = one.get("kwargs") if isinstance(one, dict) else None
    column = arguments.get("column") if isinstance(arguments, dict) else None
    kind = _kind(one) if isinstance(one, dict) else ""
    return f"{kind} of {column}" if column else kind or "an expectation without a type"


def _kind(one: Mapping[str, Any]) -> str:
    return str(one.get("type") or one.get("expectation_type") or "")


def _pieces(one: Any) -> Pieces:
    """What one expectation is here; raises for one that is nothing here, and for one that is damaged."""
    arguments = (one.get("kwargs") or {}) if isinstance(one, dict) else None
    if not isinstance(arguments, dict):
        raise NoTwinError("it is no object with an object kwargs")
    kind = _kind(one)
    if kind in _NO_TWIN:
        raise NoTwinError(_NO_TWIN[kind])
    if kind not in _TRANSLATED:
        raise NoTwinError('this type is not known; it may be of your own: function = "module:function" says it here')
    if any(isinstance(one, dict) and any(key.startswith("$") for key in one) for one in arguments.values()):
        raise NoTwinError("it takes a parameter that is only known when it runs")
    how = _how(one, arguments, kind)
    for piece in _TRANSLATED[kind](arguments):
        if isinstance(piece, str):
            yield piece
            continue
        both = [text for text in (how["where"], piece[1].get("where")) if text]
        where = " and ".join(f"({text})" for text in both) if len(both) > 1 else "".join(both)
        yield piece[0], {**how, **piece[1], "where": where}
    if arguments.get("parse_strings_as_datetimes"):
        yield "texts are not read as times here: the column has to be one of times, which [data] types says"


def _how(one: Mapping[str, Any], arguments: Arguments, kind: str) -> dict[str, Any]:
    meta = one.get("meta") or {}
    notes = meta.get("notes") or one.get("description") or one.get("notes") or ""
    content = notes.get("content", "") if isinstance(notes, dict) else notes
    about = " ".join(content) if isinstance(content, list) else str(content)
    written = arguments.get("row_condition") or ""
    if not isinstance(written, str):
        raise NoTwinError("its row_condition is no text")
    return {
        "severity": _SEVERITIES.get(str(one.get("severity", "critical")), "error"),
        "mostly": None if kind in _OWN_MOSTLY else arguments.get("mostly"),
        "where": _where(written, str(arguments.get("condition_parser") or "pandas")),
        "about": about,
    }


def _where(written: str, parser: str) -> str:
    if parser in {"pandas", "python"}:
        return from_pandas(written) if written else ""
    return re.sub(r"(col\([^)]*\))\.notNull\(\)", r"\1 is not None", written)


_OWN_MOSTLY = {"expect_column_values_to_not_be_null"}
"""Types whose `mostly` becomes another setting."""


def _strict(arguments: Arguments) -> bool:
    return bool(arguments.get("strict_min") or arguments.get("strict_max"))


def _between(arguments: Arguments) -> Pieces:
    column, low, high = arguments["column"], arguments.get("min_value"), arguments.get("max_value")
    times = isinstance(low, str) or isinstance(high, str)
    if times:
        for limit in (low, high):
            if limit is not None:
                moment(limit, "its limit")
    else:
        range_of(low, high)
    if (times and _strict(arguments)) or (partly(arguments) and low is not None and high is not None):
        above = "" if low is None else f"{_constant(low)} {'<' if arguments.get('strict_min') else '<='} "
        below = "" if high is None else f" {'<' if arguments.get('strict_max') else '<='} {_constant(high)}"
        yield "", {"check": f"{above}{column_name(column)}{below}"}
        return
    names = (
        ("not_before", "not_after")
        if times
        else ("above" if arguments.get("strict_min") else "min", "below" if arguments.get("strict_max") else "max")
    )
    yield column, {name: value for name, value in zip(names, (low, high), strict=True) if value is not None}


def _constant(limit: float | str) -> str:
    return f"date({quoted(limit)})" if isinstance(limit, str) else repr(limit)


def _figure(setting: str, least: int = 0) -> Callable[[Arguments], Pieces]:
    """`least`: of fewer values there is no such figure, which fails there and holds here."""

    def translate(arguments: Arguments) -> Pieces:
        if _strict(arguments):
            raise NoTwinError(f"the limits of {setting} are included here")
        column = arguments.get("column", "")
        yield column, {setting: range_of(arguments.get("min_value"), arguments.get("max_value"))}
        if least:
            yield column, {"count": {"min": least}}

    return translate


def _distinct_share(arguments: Arguments) -> Pieces:
    yield from _figure("distinct_share", int((arguments.get("min_value") or 0) > 0))(arguments)


def _exactly(setting: str) -> Callable[[Arguments], Pieces]:
    def translate(arguments: Arguments) -> Pieces:
        yield arguments.get("column", ""), {setting: range_of(arguments["value"], arguments["value"])}

    return translate


def _set(setting: str) -> Callable[[Arguments], Pieces]:
    def translate(arguments: Arguments) -> Pieces:
        yield arguments["column"], {setting: plain_values(arguments["value_set"])}

    return translate


def _most_common(arguments: Arguments) -> Pieces:
    setting = "most_common" if arguments.get("ties_okay") else "most_common_alone"
    yield arguments["column"], {setting: plain_values(arguments["value_set"])}


def _flag(setting: str) -> Callable[[Arguments], Pieces]:
    def translate(arguments: Arguments) -> Pieces:
        yield arguments["column"], {setting: True}

    return translate


def _same(setting: str, argument: str) -> Callable[[Arguments], Pieces]:
    def translate(arguments: Arguments) -> Pieces:
        yield arguments.get("column", ""), {setting: arguments[argument]}

    return translate


def _order(way: str) -> Callable[[Arguments], Pieces]:
    def translate(arguments: Arguments) -> Pieces:
        yield arguments["column"], {"order": f"strictly {way}" if arguments.get("strictly") else way}
        if partly(arguments):
            yield "mostly is a share of the steps here, which are one fewer than the values"

    return translate


def _patterns(argument: str, read: Callable[[str], str], *, wanted: bool) -> Callable[[Arguments], Pieces]:
    def translate(arguments: Arguments) -> Pieces:
        patterns = arguments[argument]
        read_all = [pattern_of(read(one)) for one in ([patterns] if isinstance(patterns, str) else texts_of(patterns))]
        if not wanted:
            yield arguments["column"], {"matches_none": read_all}
        elif len(read_all) > 1 and arguments.get("match_on") == "all" and partly(arguments):
            column = column_name(arguments["column"])
            yield "", {"check": " and ".join(f"matches({column}, {quoted(one)})" for one in read_all)}
        elif len(read_all) == 1 or arguments.get("match_on") == "all":
            for one in read_all:
                yield arguments["column"], {"matches": one}
        else:
            yield arguments["column"], {"matches_any": read_all}

    return translate


def regex_of(like: str) -> str:
    """A pattern of SQL's LIKE as a regular expression; a sign after a backslash stands for itself."""
    signs = {"%": ".*", "_": "."}
    read = re.findall(r"(?s)(\\?)(.)", like)
    return f"(?s)^{''.join(re.escape(one) if escaped else signs.get(one, re.escape(one)) for escaped, one in read)}$"


def _missing(arguments: Arguments) -> Pieces:
    yield arguments["column"], {"missing": round(1 - arguments.get("mostly", 1), 12)}


def _non_null(arguments: Arguments) -> Pieces:
    if arguments.get("max_value") is not None or _strict(arguments):
        raise NoTwinError("`missing` has an upper limit only")
    yield arguments["column"], {"missing": round(1 - arguments["min_value"], 12)}


def _types(arguments: Arguments) -> Pieces:
    names = texts_of(arguments.get("type_list") or [arguments["type_"]])
    kinds = {type_of(one) for one in names}
    if kinds == {"integer", "number"}:
        yield arguments["column"], {"type": "number"}
        return
    if len(kinds) != 1:
        raise NoTwinError(f"its types {', '.join(names)} are several here")
    yield arguments["column"], {"type": kinds.pop()}
    yield from filter(None, map(wider, names))


def _exists(arguments: Arguments) -> Pieces:
    if arguments.get("column_index") is not None:
        raise NoTwinError("the place of a column is held by columns_in_order")
    yield arguments["column"], {"present": True}


def _quantiles(arguments: Arguments) -> Pieces:
    given = arguments["quantile_ranges"]
    pairs = list(zip(given["quantiles"], given["value_ranges"], strict=True))
    made = {_share(share): range_of(*limits) for share, limits in pairs}
    if len(made) < len(pairs):
        raise NoTwinError("one of its quantiles comes twice")
    yield arguments["column"], {"quantiles": made}
    yield arguments["column"], {"count": {"min": 1}}
    yield "a quantile between two values lies in proportion between them here; pandas takes the nearest of the two"


def _share(share: Any) -> str:
    if isinstance(share, bool) or not isinstance(share, int | float) or not 0 <= share <= 1:
        raise NoTwinError(f"its quantile {share!r} is no share from 0 to 1")
    return repr(share)


def _z_scores(arguments: Arguments) -> Pieces:
    if not arguments.get("double_sided", True):
        raise NoTwinError("`deviations` looks to both sides")
    yield arguments["column"], {"deviations": float(arguments["threshold"])}


def _column_set(arguments: Arguments) -> Pieces:
    if arguments.get("exact_match", True) is not False:
        yield "", {"columns": sorted(texts_of(arguments["column_set"]))}
        return
    for one in texts_of(arguments["column_set"]):
        yield one, {"present": True}


_TRANSLATED: dict[str, Callable[[Arguments], Pieces]] = {
    **SEVERAL_COLUMNS,
    "expect_column_distinct_values_to_be_in_set": _set("allowed"),
    "expect_column_distinct_values_to_contain_set": _set("includes"),
    "expect_column_distinct_values_to_equal_set": _set("values"),
    "expect_column_max_to_be_between": _figure("largest", 1),
    "expect_column_mean_to_be_between": _figure("mean", 1),
    "expect_column_median_to_be_between": _figure("median", 1),
    "expect_column_min_to_be_between": _figure("smallest", 1),
    "expect_column_most_common_value_to_be_in_set": _most_common,
    "expect_column_proportion_of_non_null_values_to_be_between": _non_null,
    "expect_column_proportion_of_unique_values_to_be_between": _distinct_share,
    "expect_column_quantile_values_to_be_between": _quantiles,
    "expect_column_stdev_to_be_between": _figure("deviation", 2),
    "expect_column_sum_to_be_between": _figure("total"),
    "expect_column_to_exist": _exists,
    "expect_column_unique_value_count_to_be_between": _figure("distinct"),
    "expect_column_value_lengths_to_be_between": _figure("length"),
    "expect_column_value_lengths_to_equal": _exactly("length"),
    "expect_column_value_z_scores_to_be_less_than": _z_scores,
    "expect_column_values_to_be_between": _between,
    "expect_column_values_to_be_decreasing": _order("decreasing"),
    "expect_column_values_to_be_in_set": _set("allowed"),
    "expect_column_values_to_be_in_type_list": _types,
    "expect_column_values_to_be_increasing": _order("increasing"),
    "expect_column_values_to_be_json_parseable": lambda one: iter([(one["column"], {"reads_as": "json"})]),
    "expect_column_values_to_be_null": _flag("empty"),
    "expect_column_values_to_be_of_type": _types,
    "expect_column_values_to_be_unique": _flag("unique"),
    "expect_column_values_to_match_like_pattern": _patterns("like_pattern", regex_of, wanted=True),
    "expect_column_values_to_match_like_pattern_list": _patterns("like_pattern_list", regex_of, wanted=True),
    "expect_column_values_to_match_regex": _patterns("regex", str, wanted=True),
    "expect_column_values_to_match_regex_list": _patterns("regex_list", str, wanted=True),
    "expect_column_values_to_match_strftime_format": _same("date_format", "strftime_format"),
    "expect_column_values_to_not_be_in_set": _set("forbidden"),
    "expect_column_values_to_not_be_null": _missing,
    "expect_column_values_to_not_match_like_pattern": _patterns("like_pattern", regex_of, wanted=False),
    "expect_column_values_to_not_match_like_pattern_list": _patterns("like_pattern_list", regex_of, wanted=False),
    "expect_column_values_to_not_match_regex": _patterns("regex", str, wanted=False),
    "expect_column_values_to_not_match_regex_list": _patterns("regex_list", str, wanted=False),
    "expect_table_column_count_to_be_between": _figure("column_count"),
    "expect_table_column_count_to_equal": _exactly("column_count"),
    "expect_table_columns_to_match_ordered_list": _same("columns_in_order", "column_list"),
    "expect_table_columns_to_match_set": _column_set,
    "expect_table_row_count_to_be_between": _figure("rows"),
    "expect_table_row_count_to_equal": _exactly("rows"),
}

_FORMAT = "what reads nearly any text as a time cannot be said; `date_format` or `reads_as` names one way"
_DISTRIBUTION = "distributions are compared with a version, by `drift`, not with numbers in a file"
_NO_TWIN = {
    "expect_column_values_to_be_dateutil_parseable": _FORMAT,
    "expect_column_values_to_match_json_schema": "a JSON schema cannot be said; a function of the project can check it",
    "expect_column_kl_divergence_to_be_less_than": _DISTRIBUTION,
    "expect_column_chisquare_test_p_value_to_be_greater_than": _DISTRIBUTION,
    "expect_column_bootstrapped_ks_test_p_value_to_be_greater_than": _DISTRIBUTION,
    "expect_column_parameterized_distribution_ks_test_p_value_to_be_greater_than": _DISTRIBUTION,
    "expect_column_pair_cramers_phi_value_to_be_less_than": "only the correlation of numbers can be said",
    "expect_table_row_count_to_equal_other_table": "the other table is not named as a source; see rows_of",
    "unexpected_rows_expectation": "SQL is not run; `check` says conditions of a row",
    "expect_query_results_to_match_comparison": "SQL is not run; `references` and `rows_of` compare tables",
}
"""Types that cannot be said here, with why."""

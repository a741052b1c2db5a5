"""Looks at a table and writes the heptad.toml that fits it, with its reasons as comments."""

import re
import textwrap
from collections.abc import Iterator
from pathlib import Path

import msgspec
import polars as pl

from heptad.core.errors import DataError, nearest
from heptad.data.cleaning.copies import duplicates, repeats_by_chance
from heptad.data.columns.column_types import Dates, as_moments, read_columns
from heptad.data.columns.schema import infer_schema
from heptad.data.columns.suspects import leaks, left_out, summands
from heptad.data.records import Repair, Schema
from heptad.data.settings import DataSettings
from heptad.data.sources.schemes import ADDRESS
from heptad.data.sources.settings import SourceSettings
from heptad.data.sources.source import Place, SourceTable, open_source
from heptad.data.toml import toml_value

WIDTH = 110
"""Columns that a comment takes at most."""
_EXAMPLES = 3


class Look(msgspec.Struct, frozen=True, kw_only=True):
    """What was seen in a table."""

    table: SourceTable
    frame: pl.DataFrame
    schema: Schema
    useless: dict[str, str]
    telling: dict[str, str]
    key: str
    repeated: int
    by_chance: float
    """Pairs of rows that would be alike by chance."""
    repairs: list[Repair]


def suggest_settings(table: Path | str, target: str, time: str, folder: Path) -> str:
    """The text of a heptad.toml for a project in `folder` that learns `target` from `table`: a path or an address.

    Raises `DataError` for a table, a target or a time that cannot be used, before anything is written.
    """
    root, uri = folder.resolve(), f"{table}"
    if not ADDRESS.match(uri):
        path = Path(table).resolve()
        uri = path.relative_to(root).as_posix() if path.is_relative_to(root) else path.as_posix()
    look = look_at(SourceSettings(uri=uri), Place(root=root), target, time)
    last = re.split(r"[?#]", uri)[0].rstrip("/").rpartition("/")[2]
    name = _identifier(last.partition(".")[0])
    parts = [
        _project(target),
        _source(name, uri, time, look),
        _data(target, time, look),
        _cleaning(look),
        _rest(look.schema),
    ]
    lines = [line for part in parts for line in [*part, ""]]
    return "\n".join(shorter for line in lines for shorter in _wrapped(line))


def look_at(settings: SourceSettings, place: Place, target: str, time: str) -> Look:
    """Reads the whole table and what can be told of it; raises `DataError` for what cannot be used."""
    table = open_source(settings, place).read()
    frame = table.rows.collect()
    for option, column in (("--target", target), ("--time", time)):
        if column and column not in frame.columns:
            raise DataError(
                f"There is no column {column!r}, which {option} names.", allowed=nearest(column, frame.columns, most=30)
            )
    repairs: list[Repair] = []
    if time:
        frame, _, repairs = read_columns(frame, {time: as_moments(time, frame.schema[time], Dates())})
    features = [name for name in frame.columns if name not in {target, time}]
    useless = left_out(frame, features, ())
    key = next((name for name in useless if _is_key(frame[name])), "")
    schema = infer_schema(frame, DataSettings(target=target, time=time), left_out=useless)
    if schema.task == "regression":
        useless |= summands(frame, [column.name for column in schema.features()], target)
        schema = infer_schema(frame, DataSettings(target=target, time=time), left_out=useless)
    return Look(
        table=table,
        frame=frame,
        schema=schema,
        useless={name: reason for name, reason in useless.items() if name != key},
        telling=leaks(frame, [column.name for column in schema.features()], target, schema.task),
        key=key,
        repeated=len(duplicates(frame.lazy(), frame.columns, [])),
        by_chance=repeats_by_chance(frame),
        repairs=[*table.repairs, *repairs],
    )


def _is_key(values: pl.Series) -> bool:
    return values.null_count() == 0 and values.dtype in {pl.String, pl.Int64} and values.n_unique() == len(values)


def _project(target: str) -> list[str]:
    return [
        "# Written by `heptad init` after a look at the table; change what you know better. What is not said here has",
        "# a sound default: `heptad explain-config` prints every setting.",
        "",
        "[project]",
        f"about = {toml_value(f'Predicts {target}.')}",
    ]


def _source(name: str, uri: str, time: str, look: Look) -> Iterator[str]:
    understood = dict(look.table.understood)
    yield f"[sources.{name}]"
    yield f"uri = {toml_value(uri)}"
    if time:
        yield f"time = {toml_value(time)}"
    facts = [f"{what}: {how}" for what, how in understood.items() if not what.startswith("column ")]
    yield f"# Read as {'; '.join(facts)}."
    if understood.get("header") == "no":
        yield "# The file has no header. Name its columns here, then use these names below:"
        yield f"# columns = [{', '.join(toml_value(column) for column in look.frame.columns)}]"
    for what, how in understood.items():
        if what.startswith("column "):
            yield f"# {toml_value(what.removeprefix('column '))}: {how}."
    for repair in look.repairs:
        shown = ", ".join(map(repr, repair.examples[:_EXAMPLES]))
        count, what = (repair.rows, "row") if repair.rows else (repair.cells, "cell")
        amount = f"{count:,} {what}{'' if count == 1 else 's'}"
        where = f" in {toml_value(repair.column)}" if repair.column else ""
        yield f"# {_REPAIRS.get(repair.rule, repair.rule)}{where}: {amount}" + (f", such as {shown}." if shown else ".")


_REPAIRS = {
    "blank": "Nothing but blanks, so read as missing",
    "not_a_number": "Not a number, so read as missing",
    "not_a_time": "Not a time, so read as missing",
    "second_date_format": "Times in a second format",
    "short_line": "Lines with too few fields",
    "read_as_time": "Numbers read as times",
    "as_text": "Turned into text",
}


def _data(target: str, time: str, look: Look) -> Iterator[str]:
    schema, frame = look.schema, look.frame
    yield "[data]"
    yield f"target = {toml_value(target)}"
    yield f"task = {toml_value(schema.task)}" + f"   # {_target_in_words(frame[target], schema)}"
    if look.key:
        yield f"key = [{toml_value(look.key)}]   # different in every row"
    if time:
        yield f"time = {toml_value(time)}"
        yield '# label_delay = "1d"   # how long after that the target is known, where it is not at once'
    for name, reason in look.useless.items():
        yield f"# {toml_value(name)} is left out: {reason}."
    if look.useless:
        yield f"ignore = [{', '.join(toml_value(name) for name in look.useless)}]"
    if look.telling:
        yield "# Suspects: is this known when the question is asked? If not, put it into `ignore`."
        for name, reason in look.telling.items():
            yield f"#   {toml_value(name)}: {reason}."
    if not time:
        moments = [column.name for column in schema.features() if column.type == "datetime"]
        for name in moments:
            yield f"# time = {toml_value(name)}   # if rows happened then: splits would respect it"
    yield "# Types as they were understood; [data] types changes them, for example of codes that are no amounts:"
    yield from _types(schema)


def _target_in_words(values: pl.Series, schema: Schema) -> str:
    missing = f", {values.null_count():,} missing" if values.null_count() else ""
    if schema.task == "regression":
        column = next(column for column in schema.columns if column.role == "target")
        return f"{values.n_unique():,} numbers from {column.min:g} to {column.max:g}{missing}"
    counts = values.drop_nulls().cast(pl.String).value_counts(sort=True).head(4)
    shown = ", ".join(f"{value!r} {count / values.count():.1%}" for value, count in counts.iter_rows())
    return f"{len(schema.classes)} classes: {shown}{', ...' if len(schema.classes) > len(counts) else ''}{missing}"


def _types(schema: Schema) -> Iterator[str]:
    by_type: dict[str, list[str]] = {}
    for column in schema.features():
        by_type.setdefault(column.type, []).append(column.name)
    for kind, names in by_type.items():
        shown = ", ".join(map(toml_value, names[:12])) + (f" and {len(names) - 12} more" if len(names) > 12 else "")
        yield f"#   {kind}: {shown}"


def _cleaning(look: Look) -> list[str]:
    share = f"{look.repeated:,} of {len(look.frame):,} rows repeat an earlier one" if look.repeated else "none found"
    if look.by_chance >= 1:
        why = "so few columns and values that different cases look alike, and nothing names a row"
        return ["[clean]", f'duplicates = "keep"   # {share}', f"# Kept, since there are {why}."]
    return ["[clean]", f'duplicates = "drop"   # {share}']


def _rest(schema: Schema) -> list[str]:
    if schema.task == "regression":
        metric, why = "rmse", "the typical error, in units of the target"
    elif len(schema.classes) == 2:
        metric, why = "roc_auc", f"how well {schema.classes[1]!r} is ranked before {schema.classes[0]!r}"
    else:
        metric, why = "log_loss", "how good the probabilities of all classes are"
    return [
        "[search]",
        f"metric = {toml_value(metric)}   # {why}",
        "",
        "[release]",
        'gates = ["beats baseline"]',
    ]


def _wrapped(line: str) -> list[str]:
    """A comment that is too long for a screen in several lines; settings stay in one."""
    if not line.startswith("#") or len(line) <= WIDTH:
        return [line]
    indent = re.match(r"#\s*", line)
    following = indent[0] + "  " if indent else "#   "
    return textwrap.wrap(line, WIDTH, subsequent_indent=following, break_long_words=False, break_on_hyphens=False)


def _identifier(text: str) -> str:
    return re.sub(r"[^a-z0-9]+", "_", text.lower()).strip("_") or "table"

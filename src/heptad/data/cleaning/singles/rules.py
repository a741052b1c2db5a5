"""What of a version's rules travels with a model: those of the columns that it takes, and what they learnt."""

from collections.abc import Collection, Sequence

import msgspec

from heptad.data.cleaning.settings import CleanRule, CleanSettings, RowRule
from heptad.data.cleaning.singles.truths import named_in
from heptad.data.records import DatasetVersion, Fitted
from heptad.data.settings import ColumnType


class RequestRules(msgspec.Struct, frozen=True, kw_only=True):
    """Rules for single rows. `types` are those of the columns once they are cleaned."""

    columns: dict[str, CleanRule]
    rows: dict[str, RowRule] = {}
    types: dict[str, ColumnType]
    fitted: Fitted = msgspec.field(default_factory=Fitted)
    inputs: list[str]
    """The columns that the model takes; others that rules look at may come with them."""


def request_rules(version: DatasetVersion, inputs: Collection[str]) -> RequestRules | None:
    """The rules for rows of these inputs; `None` where a version has none for them."""
    settings = msgspec.convert(version.settings.get("clean", {}), CleanSettings)
    types = {column.name: column.type for column in version.schema.columns}
    marked = {f"{name}_outlier": name for name, rule in settings.columns.items() if rule.outlying == "mark"}
    rows = {
        name: rule
        for name, rule in settings.rows.items()
        if version.schema.target not in (named := named_in(rule.where)) and set(named) <= types.keys()
    }
    wanted = {*inputs, *(marked[name] for name in inputs if name in marked)}
    wanted |= {marked.get(name, name) for rule in rows.values() for name in named_in(rule.where)}
    while (
        more := {one for name in wanted if name in settings.columns for one in _beside(settings.columns[name])} - wanted
    ):
        wanted |= more
    columns = {name: rule for name, rule in settings.columns.items() if name in wanted and rule != CleanRule()}
    if not columns and not rows:
        return None
    return RequestRules(
        columns=columns,
        rows=rows,
        types={name: kind for name, kind in types.items() if name in wanted},
        fitted=Fitted(
            bounds={name: bounds for name, bounds in version.fitted.bounds.items() if name in columns},
            votes={name: votes for name, votes in version.fitted.votes.items() if name in columns},
        ),
        inputs=sorted(inputs),
    )


def _beside(rule: CleanRule | None) -> Sequence[str]:
    """Other columns that a rule looks at."""
    if rule is None:
        return ()
    return [*rule.told_by, rule.fill_from] if rule.fill_from else rule.told_by

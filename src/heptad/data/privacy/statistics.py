"""Differentially private statistics of a version, and the one ledger of epsilon that a data set has.

What was told stays told: figures are recorded with what they cost, and asked again they are free.
"""

from collections.abc import Sequence
from typing import Any

import polars as pl

from heptad.core import catalogue, graph
from heptad.core.errors import ConflictError, DataError, InputError, RefusedError, UnavailableError, nearest
from heptad.core.query import Query
from heptad.core.records import AliasMove, Record
from heptad.core.workspace import Workspace
from heptad.data.columns.schema import named_columns
from heptad.data.privacy.noise import Floats, NoiseMaker, Noisy, Places
from heptad.data.privacy.records import Figure, NoisyStatistics, Wanted
from heptad.data.privacy.settings import PrivacySettings
from heptad.data.records import DatasetVersion
from heptad.data.versions.versions import alias_scope

BINS = 10
CANDIDATES = 200
"""Steps between the bounds, among which a quantile is chosen."""
QUARTILES = (0.25, 0.5, 0.75)
_LEDGER = "privacy"
"""Alias of the last statistics of a data set: it moves with each, so that of two at once one starts again."""
_ATTEMPTS = 8


class Statistics:
    """Tells figures of one data set with noise, as long as its budget lasts."""

    def __init__(self, workspace: Workspace, name: str, settings: PrivacySettings) -> None:
        self._workspace = workspace
        self._name = name
        self._settings = settings

    def spent(self) -> float:
        """What has been spent of the budget."""
        last = self.last()
        return last.body.spent if last else 0.0

    def last(self) -> Record[NoisyStatistics] | None:
        """What was told last."""
        return graph.find_alias(self._workspace, alias_scope(self._name), _LEDGER, NoisyStatistics)

    def tell(
        self, version: Record[DatasetVersion], rows: pl.LazyFrame, wanted: Sequence[Wanted], epsilon: float
    ) -> Record[NoisyStatistics]:
        """Figures of the columns for `epsilon` in all; those that are there already, where the same was asked before.

        Spent and told in one transaction: whoever dies before has told nothing. Raises `RefusedError` where less than
        that is left, `InputError` and `DataError` for columns and bounds that cannot be used.
        """
        check_wanted(version.body, wanted)
        if not 0 < epsilon < float("inf"):
            raise InputError(f"epsilon = {epsilon:g} is no price.", allowed="a number above 0")
        values = {one.column: _values(rows, one) for one in wanted}
        for _ in range(_ATTEMPTS):
            last = self.last()
            if last is not None and (known := self._told(version, wanted, epsilon)) is not None:
                return known
            self._refuse_overspending(epsilon, last.body.spent if last else 0.0)
            body = self._made(version.body, values, wanted, epsilon, last.body.spent if last else 0.0)
            try:
                return self._saved(version, body, last)
            except ConflictError:
                continue  # what was made is thrown away: nobody has seen it
        raise UnavailableError(f"Others kept telling of {self._name} first.", remedy="ask again")

    def _told(
        self, version: Record[DatasetVersion], wanted: Sequence[Wanted], epsilon: float
    ) -> Record[NoisyStatistics] | None:
        query = Query(kind=NoisyStatistics.kind, scopes=[self._name])
        for one in graph.find(self._workspace, NoisyStatistics, query):
            body = one.body
            alike = (body.version, body.asked, body.epsilon_asked) == (version.body.version, list(wanted), epsilon)
            if alike and body.contributions == self._settings.contributions:
                return one
        return None

    def _refuse_overspending(self, epsilon: float, spent: float) -> None:
        left = self._settings.epsilon - spent
        if epsilon > left * (1 + 1e-12):
            raise RefusedError(
                f"epsilon = {epsilon:g} is asked, and of the budget of {self._settings.epsilon:g} for {self._name} "
                f"{max(left, 0.0):.4g} is left.",
                remedy="ask for what was told before, which is free, or for less; a larger [privacy] epsilon is a "
                "decision about people's privacy",
            )

    def _made(
        self,
        version: DatasetVersion,
        values: dict[str, Floats | Places],
        wanted: Sequence[Wanted],
        epsilon: float,
        spent: float,
    ) -> NoisyStatistics:
        make: NoiseMaker = catalogue.find("noise", "opendp")(self._settings.contributions)
        share = epsilon / sum(_costs(one) for one in wanted)
        told = [_figures(make, one, values[one.column], share) for one in wanted]
        cost = min(epsilon, sum(price for _, price in told))
        return NoisyStatistics(
            name=version.name,
            version=version.version,
            asked=list(wanted),
            epsilon_asked=epsilon,
            contributions=self._settings.contributions,
            epsilon=cost,
            spent=spent + cost,
            budget=self._settings.epsilon,
            figures=[figure for figures, _ in told for figure in figures],
        )

    def _saved(
        self, version: Record[DatasetVersion], body: NoisyStatistics, last: Record[NoisyStatistics] | None
    ) -> Record[NoisyStatistics]:
        expected = last.aliases[_LEDGER] if last else 0
        return graph.save(
            self._workspace,
            body,
            scope=self._name,
            made_from=[("data", version.id)],
            attributes={"epsilon": body.epsilon, "spent": body.spent},
            aliases=[AliasMove(scope=alias_scope(self._name), name=_LEDGER, target="@", expected=expected)],
            event="data.statistics_told",
            event_body={"name": body.name, "version": body.version, "epsilon": body.epsilon, "spent": body.spent},
        )


def check_wanted(version: DatasetVersion, wanted: Sequence[Wanted]) -> None:
    """Raises `InputError` for a column that there is not, and for bounds that are none."""
    known = [column.name for column in version.schema.columns]
    if not wanted:
        raise InputError("No column is named.", allowed="--column NAME=LOW:HIGH or --column NAME=A,B,C")
    for one in wanted:
        if one.column not in known:
            raise InputError(f"There is no column {one.column!r}.", allowed=nearest(one.column, named_columns(known)))
        if not one.categories and not (float("-inf") < one.low < one.high < float("inf")):
            raise InputError(
                f"{one.column} is bounded by {one.low:g} and {one.high:g}.",
                allowed="a lower bound below the upper one, both chosen without looking at the rows",
            )
    if len({one.column for one in wanted}) < len(wanted):
        raise InputError("A column is named twice.", allowed="each once")


def wanted_of(text: str) -> Wanted:
    """`NAME=LOW:HIGH` or `NAME=A,B,C` as it is typed.

    >>> wanted_of("age=0:100").high, wanted_of("town=Bonn,Ulm").categories
    (100.0, ['Bonn', 'Ulm'])
    """
    name, _, said = text.partition("=")
    low, colon, high = said.partition(":")
    try:
        if name and colon:
            return Wanted(column=name, low=float(low), high=float(high))
    except ValueError:
        pass
    categories = [one for one in dict.fromkeys(said.split(",")) if one]
    if not name or not categories:
        raise InputError(f"{text!r} says too little.", allowed="NAME=LOW:HIGH for numbers, NAME=A,B,C for categories")
    return Wanted(column=name, categories=categories)


def _values(rows: pl.LazyFrame, wanted: Wanted) -> Floats | Places:
    """The values of a column, or the place of each among the wanted categories."""
    value = pl.col(wanted.column)
    if wanted.categories:
        places = {name: place for place, name in enumerate(wanted.categories)}
        text = value.drop_nulls().cast(pl.String)
        found = text.replace_strict(places, default=len(places), return_dtype=pl.Int32)
        return rows.select(found).collect(engine="streaming").to_series().to_numpy()
    kind = rows.collect_schema()[wanted.column]
    if not kind.is_numeric():
        raise DataError(f"{wanted.column} holds {kind}.", allowed="bounds for numbers; NAME=A,B,C for categories")
    number = value.cast(pl.Float64)
    return rows.select(number).filter(number.is_finite()).collect(engine="streaming").to_series().to_numpy()


def _costs(wanted: Wanted) -> int:
    """How many figures are paid for one by one: a histogram is one."""
    return 1 if wanted.categories else 3 + len(QUARTILES)


def _figures(make: NoiseMaker, wanted: Wanted, values: Any, epsilon: float) -> tuple[list[Figure], float]:
    """The figures of one column, each of its parts for this epsilon; and what they cost together."""
    name = wanted.column
    if wanted.categories:
        counts = make.categories(values, len(wanted.categories), epsilon)
        labels = [*wanted.categories, "others"]
        return [_figure(name, label, one) for label, one in zip(labels, counts, strict=True)], counts[0].epsilon
    width = (wanted.high - wanted.low) / BINS
    edges = [wanted.low + width * place for place in range(1, BINS)]
    candidates = [wanted.low + (wanted.high - wanted.low) * place / CANDIDATES for place in range(CANDIDATES + 1)]
    count = make.count(values, epsilon)
    total = make.total(values, wanted.low, wanted.high, epsilon)
    bins = make.histogram(values, edges, epsilon)
    quantiles = [make.quantile(values, candidates, share, epsilon) for share in QUARTILES]
    mean = min(max(total.value / max(count.value, 1.0), wanted.low), wanted.high)
    limits = [wanted.low, *edges, wanted.high]
    figures = [
        _figure(name, "count", count),
        Figure(column=name, what="mean", value=mean, within=None),
        *(_figure(name, f"quantile {share:g}", one) for share, one in zip(QUARTILES, quantiles, strict=True)),
        *(_figure(name, f"{limits[at]:g} to {limits[at + 1]:g}", one) for at, one in enumerate(bins)),
    ]
    return figures, count.epsilon + total.epsilon + bins[0].epsilon + sum(one.epsilon for one in quantiles)


def _figure(column: str, what: str, noisy: Noisy) -> Figure:
    return Figure(column=column, what=what, value=noisy.value, within=noisy.within)

"""From sources to the one table: the project's function, features as of each row's time, types, repairs, order."""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

import msgspec
import polars as pl

from heptad.core.errors import DataError, NotFoundError, SettingsError, nearest
from heptad.core.memory import budget
from heptad.core.secrets import reveal
from heptad.core.settings import ProjectSettings, Task, duration
from heptad.core.workspace import FOLDER
from heptad.data.assembling.alike import binds, known_columns, touched
from heptad.data.assembling.changes import Change, settle_changes
from heptad.data.assembling.function import ProjectFunction
from heptad.data.assembling.inputs import Input, Inputs, blamed
from heptad.data.assembling.judging import Judging
from heptad.data.assembling.staging import Staged, is_small, stage
from heptad.data.cleaning.checking import check_rules
from heptad.data.cleaning.kinds import read_as
from heptad.data.cleaning.rules import CellRepairs, Correct, fit_repairs, repair_cells
from heptad.data.cleaning.settings import CleanSettings
from heptad.data.columns.column_types import Dates, as_moments, as_target, conform, read_columns
from heptad.data.columns.dialogues import Asking, Dialogue, converse
from heptad.data.columns.keys import ROW
from heptad.data.columns.schema import LABEL_TIME, check_columns, infer_task
from heptad.data.erasing.suppression import Suppression
from heptad.data.features.joins import Values, added_names, join_features
from heptad.data.features.settings import FeatureSettings
from heptad.data.labelling.applying import Known, label_rows
from heptad.data.labelling.functions import Voters
from heptad.data.labelling.records import LabellingFunction
from heptad.data.labelling.settings import LabellingSettings
from heptad.data.progress import Estimate, under_way
from heptad.data.records import DatasetVersion, Finding, Repair, SourceRead
from heptad.data.settings import DataSettings
from heptad.data.sources.schemes import is_stream
from heptad.data.sources.settings import OfChange, OnChange, SourceSettings
from heptad.data.sources.sniffing import check_names
from heptad.data.sources.source import Place
from heptad.data.streams.following import landed_folder
from heptad.data.streams.landed_rows import LandedRows

STAGING = "staging"
"""Folder in the workspace for tables that are worked on and do not fit into memory."""
_TEXTS = {"category", "text"}


class Assembled(msgspec.Struct, frozen=True, kw_only=True):
    """Every row of the table in order, none set aside yet, in stored types; what was read and what was repaired."""

    staged: Staged
    typed: pl.LazyFrame
    """The rows before cells are repaired."""
    rows: pl.LazyFrame
    """The rows with their cells repaired, and with the marks that `repairing` counts by."""
    repairing: CellRepairs
    features: list[Values]
    """What the table was joined with."""
    task: Task
    sources: list[SourceRead]
    repairs: list[Repair]
    """What was repaired on the way, cells by rule not yet counted."""
    labelling: list[LabellingFunction]
    """How each labelling function did, where there are any."""
    changes: list[Change]
    """How the columns of the sources differ from those of the version before, and what was done about it."""
    judged: list[Finding]
    """What was found of the sources as a whole."""


class Assembly:
    """Builds the table of one project. What small sources held is kept in memory until their digests change."""

    def __init__(
        self,
        place: Place,
        project: ProjectSettings,
        sources: Mapping[str, SourceSettings],
        data: DataSettings,
        clean: CleanSettings,
        features: Mapping[str, FeatureSettings],
        correct: Callable[[], Correct | None] = lambda: None,
        labelling: LabellingSettings | None = None,
        classes: Sequence[str] = (),
    ) -> None:
        self._correct = correct
        self._labelling, self._classes = labelling or LabellingSettings(), classes
        self._voters = Voters(place.root, self._labelling.functions)
        self._root = place.root
        self._suppression = Suppression(place.root / FOLDER)
        self._place = place
        self._settings = sources
        self._data = data
        self._clean = clean
        self._features = features
        self._function = ProjectFunction(place.root, data.function) if data.function else None
        self._style = Dates(timezone=project.timezone)
        # With a function, the types of its result do not speak of columns of sources that share a name.
        text = () if data.function else [one for one, kind in data.types.items() if kind in _TEXTS]
        # What a rule of [clean] reads has to come as it is written.
        read = [name for name, rule in clean.columns.items() if read_as(rule)]
        text = [*text, *read]
        self._types = {name: kind for name, kind in data.types.items() if name not in read}
        self._inputs = Inputs(place, sources, self._style, text)
        self._check_features()
        self._rows_from = "" if self._function else self._main_source()

    def source(self, name: str, until: datetime | None = None) -> pl.LazyFrame:
        """The rows of one source, before a moment where it says when they happened; raises `NotFoundError`."""
        if name not in self._settings:
            raise NotFoundError("source", name, self._settings)
        return self._inputs.before(name, self._inputs.read(name).rows, until)

    def file(self, path: Path) -> pl.LazyFrame:
        """The rows of a file, read as the source of the table's rows is; columns as they are in it."""
        like = self._settings.get(self._data.source or self._rows_from) or next(iter(self._settings.values()))
        settings = msgspec.structs.replace(like, uri=str(path.resolve()))
        text = [one for one, kind in self._data.types.items() if kind in _TEXTS]
        return Inputs(self._place, {path.name: settings}, self._style, text).read(path.name).rows

    def fingerprint(self) -> dict[str, Any]:
        """What the rows depend on besides the sources: settings, and the digest of the function's file."""
        parts = {"data": self._data, "clean": self._clean, "sources": self._settings, "features": self._features}
        plain: dict[str, Any] = msgspec.json.decode(msgspec.json.encode(parts))  # as records give it back
        # How rows are laid out in files makes no other rows.
        for name in ("partition", "cluster"):
            plain["data"].pop(name)
        plain |= {"timezone": self._style.timezone, "function": self._function.digest() if self._function else ""}
        voting = {"least": self._labelling.least, **dict(zip(self._voters.names, self._voters.digests(), strict=True))}
        return plain | ({"labelling": voting} if self._voters.names else {})

    def watermark(self) -> dict[str, str]:
        """The digest of every source: with the same ones, the same rows come out."""
        return self._inputs.digests()

    def source_digest(self, name: str) -> str:
        """The digest of one source."""
        return self._inputs.digest(name)

    @property
    def source_names(self) -> list[str]:
        return sorted(self._settings)

    def reopen_sources(self) -> None:
        """Read what sources keep in the workspace anew: it was changed."""
        self._inputs.reopen()

    def unfiltered_rows(self, name: str) -> pl.LazyFrame:
        """The rows of one source as it holds them, people who were erased included."""
        return self._inputs.read(name).rows

    def source_rows(self, name: str) -> pl.LazyFrame:
        """The rows of one source for features, typed, its time in UTC; without those of people who were erased."""
        return self._suppression.for_features(self._inputs.read(name).rows)

    def landed_rows(self, name: str) -> LandedRows | None:
        """What a stream has landed, commit by commit, without people who were erased; `None` for other sources."""
        settings = self._settings[name]
        if not is_stream(reveal(settings.uri)):
            return None
        folder, style = landed_folder(settings, self._place), self._inputs.style_of(name)
        return LandedRows(folder, settings.time, style, self._suppression.for_features)

    def build(
        self,
        until: datetime | None = None,
        before: DatasetVersion | None = None,
        judging: Judging | None = None,
        *,
        infer: bool = True,
    ) -> Assembled:
        """The table of rows before `until`, from what sources held before it; all their labels, known by then or not.

        The task and the bounds of ordinary numbers of the version `before` bind where it was made in the same way;
        otherwise they are found. `judging` is asked about the sources before anything is made of them. Without `infer`
        only what `on_change` says binds their columns. Raises `DataError` and `SettingsError`
        for what cannot be used, `TaskError` where the project's function fails.
        """
        inputs = self._inputs.now()
        inputs = judging.counted(inputs, self._settings) if judging else inputs
        judged = judging(inputs, self._settings) if judging else []
        inputs, changes = self._as_before(inputs, before, infer=infer)
        before = before if before is not None and binds(before.settings, self.fingerprint()) else None
        small = is_small(*(one.size for one in inputs.values()))
        rows = {name: self._inputs.before(name, one.rows, until) for name, one in inputs.items()}
        # A function may make more or fewer rows than there are in any source.
        height = max(one.read.rows for name, one in inputs.items() if self._rows_from in {name, ""})
        with self._blamed(rows), under_way("the table", lambda: Estimate(height, "rows")):
            staged, features, repairs, ahead = self._staged(rows, until, judging, small=small)
        try:
            made = self._typed(staged, features, [*_found(inputs), *repairs], inputs, before, until)
            return msgspec.structs.replace(made, changes=changes, judged=[*judged, *ahead])
        except BaseException:
            staged.close()
            raise

    def _as_before(
        self, inputs: dict[str, Input], before: DatasetVersion | None, *, infer: bool
    ) -> tuple[dict[str, Input], list[Change]]:
        """The sources with the columns that they had at the version before, as far as `on_change` wants it so.

        Raises `DataError` with every change that it refuses. Of a source that a person has read in another way, the
        columns of that version say nothing, nor of a column that the person has said something else of.
        """
        if before is None:
            return inputs, []
        now = self.fingerprint()
        changed, known = touched(before.settings, now), {}
        for name, columns in known_columns(before, now).items():
            taken = {one: kind for one, kind in inputs[name].read.columns.items() if one in changed}
            known[name] = {one: kind for one, kind in columns.items() if one not in changed} | taken
        bound = self._rows_from if infer else ""
        policies: dict[str, OnChange | OfChange] = {
            name: one.on_change or (OnChange() if name == bound else "accept") for name, one in self._settings.items()
        }
        return settle_changes(inputs, known, policies, self._style)

    def _staged(
        self, rows: Mapping[str, pl.LazyFrame], until: datetime | None, judging: Judging | None, *, small: bool
    ) -> tuple[Staged, list[Values], list[Repair], list[Finding]]:
        """The rows in order with their features, made once; those features; what was repaired, and found, meanwhile."""
        own = self._function(rows, small=small) if self._function else rows[self._rows_from]
        check_names(own.collect_schema().names(), "The table")
        if self._voters.names and self._data.target not in own.collect_schema():
            own = own.with_columns(pl.lit(None, pl.String).alias(self._data.target))
        # A function over large sources may have to run whole for its first row.
        if small or not self._function:
            self._refuse_empty(own, rows)
        table, repairs = conform(own, self._types, self._style)
        check_columns(table.collect_schema().names(), self._data, features=False)
        table, found, ahead = self._in_order(table, until, judging)
        repairs += found
        features, found = self._feature_values(table.collect_schema().names(), rows)
        repairs += found
        table, found = self._joined(table, features)
        repairs += found
        names = table.collect_schema().names()
        check_columns(names, self._data)
        _check_case(names)
        table = self._suppression.without(table)
        staged = stage(table, self._root / FOLDER / STAGING, small=small)
        if not staged.height:
            staged.close()
            self._refuse_empty(own, rows)
            raise DataError(f"There are no rows before {until}.", allowed="a later moment")
        return staged, features, repairs, ahead

    def _refuse_empty(self, own: pl.LazyFrame, sources: Collection[str]) -> None:
        if own.head(1).collect(engine="streaming").is_empty():
            raise DataError(
                f"The table made of {', '.join(sorted(sources))} has no rows.",
                allowed="at least one row; with `until`, one before that moment",
            )

    def _typed(
        self,
        staged: Staged,
        features: list[Values],
        repairs: list[Repair],
        inputs: Mapping[str, Input],
        before: DatasetVersion | None,
        until: datetime | None,
    ) -> Assembled:
        """The target as it is kept, and the repairs of cells, as parts of the query over the staged rows."""
        target, rows = self._data.target, staged.rows
        functions: list[LabellingFunction] = []
        if self._data.time and self._data.label_time:
            rows, found = self._without_unknowable(rows)
            repairs += found
        if self._voters.names:
            if self._data.task == "regression":
                raise SettingsError("[labelling] functions name classes, and [data] task is regression.")
            known = Known(self._data.label_time or LABEL_TIME, self._data.time, until) if self._data.time else Known()
            least, classes = self._labelling.least, self._classes
            rows, functions, found = label_rows(rows, self._voters, target, least, known, classes)
            repairs += found
        task = infer_task(rows, target, self._data.task or (before.schema.task if before else None))
        rows, _, found = read_columns(rows, {target: as_target(target, rows.collect_schema()[target], task)})
        protected = () if task == "regression" else [target]
        correct = self._correct()
        check_rules(rows.collect_schema(), self._clean, target, self._data.label_time)
        repairing = fit_repairs(rows, self._clean, protected, before.fitted if before else None, correct)
        return Assembled(
            staged=staged,
            typed=rows,
            rows=repairing.rows(rows),
            repairing=repairing,
            features=features,
            task=task,
            sources=[one.read for one in inputs.values()],
            repairs=[*repairs, *found],
            labelling=functions,
            changes=[],
            judged=[],
        )

    def _main_source(self) -> str:
        """The source that the rows come from: the one named, the only one, or the only one not used for features."""
        names = sorted(self._settings)
        if self._data.source:
            if self._data.source not in names:
                raise SettingsError(
                    f"[data] source = {self._data.source!r} names no source.", allowed=nearest(self._data.source, names)
                )
            return self._data.source
        looked_up = {feature.source for feature in self._features.values()}
        rest = names if len(names) == 1 else [name for name in names if name not in looked_up]
        if len(rest) != 1:
            raise SettingsError(
                f"Which source holds the rows? There are {len(names)}: {', '.join(names) or 'none'}.",
                allowed='[data] source = "NAME", or function = "module:function"',
            )
        return rest[0]

    def _check_features(self) -> None:
        for name, feature in self._features.items():
            if feature.source not in self._settings:
                raise SettingsError(
                    f"[features.{name}] source = {feature.source!r} names no source.",
                    allowed=nearest(feature.source, sorted(self._settings)),
                )

    @contextmanager
    def _blamed(self, rows: Mapping[str, pl.LazyFrame]) -> Iterator[None]:
        with self._function.blamed() if self._function else blamed(", ".join(sorted(rows))):
            yield

    def _in_order(
        self, rows: pl.LazyFrame, until: datetime | None, judging: Judging | None
    ) -> tuple[pl.LazyFrame, list[Repair], list[Finding]]:
        """Rows by time and key (or as read), each with a key, and with the time its label became known.

        Those before `until`; of rows of the future, which go with the others after it, there is a finding.
        """
        data, order = self._data, list(self._data.key)
        repairs: list[Repair] = []
        ahead: list[Finding] = []
        if data.time:
            order.insert(0, data.time)
            style = self._style if self._function else self._inputs.style_of(self._rows_from)
            kinds = rows.collect_schema()
            times = {data.time: as_moments(data.time, kinds[data.time], style)}
            if data.label_time:
                times[data.label_time] = as_moments(data.label_time, kinds[data.label_time], self._style)
            rows, _, repairs = read_columns(rows, times)
            # A source with a time of its own was judged by it, and `until` has left nothing of the future in it.
            timed = self._rows_from and self._settings[self._rows_from].time
            if judging and (until is not None or not timed):
                ahead = list(judging.ahead("the table", rows, data.time))
            # Rows without a time stay, to be set aside and counted rather than lost here.
            rows = rows if until is None else rows.filter(pl.col(data.time).lt(until).fill_null(value=True))
            if not data.label_time:
                rows = rows.with_columns((pl.col(data.time) + duration(data.label_delay)).alias(LABEL_TIME))
        rows = rows.sort(order, nulls_last=True, maintain_order=True) if order else rows
        if data.key:
            return rows, repairs, ahead
        if ROW in rows.collect_schema():
            raise DataError(f"The column {ROW!r} has the name that Heptad gives to row numbers.", remedy="rename it")
        return rows.with_row_index(ROW).with_columns(pl.col(ROW).cast(pl.Int64)), repairs, ahead

    def _feature_values(
        self, names: list[str], sources: Mapping[str, pl.LazyFrame]
    ) -> tuple[list[Values], list[Repair]]:
        """What a table of columns `names` is joined with."""
        features: list[Values] = []
        repairs: list[Repair] = []
        for name, feature in self._features.items():
            added = added_names(names, name, feature)
            values, found = self._repaired(self._suppression.without(sources[feature.source]), added)
            repairs += found
            names = [*names, *added.values()]
            features.append(Values(name=name, settings=feature, rows=values, time=self._settings[feature.source].time))
        return features, repairs

    def _joined(self, rows: pl.LazyFrame, features: list[Values]) -> tuple[pl.LazyFrame, list[Repair]]:
        if not features:
            return rows, []
        joined = join_features(rows, features, time=self._data.time, root=self._root, memory=budget() // 2)
        return conform(joined, self._types, self._style)

    def _repaired(self, values: pl.LazyFrame, names: Mapping[str, str]) -> tuple[pl.LazyFrame, list[Repair]]:
        """A feature's source with the rules of `[clean.columns]` for what its columns are called in the table.

        They are applied here, so that a wrong value is counted once where it stands and not once a row that joins it.
        """
        present = values.collect_schema()
        rules = {
            old: self._clean.columns[new] for old, new in names.items() if new in self._clean.columns and old in present
        }
        return repair_cells(values, CleanSettings(columns=rules)) if rules else (values, [])

    def _without_unknowable(self, rows: pl.LazyFrame) -> tuple[pl.LazyFrame, list[Repair]]:
        """Rows without the labels that have no time when they became known: null says never known."""
        known, target = pl.col(self._data.label_time).is_not_null(), pl.col(self._data.target)

        def counted() -> Dialogue[int]:
            told = yield Asking({"without": (~known & target.is_not_null()).sum()})
            return int(told.values["without"])

        (without,) = converse(rows, [counted()])
        if not without:
            return rows, []
        repair = Repair(rule="label_without_time", column=self._data.target, cells=without)
        return rows.with_columns(pl.when(known).then(target)), [repair]


def _found(inputs: Mapping[str, Input]) -> list[Repair]:
    return [repair for one in inputs.values() for repair in one.repairs]


def _check_case(names: list[str]) -> None:
    """Delta tables, like most databases, do not tell `Id` from `id`."""
    seen: dict[str, str] = {}
    for name in names:
        other = seen.setdefault(name.lower(), name)
        if other != name:
            raise DataError(
                f"The columns {other!r} and {name!r} differ only in upper and lower case.",
                allowed="names that differ otherwise too",
                remedy="rename one in [data] function, or with [sources.NAME] columns and header = true",
            )

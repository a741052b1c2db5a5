"""Everything that is shown of a table at one look: its profile, what is odd in it, what goes together."""

from collections.abc import Sequence
from pathlib import PurePath

import msgspec
import polars as pl

from heptad.core.settings import ProjectSettings
from heptad.data.columns.column_types import Dates, conform
from heptad.data.columns.schema import infer_types
from heptad.data.passes import ask_in_turn
from heptad.data.profiles.notes import Note, notes_of
from heptad.data.profiles.profile import Profile, Profiling
from heptad.data.profiles.relations import Relation, Relations
from heptad.data.profiles.sampling import sample_columns
from heptad.data.records import Column, DatasetVersion, Repair
from heptad.data.settings import DataSettings
from heptad.data.sources.settings import SourceSettings
from heptad.data.sources.source import Place, open_source

STRONG, WEAK = 0.8, 0.1
"""Correlations from which two columns tell much the same, and below which they have nothing to do with each other."""


class Overview(msgspec.Struct, frozen=True, kw_only=True):
    """What a person wants to know of a table first."""

    name: str
    profile: Profile
    notes: list[Note]
    relations: list[Relation]
    repairs: list[Repair] = []


def look_at_file(settings: SourceSettings, place: Place, project: ProjectSettings) -> Overview:
    """A file as a source of a project would be read; raises `DataError` for what cannot be used."""
    table = open_source(settings, place).read()
    rows, repairs = conform(table.rows, {}, Dates(timezone=project.timezone, format=settings.dates))
    kinds = infer_types(rows, DataSettings(target=""))
    columns = [Column(name=name, type=kind) for name, kind in kinds.items()]
    types = rows.collect_schema()
    profiling = Profiling(columns, types, sample_columns(rows, columns, {}))
    profile, relations = ask_in_turn(rows, profiling, Relations(_numbers(columns)))
    return _overview(PurePath(settings.uri).name, profile, relations, [*table.repairs, *repairs])


def look_at_version(body: DatasetVersion, rows: pl.LazyFrame, profile: Profile) -> Overview:
    """A version, by the profile that was made with it; its rows are read for what goes together only."""
    known = {column.name: column for column in profile.columns}
    relations = ask_in_turn(rows, Relations(_numbers([one for one in body.schema.columns if one.name in known])))[0]
    return _overview(f"{body.name}@{body.version}", profile, relations, body.repairs)


def _overview(name: str, profile: Profile, relations: list[Relation], repairs: Sequence[Repair]) -> Overview:
    notes = notes_of(profile)
    alike = [one for one in relations if abs(one.correlation) >= STRONG]
    notes += [
        Note(column=one.first, weight="know", sentence=f"goes with {one.second}: correlation {one.correlation:+.2f}")
        for one in alike
    ]
    related = [one for one in relations if abs(one.correlation) >= WEAK]
    return Overview(name=name, profile=profile, notes=notes, relations=related, repairs=list(repairs))


def _numbers(columns: Sequence[Column]) -> list[str]:
    return [column.name for column in columns if column.type in {"number", "integer"}]

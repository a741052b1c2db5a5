"""Erasure in step 1: what is kept of people is found first, and then taken out of everything that holds rows."""

from collections.abc import Collection, Mapping, Sequence
from contextlib import suppress
from datetime import datetime
from itertools import product

import msgspec
import polars as pl

from heptad.core.errors import HeptadError, InputError
from heptad.core.records import Id
from heptad.core.workspace import Workspace
from heptad.data.assembling.assembly import Assembly
from heptad.data.cleaning.disguises import pseudonym_key, pseudonym_of
from heptad.data.cleaning.settings import CleanRule, CleanSettings
from heptad.data.corrections.corrections import forget_corrections
from heptad.data.erasing.copies import clear_copies, count_quarantined, remove_quarantined
from heptad.data.erasing.entities import Entities, find_entities
from heptad.data.erasing.finding import FoundRows, every_version, find_rows, longer_words
from heptad.data.erasing.kept import count_kept, forget_kept
from heptad.data.erasing.removing import remove_rows, touched
from heptad.data.erasing.subjects import Subjects
from heptad.data.erasing.suppression import Suppression
from heptad.data.expectations.history import rows_of
from heptad.data.features.features import Features
from heptad.data.versions.pruned import with_rows
from heptad.data.versions.remaining import as_it_is
from heptad.data.versions.turns import no_collecting


class Erasing:
    """Step 1 of an erasure. Everything may be interrupted and done again, with what `find` found the first time."""

    def __init__(self, workspace: Workspace, assembly: Assembly, features: Features, clean: CleanSettings) -> None:
        self._workspace = workspace
        self._clean = clean
        self._assembly = assembly
        self._features = features

    def with_pseudonyms(self, subjects: Subjects) -> Subjects:
        """The same people, by what `[clean.columns.NAME] pseudonym` makes of their values as well."""
        settings = [self._clean.columns.get(column, CleanRule()).pseudonym for column in subjects.columns]
        keys = {setting: pseudonym_key(setting) for setting in settings if setting}
        spelled = [
            [text, pseudonym_of(text, keys[setting])] if setting else [text]
            for key in subjects.keys
            for text, setting in zip(key, settings, strict=True)
        ]
        width = len(subjects.columns)
        several = [product(*spelled[start : start + width]) for start in range(0, len(spelled), width)]
        return msgspec.structs.replace(subjects, keys=[list(key) for keys_of in several for key in keys_of])

    def find(self, subjects: Subjects) -> FoundRows:
        """Their rows in every version, and what only those hold."""
        return find_rows(self._workspace, subjects)

    def longer_words(self, values: Collection[str]) -> list[str]:
        """Words of the rows that are left which hold one of the values and more."""
        return longer_words(self._workspace, values)

    def in_quarantine(self, subjects: Subjects) -> int:
        """How many of their rows were set aside."""
        return count_quarantined(self._workspace, subjects)

    def in_kept(self, subjects: Subjects, entities: Sequence[Subjects] = ()) -> int:
        """How many rows of theirs sources keep in the workspace, declared still or not."""
        return count_kept(self._workspace.folder, subjects, entities)

    def entities(self, subjects: Subjects) -> Entities:
        """The entities of online features that only they have, by columns that do not name them here.

        Looked for in versions, and in the sources: rules of `[clean]` change what versions hold.
        """
        views = self._features.entities.columns()
        if all({*view} & {*subjects.columns} for view in views):
            return Entities()
        records = with_rows(every_version(self._workspace))
        versions = [rows_of(self._workspace, as_it_is(self._workspace, one)) for one in records]
        sources: list[pl.LazyFrame] = []
        for name in self._assembly.source_names:
            # One that cannot be read is told by `in_sources`.
            with suppress(HeptadError):
                sources.append(self._assembly.unfiltered_rows(name))
        return find_entities(subjects, views, versions, sources)

    def in_features(self, subjects: Subjects, entities: Sequence[Subjects] = ()) -> int:
        """How many rows the online store has of theirs, and of entities that only they have."""
        return self._forget_features(subjects, entities, dry_run=True)

    def artifacts(self, found: FoundRows) -> list[str]:
        """Profiles of the data sets that have rows of theirs."""
        versions = [one for group in touched(self._workspace, found) for one in group]
        return sorted({as_it_is(self._workspace, one).profile for one in versions})

    def in_sources(self, subjects: Subjects, entities: Sequence[Subjects] = ()) -> Mapping[str, int | None]:
        """Source to how many of their rows it holds now; `None` where it cannot be read, left out where it has none.

        In one that lacks the columns that name them, rows of entities that only they have are theirs.
        """
        found: dict[str, int | None] = {}
        for name in self._assembly.source_names:
            try:
                rows = self._assembly.unfiltered_rows(name)
                theirs = subjects.condition_or(entities, rows.collect_schema())
                found[name] = rows.select(theirs.sum()).collect(engine="streaming").item() or 0
            except HeptadError:
                found[name] = None
        return {name: rows for name, rows in found.items() if rows != 0}

    def forget(
        self, subjects: Subjects, found: FoundRows, erasure: Id, at: datetime, entities: Sequence[Subjects] = ()
    ) -> int:
        """Keep them out from now on, and remove what there is; answers the rows removed from the online store."""
        with no_collecting(self._workspace):
            Suppression(self._workspace.folder).add(subjects, entities)
            forget_kept(self._workspace.folder, subjects, entities)
            self._assembly.reopen_sources()
            remove_rows(self._workspace, subjects, found, erasure, at)
            remove_quarantined(self._workspace, subjects)
            forget_corrections(self._workspace, self._names(), found.ids)
            clear_copies(self._workspace)
            rows = self._forget_features(subjects, entities)
            # Also where none is there any more: an older value of theirs, or what was deleted before, still may be.
            self._features.files.compact()
            return rows

    def _forget_features(self, subjects: Subjects, entities: Sequence[Subjects], *, dry_run: bool = False) -> int:
        rows, named = 0, [(key, list[str]()) for key in subjects.parts()]
        # Where they are known by what names them, that has found them.
        named += [(key, subjects.columns) for one in entities for key in one.parts()]
        for key, beside in named:
            with suppress(InputError):  # no view has entities that can be called so
                rows += self._features.entities.forget(key, beside=beside, dry_run=dry_run)
        return rows

    def _names(self) -> set[str]:
        return {version.body.name for version in every_version(self._workspace)}

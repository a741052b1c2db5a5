"""Erasure in step 1: what is kept of people is found first, and then taken out of everything that holds rows."""

from collections.abc import Collection, Mapping
from datetime import datetime
from itertools import product

import msgspec

from heptad.core.errors import HeptadError, InputError
from heptad.core.records import Id
from heptad.core.workspace import Workspace
from heptad.data.assembling.assembly import Assembly
from heptad.data.cleaning.disguises import pseudonym_key, pseudonym_of
from heptad.data.cleaning.settings import CleanRule, CleanSettings
from heptad.data.corrections.corrections import forget_corrections
from heptad.data.erasing.copies import clear_copies, count_quarantined, remove_quarantined
from heptad.data.erasing.finding import FoundRows, every_version, find_rows, longer_words
from heptad.data.erasing.kept import count_kept, forget_kept
from heptad.data.erasing.removing import remove_rows, touched
from heptad.data.erasing.subjects import Subjects
from heptad.data.erasing.suppression import Suppression
from heptad.data.features.features import Features
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

    def in_kept(self, subjects: Subjects) -> int:
        """How many rows of theirs sources keep in the workspace, declared still or not."""
        return count_kept(self._workspace.folder, subjects)

    def in_features(self, subjects: Subjects) -> int:
        """How many rows of theirs the online store has."""
        return sum(self._forget_features(key, dry_run=True) for key in subjects.parts())

    def artifacts(self, found: FoundRows) -> list[str]:
        """Profiles of the data sets that have rows of theirs."""
        versions = [one for group in touched(self._workspace, found) for one in group]
        return sorted({as_it_is(self._workspace, one).profile for one in versions})

    def in_sources(self, subjects: Subjects) -> Mapping[str, int | None]:
        """Source to how many of their rows it holds now; `None` where it cannot be read, left out where it has none."""
        found: dict[str, int | None] = {}
        for name in self._assembly.source_names:
            try:
                rows = self._assembly.unfiltered_rows(name)
                theirs = subjects.condition(rows.collect_schema())
                found[name] = rows.select(theirs.sum()).collect(engine="streaming").item() or 0
            except HeptadError:
                found[name] = None
        return {name: rows for name, rows in found.items() if rows != 0}

    def forget(self, subjects: Subjects, found: FoundRows, erasure: Id, at: datetime) -> int:
        """Keep them out from now on, and remove what there is; answers the rows removed from the online store."""
        with no_collecting(self._workspace):
            Suppression(self._workspace.folder).add(subjects)
            forget_kept(self._workspace.folder, subjects)
            self._assembly.reopen_sources()
            remove_rows(self._workspace, subjects, found, erasure, at)
            remove_quarantined(self._workspace, subjects)
            forget_corrections(self._workspace, self._names(), found.ids)
            clear_copies(self._workspace)
            rows = sum(self._forget_features(key) for key in subjects.parts())
            # Also where none is there any more: an older value of theirs, or what was deleted before, still may be.
            self._features.files.compact()
            return rows

    def _forget_features(self, key: Mapping[str, str], *, dry_run: bool = False) -> int:
        try:
            return self._features.forget(key, dry_run=dry_run)
        except InputError:
            return 0  # no view has entities that can be called so

    def _names(self) -> set[str]:
        return {version.body.name for version in every_version(self._workspace)}

"""Which versions of the data keep their rows: what is new, named or needed stays; of the rest a rule says what goes."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta

import msgspec

from heptad.core.errors import ConflictError, InputError, NotFoundError
from heptad.core.garbage import SPARED
from heptad.core.graph import every
from heptad.core.identity import acting_as
from heptad.core.query import Compare, Query, equals
from heptad.core.records import Id, RawRecord, Record
from heptad.core.settings import duration
from heptad.core.workspace import Workspace
from heptad.data import (
    LATEST,
    ROLLED_BACK,
    Data,
    DatasetVersion,
    Freed,
    SplitRule,
    every_version,
    is_here,
    mark_pruned,
    no_collecting,
    sweep,
    unswept,
    with_rows,
    would_free,
)
from heptad.experiments import Run, Study
from heptad.lifecycle.happenings import Happening, Watcher, unwatched
from heptad.lifecycle.records import Plan
from heptad.lifecycle.settings import RetentionSettings
from heptad.lifecycle.unended import why_going_on
from heptad.release import ModelVersion
from heptad.training import Candidate, every_candidate

EVERY = timedelta(hours=1)
"""How often the policy of heptad.toml is looked at."""
_READS = "data"
"""The role of links to a version from what was made of its rows."""
_USERS = (Study.kind, Candidate.kind, SplitRule.kind)
_PAGE = 500

Version = Record[DatasetVersion]


class Rule(msgspec.Struct, frozen=True, kw_only=True):
    """What goes: versions that are not among the `keep` newest, and that are older; each only where it is given."""

    keep: int = 0
    older_than: str = ""

    @property
    def sentence(self) -> str:
        """The rule for whoever asks later why a version went."""
        newest = f"not among the {self.keep} newest" if self.keep > 1 else "not the newest" if self.keep else ""
        older = f"older than {self.older_than}" if self.older_than else ""
        return " and ".join(filter(None, [newest, older]))


class Standing(msgspec.Struct, frozen=True, kw_only=True):
    """One version: whether its rows go, and why, or why not."""

    id: Id
    name: str
    version: int
    at: datetime
    rows: int
    goes: bool
    reasons: list[str]


class Outlook(msgspec.Struct, frozen=True, kw_only=True):
    """Every version that has its rows, newest first, and what pruning would delete, or has deleted."""

    rule: Rule
    versions: list[Standing]
    freed: Freed
    online: int = 0
    """Bytes of the online store's files that hold nothing any more; 0 where they are few."""

    @property
    def going(self) -> list[Standing]:
        return [one for one in self.versions if one.goes]


class Retention:
    """Prunes the versions of one workspace. What was begun is finished, by whoever comes next."""

    def __init__(self, workspace: Workspace, settings: RetentionSettings, data: Data) -> None:
        self._workspace = workspace
        self._settings = settings
        self._data = data
        self._looked: datetime | None = None

    def rule(self, keep: int = 0, older_than: str = "") -> Rule:
        """The rule of these wishes, else that of `[retention]`; raises `InputError` where there is neither."""
        rule = Rule(keep=keep, older_than=older_than)
        if not rule.sentence:
            rule = Rule(keep=self._settings.keep, older_than=self._settings.older_than)
        if not rule.sentence:
            raise InputError(
                "Nothing says which versions shall go.",
                allowed="--keep N (the newest that stay), --older-than 90d, or [retention] in heptad.toml",
            )
        if rule.older_than:
            duration(rule.older_than)
        return rule

    def look(self, rule: Rule, name: str = "") -> Outlook:
        """What `prune` would do; nothing is changed. `name`: one data set, a sample for example; empty: all."""
        versions = list(every_version(self._workspace))
        standings = list(self._standings(versions, rule, name))
        going = {one.id for one in standings if one.goes}
        waiting = [*unswept(versions), *(one for one in versions if one.id in going)]
        freed = would_free(self._workspace, waiting) if waiting else Freed()
        online = 0 if name else self._data.features.files.slack()
        return Outlook(rule=rule, versions=standings, freed=freed, online=online)

    def prune(self, rule: Rule, name: str = "", reason: str = "", *, wait: bool = True) -> Outlook:
        """Give up the rows of the versions that may go, and finish what was cut off before.

        Waits until nobody collects, or raises `ConflictError` where it shall not. Interrupted before the versions
        are marked, nothing happened; after that, the next call deletes what is left. Of all data sets, the files of
        the online store are made anew as well, where much of them holds nothing.
        """
        with no_collecting(self._workspace, wait=wait):
            versions = list(every_version(self._workspace))
            standings = list(self._standings(versions, rule, name))
            reasons = {one.id: reason or f"{', '.join(one.reasons)}." for one in standings if one.goes}
            if reasons:
                mark_pruned(self._workspace, reasons, [one for one in versions if one.id in reasons])
            freed = sweep(self._workspace)
        online = 0 if name else self._data.features.files.compact(worth_it=True)
        return Outlook(rule=rule, versions=standings, freed=freed, online=online)

    def turn(self, watch: Watcher = unwatched) -> None:
        """Do what `[retention]` says, once an hour, unless somebody collects just now."""
        now = self._workspace.clock.now()
        if self._looked is not None and timedelta() <= now - self._looked < EVERY:
            return
        rule = Rule(keep=self._settings.keep, older_than=self._settings.older_than)
        if rule.sentence or any(unswept(list(every_version(self._workspace)))):
            try:
                with acting_as("policy:retention"):
                    done = self.prune(rule, wait=False)
            except ConflictError:
                return
            if done.going:
                labels = ", ".join(f"{one.name}@{one.version}" for one in done.going)
                sentence = f"pruned {labels}: {done.freed.bytes / 1e6:.1f} MB freed"
                watch(Happening(step="lifecycle", sentence=sentence, record=done.going[0].id))
        self._looked = now

    def _standings(self, versions: Sequence[Version], rule: Rule, name: str) -> Iterator[Standing]:
        """Every version with rows of a data set, or of all; versions of others in a shared store are not told of."""
        here = [one for one in with_rows(versions) if is_here(self._workspace, one)]
        names = {one.body.name for one in here}
        if name and name not in names:
            raise NotFoundError("data set", name, names, remedy="heptad data log; of a folder: heptad data forget")
        wanted = [one for one in here if name in {"", one.body.name}]
        needed = self._needed(wanted)
        newest = self._newest(wanted, rule.keep)
        now = self._workspace.clock.now()
        for one in wanted:
            stays = [*_named(one), *needed[one.id]]
            if one.id in newest:
                stays.append(f"one of the {rule.keep} newest" if rule.keep > 1 else "the newest")
            if rule.older_than and now - one.at <= duration(rule.older_than):
                stays.append(f"not older than {rule.older_than}")
            goes = not stays and bool(rule.sentence)
            body = one.body
            yield Standing(
                id=one.id,
                name=body.name,
                version=body.version,
                at=one.at,
                rows=body.rows,
                goes=goes,
                reasons=[rule.sentence] if goes else list(dict.fromkeys(stays)),
            )

    def _newest(self, versions: Sequence[Version], keep: int) -> set[Id]:
        """The newest of each data set; those that a rollback left behind do not count."""
        counted: dict[str, list[Id]] = defaultdict(list)
        for one in versions:
            if ROLLED_BACK not in one.attributes and len(counted[one.body.name]) < keep:
                counted[one.body.name].append(one.id)
        return {one for ids in counted.values() for one in ids}

    def _needed(self, versions: Sequence[Version]) -> dict[Id, list[str]]:
        """Version to who needs its rows, in words."""
        needed: dict[Id, list[str]] = defaultdict(list)
        for version, labels in self._models().items():
            needed[version].append(f"model {_first_of(labels)} was made from it")
        compared = self._data.expectations.compared_with()
        plans = [one for one in every(self._workspace, Plan) if one.attributes.get("stage") != "ended"]
        for one in versions:
            if one.body.name == self._workspace.name and one.body.version in compared:
                needed[one.id].append("[expect] compares with it")
            needed[one.id] += [f"{plan.id} is open" for plan in plans if one.at >= plan.at]
        for user, version in self._users(versions):
            needed[version].append(user)
        return needed

    def _models(self) -> dict[Id, list[str]]:
        """Data version to the models made from it that were not refused, newest first."""
        found: dict[Id, list[str]] = defaultdict(list)
        datasets = {one.id: one.body.dataset for one in every_candidate(self._workspace)}
        for model in every(self._workspace, ModelVersion):
            if model.attributes.get("status") != "refused" and model.body.candidate in datasets:
                aliases = f" ({', '.join(sorted(model.aliases))})" if model.aliases else ""
                found[datasets[model.body.candidate]].append(f"{model.body.label}{aliases}")
        return found

    def _users(self, versions: Sequence[Version]) -> Iterator[tuple[str, Id]]:
        """Who reads a version: runs that go on, and what else was begun with it less than a day ago."""
        store, recent = self._workspace.store, Compare("@at", ">=", self._workspace.clock.now() - SPARED)
        used: dict[Id, list[Id]] = defaultdict(list)
        for link in store.trace([one.id for one in versions], "in", [_READS]) if versions else ():
            used[link.source].append(link.target)
        going_on: dict[Id, dict[Id, str]] = defaultdict(dict)
        for run in self._found(Query(kind=Run.kind, where=equals(status="running"))):
            # Of a run that reads none of them, whether it goes on need not be found out.
            why = why_going_on(self._workspace, run) if run.id in used else ""
            for version in used[run.id] if why else ():
                going_on[version][run.id] = why
        for version, runs in going_on.items():
            yield f"{_first_of(list(runs))} {next(iter(runs.values()))}", version
        users: dict[Id, list[str]] = defaultdict(list)
        for kind in _USERS:
            for record in self._found(Query(kind=kind, where=recent, attributes=())):
                for version in used.get(record.id, ()):
                    users[version].append(record.id)
        for version, records in users.items():
            yield f"{_first_of(records)} used it less than a day ago", version

    def _found(self, query: Query) -> Iterator[RawRecord]:
        """All records of a query."""
        after = None
        while True:
            page = self._workspace.store.find(query, after, _PAGE)
            yield from page.items
            after = page.after
            if after is None:
                return


def _first_of(names: Sequence[str]) -> str:
    more = len(names) - 1
    return f"{names[0]}, like {more:,} more," if more else names[0]


def _named(version: Version) -> list[str]:
    """The names of a version, which keep it."""
    tags = sorted(version.aliases.keys() - {LATEST})
    return [*(["the latest"] if LATEST in version.aliases else []), *(f"tagged {tag}" for tag in tags)]

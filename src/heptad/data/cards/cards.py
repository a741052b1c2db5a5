"""The cards of a project's data set: what `[card]` says is kept with each version, and read back with it."""

from collections import Counter

import msgspec

from heptad.core import graph
from heptad.core.errors import NotFoundError
from heptad.core.query import Query, equals
from heptad.core.records import Record, canonical_json, digest_of
from heptad.core.settings import ProjectSettings
from heptad.core.workspace import Workspace
from heptad.data.cards.card import Subject, data_card, unknown_columns
from heptad.data.cards.document import Document
from heptad.data.cards.records import DataCard
from heptad.data.cards.settings import CardSettings
from heptad.data.profiles.profile import Profile
from heptad.data.records import DatasetVersion, ExpectationResult, SplitRule
from heptad.data.versions.marking import tags_of
from heptad.data.versions.remaining import as_it_is
from heptad.data.versions.versions import latest

_DESCRIBES = "describes"
_ABOUT = {ExpectationResult.kind, SplitRule.kind}
"""Kinds of records that say something of a version without using it."""


class Cards:
    """Data cards of one project.

    What people state is no part of a version: a new owner changes no row, and must not look like other data. So it is
    a record beside the version that it describes, made when a version is collected and whenever it says something
    else than before; who stated it and when is known, and what was stated earlier stays.
    """

    def __init__(self, workspace: Workspace, project: ProjectSettings, settings: CardSettings) -> None:
        self._workspace, self._about, self._settings = workspace, project.about, settings

    def state(self, version: Record[DatasetVersion]) -> Record[DataCard] | None:
        """Keep what `[card]` says now as a statement about the version, unless that is known, or says nothing."""
        before = self.stated(version)
        if (before.body.stated if before else CardSettings()) == self._settings:
            return before
        body = DataCard(name=version.body.name, version=version.body.version, stated=self._settings)
        said = digest_of(canonical_json(msgspec.to_builtins(self._settings)))
        return graph.save(
            self._workspace,
            body,
            scope=body.name,
            # With the statement before, as going back to what was said earlier is a statement too.
            key=[version.id, before.id if before else "", said],
            made_from=[(_DESCRIBES, version.id)],
            attributes={"version": body.version},
            event="data.card_stated",
            event_body={"name": body.name, "version": body.version},
        )

    def stated(self, version: Record[DatasetVersion]) -> Record[DataCard] | None:
        """The newest statement about a version."""
        query = Query(kind=DataCard.kind, scopes=[version.body.name], where=equals(version=version.body.version))
        return next(iter(graph.find(self._workspace, DataCard, query, 1)), None)

    def card(self, version: Record[DatasetVersion], profile: Profile) -> Document:
        """The card of a version: the latest as `[card]` has it now, an earlier one as it was stated last.

        Raises `NotFoundError` where `[card.columns]` names a column that the latest version does not have.
        """
        newest = latest(self._workspace, version.body.name)
        if newest and newest.id == version.id:
            stated = self._settings
            columns = version.body.schema.columns
            for name in unknown_columns(stated, columns):
                raise NotFoundError(
                    "column", name, [one.name for one in columns], remedy="Change [card.columns] in heptad.toml."
                )
        else:
            kept = self.stated(version)
            stated = kept.body.stated if kept else CardSettings()
        body = as_it_is(self._workspace, version)
        return data_card(
            Subject(
                version=msgspec.structs.replace(version, body=body),
                profile=profile,
                about=self._about,
                stated=stated,
                tags=tags_of(version),
                checked=self._checked(version),
                users=self._users(version),
            )
        )

    def _checked(self, version: Record[DatasetVersion]) -> Record[ExpectationResult] | None:
        query = Query(kind=ExpectationResult.kind, scopes=[version.body.name])
        results = graph.find(self._workspace, ExpectationResult, query)
        return next((one for one in results if one.body.version == version.body.version), None)

    def _users(self, version: Record[DatasetVersion]) -> dict[str, int]:
        """Kind to how many records were made with the version, by any step; later versions are not users."""
        trace = self._workspace.store.trace
        own = [link.source for link in trace([version.id], "in") if link.role not in {"previous", _DESCRIBES}]
        ids = list(dict.fromkeys([*own, *(link.source for link in trace(own, "descendants"))])) if own else []
        found = Counter(one.kind for one in (self._workspace.store.get(ids) if ids else []))
        return {kind: found[kind] for kind in found if kind not in _ABOUT}

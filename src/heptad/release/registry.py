"""The registry: numbers versions, says which is champion, and remembers who decided that and why."""

from collections.abc import Sequence
from typing import TypeAlias

import msgspec

from heptad.core import graph
from heptad.core.errors import ConflictError, NotFoundError, RefusedError
from heptad.core.identity import as_reason, current_actor
from heptad.core.query import All, Compare, Condition, Query
from heptad.core.records import AliasMove, Attribute, Change, Event, Id, NewEvent, Record, derived_id
from heptad.core.workspace import Workspace
from heptad.release.models import alias_scope, find_model, numbered_version
from heptad.release.records import ModelVersion
from heptad.training import Candidate

VersionRef: TypeAlias = Record[ModelVersion] | str | int
"""A version as people name it: `3`, `NAME@3`, `champion`, `NAME@champion`, its id, its candidate's, or the record."""

ALIASES = ("champion", "challenger", "previous", "latest")
PROMOTED, ROLLED_BACK = "release.promoted", "release.rolled_back"
EVENTS = ("release.version_registered", "release.approved", PROMOTED, ROLLED_BACK, "release.refused")

_APPROVED = "approved."
_PAGE = 1000


class Registry:
    """The versions of one model. Every act is one transaction, and done again it finds what is there."""

    def __init__(self, workspace: Workspace, name: str) -> None:
        self._workspace = workspace
        self._name = name
        self._scope = f"model:{name}"

    def add(self, version: ModelVersion, made_from: Sequence[tuple[str, Id]]) -> Record[ModelVersion]:
        """Give the version the next number and keep it; one version a candidate, so adding it again answers the first.

        Beside a champion it becomes the challenger. The number is the version of the alias `latest`, which moves with
        the record in one transaction: two processes at once leave neither a gap nor a clash.
        """
        while True:  # each conflict means that another version got its number, so this ends
            latest = self.find("latest")
            taken = latest.aliases["latest"] if latest else 0
            moves = [AliasMove(scope=self._scope, name="latest", target="@", expected=taken)]
            if self.find("champion"):
                moves.append(AliasMove(scope=self._scope, name="challenger", target="@"))
            numbered = msgspec.structs.replace(version, version=taken + 1)
            try:
                return graph.save(
                    self._workspace,
                    numbered,
                    scope=self._name,
                    key=[version.candidate],
                    made_from=made_from,
                    attributes={"version": numbered.version, "status": "registered"},
                    aliases=moves,
                    event="release.version_registered",
                    event_body={"name": self._name, "version": numbered.label},
                )
            except ConflictError:
                continue

    def of_candidate(self, candidate: Id) -> Record[ModelVersion] | None:
        """The version made from a candidate."""
        try:
            return graph.load(self._workspace, derived_id(ModelVersion.prefix, self._name, candidate), ModelVersion)
        except NotFoundError:
            return None

    def find(self, alias: str) -> Record[ModelVersion] | None:
        """The version that an alias points at."""
        return graph.find_alias(self._workspace, self._scope, alias, ModelVersion)

    def version(self, ref: VersionRef) -> Record[ModelVersion]:
        """The version that is meant; raises `NotFoundError` with those that there are."""
        if isinstance(ref, Record):
            return graph.load(self._workspace, ref.id, ModelVersion)
        text = str(ref)
        if text.startswith(f"{ModelVersion.prefix}-"):
            return graph.load(self._workspace, text, ModelVersion)
        name, _, which = text.rpartition("@")
        found = self.of_candidate(text) if text.startswith(f"{Candidate.prefix}-") else None
        if name in {"", self._name} and which in ALIASES:
            found = self.find(which)
        elif name in {"", self._name} and which.isdecimal():
            found = next(iter(self.versions(1, Compare("version", "=", int(which)))), None)
        if found is None and name not in {"", self._name}:
            found = self._of_other(name, which)
        if found is None:
            known = [one.body.label for one in self.versions()]
            raise NotFoundError("model version", text, [*known, *(alias for alias in ALIASES if self.find(alias))])
        return found

    def _of_other(self, name: str, which: str) -> Record[ModelVersion] | None:
        """A version of a registered model that is not ours, by number or alias."""
        model = find_model(self._workspace, name)
        if model is None or not which:
            return None
        if not which.isdecimal():
            return graph.find_alias(self._workspace, alias_scope(model), which, ModelVersion)
        return numbered_version(self._workspace, model, int(which))

    def versions(self, limit: int = 100, where: Condition | None = None) -> list[Record[ModelVersion]]:
        """Newest first."""
        query = Query(kind=ModelVersion.kind, scopes=[self._name], where=where or All())
        return graph.find(self._workspace, ModelVersion, query, limit=limit)

    def promote(
        self, ref: VersionRef, reason: str, *, approvals: int = 0, expected: VersionRef | None = None
    ) -> Record[ModelVersion]:
        """Make a version the champion; with `expected`, only where that one is champion now.

        Raises `RefusedError` where the version was refused or retired or lacks approvals, `ConflictError` where
        somebody else has promoted meanwhile.
        """
        reason, version, champion = as_reason(reason), self.version(ref), self.find("champion")
        if champion and champion.id == version.id:
            return champion
        if expected is not None:
            self._expect(self.version(expected), champion)
        check_gated(version)
        self._check_own(version)
        _check_servable(version)
        _check_approvals(version, approvals)
        moves = {"previous": champion.id if champion else None}
        if "challenger" in version.aliases:
            moves["challenger"] = None
        body = {"replaced": champion.body.label if champion else "", "replaced_id": champion.id if champion else ""}
        return self._enthrone(version, champion, moves, PROMOTED, {"reason": reason, **body})

    def _check_own(self, version: Record[ModelVersion]) -> None:
        if version.body.name != self._name:
            raise RefusedError(
                f"{version.body.label} is no version of {self._name}, so it cannot be its champion.",
                allowed=", ".join(one.body.label for one in self.versions(5)),
            )

    def rollback(self, reason: str, *, expected: VersionRef | None = None) -> Record[ModelVersion]:
        """Make the champion before the present one champion again; each rollback goes one further back.

        With `expected`, only where that one is champion now; asked again after it was rolled back, nothing changes.
        """
        reason, champion = as_reason(reason), self.find("champion")
        if champion is None:
            raise RefusedError("There is no champion to roll back.", remedy="promote a version first")
        reign = self._reign()
        if expected is not None:
            meant = self.version(expected)
            if meant.id != champion.id and self._was_rolled_back(meant):
                return champion
            self._expect(meant, champion)
        if len(reign) < 2:
            raise RefusedError(
                f"No version was champion before {champion.body.label}.", remedy="promote another version instead"
            )
        version = self.version(reign[-2])
        _check_servable(version)
        moves = {"previous": reign[-3] if len(reign) > 2 else None}
        body = {"replaced": champion.body.label, "replaced_id": champion.id}
        return self._enthrone(version, champion, moves, ROLLED_BACK, {"reason": reason, **body})

    def approve(self, ref: VersionRef, reason: str) -> Record[ModelVersion]:
        """Note that the present actor approves of a version; once for each actor."""
        reason, version, actor = as_reason(reason), self.version(ref), current_actor()
        check_gated(version)
        if actor.startswith("plan:"):
            raise RefusedError(f"{actor} cannot approve {version.body.label}.", allowed="approvals of people")
        _check_servable(version)
        if actor not in approvals_of(version):
            approval = Attribute(version.id, f"{_APPROVED}{actor}", reason)
            self._write(version, [approval], [], "release.approved", {"reason": reason})
        return self.version(version)

    def refuse(self, ref: VersionRef, reason: str) -> Record[ModelVersion]:
        """Note that a version shall never be champion, for example after its trial."""
        reason, version = as_reason(reason), self.version(ref)
        check_gated(version)
        if "champion" in version.aliases:
            raise RefusedError(
                f"{version.body.label} is the champion.", remedy="roll back or promote another version first"
            )
        if version.attributes.get("status") != "refused":
            moves = [AliasMove(scope=self._scope, name="challenger", target=None)] * ("challenger" in version.aliases)
            champion = self.find("champion")
            if champion:
                # Whoever promotes this version at the same moment is told, instead of a refused one being champion.
                held = champion.aliases["champion"]
                moves.append(AliasMove(scope=self._scope, name="champion", target=champion.id, expected=held))
            status = Attribute(version.id, "status", "refused")
            self._write(version, [status], moves, "release.refused", {"reason": reason})
        return self.version(version)

    def history(self) -> list[Event]:
        """Everything that was done to the versions of this model, oldest first."""
        events: list[Event] = []
        after = 0
        while page := self._workspace.store.follow(after, EVENTS, _PAGE):
            events += [event for event in page if event.body.get("name") == self._name]
            after = page[-1].position
        return events

    def _reign(self) -> list[Id]:
        """The champions one after the other, those that were rolled back taken away again; the last is in force."""
        reign: list[Id] = []
        for event in self.history():
            if event.kind == PROMOTED:
                reign.append(event.subject)
            elif event.kind == ROLLED_BACK:
                reign.pop()
        return reign

    def _was_rolled_back(self, version: Record[ModelVersion]) -> bool:
        """Whether the last change of champion was a rollback of this version."""
        moves = [event for event in self.history() if event.kind in {PROMOTED, ROLLED_BACK}]
        return moves[-1].kind == ROLLED_BACK and moves[-1].body["replaced_id"] == version.id

    def _expect(self, expected: Record[ModelVersion], champion: Record[ModelVersion] | None) -> None:
        if champion is None or champion.id != expected.id:
            now = f"{champion.body.label} is" if champion else "there is none"
            raise ConflictError(
                f"{expected.body.label} was expected to be champion, but {now}.",
                current=champion.id if champion else "",
                remedy="look at what happened (heptad release list), then decide again",
            )

    def _enthrone(
        self,
        version: Record[ModelVersion],
        champion: Record[ModelVersion] | None,
        moves: dict[str, Id | None],
        event: str,
        body: dict[str, str],
    ) -> Record[ModelVersion]:
        held = champion.aliases["champion"] if champion else 0
        aliases = [AliasMove(scope=self._scope, name="champion", target=version.id, expected=held)]
        aliases += [AliasMove(scope=self._scope, name=alias, target=target) for alias, target in moves.items()]
        since = [Attribute(version.id, "champion_since", self._workspace.clock.now().isoformat())]
        if champion:
            since.append(Attribute(champion.id, "champion_since", None))
        try:
            self._write(version, since, aliases, event, body)
        except ConflictError as error:
            now = self.find("champion")
            raise ConflictError(
                f"Somebody else was faster: {now.body.label if now else 'nobody'} is champion now, "
                f"so {version.body.label} was not made champion.",
                current=error.current,
                version=error.version,
                remedy="look at what happened (heptad release list), then decide again",
            ) from error
        return self.version(version)

    def _write(
        self,
        version: Record[ModelVersion],
        attributes: Sequence[Attribute],
        aliases: Sequence[AliasMove],
        event: str,
        body: dict[str, str],
    ) -> None:
        said = {"name": self._name, "version": version.body.label, **body}
        self._workspace.store.write(
            Change(
                attributes=attributes,
                aliases=aliases,
                events=[NewEvent(kind=event, subject=version.id, body=said)],
                at=self._workspace.clock.now(),
            )
        )


def approvals_of(version: Record[ModelVersion]) -> dict[str, str]:
    """Who approved of a version, and the sentence of each."""
    return {
        key.removeprefix(_APPROVED): str(value)
        for key, value in version.attributes.items()
        if key.startswith(_APPROVED)
    }


def label_of(version: Record[ModelVersion]) -> str:
    """What a version is called now, `NAME@VERSION`: a client may have renamed its model."""
    return f"{version.attributes.get('name', version.body.name)}@{version.body.version}"


def check_gated(version: Record[ModelVersion]) -> None:
    """Refuse a version that has not been held against the gates: no such one is approved, promoted or deployed."""
    if version.body.origin == "external":
        raise RefusedError(
            f"{label_of(version)} was registered by a client and has not passed the gates of this project, "
            "so it can be neither champion nor deployed.",
            remedy=f"hold it against [release] gates: heptad release adopt {label_of(version)}, or train such a model "
            "here: heptad run",
        )


def _check_servable(version: Record[ModelVersion]) -> None:
    status = version.attributes.get("status")
    if status != "registered":
        raise RefusedError(f"{version.body.label} was {status}.", remedy="choose another version, or train a new one")


def _check_approvals(version: Record[ModelVersion], needed: int) -> None:
    given = approvals_of(version)
    if len(given) < needed:
        by = f" by {', '.join(sorted(given))}" if given else ""
        raise RefusedError(
            f"{version.body.label} has {len(given)} of {needed} approvals{by}.",
            remedy=f"somebody else approves: heptad release approve {version.body.label} --reason '...'",
        )

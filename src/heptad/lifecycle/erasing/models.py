"""Which models were made from rows that are to go, and whether they still name a value that only those had."""

from collections.abc import Collection, Mapping

import msgspec

from heptad.core.errors import NotFoundError
from heptad.core.graph import every
from heptad.core.records import Id, Record
from heptad.core.workspace import Workspace
from heptad.lifecycle.records import SeenBy
from heptad.release import ModelVersion
from heptad.serving import Serving
from heptad.training import Candidate, every_candidate

SHORTEST = 4
"""Shorter texts are in every file by chance."""


def models_that_saw(
    workspace: Workspace, serving: Serving, versions: Mapping[Id, int], values: Collection[str]
) -> list[SeenBy]:
    """The model versions made from these data versions (each with its number of rows), newest first."""
    candidates = {one.id: one for one in every_candidate(workspace) if one.body.dataset in versions}
    wanted = [value.encode() for value in values if len(value) >= SHORTEST]
    deployment = serving.current()
    live = {route.version for route in deployment.body.routes} if deployment else set[str]()
    return [
        SeenBy(
            version=version.id,
            label=version.body.label,
            rows=versions[candidates[version.body.candidate].body.dataset],
            live=version.id in live,
            holds_values=_names_one(workspace, candidates[version.body.candidate].body, wanted),
        )
        for version in every_model(workspace)
        if version.body.candidate in candidates
    ]


def parts_of_models(workspace: Workspace) -> set[str]:
    """Digests of the artifacts, and ids of the records, of which models are made: they go when the models do."""
    parts = set[str]()
    for candidate in every_candidate(workspace):
        body = candidate.body
        parts |= {candidate.id, body.profile, body.model, body.background}
    for version in every_model(workspace):
        parts |= {version.id, version.body.decision, version.body.package, *version.body.files.values()}
    return parts


def every_model(workspace: Workspace) -> list[Record[ModelVersion]]:
    """The model versions that were made here, newest first."""
    return [one for one in every(workspace, ModelVersion) if one.body.origin == "heptad"]


def _names_one(workspace: Workspace, candidate: Candidate, values: Collection[bytes]) -> bool:
    parts = [msgspec.json.encode(candidate.signature)]
    for digest in (candidate.profile, candidate.model, candidate.background):
        try:
            parts.append(workspace.blobs.get(digest))
        except NotFoundError:
            continue
    return any(value in part for value in values for part in parts)

"""Which columns the models in force take: what none of them takes need not be collected for them."""

from heptad.core import graph
from heptad.core.workspace import Workspace
from heptad.release import ModelVersion, Release
from heptad.serving import Serving
from heptad.training import Candidate


def inputs_in_force(workspace: Workspace, release: Release, serving: Serving) -> dict[str, list[str]]:
    """Input to the labels of the versions that take it, of the champion and of all that answer or shadow now.

    Empty where there is no model yet.
    """
    deployment, champion = serving.current(), release.champion()
    ids = [route.version for route in deployment.body.routes] if deployment else []
    versions = [graph.load(workspace, one, ModelVersion) for one in ids]
    versions += [champion] if champion and champion.id not in ids else []
    used: dict[str, list[str]] = {}
    for version in versions:
        candidate = graph.load(workspace, version.body.candidate, Candidate).body
        for one in candidate.signature.inputs:
            used.setdefault(one.name, []).append(version.body.label)
    return used

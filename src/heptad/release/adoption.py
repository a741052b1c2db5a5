"""A version that a client registered, taken through the gates: refused with reasons, or a version like any other."""

import msgspec

from heptad.core.errors import NotFoundError, RefusedError
from heptad.core.records import Record
from heptad.core.workspace import Workspace
from heptad.data import Data
from heptad.experiments import Experiments
from heptad.release.describe import find_version, newest_versions
from heptad.release.flavours import logged_graph
from heptad.release.models import CHANGED, write_changed
from heptad.release.records import ADOPTED, Decision, ModelVersion
from heptad.release.registry import VersionRef, label_of
from heptad.release.release import Release
from heptad.training import Candidate, ForeignCandidates, Training

_KNOWN = 100
_NONE = "register one first: mlflow.register_model of a client, or heptad experiments import of an MLflow server"


class Adoption(msgspec.Struct, frozen=True, kw_only=True):
    """What an adoption came to; `version` is `None` where the decision was no."""

    candidate: Record[Candidate]
    decision: Record[Decision]
    version: Record[ModelVersion] | None


class Adoptions:
    """Takes models of clients through steps 3 and 4. Done again, it finds what is done."""

    def __init__(
        self, workspace: Workspace, data: Data, experiments: Experiments, training: Training, release: Release
    ) -> None:
        self._workspace = workspace
        self._data = data
        self._release = release
        self._candidates = ForeignCandidates(training, experiments)

    def adopt(self, ref: VersionRef) -> Adoption:
        """Measure an external version on held-out rows, decide as on any candidate, and register it where it is yes.

        Beside a champion it becomes the challenger; nobody but a person makes it champion. Raises `RefusedError` that
        says what does not fit: no ONNX graph, a column that the data lacks, answers that are no probabilities.
        """
        external = self._meant(ref)
        label = label_of(external)
        if external.body.origin != "external":
            raise RefusedError(
                f"{label} is of this project's own loop and has passed its gates.",
                allowed="a version that a client registered",
            )
        graph = logged_graph(self._workspace, external)
        dataset = self._data.latest() or self._data.collect()
        candidate = self._candidates.measure(dataset, graph, source=external.id, label=label, run=external.body.run)
        decision = self._release.decide(candidate, self._release.champion())
        if not decision.body.accepted:
            return Adoption(candidate=candidate, decision=decision, version=None)
        version = self._release.register(candidate, decision)
        if external.attributes.get(ADOPTED) != version.body.label:
            write_changed(self._workspace, external.id, {ADOPTED: version.body.label}, CHANGED, external.body.name)
        return Adoption(candidate=candidate, decision=decision, version=version)

    def _meant(self, ref: VersionRef) -> Record[ModelVersion]:
        """Raises `NotFoundError` with the versions that could be adopted."""
        try:
            return find_version(self._workspace, ref)
        except NotFoundError as error:
            known = [label_of(one) for one in newest_versions(self._workspace, _KNOWN) if one.body.origin == "external"]
            remedy = "name one as NAME@NUMBER: heptad release list" if known else _NONE
            raise NotFoundError("model version", error.name, known, remedy=remedy) from None

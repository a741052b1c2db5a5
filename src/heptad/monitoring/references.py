"""What a version was at release: the rows and figures that its windows are compared with."""

import io

import msgspec
import polars as pl

from heptad.core import graph
from heptad.core.records import Id
from heptad.core.workspace import Workspace
from heptad.data import Column, Profile, profile_frame
from heptad.release import Release
from heptad.training import Candidate, Metric, Signature

SCORE = "score"
"""The column of the profile of predictions."""
PREDICTIONS = [Column(name=SCORE, type="number")]


class Reference(msgspec.Struct, frozen=True, kw_only=True):
    """One version, as its candidate was measured. `held_out` has `truth`, `label` and `score` of the judged rows."""

    version: Id
    name: str
    signature: Signature
    main: str
    """Name of the main metric."""
    metrics: list[Metric]
    inputs: Profile
    held_out: pl.DataFrame
    predictions: Profile

    def metric(self, name: str) -> Metric | None:
        return next((metric for metric in self.metrics if metric.name == name), None)

    def columns(self) -> list[Column]:
        """The inputs as columns to be profiled."""
        return [Column(name=column.name, type=column.type) for column in self.signature.inputs]


class References:
    """Looks versions up by the name that the prediction log carries, each once: what it finds never changes."""

    def __init__(self, workspace: Workspace, release: Release) -> None:
        self._workspace = workspace
        self._release = release
        self._known: dict[str, Reference] = {}

    def get(self, name: str) -> Reference:
        """The version called `NAME@VERSION`; raises `NotFoundError` where the registry has none."""
        if name not in self._known:
            self._known[name] = self._load(name)
        return self._known[name]

    def _load(self, name: str) -> Reference:
        version = self._release.version(name)
        candidate = graph.load(self._workspace, version.body.candidate, Candidate).body
        blobs = self._workspace.blobs
        judged = pl.read_ipc(io.BytesIO(blobs.get(candidate.scores)))
        held_out = judged.select(truth="label", label="predicted", score=SCORE)
        return Reference(
            version=version.id,
            name=name,
            signature=candidate.signature,
            main=candidate.evaluation.metric,
            metrics=candidate.evaluation.metrics,
            inputs=msgspec.json.decode(blobs.get(candidate.profile), type=Profile),
            held_out=held_out,
            predictions=profile_frame(held_out, PREDICTIONS),
        )

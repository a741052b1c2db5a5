"""The workspace's packages: made from what is recorded of a candidate, kept as artifacts, opened once a process."""

import io
from functools import lru_cache
from typing import Any

import msgspec
import polars as pl

from heptad.core.errors import IntegrityError
from heptad.core.records import Record
from heptad.core.workspace import Workspace
from heptad.data import request_rules, to_markdown
from heptad.experiments import Environment
from heptad.release.card import Subject, model_card
from heptad.release.cleaning import packed_cleaning
from heptad.release.golden import golden_rows
from heptad.release.keys import signing_key, trusted_keys
from heptad.release.mlflow_model import mlflow_files
from heptad.release.package import About, Contents, Package, build_package, open_package
from heptad.release.records import ModelVersion
from heptad.training import Candidate, standalone_source

_KEPT_OPEN = 4


class Packages:
    """Makes and opens the packages of one workspace."""

    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace
        self._opened = lru_cache(maxsize=_KEPT_OPEN)(self._open)

    def make(self, subject: Subject) -> str:
        """Pack a candidate, sign it, store it; answers the artifact's digest, the same for the same records."""
        candidate, decision = subject.candidate, subject.decision
        body, evaluation = candidate.body, candidate.body.evaluation
        main = evaluation.value(evaluation.metric)
        about = About(
            name=body.name,
            candidate=candidate.id,
            decision=decision.id,
            estimator=body.estimator,
            metric=evaluation.metric,
            value=main.value if main else None,
            model_digest=body.model_digest,
        )
        get = self._workspace.blobs.get
        environment = get(body.environment)
        background = self._background(candidate)
        inputs = [one.name for one in body.signature.inputs]
        contents = Contents(
            graph=get(body.model),
            signature=body.signature,
            background=background,
            cleaning=packed_cleaning(subject.dataset.body, inputs, background[0] if background else {}),
            profile=get(body.profile),
            environment=environment,
            lineage=lineage_of(subject, msgspec.json.decode(environment, type=Environment)),
            card=to_markdown(model_card(subject)),
        )
        return self._workspace.blobs.put(build_package(about, contents, signing_key(self._workspace)))

    def files(self, subject: Subject) -> dict[str, str]:
        """Name and artifact of each file by which a client of MLflow loads the candidate, but the graph."""
        candidate = subject.candidate
        signature = candidate.body.signature
        rows = golden_rows(self._background(candidate), signature)
        is_cleaned = request_rules(subject.dataset.body, [one.name for one in signature.inputs]) is not None
        made = mlflow_files(
            signature,
            rows,
            standalone_source(),
            run=candidate.body.run,
            made_at=subject.decision.at,
            is_cleaned=is_cleaned,
        )
        return dict(zip(made, self._workspace.blobs.put_many(made.values()), strict=True))

    def _background(self, candidate: Record[Candidate]) -> list[dict[str, Any]]:
        return json_rows(pl.read_ipc(io.BytesIO(self._workspace.blobs.get(candidate.body.background))))

    def open(self, version: Record[ModelVersion]) -> Package:
        """The version's package, verified; the last few stay open. Raises `IntegrityError`."""
        return self._opened(version.body.package, version.body.label)

    def _open(self, digest: str, label: str) -> Package:
        try:
            return open_package(self._workspace.blobs.get(digest), trusted_keys(self._workspace))
        except IntegrityError as error:
            raise IntegrityError(f"{label}: {error.problem}", allowed=error.allowed, remedy=error.remedy) from error


def json_rows(frame: pl.DataFrame) -> list[dict[str, Any]]:
    """The rows as a client would send them: moments in ISO 8601, null for what is missing and for NaN."""
    rows: list[dict[str, Any]] = msgspec.json.decode(msgspec.json.encode(frame.to_dicts()))
    return rows


def lineage_of(subject: Subject, environment: Environment) -> dict[str, str]:
    """What a model was made from, by id and digest."""
    candidate = subject.candidate
    return {
        "candidate": candidate.id,
        "commit": environment.commit,
        "dataset": subject.dataset.id,
        "dataset_digest": subject.dataset.body.digest,
        "decision": subject.decision.id,
        "champion": subject.decision.body.champion,
        "model_digest": candidate.body.model_digest,
        "run": candidate.body.run,
    }

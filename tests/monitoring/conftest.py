"""An endpoint whose traffic is made up: real records and artifacts, and a prediction log that is a frame in memory."""

import io
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import msgspec
import numpy as np
import polars as pl
import pytest

from heptad.core import graph
from heptad.core.settings import ProjectSettings
from heptad.data import Column, profile_frame
from heptad.monitoring import Monitoring, MonitorSettings
from heptad.release import ModelVersion
from heptad.release.registry import Registry
from heptad.serving import Deployment
from heptad.training import Candidate, Evaluation, Input, Metric, Parity, Signature, Split

START = datetime(2026, 1, 1, tzinfo=UTC)
"""Where the clock of the tests stands when an endpoint begins."""
WEEK = timedelta(days=7)
ROWS = 1_000

FEATURES = [
    Column(name="temp", type="number"),
    Column(name="hour", type="integer"),
    Column(name="origin", type="category"),
    Column(name="holiday", type="boolean"),
]
SIGNATURES = {
    "late": Signature(inputs=[], task="classification", target="late", classes=["in time", "late"], threshold=0.5),
    "kind": Signature(inputs=[], task="classification", target="kind", classes=["a", "b", "c"]),
    "delay": Signature(inputs=[], task="regression", target="delay"),
}
MAIN = {"late": ("roc_auc", "higher"), "kind": ("accuracy", "higher"), "delay": ("rmse", "lower")}


def features(rows, seed, *, temp=41.0, missing=0.0, origins=("JFK", "LGA", "EWR")):
    rng = np.random.default_rng(seed)
    temps = pl.Series("temp", rng.normal(temp, 10, rows)).set(pl.Series(rng.random(rows) < missing), None)
    return pl.DataFrame(
        {
            "temp": temps,
            "hour": rng.integers(5, 23, rows).astype(np.float64),
            "origin": rng.choice(origins, rows),
            "holiday": rng.random(rows) < 0.1,
        }
    )


def answered(target, rows, seed, *, signal=1.0, shift=0.0):
    """Labels, and the answers of a calibrated model: `signal` says how much it knows, `shift` how the truth moved."""
    rng = np.random.default_rng(seed)
    known = rng.normal(0, signal, rows)
    if target == "delay":
        truth = 20 * known + rng.normal(0, 5, rows) + shift
        return pl.DataFrame({"truth": truth, "label": (20 * known).astype(str), "score": 20 * known}).with_columns(
            probabilities=pl.lit(None, pl.List(pl.Float64))
        )
    score = 1 / (1 + np.exp(1.3 - known))
    if target == "late":
        late = rng.random(rows) < 1 / (1 + np.exp(1.3 - known - shift))
        return pl.DataFrame(
            {
                "truth": np.where(late, "late", "in time"),
                "label": np.where(score >= 0.5, "late", "in time"),
                "score": score,
                "probabilities": np.column_stack([1 - score, score]).tolist(),
            }
        )
    chances = rng.dirichlet(np.full(3, 0.6), rows)
    drawn = np.array([rng.choice(3, p=each) for each in chances])
    answer = chances.argmax(axis=1)
    names = np.array(["a", "b", "c"])
    return pl.DataFrame(
        {"truth": names[drawn], "label": names[answer], "score": chances.max(axis=1), "probabilities": chances.tolist()}
    )


@dataclass
class Log:
    """Stands in for serving: the two tables that monitoring reads, as frames, with serving's promises."""

    endpoint: str
    answers: list[pl.DataFrame] = field(default_factory=list)
    known: list[pl.DataFrame] = field(default_factory=list)
    reads: int = 0

    def predictions(self, start, end):
        self.reads += 1
        rows = pl.concat(self.answers, how="diagonal_relaxed").lazy()
        return rows.filter((pl.col("at") >= start) & (pl.col("at") < end))

    def labels(self, *, known_at, among):
        rows = pl.concat(self.known).lazy().filter(pl.col("known_at") <= known_at)
        rows = rows.join(among.select("id"), on="id", how="semi")
        return rows.sort("known_at").unique("id", keep="last")


class Endpoint:
    """Traffic of one endpoint, week by week."""

    def __init__(self, workspace, target="late"):
        self.workspace, self.target = workspace, target
        self.log = Log("flights")
        self.first = ""
        self.registry = Registry(workspace, "flights")
        self.signature = msgspec.structs.replace(
            SIGNATURES[target],
            inputs=[
                Input(
                    name=one.name, type=one.type, categories=["EWR", "JFK", "LGA"] if one.type == "category" else None
                )
                for one in FEATURES
            ],
        )
        nothing = {"id": "nothing", "value": 0.0 if target == "delay" else "", "at": START, "known_at": START}
        self.log.known.append(
            pl.DataFrame(
                [nothing], schema_overrides={"at": pl.Datetime("us", "UTC"), "known_at": pl.Datetime("us", "UTC")}
            )
        )

    def add_version(self, value=0.74, seed=1):
        """A version with training rows around 41 degrees and calibrated held-out scores; its label is answered."""
        put = self.workspace.blobs.put
        held_out = answered(self.target, 4_000, seed)
        buffer = io.BytesIO()
        held_out.select(label="truth", predicted="label", score="score").write_ipc(buffer)
        name, better = MAIN[self.target]
        number = sum(1 for _ in self.registry.versions()) + 1
        candidate = graph.save(
            self.workspace,
            Candidate(
                name="flights",
                estimator="linear",
                params={},
                seed=7,
                dataset="",
                run="",
                window="all",
                split=Split(by="time"),
                signature=self.signature,
                evaluation=Evaluation(
                    metric=name,
                    metrics=[
                        Metric(name=name, value=value, low=value - 0.01, high=value + 0.01, rows=4_000, better=better)
                    ],
                    baseline=[],
                    baseline_name="",
                    model_latency_p50_ms=1,
                    model_latency_p99_ms=1,
                    parity=Parity(rows=1, largest_difference=0, tolerance=1, differing_labels=0),
                ),
                model="",
                model_digest="",
                background="",
                environment="",
                profile=put(msgspec.json.encode(profile_frame(features(20_000, seed), FEATURES))),
                scores=put(buffer.getvalue()),
            ),
            scope="flights",
            key=[number],
        )
        body = ModelVersion(
            name="flights",
            version=0,
            package="",
            candidate=candidate.id,
            decision="",
            estimator="linear",
            metric=name,
            value=value,
        )
        return self.registry.add(body, []).body.label

    def deploy(self):
        body = Deployment(endpoint="flights", generation=1, routes=[], reason="test")
        return graph.save(self.workspace, body, scope="flights")

    def week(
        self,
        number,
        *,
        version,
        role="live",
        rows=ROWS,
        shadow="",
        labels_after=timedelta(hours=6),
        seed=None,
        signal=1.0,
        shift=0.0,
        shadow_noise=0.0,
        caller="tests",
        warnings=(),
        log_inputs=True,
        **inputs,
    ):
        """Send a week's rows, evenly spread; `labels_after` is when each label becomes known, `None`: never."""
        seed = 100 + number if seed is None else seed
        given = answered(self.target, rows, seed, signal=signal, shift=shift)
        start = START + number * WEEK
        at = [start + WEEK * (place / rows) for place in range(rows)]
        ids = [f"{number}-{role}-{version}-{place}" for place in range(rows)]
        times = pl.Series(at, dtype=pl.Datetime("us", "UTC"))
        noisy = given["score"].to_numpy() + np.random.default_rng(seed + 1).normal(0, shadow_noise, rows)
        clipped = noisy if self.target == "delay" else np.clip(noisy, 0.001, 0.999)
        shadows = [[{"version": shadow, "score": float(score)}] if shadow else [] for score in clipped]
        frame = given.drop("truth").with_columns(
            id=pl.Series(ids),
            at=times,
            caller=pl.lit(caller),
            version=pl.lit(version),
            role=pl.lit(role),
            shadows=pl.Series(shadows, dtype=pl.List(pl.Struct({"version": pl.String, "score": pl.Float64}))),
            warnings=pl.Series([list(warnings)] * rows, dtype=pl.List(pl.String)),
            latency_ms=pl.Series(np.linspace(0.5, 2.0, rows)),
        )
        if log_inputs:
            frame = frame.with_columns(inputs=features(rows, seed, **inputs).to_struct())
        self.log.answers.append(frame)
        if labels_after is not None:
            self.log.known.append(
                pl.DataFrame({"id": ids, "value": given["truth"], "at": times, "known_at": times + labels_after})
            )

    def monitoring(self, **settings):
        project = ProjectSettings(name="flights")
        return Monitoring(self.workspace, project, MonitorSettings(**settings), self.registry, self.log)

    def window(self, number):
        return START + number * WEEK, START + (number + 1) * WEEK

    def report(self, number, **settings):
        """The report of a week as it is made at its end."""
        start, end = self.window(number)
        return self.monitoring(**settings).report(start, end, known_at=end)


@pytest.fixture
def endpoint(workspace):
    """An endpoint that says whether flights will be late, with its first version."""
    made = Endpoint(workspace)
    made.first = made.add_version()
    return made


@pytest.fixture
def endpoint_of(workspace):
    """Makes an endpoint for another target: `kind` with three classes, `delay` a number."""

    def make(target):
        made = Endpoint(workspace, target)
        made.first = made.add_version(value={"kind": 0.73, "delay": 5.0}[target])
        return made

    return make

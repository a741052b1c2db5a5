"""A tiny real model with its package, and a small real project that has trained two candidates."""

import shutil
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import polars as pl
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from onnx import TensorProto, helper, numpy_helper

from heptad.core import graph
from heptad.core.clock import ManualClock
from heptad.core.records import Record
from heptad.core.settings import ProjectSettings, StoreSettings
from heptad.core.workspace import Workspace, open_workspace
from heptad.data import (
    CleanSettings,
    Column,
    Data,
    DataSettings,
    DatasetVersion,
    ExpectSettings,
    Finding,
    Repair,
    Schema,
    SourceRead,
    SourceSettings,
)
from heptad.experiments import Experiments, Run, SearchSettings
from heptad.release import Release, ReleaseSettings
from heptad.release.card import Subject
from heptad.release.package import About, Contents, build_package
from heptad.release.records import Decision, GateResult
from heptad.training import (
    CalibrationBin,
    Candidate,
    Evaluation,
    Input,
    Metric,
    Parity,
    Signature,
    SliceMetric,
    Split,
    Training,
    ValidateSettings,
)

START = datetime(2026, 1, 1, tzinfo=UTC)

SIGNATURE = Signature(
    inputs=[
        Input(name="x", type="number"),
        Input(name="colour", type="category", categories=["blue", "red"]),
    ],
    task="classification",
    target="late",
    classes=["no", "yes"],
    threshold=0.5,
)
BACKGROUND: list[dict[str, Any]] = [
    {"x": None if row % 7 == 6 else row / 10 - 1, "colour": [None, "blue", "red"][row % 3]} for row in range(30)
]
ABOUT = About(
    name="m",
    candidate="candidate-1",
    decision="decision-1",
    estimator="linear",
    metric="roc_auc",
    value=0.71,
    model_digest="d" * 64,
)


def tiny_graph(slope: float = 2.0) -> bytes:
    """`sigmoid(slope * x + (1 if red))`, with a missing x taken as 0: `(n, 2)` probabilities."""
    constants = {
        "slope": np.array([[slope]]),
        "zero": np.array([[0.0]]),
        "one": np.array([[1.0]]),
    }
    nodes = [
        helper.make_node("IsNaN", ["x"], ["missing"]),
        helper.make_node("Where", ["missing", "zero", "x"], ["known"]),
        helper.make_node("Mul", ["known", "slope"], ["by_x"]),
        helper.make_node(
            "LabelEncoder",
            ["colour"],
            ["red"],
            domain="ai.onnx.ml",
            keys_strings=["red"],
            values_floats=[1.0],
            default_float=0.0,
        ),
        helper.make_node("Cast", ["red"], ["by_colour"], to=TensorProto.DOUBLE),
        helper.make_node("Add", ["by_x", "by_colour"], ["raw"]),
        helper.make_node("Sigmoid", ["raw"], ["yes"]),
        helper.make_node("Sub", ["one", "yes"], ["no"]),
        helper.make_node("Concat", ["no", "yes"], ["probabilities"], axis=1),
    ]
    graph = helper.make_graph(
        nodes,
        "tiny",
        [
            helper.make_tensor_value_info("x", TensorProto.DOUBLE, [None, 1]),
            helper.make_tensor_value_info("colour", TensorProto.STRING, [None, 1]),
        ],
        [helper.make_tensor_value_info("probabilities", TensorProto.DOUBLE, [None, 2])],
        [numpy_helper.from_array(value, name) for name, value in constants.items()],
    )
    opsets = [helper.make_opsetid("", 18), helper.make_opsetid("ai.onnx.ml", 3)]
    return helper.make_model(graph, opset_imports=opsets, ir_version=10).SerializeToString()


def contents(**changes: Any) -> Contents:
    given: dict[str, Any] = {
        "graph": tiny_graph(),
        "signature": SIGNATURE,
        "background": BACKGROUND,
        "profile": b'{"rows":30,"columns":[]}',
        "environment": b'{"python":"3.11.7"}',
        "lineage": {"candidate": "candidate-1"},
        "card": "# Model card\n",
    }
    return Contents(**{**given, **changes})


class Tiny(SimpleNamespace):
    """For tests that take it apart: `graph(slope)`, `signature`, `background`, `about`, `contents(**changes)`."""


@pytest.fixture(scope="session")
def tiny() -> Tiny:
    return Tiny(graph=tiny_graph, signature=SIGNATURE, background=BACKGROUND, about=ABOUT, contents=contents)


@pytest.fixture(scope="session")
def key() -> Ed25519PrivateKey:
    return Ed25519PrivateKey.generate()


@pytest.fixture(scope="session")
def packed(key: Ed25519PrivateKey) -> bytes:
    return build_package(ABOUT, contents(), key)


def record(body: Any, identity: str) -> Record[Any]:
    return Record(id=identity, kind=body.kind, scope="m", at=START, actor="user:ann", body=body)


def metric(name: str, value: float, better: Any = "higher", rows: int = 200) -> Metric:
    return Metric(name=name, value=value, low=value - 0.02, high=value + 0.02, rows=rows, better=better)


EVALUATION = Evaluation(
    metric="roc_auc",
    metrics=[metric("roc_auc", 0.71), metric("log_loss", 0.41, "lower")],
    baseline=[metric("roc_auc", 0.5), metric("log_loss", 0.5, "lower")],
    baseline_name="always 'no'",
    calibration=[CalibrationBin(predicted=0.1, observed=0.12, rows=100)],
    slices=[
        SliceMetric(column="colour", value="red", metric=metric("roc_auc", 0.75, rows=120)),
        SliceMetric(column="colour", value="blue", metric=metric("roc_auc", 0.62, rows=80)),
    ],
    attributions={"colour": 0.3, "x": 0.8},
    parity=Parity(rows=200, largest_difference=1e-16, tolerance=1e-6, differing_labels=0),
    model_latency_p50_ms=0.01,
    model_latency_p99_ms=0.02,
)


@pytest.fixture
def subject() -> Callable[..., Subject]:
    """A made-up model's records; keywords change the subject."""
    split = Split(by="time", train_until=START, judge_until=START + timedelta(days=7), train_rows=800, judge_rows=200)
    candidate = Candidate(
        name="m",
        estimator="linear",
        params={"c": 1.0},
        seed=7,
        dataset="data-1",
        run="run-1",
        window="all",
        split=split,
        signature=SIGNATURE,
        evaluation=EVALUATION,
        model="a" * 64,
        model_digest="d" * 64,
        profile="b" * 64,
        background="c" * 64,
        environment="e" * 64,
    )
    dataset = DatasetVersion(
        name="m",
        version=3,
        table="m",
        delta_version=3,
        rows=1010,
        labelled=1000,
        digest="f" * 64,
        schema=Schema(columns=[Column(name="late", type="category", role="target")], task="classification"),
        until=START,
        first_time=START - timedelta(days=90),
        last_time=START,
        sources=[SourceRead(name="main", uri="rows.csv", rows=1012, digest="9" * 64)],
        repairs=[Repair(rule="duplicates", rows=2)],
        findings=[
            Finding(expectation="range", column="x", severity="warning", passed=False, sentence="x reaches 9.5.")
        ],
        profile="b" * 64,
    )
    decision = Decision(
        candidate="candidate-1",
        accepted=True,
        gates=[GateResult(gate="beats champion", passed=True, sentence="roc_auc is better by 0.0100.")],
        champion="model-1",
        reason="Accepted, as every gate holds.",
        rows=200,
        metrics=[metric("roc_auc", 0.71)],
        champion_metrics=[metric("roc_auc", 0.70)],
    )

    def make(**changes: Any) -> Subject:
        given: dict[str, Any] = {
            "about": "Will it be late?",
            "candidate": record(candidate, "candidate-1"),
            "dataset": record(dataset, "data-1"),
            "decision": record(decision, "decision-1"),
        }
        return Subject(**{**given, **changes})

    return make


FIRST_ROW = datetime(2025, 12, 1, tzinfo=UTC)


def rows_of(count: int) -> pl.DataFrame:
    """Rows an hour apart whose label follows x and the colour, with noise; x is missing now and then."""
    random = np.random.default_rng(11)
    x = random.normal(size=count)
    red = random.random(count) < 0.4
    late = random.random(count) < 1 / (1 + np.exp(-(2 * x + red - 0.5)))
    return pl.DataFrame(
        {
            "id": np.arange(count),
            "at": [FIRST_ROW + timedelta(hours=hour) for hour in range(count)],
            "x": [None if row % 37 == 5 else float(value) for row, value in enumerate(x)],
            "colour": np.where(red, "red", "blue"),
            "late": np.where(late, "yes", "no"),
        }
    )


@dataclass(frozen=True)
class House:
    """Steps 1 to 4 of one project, on a workspace of its own."""

    workspace: Workspace
    data: Data
    training: Training
    release: Release
    good: Record[Candidate]
    weak: Record[Candidate]

    def with_gates(self, *gates: str, approvals: int = 0) -> Release:
        settings = ReleaseSettings(gates=gates, approvals=approvals)
        return Release(self.workspace, PROJECT, settings, self.data, self.training)


PROJECT = ProjectSettings(name="m", about="Will it be late?")


def steps(root: Path) -> tuple[Workspace, Data, Experiments, Training]:
    workspace = replace(open_workspace(root, "m", StoreSettings()), clock=ManualClock(START))
    data = Data(
        workspace,
        PROJECT,
        {"main": SourceSettings(uri="rows.csv", time="at")},
        DataSettings(target="late", key=["id"], time="at"),
        CleanSettings(),
        ExpectSettings(),
        {},
    )
    experiments = Experiments(workspace, PROJECT, SearchSettings())
    validate = ValidateSettings(bootstrap=20)
    return workspace, data, experiments, Training(workspace, PROJECT, validate, data, experiments)


@pytest.fixture(scope="session")
def trained(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str, str]:
    """A project that has trained two candidates once, and their ids; tests work on copies of its folder."""
    root = tmp_path_factory.mktemp("trained")
    rows_of(600).write_csv(root / "rows.csv")
    _, data, experiments, training = steps(root)
    version = data.collect()
    made = []
    early = {"train_until": FIRST_ROW + timedelta(hours=100)}
    for params, window in (({"estimator": "linear", "penalty": 1.0}, {}), ({"estimator": "baseline"}, early)):
        with experiments.start("by hand", params=params) as run:
            pass
        made.append(training.train(version, graph.load(training.workspace, run.id, Run), **window).id)
    return root, made[0], made[1]


@pytest.fixture
def houses(trained: tuple[Path, str, str], tmp_path: Path) -> Callable[[str], House]:
    """Makes as many projects, alike to the last byte, as a test asks for by name."""
    root, good, weak = trained

    def make(name: str) -> House:
        copy = tmp_path / name
        shutil.copytree(root, copy)
        workspace, data, _, training = steps(copy)
        release = Release(workspace, PROJECT, ReleaseSettings(), data, training)
        return House(workspace, data, training, release, training.show(good), training.show(weak))

    return make


@pytest.fixture
def house(houses: Callable[[str], House]) -> House:
    return houses("m")

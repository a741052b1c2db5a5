"""A run to follow trainings in, and some rows to train on."""

import json
from collections.abc import Callable

import msgspec
import numpy as np
import pytest

from heptad.core.settings import ProjectSettings
from heptad.core.workspace import Workspace
from heptad.experiments import ActiveRun, Experiments, ModelSignature, SearchSettings

Series = Callable[[str], list[float]]


@pytest.fixture
def experiments(workspace: Workspace) -> Experiments:
    """Step 2 of an empty project."""
    return Experiments(workspace, ProjectSettings(name="test"), SearchSettings())


@pytest.fixture
def run(experiments: Experiments) -> ActiveRun:
    """A run that has just begun."""
    return experiments.start("followed")


@pytest.fixture
def rows() -> tuple[np.ndarray, np.ndarray]:
    """Two hundred rows of three numbers, and whether the first is larger than the second, with noise."""
    random = np.random.default_rng(7)
    features = random.normal(size=(200, 3))
    return features, (features[:, 0] > features[:, 1] + 0.3 * random.normal(size=200)).astype(int)


@pytest.fixture
def attributes(experiments: Experiments, run: ActiveRun) -> Callable[[], dict[str, object]]:
    """What stands beside the run, asked when it is finished."""
    return lambda: dict(experiments.show(run.id).attributes)


@pytest.fixture
def series(experiments: Experiments, run: ActiveRun) -> Series:
    """The values of a metric."""
    return lambda name: list(experiments.metric_series(run.id, name).values)


@pytest.fixture
def steps(experiments: Experiments, run: ActiveRun) -> Callable[[str], list[int]]:
    """The steps of a metric."""
    return lambda name: list(experiments.metric_series(run.id, name).steps)


@pytest.fixture
def kept(experiments: Experiments, attributes: Callable[[], dict[str, object]]) -> Callable[[str], bytes]:
    """The bytes of a file of the run."""
    return lambda path: experiments.workspace.blobs.get(str(attributes()[f"artifacts.{path}"]))


@pytest.fixture
def signature(kept: Callable[[str], bytes], attributes: Callable[[], dict[str, object]]) -> Callable[..., str]:
    """The signature of a kept model on one line, which stands beside the run and is that of the record."""

    def read(path: str = "model") -> str:
        said = str(attributes()[f"tags.signature.{path}"])
        assert said == str(msgspec.json.decode(kept(f"{path}/signature.json"), type=ModelSignature))
        assert set(json.loads(kept(f"{path}/MLmodel"))["signature"]) == {"inputs", "outputs"}
        return said

    return read

"""Whole projects for the tests of step 3: a table on disk, taken through steps 1 and 2 by their real front doors."""

from collections.abc import Callable
from dataclasses import dataclass, replace

import polars as pl
import pytest
from sklearn import datasets

from heptad.core.records import Record
from heptad.core.settings import ProjectSettings, StoreSettings
from heptad.core.workspace import Workspace, open_workspace
from heptad.data import CleanSettings, Data, DataSettings, DatasetVersion, ExpectSettings, SourceSettings
from heptad.experiments import Experiments, SearchSettings
from heptad.training import Training, ValidateSettings


@dataclass
class Project:
    """The first three steps of a project, and the version that its table became."""

    workspace: Workspace
    data: Data
    experiments: Experiments
    training: Training
    version: Record[DatasetVersion]


ProjectOn = Callable[..., Project]


@pytest.fixture
def project_on(workspace: Workspace) -> ProjectOn:
    """Opens a project on a frame: `project_on(frame, "target", time="when", search=..., validate=...)`.

    With `folder`, in a workspace of its own there, so that one test can have two.
    """

    def open_on(
        frame: pl.DataFrame,
        target: str,
        *,
        search: SearchSettings | None = None,
        validate: ValidateSettings | None = None,
        clean: CleanSettings | None = None,
        folder: str = "",
        **settings: object,
    ) -> Project:
        root = workspace.root / folder
        root.mkdir(exist_ok=True)
        place = (
            workspace if not folder else replace(open_workspace(root, "test", StoreSettings()), clock=workspace.clock)
        )
        frame.write_parquet(root / "table.parquet")
        project = ProjectSettings(name="test")
        data = Data(
            place,
            project,
            {"table": SourceSettings(uri="table.parquet")},
            DataSettings(target=target, **settings),  # type: ignore[arg-type]
            clean or CleanSettings(),
            ExpectSettings(),
            {},
        )
        experiments = Experiments(place, project, search or SearchSettings(trials=3, folds=2))
        training = Training(place, project, validate or ValidateSettings(bootstrap=50), data, experiments)
        return Project(place, data, experiments, training, data.collect())

    return open_on


def bundled(name: str) -> pl.DataFrame:
    """One of scikit-learn's own sets as a frame, its target last and called `target`."""
    loaded = getattr(datasets, f"load_{name}")()
    columns = [str(column).replace(" ", "_") for column in loaded.feature_names]
    frame = pl.DataFrame(loaded.data, schema=columns)
    names = getattr(loaded, "target_names", None)
    target = loaded.target if names is None else [str(names[one]) for one in loaded.target]
    return frame.with_columns(pl.Series("target", target))


@pytest.fixture
def cancer() -> pl.DataFrame:
    """Breast cancer: 569 rows, 30 numbers, two classes; known for a ROC AUC of 0.99."""
    return bundled("breast_cancer")


@pytest.fixture
def wine() -> pl.DataFrame:
    """Wine: 178 rows, 13 numbers, three classes; known for an accuracy of 0.97."""
    return bundled("wine")


@pytest.fixture
def diabetes() -> pl.DataFrame:
    """Diabetes: 442 rows, 10 numbers, a number as target; known for an R squared of 0.45 to 0.5."""
    return bundled("diabetes")

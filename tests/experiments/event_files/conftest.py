"""Event files as programs really write them, by tensorboardX."""

from pathlib import Path

import numpy as np
import pytest
from tensorboardX import SummaryWriter


@pytest.fixture(scope="session")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a run of every kind of summary, and a second run inside of it."""
    folder = tmp_path_factory.mktemp("logs")
    random = np.random.default_rng(7)
    with SummaryWriter(str(folder / "first")) as writer:
        for step in range(300):
            writer.add_scalar("loss/train", 1 / (1 + step), step, walltime=1_700_000_000 + step / 7)
        writer.add_scalar("größe", float("inf"), -3)
        writer.add_text("notes", "# hello <b>x</b>", 2)
        writer.add_image("dots", random.random((3, 4, 5)), 1)
        writer.add_images("two", random.random((2, 3, 4, 5)), 1)
        writer.add_histogram("weights", random.normal(size=500), 5)
        writer.add_hparams({"rate": 0.1, "layers": 3, "solver": "adam", "nested": True}, {"score": 0.5}, "trial")
    return folder

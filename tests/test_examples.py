"""Every example runs by itself, in a fresh folder, in a process of its own."""

import os
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

EXAMPLES = Path(__file__).parent.parent / "examples"
LAST_WORDS = {
    "data": "IT",
    "data_expectations": "# not translated: unexpected_rows_expectation",
    "data_databases": "order 1 is there 1 time, returned: yes",
    "data_cleaning": "orders of our own",
    "data_features": "values compared, 0 differ",
    "data_folders": "the clone has 201 files, the same: yes",
    "data_sources": "shop is missing in orders-2.csv",
    "data_labels": "Data card of",
    "data_prune": "are gone, pruned on",
    "data_streams": "json of kafka",
    "data_suggest": "accepted for size",
    "experiments": "folds of ridge 11",
    "search": "began with the best of 1 earlier study",
    "training": "report: heptad-example-training",
    "release": "Identical: tumours@1",
    "serving": "flower-60 was asked by example",
    "monitoring": "drift: ",
    "lifecycle": "report: heptad-example-lifecycle",
    "own_flow": "300 patients",
}
"""Example to what it says near its end, which it can only say when everything before went well."""


def test_every_example_is_listed_here_and_in_their_readme() -> None:
    """No example is forgotten by the tests, or by the page that lists them."""
    names = {path.stem for path in EXAMPLES.glob("*.py")}
    listed = (EXAMPLES / "README.md").read_text(encoding="utf-8")
    assert names == LAST_WORDS.keys()
    files = [path.name for path in EXAMPLES.iterdir() if path.suffix in {".py", ".ipynb"}]
    assert [name for name in files if f"`{name}`" not in listed] == []


LONG = {"lifecycle", "monitoring"}


@pytest.mark.parametrize("name", [pytest.param(one, marks=[pytest.mark.slow] * (one in LONG)) for one in LAST_WORDS])
def test_an_example_runs_and_leaves_its_folder_only(name: str, tmp_path: Path) -> None:
    """It ends well, without a warning, says its last words, and writes into one folder of its own."""
    done = _run(name, tmp_path)
    assert done.returncode == 0, done.stderr
    assert LAST_WORDS[name] in done.stdout
    assert len(list(tmp_path.iterdir())) <= 1


def test_an_example_can_be_run_again(tmp_path: Path) -> None:
    """The second time finds what is there."""
    first, second = _run("own_flow", tmp_path), _run("own_flow", tmp_path)
    assert second.returncode == 0, second.stderr
    assert "reading patients" in first.stdout
    assert "reading patients" not in second.stdout


def test_the_notebook_runs_from_top_to_bottom_and_shows_what_it_made(tmp_path: Path) -> None:
    """In a real kernel: no cell fails or warns, each that ends in a value shows it as HTML; run again, it goes on."""
    for _ in range(2):
        notebook = nbformat.read(EXAMPLES / "notebook.ipynb", as_version=4)
        NotebookClient(notebook, timeout=300, resources={"metadata": {"path": str(tmp_path)}}).execute()
        cells = [cell for cell in notebook.cells if cell.cell_type == "code"]
        assert [cell.source for cell in cells if any("text" in output for output in cell.outputs)] == []
        shown = ["".join(output.data.get("text/html", "") for output in cell.outputs) for cell in cells]
        assert [bool(html) for html in shown] == [False, False, True, True, True, True, True, True]
        assert "boosting: 12 finished" in shown[5]
    assert [path.name for path in tmp_path.iterdir()] == ["heptad-example-notebook"]


def _run(name: str, folder: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-W", "error", str(EXAMPLES / f"{name}.py")],
        cwd=folder,
        env=os.environ | {"POLARS_FMT_MAX_ROWS": "10"},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )

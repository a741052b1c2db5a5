"""Parts are found by name, built-in ones and those of other distributions alike."""

import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

from heptad.core.catalogue import BUILT_IN, find, known
from heptad.core.errors import NotFoundError, WorkspaceError
from heptad.core.executors import InlineExecutor


@pytest.fixture
def distribution(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An installed package of somebody else, which registers three executors and one name that is taken."""
    info = tmp_path / "their_cluster-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: their-cluster\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(
        "[heptad.executor]\n"
        "their-cluster = their_cluster:connect\n"
        "their-lost = their_cluster:nothing_here\n"
        "their-bare = their_bare_cluster:connect\n"
        "inline = their_cluster:connect\n"
        "[heptad.theirs]\n"
        "thing = their_cluster:connect\n"
    )
    (tmp_path / "their_cluster.py").write_text(
        "from heptad.core.executors import InlineExecutor\n"
        "class Cluster(InlineExecutor):\n    pass\n"
        "def connect(workers=0):\n    return Cluster()\n"
    )
    (tmp_path / "their_bare_cluster.py").write_text("import a_package_that_nobody_has\n")
    monkeypatch.syspath_prepend(tmp_path)
    return tmp_path


TOO_LARGE = {"catboost", "keras", "lightning", "torch", "transformers"}
"""Libraries that the test environment leaves out for their size."""


def test_every_built_in_name_is_there() -> None:
    """What the table names can be imported, where the library behind it is installed."""
    for contract, table in BUILT_IN.items():
        for name, place in table.items():
            module = place.partition(":")[0]
            assert find_spec(module) is not None, module
            library = name if module.startswith("heptad.adapters.trackers.") else ""
            if library in TOO_LARGE and find_spec(library) is None:
                continue
            assert callable(find(contract, name)), (contract, name)


def test_a_package_adds_to_the_catalogue(distribution: Path) -> None:
    """An entry point of an installed distribution is found under its name, beside the built-in ones."""
    assert {"inline", "threads", "processes", "their-cluster"} <= known("executor").keys()
    executor = find("executor", "their-cluster")(2)
    assert isinstance(executor, InlineExecutor)
    assert type(executor).__name__ == "Cluster"


def test_built_in_names_cannot_be_replaced(distribution: Path) -> None:
    """A package that registers a built-in name does not take its place."""
    assert known("executor")["inline"] == "heptad.core.executors:inline"
    assert find("executor", "inline").__module__ == "heptad.core.executors"


def test_a_contract_may_be_somebody_elses(distribution: Path) -> None:
    """Contracts without built-in parts are looked up alike."""
    assert known("theirs") == {"thing": "their_cluster:connect"}
    assert callable(find("theirs", "thing"))


def test_an_unknown_name_lists_the_known_ones(distribution: Path) -> None:
    """The error names the nearest, also one that a package brought."""
    with pytest.raises(NotFoundError, match="did you mean 'their-cluster'"):
        find("executor", "their-clustr")
    with pytest.raises(NotFoundError, match="There is no adapter for nonsense 'x'"):
        find("nonsense", "x")


def test_a_missing_package_is_named_with_its_remedy(distribution: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What a part needs and is not installed is named, with the command that installs it."""
    with pytest.raises(WorkspaceError, match="a_package_that_nobody_has") as caught:
        find("executor", "their-bare")
    assert caught.value.remedy == "pip install a_package_that_nobody_has"
    monkeypatch.setitem(BUILT_IN["executor"], "ray", "their_bare_cluster:connect")
    with pytest.raises(WorkspaceError) as caught:
        find("executor", "ray")
    assert caught.value.remedy == "pip install 'heptad[ray]'"


def test_an_entry_point_to_nothing_is_named(distribution: Path) -> None:
    """A registration that leads nowhere is the package's mistake, and is said to be."""
    with pytest.raises(WorkspaceError, match="their_cluster:nothing_here"):
        find("executor", "their-lost")


def test_finding_a_built_in_part_reads_no_list_of_packages() -> None:
    """Looking up a built-in part costs nothing but its own import."""
    code = (
        "import sys; from heptad.core.catalogue import find; find('executor', 'inline'); "
        "print('importlib.metadata' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert done.stdout.strip() == "False"


def test_a_name_that_is_no_extra_says_which_one_it_needs(monkeypatch: pytest.MonkeyPatch) -> None:
    """An encrypted stream is read by the same package as a plain one."""
    monkeypatch.setitem(BUILT_IN, "stream", {"nats+tls": "a_package_that_nobody_has:Stream"})
    with pytest.raises(WorkspaceError) as caught:
        find("stream", "nats+tls")
    assert caught.value.remedy == "pip install 'heptad[nats]'"

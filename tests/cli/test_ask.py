"""Commands that ask: what they say of a project whose loop has turned, on 80 columns and as JSON."""

import sys
from pathlib import Path

import pytest

from heptad.cli.ask import MOST_FEATURES
from heptad.project import open_experiments
from tests.cli.conftest import Shell


def fits(text: str) -> bool:
    return all(len(line) <= 80 for line in text.splitlines())


def test_status_names_every_step_and_what_is_live(shell: Shell):
    """One line a step, the champion, open alerts and what waits, on 80 columns."""
    asked = shell("status")
    assert asked.code == 0
    assert fits(asked.out)
    for word in ("data", "experiments", "training", "release", "serving", "monitoring", "lifecycle", "champion rides@"):
        assert word in asked.out


def test_status_of_a_new_project_says_how_to_begin(empty: Shell):
    """Where nothing was run, the next command is named."""
    asked = empty("status")
    assert "nothing yet" in asked.out
    assert "heptad run" in asked.out


def test_a_project_of_runs_alone_is_asked_and_kept(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    """Where only the store is set, or nothing at all: how it stands, what happened, why, and a backup."""
    (tmp_path / "heptad.toml").write_text('[project]\nname = "runs"\n')
    with open_experiments(tmp_path).start("fit") as run:
        run.log(loss=0.5)
    asked = Shell(capsys, tmp_path)
    assert "'fit', finished" in asked("status").out.replace("newest run: fit", "'fit'")
    assert run.id in asked("events").out
    assert "'fit', finished" in asked("why", run.id).out
    assert asked("doctor").code == 0
    assert asked("backup", str(tmp_path / "copy")).code == 0
    (tmp_path / "heptad.toml").unlink()
    assert run.id in asked("events").out
    assert asked.bare("restore", str(tmp_path / "copy"), "--project", str(tmp_path / "again")).code == 0
    assert [one.id for one in open_experiments(tmp_path / "again").list()] == [run.id]


def test_a_folder_with_nothing_is_no_project(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    """Nothing is made in it, also where it is a Git repository."""
    (tmp_path / ".git").mkdir()
    for command in ("events", "status", "gc"):
        asked = Shell(capsys, tmp_path)(command)
        assert asked.code == 2
        assert "is in no Heptad project" in asked.err
    assert [one.name for one in tmp_path.iterdir()] == [".git"]


def test_status_as_json_carries_all_that_the_text_says(shell: Shell):
    """Seven steps with the ids of their newest records."""
    state = shell("status", "--json").json
    assert [step["step"] for step in state["steps"]][::6] == ["data", "lifecycle"]
    assert all(step["record"] for step in state["steps"])


def test_why_a_prediction_shows_what_moved_its_score_and_the_chain_behind_it(shell: Shell):
    """Contributions add up to the score; version, candidate, data and code follow, each with id, time and actor."""
    newest = shell("serving", "list", "--limit", "1", "--json").json[0]
    told = shell("why", newest["id"], "--json").json
    assert told["base"] + sum(told["contributions"].values()) == pytest.approx(newest["score"])
    roles = [link["role"] for link in told["chain"]]
    assert roles[:2] == ["deployment", "version"]
    assert {"promoted", "candidate", "code", "decision", "data", "run"} <= set(roles)
    assert all(link["id"] and link["at"] and link["actor"] for link in told["chain"])
    text = shell("why", newest["id"]).out
    assert fits(text)
    assert "What moved the score" in text


def test_many_inputs_are_told_by_their_weight(shell: Shell):
    """No more than the weightiest inputs are listed one by one."""
    newest = shell("serving", "list", "--limit", "1", "--json").json[0]
    text = shell("why", newest["id"]).out
    listed = text.split("added")[1].split("\n\n")[0].splitlines()[1:]
    assert len(listed) == 3 <= MOST_FEATURES


@pytest.mark.parametrize("ref", ["champion", "1", "rides@1", "rides@champion"])
def test_why_a_version_by_any_of_its_names(shell: Shell, ref: str):
    """A number, an alias, and both with the model's name lead to the version's record."""
    told = shell("why", ref, "--json").json
    assert told["subject"].startswith("model-")
    assert told["chain"][0]["role"] == "this"


def test_why_an_alert_starts_with_the_report_that_raised_it(shell: Shell):
    """The alert's own sentence, then its report."""
    reports = shell("monitoring", "list", "--json").json
    alert = next(alert for report in reports for alert in report["body"]["alerts"])
    told = shell("why", alert["id"], "--json").json
    assert told["sentence"] == alert["sentence"]
    assert told["chain"][0]["role"] == "raised by"


def test_why_a_task_says_that_it_ran_for_the_first_time(shell: Shell):
    """Tasks are named FLOW/TASK."""
    assert "ran for the first time" in shell("why", "run/candidate").out


def test_why_of_nothing_known_is_an_error_with_the_remedy(shell: Shell):
    """Exit code 2, and where names are listed."""
    asked = shell("why", "nonsense")
    assert asked.code == 2
    assert "'nonsense'" in asked.err
    assert "Remedy: list some" in asked.err


def test_a_version_is_reproduced_to_the_digit(shell: Shell):
    """Trained again from its records, on this machine, it is identical."""
    asked = shell("reproduce", "1", "--json")
    assert asked.json["identical"]
    assert asked.code == 0


def test_events_are_listed_newest_first_and_verified(shell: Shell):
    """The list counts down, and the whole chain holds."""
    positions = [event["position"] for event in shell("events", "--limit", "5", "--json").json]
    assert positions == sorted(positions, reverse=True)
    assert len(positions) == 5
    assert shell("events", "--verify", "--json").json == {"verified": positions[0]}
    assert fits(shell("events").out)


def test_status_loads_no_library_that_computes(rides, fresh_python):
    """`heptad status` reads records: no NumPy, no Polars, no training library, and no terminal painter."""
    loaded = fresh_python(
        "import sys; from heptad.cli.app import run; "
        f"code = run(['status', '-p', {str(rides)!r}]); "
        "print(code, sorted({'numpy', 'polars', 'sklearn', 'onnxruntime', 'rich'} & set(sys.modules)), file=sys.stderr)"
    )
    assert loaded == "0 []"


def test_a_prediction_is_explained_without_training_libraries(shell: Shell, rides, fresh_python):
    """`heptad why PREDICTION` goes through the package's ONNX session; what trains models is not loaded."""
    newest = shell("serving", "list", "--limit", "1", "--json").json[0]["id"]
    loaded = fresh_python(
        "import sys; from heptad.cli.app import run; "
        f"code = run(['why', {newest!r}, '-p', {str(rides)!r}]); "
        "print(code, sorted({'sklearn', 'lightgbm', 'optuna', 'onnx', 'altair'} & set(sys.modules)), file=sys.stderr)"
    )
    assert loaded == "0 []"


@pytest.fixture
def fresh_python(tmp_path):
    """Runs a line in a new interpreter; answers what it said on standard error."""
    import subprocess

    def call(line: str) -> str:
        return subprocess.run([sys.executable, "-c", line], capture_output=True, text=True, check=True).stderr.strip()

    return call

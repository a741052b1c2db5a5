"""`heptad data erase|erasures`: counted first, asked, done, certified."""

from pathlib import Path

import pytest
from tests.cli.conftest import Shell
from tests.lifecycle.rides import make_rides

from heptad.project import open_project


@pytest.fixture
def collected(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Shell:
    """A project with one version and one model."""
    monkeypatch.setenv("COLUMNS", "80")
    folder = make_rides(tmp_path / "rides", days=30)
    open_project(folder).run()
    return Shell(capsys, folder)


def test_counted_erased_listed_and_verified(collected: Shell) -> None:
    """A dry run removes nothing; the certificate lies beside heptad.toml and names nobody."""
    dry = collected("data", "erase", "--key", "ride=r3-4", "--dry-run")
    assert dry.code == 0
    assert "Sources that still hold them" in dry.out
    assert collected("data", "erasures").out.startswith("Nobody was erased.")
    done = collected("data", "erase", "--key", "ride=r3-4", "--yes", "--reason", "they asked for it", "--json")
    assert done.code == 0
    (told,) = done.json
    assert told["certificate"]["removed"]["data versions"] == 1
    path = Path(told["file"])
    assert b"r3-4" not in path.read_bytes()
    signed = path.read_bytes()
    path.unlink()
    again = collected("data", "erasures", "--certificate", told["erasure"])
    assert f"{path.name} is genuine" in " ".join(again.out.split())
    assert path.read_bytes() == signed
    assert collected("data", "erasures", "--certificate", "erasure-no").code == 2
    assert told["erasure"] in collected("data", "erasures").out
    assert "genuine" in collected("data", "erasures", "--verify", str(path)).out
    path.write_bytes(path.read_bytes().replace(b'"subjects": 1', b'"subjects": 9'))
    assert collected("data", "erasures", "--verify", str(path)).code == 1
    assert "1 erased" in collected("data", "log").out
    assert "1 row was erased" in collected("data", "show").out
    reproduced = collected("reproduce", "champion")
    assert reproduced.code == 1
    assert "were erased" in " ".join(reproduced.out.split())
    assert "Nothing was cut off." in collected("data", "erase", "--resume").out


def test_a_file_of_keys_and_a_plan_to_retrain(collected: Shell, tmp_path: Path) -> None:
    """Several people at once; the plan is open until the loop turns."""
    keys = tmp_path / "keys.txt"
    keys.write_text("ride\nr3-4\nr3-5\n")
    words = ["data", "erase", "--keys", str(keys), "--yes", "--reason", "they asked for it", "--retrain"]
    told = " ".join(collected(*words).out.split())
    assert "2 rows of 2 people" in told
    assert "plan plan-" in told
    assert "retraining" in collected("lifecycle", "plans").out


def test_a_file_of_another_column_names_nobody_by_the_key(collected: Shell, tmp_path: Path) -> None:
    """Its first line is the name of a column of the table, whatever the key is; one that is nearly so is refused."""
    people = tmp_path / "people.csv"
    people.write_text("zone\na\n")
    ways = [["--keys", str(people)], ["--where", "zone=a"]]
    found, wanted = (collected("data", "erase", *way, "--dry-run", "--json").json["found"] for way in ways)
    assert found == wanted
    assert found["data versions"] > 1
    people.write_text("Zone\na\n")
    refused = collected("data", "erase", "--keys", str(people), "--dry-run")
    assert refused.code == 2
    assert "nearly the name of a column" in refused.err


EXTRAS = """
[sources.extras]
uri = "extras.csv"
[features.taxis]
source = "extras"
on = ["taxi"]
columns = ["size"]
[features.zones]
source = "extras"
on = ["zone"]
columns = ["size"]
"""


def test_features_that_stay_are_named_with_what_erases_them(collected: Shell) -> None:
    """A zone is everybody's, and no table tells whose a taxi is; an erasure by it finds it."""
    (collected.project / "extras.csv").write_text("taxi,zone,size\nTX-0001,a,1\nTX-0002,b,2\n")
    with (collected.project / "heptad.toml").open("a") as file:
        file.write(EXTRAS)
    assert collected("data", "features", "apply", "--yes").code == 0
    assert collected("data", "features", "materialise").code == 0
    for words in (["--dry-run"], ["--yes", "--reason", "they asked for it"]):
        done = collected("data", "erase", "--key", "ride=r3-4", *words)
        assert done.code == 0
        told = " ".join(done.out.split())
        assert "Online features that stay" in told
        assert "taxi: others have them too, or no table tells whose they are" in told
        assert "heptad data erase --where taxi=... --dry-run" in told
    found = collected("data", "erase", "--where", "taxi=TX-0001", "--dry-run", "--json").json
    assert found["found"]["online features"] == 1
    assert found["sources"] == {"extras": 1}


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--yes"], "Who is to be erased?"),
        (["--key", "rid=r3-4", "--dry-run"], "ride"),
        (["--key", "ride", "--dry-run"], "names nobody"),
        (["--key", "ride=r3-4", "--yes"], 'Nothing says why.\nAllowed: --reason "a sentence"'),
        (["--key", "ride=nobody-at-all", "--yes", "--reason", "they asked"], "no row"),
    ],
)
def test_what_cannot_be_done_is_said(collected: Shell, words: list[str], said: str) -> None:
    """Exit code 2, and nothing was removed."""
    outcome = collected("data", "erase", *words)
    assert outcome.code == 2
    assert said in outcome.err
    assert collected("data", "erasures", "--json").json == []

"""`heptad monitoring`: reports are listed and shown, labels are added once."""

from tests.cli.conftest import WEEKS, Shell


def test_every_week_is_listed_newest_first(shell: Shell):
    """With its rows, what was measured, and how many alerts are new and open."""
    reports = shell("monitoring", "list", "--json").json
    assert len(reports) == WEEKS
    assert [one["body"]["start"] for one in reports] == sorted((one["body"]["start"] for one in reports), reverse=True)
    text = shell("monitoring", "list", "--limit", "1").out
    assert len(text.splitlines()) == 2
    assert "roc_auc" in text


def test_a_report_is_shown_in_words(shell: Shell):
    """Alerts, performance, drift and warnings, on 80 columns."""
    text = shell("monitoring", "show").out
    for title in ("Alerts, new", "Alerts, since earlier", "Performance", "Drift", "Warnings in replies"):
        assert f"{title}\n---" in text
    assert all(len(line) <= 80 for line in text.splitlines())
    assert shell("monitoring", "show", "--json").json["kind"] == "monitoring_report"


def test_without_a_report_the_error_says_when_there_will_be_one(empty: Shell):
    """Exit code 2."""
    asked = empty("monitoring", "show")
    assert asked.code == 2
    assert "heptad up" in asked.err


def test_labels_come_from_a_file_and_count_once(shell: Shell, tmp_path):
    """Added again they change nothing; a file without the columns is refused."""
    identity = shell("serving", "list", "--limit", "1", "--json").json[0]["id"]
    file = tmp_path / "labels.csv"
    moment = "2027-01-01T00:00:00Z"
    file.write_text(f"id,value,at,known_at\n{identity},yes,{moment},{moment}\n")
    assert shell("monitoring", "label", str(file), "--json").json == {"added": 1}
    assert "0 labels added" in shell("monitoring", "label", str(file)).out
    file.write_text("id,value\nx,yes\n")
    refused = shell("monitoring", "label", str(file))
    assert refused.code == 2
    assert "'at'" in refused.err

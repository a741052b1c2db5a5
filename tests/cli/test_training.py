"""`heptad training show`: what was measured of a candidate."""

from pathlib import Path

from tests.cli.conftest import Shell


def test_a_candidate_is_shown_with_everything_that_was_measured(shell: Shell):
    """Metrics with intervals beside the baseline, calibration, slices, attributions, parity and latency."""
    first = shell("why", "1", "--json").json["chain"]
    candidate = next(link["id"] for link in first if link["role"] == "candidate")
    text = shell("training", "show", candidate).out
    for title in ("Metrics", "Calibration", "Slices", "Attributions"):
        assert f"{title}\n---" in text
    assert "baseline" in text
    assert "largest difference" in text
    assert all(len(line) <= 80 for line in text.splitlines())


def test_the_latest_is_shown_where_none_is_named(shell: Shell):
    """As JSON it is the record."""
    shown = shell("training", "show", "--json").json
    assert shown["kind"] == "candidate"


def test_the_report_is_written_as_a_page(shell: Shell, tmp_path):
    """One HTML file of its own."""
    page = tmp_path / "report.html"
    shell("training", "show", "--report", str(page))
    assert page.read_text().lower().startswith("<!doctype html>")


def test_without_a_candidate_the_error_says_how_to_train_one(empty: Shell):
    """Exit code 2 and the command."""
    asked = empty("training", "show")
    assert asked.code == 2
    assert "heptad run" in asked.err


def test_likely_label_errors_are_listed_and_written(shell: Shell, tmp_path: Path):
    """As a file of corrections; the answer says which model judged."""
    file = tmp_path / "errors.csv"
    asked = shell("training", "label-errors", "--out", str(file), "--limit", "3")
    assert asked.code == 0, asked.err
    assert "are likely wrong" in asked.out
    if "0 of" not in asked.out:
        assert file.read_text().splitlines()[0].endswith("column,value,reason,given,quality")


def test_nested_cross_validation_is_shown(shell: Shell):
    """Each outer fold with what its search saw and what came of it."""
    asked = shell("training", "nested")
    assert asked.code == 0, asked.err
    assert "searched" in asked.out
    assert "of the search:" in asked.out


def test_a_queue_is_written_to_be_filled_in(shell: Shell, tmp_path: Path):
    """Rides whose label is not known yet; a way that does not exist is named with those that do."""
    file = tmp_path / "queue.csv"
    asked = shell("training", "label-queue", "--out", str(file), "--count", "5", "--by", "entropy")
    if asked.code == 0:
        assert "heptad data correct" in asked.out
        assert "column,value,reason,likely" in file.read_text().splitlines()[0]
    else:
        assert "has a label" in asked.err
    refused = shell("training", "label-queue", "--out", str(file), "--by", "luck")
    assert refused.code == 2
    assert "disagreement" in refused.err

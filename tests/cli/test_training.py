"""`heptad training show`: what was measured of a candidate."""

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

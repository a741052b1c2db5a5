"""The report: one page that needs nothing else and says what the records say."""

import re
from datetime import timedelta
from pathlib import Path

from heptad.project import open_rehearsal
from tests.lifecycle.conftest import Played
from tests.lifecycle.rides import START, make_rides


def test_the_report_loads_nothing(played: Played) -> None:
    """No address is fetched: no script, no link, no image from anywhere."""
    page = played.rehearsed.report
    assert "<script" not in page
    assert not re.search(r"""(?:src|href)=["'](?!#|data:)""", page)


def test_the_report_shows_every_part_of_the_loop(played: Played) -> None:
    """Timeline, score, drift, calibration, attributions, costs, lineage and plans are there."""
    page = played.rehearsed.report
    for title in ("Score by week", "What the loop did", "By month", "Drift", "Calibration", "Seconds by step", "Plans"):
        assert title in page, title
    champion = played.project.release.champion()
    assert champion is not None
    assert champion.id in page
    assert page.count("<svg") >= 7


def test_a_report_without_a_label_is_made(tmp_path: Path) -> None:
    """A span whose labels have not landed has no scores, and a page all the same."""
    folder = make_rides(tmp_path / "rides", days=64, a_day=24, landing=timedelta(days=9))
    project = open_rehearsal(folder, "", START)
    played = project.rehearse(START, START + timedelta(days=3))
    assert (played.summary.labels, played.summary.loop, played.summary.frozen) == (0, None, None)
    assert "Score by week" in played.report


def test_what_people_wrote_is_escaped(played: Played) -> None:
    """The project's own words are text on the page."""
    from heptad.lifecycle.report import render_rehearsal

    project = played.project
    page = render_rehearsal(
        project.workspace, played.rehearsed.rehearsal, project.lifecycle._summaries, "<b onclick=x>why</b>", 0.2
    )
    assert "<b onclick" not in page
    assert "&lt;b onclick=x&gt;" in page

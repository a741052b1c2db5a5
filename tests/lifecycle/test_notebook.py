"""Records, lists, comparisons and reports as a notebook shows them."""

import re
from collections.abc import Iterator
from html.parser import HTMLParser

import pytest

from heptad.core import graph
from heptad.core.shown import Rows
from heptad.lifecycle.notebook import MOST, shown
from heptad.lifecycle.sentences import sentence_of
from heptad.project import Project, open_experiments
from tests.lifecycle.conftest import Played

VOID = {"br", "hr", "img", "meta"}


class Checker(HTMLParser):
    """Whether every element that begins ends, and what is in the document."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: list[str] = []
        self.text = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        assert not any(name in {"src", "href", "xlink:href"} or name.startswith("on") for name, _ in attrs)
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += data


def checked(value: object) -> Checker:
    """What a notebook gets, which is whole, loads nothing and runs nothing."""
    html = value._repr_html_()  # type: ignore[attr-defined] # what every notebook asks for
    found = Checker()
    found.feed(html)
    assert found.open == []
    assert "script" not in found.tags
    # On dark pages too: no text has a colour of its own that only reads on white.
    assert not re.search(r"#1f2937|#475569|black|background(-color)?: *(#|white)", html)
    return found


@pytest.fixture(scope="module")
def project(played: Played) -> Project:
    return played.project


def each_kind(project: Project) -> Iterator[object]:
    kinds = set()
    for record in graph.every_record(project.workspace):
        if record.kind not in kinds:
            kinds.add(record.kind)
            yield record


def test_every_kind_of_record_shows_itself(project: Project) -> None:
    """With its sentence, its id and a table of its own."""
    kinds = list(each_kind(project))
    assert len(kinds) > 10
    for record in kinds:
        found = checked(record)
        assert sentence_of(record) in found.text
        assert record.id in found.text
        assert "table" in found.tags


def test_what_matters_of_each_step_is_there(project: Project) -> None:
    """Columns, figures with intervals, gates, routes, drift, triggers."""
    version = project.release.champion()
    assert version is not None
    candidate = project.training.show(version.body.candidate)
    assert "95% interval" in checked(candidate).text
    assert "svg" in checked(candidate).tags
    said = {record.kind: checked(record).text for record in each_kind(project)}
    assert "may be missing" in said["dataset_version"]
    assert "gate" in said["decision"]
    assert "share of requests" in said["deployment"]
    assert "How far columns moved (PSI)" in said["monitoring_report"]
    assert "begun since" in said["plan"]


def test_lists_and_comparisons_are_tables(project: Project) -> None:
    """Runs with their figures, other records with their sentences, runs beside each other, a search."""
    runs = project.experiments.list()
    assert "metrics.roc_auc" in checked(runs).text
    assert "Parameters that differ" in checked(project.experiments.compare([run.id for run in runs])).text
    assert "Would more trials help?" in checked(project.experiments.study()).text
    assert checked(Rows()).text.endswith("none")


def test_a_long_list_says_what_is_left(tmp_path) -> None:
    """It is cut, and the rest is counted."""
    experiments = open_experiments(tmp_path)
    for number in range(MOST + 2):
        experiments.start(f"run {number}", params={"n": number})
    found = checked(experiments.list())
    assert found.tags.count("tr") == MOST + 1
    assert "and 2 more" in found.text


def test_nothing_that_a_user_wrote_becomes_markup(tmp_path) -> None:
    """Names, parameters, notes and reasons are text, whatever they look like; long ones are cut."""
    evil = "<img src=x onerror=alert(1)>"
    experiments = open_experiments(tmp_path)
    with experiments.start(evil, params={evil: evil, "long": "x" * 1000}) as run:
        run.note(evil)
        run.tag(**{evil: evil})
        run.log({evil: 1.0})
        run.log({evil: 2.0})
    other = experiments.start("other", params={"long": evil})
    for value in (
        experiments.show(run.id),
        experiments.list(),
        experiments.compare([run.id, other.id]),
        experiments.plot(evil, [run.id]),
    ):
        assert "img" not in checked(value).tags
    assert "x" * 301 not in checked(experiments.show(run.id)).text + checked(experiments.list()).text


def test_what_nobody_shows_is_an_error() -> None:
    """A defect of ours, said by type."""
    with pytest.raises(TypeError, match="nothing shows a int"):
        shown(1)

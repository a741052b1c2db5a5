"""The page of a comparison is whole, loads nothing, and shows text as text."""

import random
from html.parser import HTMLParser

import pytest

from heptad.core.errors import InputError
from heptad.core.settings import ProjectSettings
from heptad.core.workspace import Workspace
from heptad.experiments import Experiments, SearchSettings

EVIL = "<script>alert(1)</script>"


@pytest.fixture
def experiments(workspace: Workspace) -> Experiments:
    return Experiments(workspace, ProjectSettings(name="test"), SearchSettings())


class Tags(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.seen: list[str] = []
        self.headings: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.append(tag)
        assert not any(name.startswith("on") or name in {"src", "href"} for name, _ in attrs)

    def handle_data(self, data: str) -> None:
        if self.seen and self.seen[-1] == "h2":
            self.headings.append(data)


def read(page: str) -> Tags:
    tags = Tags()
    tags.feed(page)
    assert "script" not in tags.seen
    return tags


def some_runs(experiments: Experiments, count: int) -> list[str]:
    chance = random.Random(4)
    ids = []
    for number in range(count):
        params = {"rate": chance.random(), "kind": chance.choice("ab"), EVIL: EVIL, "number": number}
        with experiments.start(f"{EVIL} {number}", params=params) as run:
            for step in range(5):
                run.log(step, loss=params["rate"] / (1 + step))
            for fold in range(3):
                run.log(fold, **{"fold.loss": params["rate"] + fold / 100})
        ids.append(run.id)
    return ids


def test_many_runs_are_explained(experiments: Experiments) -> None:
    """What the metric goes with, intervals, curves; in lines, since there are many."""
    tags = read(experiments.page(some_runs(experiments, 12)))
    assert tags.headings == [
        "Runs",
        "loss with intervals",
        "What loss goes with",
        "How it went",
        "Parameters that differ",
    ]
    assert tags.seen.count("svg") >= 5


def test_parameters_that_tell_nothing_are_drawn_all_the_same(experiments: Experiments) -> None:
    """Whoever asks how runs went through them sees it, and reads that it is chance."""
    ids = []
    for number in range(8):
        with experiments.start("fit", params={"rate": 10.0 ** -(number % 4)}) as run:
            run.log(0, loss=[1, 2, 2, 1][number % 4])
        ids.append(run.id)
    page = experiments.page(ids)
    assert "loss goes with no parameter more than chance gives" in page
    assert read(page).seen.count("svg") == 2


def test_two_runs_stand_beside_each_other(experiments: Experiments) -> None:
    """Of so few nothing is explained; a single run has a page too."""
    ids = some_runs(experiments, 2)
    assert "What loss goes with" not in read(experiments.page(ids)).headings
    assert read(experiments.page(ids[:1])).headings == ["Runs", "loss with intervals", "How it went"]


def test_runs_without_anything_have_a_page(experiments: Experiments) -> None:
    """Not ended, without parameters and metrics."""
    ids = [experiments.start(name).id for name in "ab"]
    assert read(experiments.page(ids)).headings == ["Runs"]


def test_odd_values_are_drawn(experiments: Experiments) -> None:
    """Numbers beside names and truth values, metrics that are infinite or NaN."""
    ids = []
    for number, value in enumerate([1, "auto", True, None, 2.5, 1e300, "", 7]):
        with experiments.start("odd", params={"odd": value, "n": number}) as run:
            run.log(score=number if number != 3 else float("nan"))
            run.log(score=float("inf") if number == 2 else number)
        ids.append(run.id)
    assert "How it went" in read(experiments.page(ids)).headings


def test_the_metric_can_be_chosen(experiments: Experiments) -> None:
    ids = some_runs(experiments, 2)
    with pytest.raises(InputError, match="No run has a metric 'lost'") as told:
        experiments.page(ids, "lost")
    assert "did you mean 'loss'" in told.value.allowed

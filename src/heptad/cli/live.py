"""Watching a loop turn: a live view on a terminal, plain lines anywhere else."""

import sys
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime

from rich.console import Console, Group
from rich.live import Live
from rich.panel import Panel
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table
from rich.text import Text

from heptad.cli.progress import WorkBars
from heptad.data import watching_work
from heptad.lifecycle import Happening, Watcher

STEPS = ("data", "experiments", "training", "release", "serving", "monitoring", "lifecycle")
_LINES = 10


class LiveView:
    """The seven steps with what each just did, a line a week, the bars of long work, and how far it all is."""

    def __init__(self, title: str, total: int) -> None:
        self._title = title
        self._last = dict.fromkeys(STEPS, "")
        self._lines: deque[str] = deque(maxlen=_LINES)
        self._progress = Progress(TextColumn("{task.description}"), BarColumn(None), TimeElapsedColumn())
        self._task = self._progress.add_task("", total=total)
        self.works = WorkBars()

    def tell(self, happening: Happening) -> None:
        self.works.clear()
        self._last[happening.step] = happening.sentence
        if happening.step in {"monitoring", "lifecycle"}:
            self._lines.append(happening.sentence)
        if happening.step == "monitoring":
            self._progress.advance(self._task)

    def __rich__(self) -> Panel:
        steps = Table.grid(padding=(0, 1), expand=True)
        steps.add_column(justify="right", style="dim", min_width=1)
        steps.add_column(style="bold", min_width=max(map(len, STEPS)))
        # Long sentences give way; without a ratio they would take the width of the names.
        steps.add_column(overflow="ellipsis", no_wrap=True, ratio=1)
        for number, (step, sentence) in enumerate(self._last.items(), 1):
            steps.add_row(str(number), step, Text(sentence or "waiting", style="" if sentence else "dim"))
        lines = Text("\n".join(self._lines), overflow="ellipsis", no_wrap=True)
        return Panel(Group(steps, "", lines, self.works.drawn, self._progress), title=self._title, border_style="blue")


@contextmanager
def watching(title: str, total: int, *, shown: bool) -> Iterator[Watcher]:
    """A watcher that shows what happens: live on a terminal, as lines elsewhere, or not at all."""
    console = Console(stderr=True)
    if not shown:
        yield _silent
    elif not console.is_terminal:
        yield _print_line
    else:
        view = LiveView(title, total)
        with Live(view, console=console, refresh_per_second=8, transient=True), watching_work(view.works.hear):
            yield view.tell


def _silent(happening: Happening) -> None:
    """For programs, which read the result."""


def _print_line(happening: Happening) -> None:
    sys.stderr.write(f"{datetime.now():%H:%M:%S}  {happening.step:<11}  {happening.sentence}\n")  # noqa: DTZ005 - the watcher's own time

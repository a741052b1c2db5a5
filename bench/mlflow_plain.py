"""The calls of the MLflow protocol by plain HTTP, on a kept connection, and a search over 50,000 runs.

Calls are held against a bare handler with one durable SQLite transaction, in turns. The search is asked on SQLite and
PostgreSQL, of one worker and of several, where small calls show whether packets are held back.
"""

import tempfile
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import psycopg

from bench.bare import bare_server
from bench.calls import Ask, asking, medians
from bench.figures import Figure
from bench.mlflow_many import FILTER, MOST, ORDER, RUNS, fill_ours
from bench.postgresql import schema
from heptad.api.process import start_api
from heptad.api.settings import ApiOptions
from heptad.project import open_root

RATIO, SEARCH_MS, SMALL_MS = 3.0, 40.0, 10.0
SEVERAL = 4


def measure() -> list[Figure]:
    """The calls, then the searches on either database."""
    with tempfile.TemporaryDirectory() as made, schema() as url:
        folder = Path(made)
        for kind in ("sqlite", "postgresql"):
            (folder / kind).mkdir()
        (folder / "postgresql" / "heptad.toml").write_text(f'[project]\nname = "bench"\n[store]\nurl = "{url}"\n')
        figures = _calls(folder)
        figures += _searches("SQLite", folder / "sqlite", fill_ours(open_root(folder / "sqlite")))
        experiment = fill_ours(open_root(folder / "postgresql"))
        with psycopg.connect(url, autocommit=True) as connection:
            # The server does so by itself within a minute or two of so many rows.
            connection.execute("VACUUM ANALYZE")
        figures += _searches("PostgreSQL", folder / "postgresql", experiment)
    return figures


def _calls(folder: Path) -> list[Figure]:
    with (
        bare_server(folder) as bare,
        start_api(ApiOptions(root=str(folder / "sqlite"), port=0), folder / "api.log") as server,
    ):
        limit, ask = asking(bare), asking(server.port)
        run = ask("runs/create", {"experiment_id": "0"})["run"]["info"]["run_id"]
        few = medians(_few(limit, ask, run), 200)
        many = medians({"limit": _batch(limit, run), "log batch of 1,000": _batch(ask, run)}, 20)
    return [
        Figure(
            name=f"plain HTTP, {name}",
            value=value,
            unit="ms",
            limit=taken["limit"],
            ratio=value / taken["limit"],
            floor=f"{RATIO:g} times a bare handler with one durable SQLite transaction",
            holds=value <= RATIO * taken["limit"],
        )
        for taken in (few, many)
        for name, value in taken.items()
        if name != "limit"
    ]


def _few(limit: Ask, ask: Ask, run: str) -> dict[str, Callable[[int], object]]:
    point = {"run_id": run, "key": "plain", "value": 1}
    return {
        "limit": lambda n: limit("", {**point, "timestamp": n, "step": n}),
        "create run": lambda _: ask("runs/create", {"experiment_id": "0"}),
        "log metric": lambda n: ask("runs/log-metric", {**point, "timestamp": n, "step": n}),
        "set tag": lambda n: ask("runs/set-tag", {"run_id": run, "key": "plain", "value": str(n)}),
    }


def _batch(ask: Ask, run: str) -> Callable[[int], object]:
    def log(turn: int) -> object:
        steps = range(1000 * turn, 1000 * turn + 1000)
        points = [{"key": f"k{step % 10}", "value": 0.5, "timestamp": step, "step": step} for step in steps]
        return ask("runs/log-batch", {"run_id": run, "metrics": points})

    return log


def _searches(database: str, root: Path, experiment: str) -> list[Figure]:
    """Filter on a parameter and a metric, order by another metric, the first 100; and a small call beside it."""
    figures: list[Figure] = []
    query = {"experiment_ids": [experiment], "filter": FILTER, "order_by": ORDER, "max_results": MOST}
    for workers in (1, SEVERAL):
        where = f"{database}, {workers} worker{'s' if workers > 1 else ''}"
        with start_api(ApiOptions(root=str(root), port=0, workers=workers), root / "api.log") as server:
            ask = asking(server.port)
            run = ask("runs/search", query)["runs"][0]["info"]["run_id"]
            taken = medians(
                {
                    "search": partial(_search, ask, query),
                    "tag": partial(_tag, ask, run),
                },
                15,
            )
        figures.append(_within(f"search of {RUNS:,} runs by plain HTTP, {where}", taken["search"], SEARCH_MS))
        figures.append(_within(f"set tag by plain HTTP, {where}", taken["tag"], SMALL_MS))
    return figures


def _search(ask: Ask, query: dict[str, Any], _: int) -> None:
    ask("runs/search", query)


def _tag(ask: Ask, run: str, number: int) -> None:
    ask("runs/set-tag", {"run_id": run, "key": "n", "value": str(number)})


def _within(name: str, value: float, most: float) -> Figure:
    floor = f"at most {most:g} ms"
    return Figure(name=name, value=value, unit="ms", limit=most, ratio=value / most, floor=floor, holds=value <= most)

"""Runs the benchmarks: `python -m bench`, or some of them by name: `python -m bench flow store`.

Every file beside this one that has a function `measure` is a part. Each part runs in a process of its own, so that
none finds warm what another needed; the demo comes last. Figures are printed as they come and end up in
bench/results.json. Exit code 1: a floor does not hold, or a part could not be measured.
"""

import sys
import traceback
from collections.abc import Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import msgspec

from bench.figures import measured

FOLDER = Path(__file__).parent
RESULTS = FOLDER / "results.json"
LAST = "demo"
MEASURE = "\ndef measure("
COLUMNS = f"{'value':>10} {'unit':<5} {'limit':>10} {'ratio':>7}  {'holds':<5}  figure (floor)"


def main(arguments: list[str]) -> int:
    """Measure the named parts, or all of them."""
    unknown = sorted(set(arguments) - set(parts()))
    if unknown:
        print(f"There is no part {', '.join(unknown)}. Allowed: {', '.join(parts())}", file=sys.stderr)
        return 2
    print(COLUMNS)
    figures: list[dict[str, Any]] = []
    failed: list[str] = []
    for name, found in _in_turn(arguments or parts()):
        if found is None:
            failed.append(name)
            continue
        figures += found
        for figure in found:
            print(line_of(figure), flush=True)
    RESULTS.write_bytes(msgspec.json.format(msgspec.json.encode(figures), indent=2))
    missed = sum(not figure["holds"] for figure in figures)
    print(f"\n{len(figures)} figures, {missed} below their floor; written to {RESULTS.relative_to(FOLDER.parent)}")
    if failed:
        print(f"not measured: {', '.join(failed)}", file=sys.stderr)
    return 1 if missed or failed else 0


def parts() -> list[str]:
    """The names of all parts, in the order in which they run."""
    names = {path.stem for path in FOLDER.glob("*.py") if MEASURE in path.read_text(encoding="utf-8")}
    return sorted(names, key=lambda name: (name == LAST, name))


def line_of(figure: dict[str, Any]) -> str:
    """A figure as a line of the table."""
    holds = "yes" if figure["holds"] else "NO"
    return (
        f"{figure['value']:>10.4g} {figure['unit']:<5} {figure['limit']:>10.4g} {figure['ratio']:>7.2f}  "
        f"{holds:<5}  {figure['name']} ({figure['floor']})"
    )


def _in_turn(names: Iterable[str]) -> Iterator[tuple[str, list[dict[str, Any]] | None]]:
    """Name and figures of each part; `None` where it failed, its error on standard error."""
    for name in names:
        with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as process:
            try:
                yield name, process.submit(measured, name).result()
            except Exception:  # noqa: BLE001 - one part that fails must not hide the others
                traceback.print_exc()
                yield name, None


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

"""Wrong cells are found in a table, a few rows are judged, and the rules that put them right are accepted."""

from pathlib import Path

import numpy as np
import polars as pl

from heptad.data import (
    CleanSettings,
    Labels,
    Place,
    SourceSettings,
    Suggester,
    accept_rules,
    read_cells,
    rule_lines,
)

CITIES = {"B1": ("Birmingham", "AL"), "P2": ("Portland", "OR"), "M3": ("Madison", "WI"), "S4": ("Springfield", "IL")}


def orders(count: int) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Orders as they should be, and as they came: typing errors, wrong states, sizes with units, marks for missing."""
    rng = np.random.default_rng(5)
    code = rng.choice(list(CITIES), count)
    right = pl.DataFrame(
        {
            "order": [f"o{n:04d}" for n in range(count)],
            "shop": code,
            "city": [CITIES[one][0] for one in code],
            "state": [CITIES[one][1] for one in code],
            "size": [str(n) for n in rng.integers(5, 90, count)],
        }
    )
    cells = right.to_dict(as_series=False)
    for row in rng.choice(count, 15, replace=False):
        cells["city"][row] = cells["city"][row].replace("i", "x")
    for row in rng.choice(count, 8, replace=False):
        cells["state"][row] = "TX"
    cells["size"] = [f"{size}.0 {rng.choice(['cm', 'cm.', 'CM'])}" for size in cells["size"]]
    return right, pl.DataFrame(cells)


def main() -> None:
    folder = Path("heptad-example-suggest")
    folder.mkdir(exist_ok=True)
    right, came = orders(400)
    came.write_csv(folder / "orders.csv")
    settings = folder / "heptad.toml"
    settings.write_text('[sources.orders]\nuri = "orders.csv"\n\n[data]\ntarget = "size"\n', encoding="utf-8")

    source, place = SourceSettings(uri="orders.csv"), Place(root=folder.resolve())
    table = read_cells(source, place).frame
    suggester = Suggester(table)
    found = suggester.suggest()
    print(f"without help: {len(found.cells)} of {found.looked_at:,} cells are likely wrong")

    rows = suggester.ask(5, seed=7)
    known = Labels({(row, name): right[name][row] for row in rows for name in right.columns})
    found = Suggester(table, known).suggest()
    for rule in found.rules[:4]:
        print(f"{rule.column}: {rule.evidence}: {rule.cells} cells, {rule.precision:.0%}, such as {rule.examples[0]}")
    repaired = sum(cell.proposal == right[cell.column][cell.row] for cell in found.cells)
    print(f"with {len(rows)} known rows: {len(found.cells)} cells, {repaired} of them get the right value")

    sure, _ = found.to_accept(source, place, CleanSettings(), least=0.9)
    for column in accept_rules(sure, settings):
        lines = [line for rule in sure if rule.column == column for line in rule_lines(column, rule.settings)]
        print(f"accepted for {column}: {lines[1][:60]}")


if __name__ == "__main__":
    main()

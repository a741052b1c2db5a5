"""A table of a database is collected, then only what is new: here SQLite, and any other by its URL."""

import sqlite3
from pathlib import Path

import heptad

SETTINGS = """
[project]
name = "orders"

[sources.orders]
uri = "sqlite:///shop.db"
table = "orders"
cursor = "updated_at"    # later collections read rows from its greatest value on

[data]
target = "returned"
key = ["id"]
time = "updated_at"
"""


def order(number: int) -> tuple[int, str, float, str]:
    """An order; every third comes back, and the dear ones."""
    returned = "yes" if number % 3 == 0 or number % 50 > 40 else "no"
    return number, f"2026-01-{1 + number // 40:02d} 12:{number % 40:02d}:00", float(number % 50), returned


def main() -> None:
    folder = Path("heptad-example-databases")
    folder.mkdir(exist_ok=True)
    (folder / "heptad.toml").write_text(SETTINGS, encoding="utf-8")
    shop = sqlite3.connect(folder / "shop.db")
    shop.execute("DROP TABLE IF EXISTS orders")
    shop.execute("CREATE TABLE orders (id INTEGER PRIMARY KEY, updated_at TEXT, price REAL, returned TEXT)")
    shop.executemany("INSERT INTO orders VALUES (?, ?, ?, ?)", map(order, range(400)))
    shop.commit()

    project = heptad.open(folder)
    first = project.data.collect()
    print(f"version {first.body.version}: {first.body.rows} rows")
    print(first.body.sources[0].understood)

    shop.executemany("INSERT INTO orders VALUES (?, ?, ?, ?)", map(order, range(400, 450)))
    shop.execute("UPDATE orders SET returned = 'yes', updated_at = '2026-01-31 08:00:00' WHERE id = 1")
    shop.commit()
    second = project.data.collect()
    print(f"version {second.body.version}: {second.body.rows} rows")
    changed = project.data.scan(second).collect().filter(id=1)
    print(f"order 1 is there {len(changed)} time, returned: {changed['returned'].item()}")
    shop.close()


if __name__ == "__main__":
    main()

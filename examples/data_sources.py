"""One table is read from files of several formats, out of an archive, and from a web server that sends it once."""

import gzip
import io
import tarfile
import threading
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import polars as pl

from heptad.core.errors import DataError
from heptad.data import Place, SourceSettings, open_source

ROWS = pl.DataFrame({"order": range(1, 1_001), "shop": ["north", "south"] * 500, "price": [9.5, 12.25] * 500})


def write(folder: Path) -> None:
    """The table as CSV, as a JSON document, as Arrow, compressed, and as two members of an archive."""
    ROWS.write_csv(folder / "orders.csv")
    (folder / "orders.csv.gz").write_bytes(gzip.compress((folder / "orders.csv").read_bytes()))
    (folder / "orders.json").write_text(f'{{"made": "today", "orders": {ROWS.write_json()}}}', encoding="utf-8")
    ROWS.write_ipc(folder / "orders.arrow")
    with tarfile.open(folder / "orders.tar.gz", "w:gz") as archive:
        for name, part in {"2024/may.csv": ROWS[:400], "2024/june.csv": ROWS[400:]}.items():
            content = part.write_csv().encode()
            member = tarfile.TarInfo(name)
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))


class QuietHandler(SimpleHTTPRequestHandler):
    """Serves the folder, and keeps what it answered."""

    answers: list[int] = []

    def log_request(self, code: int | str = "-", *_: object) -> None:
        self.answers.append(int(code))


def main() -> None:
    folder = Path("heptad-example-sources")
    folder.mkdir(exist_ok=True)
    write(folder)
    place = Place(root=folder.resolve(), cache=folder.resolve() / "cache")
    for uri in ("orders.csv", "orders.csv.gz", "orders.json", "orders.arrow", "orders.tar.gz/2024/*.csv"):
        table = open_source(SourceSettings(uri=uri), place).read()
        told = ", ".join(
            f"{name} {how}" for name, how in table.understood.items() if name in {"format", "taken", "files"}
        )
        print(f"{uri}: {table.rows.select(pl.len()).collect().item():,} rows, {told}")

    with ThreadingHTTPServer(("127.0.0.1", 0), partial(QuietHandler, directory=str(folder))) as server:
        threading.Thread(target=server.serve_forever).start()
        web = open_source(SourceSettings(uri=f"http://127.0.0.1:{server.server_port}/orders.csv"), place)
        print(f"from the web: {web.read().rows.select(pl.len()).collect().item():,} rows, digest {web.digest()[:8]}")
        print(f"the server answered {', '.join(map(str, QuietHandler.answers))}")
        server.shutdown()

    ROWS.drop("shop").write_csv(folder / "orders-2.csv")
    try:
        open_source(SourceSettings(uri="orders*.csv"), place).read()
    except DataError as error:
        print(error)


if __name__ == "__main__":
    main()

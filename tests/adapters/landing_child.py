"""Lands a stream until it is killed; prints a line for each batch.

Usage: python landing_child.py URI ID FOLDER
"""

import sys
from pathlib import Path

from heptad.data import Place, SourceSettings, Until, follow
from heptad.data.streams import following


def main() -> None:
    uri, name, folder = sys.argv[1:]
    following.AT_ONCE = 40
    settings = SourceSettings(uri=uri, id=name, commit_every="50ms", timeout="10s")

    def tell(_landed: object) -> None:
        sys.stdout.write("landed\n")
        sys.stdout.flush()

    follow(settings, Place(root=Path(folder)), Until(), tell)


if __name__ == "__main__":
    main()

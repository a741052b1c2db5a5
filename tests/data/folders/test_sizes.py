"""The sizes of pieces fit each other."""

import subprocess
import sys

from heptad.data.folders.packs import PACK
from heptad.data.folders.sizes import LISTINGS, PARTS, PIECES


def test_pieces_fit_into_what_holds_them() -> None:
    """And between the smallest and the largest there is room for a cut."""
    for sizes in (PARTS, PIECES, LISTINGS):
        assert sizes.smallest < sizes.smallest + (1 << sizes.bits) < sizes.largest
    assert PIECES.largest < PARTS.smallest
    assert PARTS.largest <= PACK


def test_whoever_only_compares_loads_no_numpy() -> None:
    """`heptad data status` is quick, and starts anew each time."""
    act = "import sys; from heptad.data.folders import folders; sys.exit('numpy' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", act], check=False).returncode == 0

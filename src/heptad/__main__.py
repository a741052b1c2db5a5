"""`python -m heptad` is `heptad`."""

from heptad.cli import main

main()

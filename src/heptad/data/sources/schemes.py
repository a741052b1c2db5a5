"""Which kind of place an address names, told by how it begins."""

import re

from heptad.core import catalogue

ADDRESS = re.compile(r"([a-z][a-z0-9+-]+):")
"""What begins so is no path; a drive of Windows has one letter."""


def is_stream(uri: str) -> bool:
    """Whether an address is that of a stream: what it holds lands in a table of the workspace before it is read."""
    scheme = ADDRESS.match(uri)
    if not scheme or scheme[1] in catalogue.BUILT_IN["source"]:
        return False
    return scheme[1] in catalogue.BUILT_IN["stream"] or (
        scheme[1] not in catalogue.known("source") and scheme[1] in catalogue.known("stream")
    )

"""The section `[sources.NAME.manifest]` of heptad.toml."""

from typing import Annotated, Literal

import msgspec

from heptad.core.settings import Settings, Share


class ManifestSettings(Settings, frozen=True, kw_only=True):
    """What is told of the files in a folder."""

    label: Literal["folder", ""] = "folder"
    """`folder`: a file's label is the folder that it is in, the first below the source's; empty: it has none."""
    labels: str = ""
    """A table with the columns `path` and `label`, instead: paths are relative to the source's folder."""
    bits: Annotated[int, msgspec.Meta(ge=0, le=16, description="a whole number from 0 to 16")] = 4
    """Images are near duplicates where their hashes differ in at most so many of 64 bits."""
    alike: Share = 0.8
    """Texts are near duplicates where they share this part of what they say, three words at a time; sounds where they
    share this part of their first half minute."""
    pixels_millions: Annotated[float, msgspec.Meta(gt=0)] = 150.0
    """The largest image that is decoded; one that claims more is broken."""

"""What is kept of folders: every version that was added or fetched."""

from typing import ClassVar, Literal

import msgspec

from heptad.core.records import Body


class FolderVersion(Body, frozen=True, kw_only=True):
    """One version of a folder, or of a file by itself.

    Attributes: `name`, `version` and `digest` (to be searched by), `stored` (the artifact that the pointer names) and
    `artifacts` (all that it needs, by which garbage collection knows them); the last two go when it is forgotten.
    """

    kind: ClassVar[str] = "folder_version"
    prefix: ClassVar[str] = "folder"

    name: str
    """Its path inside the project, with `/`."""
    version: int
    """Counted in this workspace; another one that fetched the same data may count otherwise, its digest is the same."""
    what: Literal["folder", "file"]
    digest: str
    """BLAKE3 over paths, kinds and contents: equal wherever the same files are."""
    files: int
    bytes: int
    """Of all files together."""
    new_bytes: int
    """What storing it took: pieces that no earlier version had."""
    fetched_from: str = ""
    """The remote, where it was pulled and not added here."""


class Pointer(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What the small file in Git says."""

    what: Literal["folder", "file"]
    digest: str
    stored: str
    files: int
    bytes: int

"""What differs between two trees: paths that came, went, changed, or are called otherwise."""

from collections.abc import Iterable, Sequence

import msgspec

from heptad.data.folders.tree import Entry, shown_path


class FolderChanges(msgspec.Struct, frozen=True, kw_only=True):
    """From one tree to another. Paths are written for people, see `tree.shown_path`."""

    added: list[str] = []
    removed: list[str] = []
    changed: list[str] = []
    renamed: list[tuple[str, str]] = []
    """Files of the same content and kind: the path that went, and the one that came."""
    same: int = 0

    def __bool__(self) -> bool:
        return bool(self.added or self.removed or self.changed or self.renamed)

    def counts(self) -> str:
        """How many of each, in words; empty where nothing differs."""
        counts = {
            "added": len(self.added),
            "removed": len(self.removed),
            "changed": len(self.changed),
            "renamed": len(self.renamed),
        }
        return ", ".join(f"{count:,} {what}" for what, count in counts.items() if count)

    def lines(self) -> list[str]:
        """One line for each path."""
        lines = [f"{what:8} {path}" for what in ("added", "removed", "changed") for path in getattr(self, what)]
        return [*lines, *(f"renamed  {old} -> {new}" for old, new in self.renamed)]


def changes_between(before: Sequence[Entry], after: Sequence[Entry]) -> FolderChanges:
    """Compares two trees; which of several files of the same content was renamed is told by the order of paths."""
    old, new = {one.path: one for one in before}, {one.path: one for one in after}
    came = [one for one in after if one.path not in old]
    went = [one for one in before if one.path not in new]
    changed = [one.path for one in after if one.path in old and not one.is_like(old[one.path])]
    sources: dict[tuple[bytes, str], list[Entry]] = {}
    for one in reversed(went):
        if one.digest:
            sources.setdefault((one.digest, one.kind), []).append(one)
    renamed = [(found.pop(), one) for one in came if one.size and (found := sources.get((one.digest, one.kind)))]
    moved = {one.path for pair in renamed for one in pair}
    return FolderChanges(
        added=_names(one.path for one in came if one.path not in moved),
        removed=_names(one.path for one in went if one.path not in moved),
        changed=_names(changed),
        renamed=[(shown_path(source.path), shown_path(one.path)) for source, one in renamed],
        same=len(after) - len(came) - len(changed),
    )


def _names(paths: Iterable[bytes]) -> list[str]:
    # A file that was added by itself is the only path of its tree, and has no name there.
    return [shown_path(path) or "." for path in paths]

"""Heptad carries a machine-learning model through the seven steps of MLOps and keeps it alive."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from heptad.project import Project as Project
    from heptad.project import open_experiments as open_experiments
    from heptad.project import open_folders as open_folders
    from heptad.project import open_project as open  # noqa: A004 - `heptad.open(path)` reads as what it does
    from heptad.project import track as track

__version__ = "0.1.0"
__all__ = ["Project", "__version__", "open", "open_experiments", "open_folders", "track"]

_LAZY = {
    "Project": ("heptad.project", "Project"),
    "open": ("heptad.project", "open_project"),
    "open_experiments": ("heptad.project", "open_experiments"),
    "open_folders": ("heptad.project", "open_folders"),
    "track": ("heptad.project", "track"),
}


def __getattr__(name: str) -> Any:
    if name not in _LAZY:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    import importlib  # noqa: PLC0415 - importing heptad must cost nothing

    module, attribute = _LAZY[name]
    return getattr(importlib.import_module(module), attribute)

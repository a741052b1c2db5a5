"""What a source is called: its parts know their settings and not the name of their section."""

from collections.abc import Iterator
from contextlib import contextmanager

from heptad.core.errors import HeptadError
from heptad.data.toml import toml_key

_UNNAMED = "sources.NAME"


@contextmanager
def called(source: str) -> Iterator[None]:
    """Errors raised inside name the section of this source: `[sources.orders] query`, not `[sources.NAME] query`."""
    try:
        yield
    except HeptadError as error:
        own = f"sources.{toml_key(source)}"
        error.args = tuple(one.replace(_UNNAMED, own) if isinstance(one, str) else one for one in error.args)
        for part in ("problem", "allowed", "remedy"):
            setattr(error, part, getattr(error, part).replace(_UNNAMED, own))
        raise

"""`${NAME}` in a setting stands for a value of the environment, looked up only where it is used.

Settings, and so records, logs and pages, hold the name and never the value.
"""

import os
import re
from collections.abc import Mapping

from heptad.core.errors import SettingsError

_NAME = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]*)\}")


def holds_secret(text: str) -> bool:
    """Whether the text names a value of the environment."""
    return _NAME.search(text) is not None


def reveal(text: str, environment: Mapping[str, str] | None = None) -> str:
    """The text with every `${NAME}` replaced; raises `SettingsError` where one is not set.

    >>> reveal("postgresql://me:${PASSWORD}@host/db", {"PASSWORD": "sesame"})
    'postgresql://me:sesame@host/db'
    """
    values = os.environ if environment is None else environment

    def value(found: re.Match[str]) -> str:
        if found[1] not in values:
            raise SettingsError(
                f"A setting asks for ${{{found[1]}}}, which is not set in the environment.",
                remedy=f"export {found[1]}=...",
            )
        return values[found[1]]

    return _NAME.sub(value, text)

"""What keys and values may be, and how many of them a call may carry: the limits of MLflow."""

import logging
import posixpath
import re
from collections.abc import Sequence
from functools import lru_cache

from heptad.api.mlflow.errors import invalid
from heptad.api.mlflow.protocol import Tag

KEY, PARAM_VALUE, RUN_TAG_VALUE, EXPERIMENT_TAG_VALUE = 250, 6000, 8000, 20_000
EXPERIMENT_NAME, LOCATION = 500, 2048
BATCH_METRICS, BATCH_PARAMS, BATCH_TAGS, BATCH_ENTITIES, BATCH_BYTES = 1000, 100, 100, 1000, 1_000_000
PAGE = 50_000
_KEY = re.compile(r"[/\w.\- :]*")
_log = logging.getLogger("heptad.api")


def check_key(key: str, what: str, of: str = "", place: int = 0) -> None:
    """Refuse a key that is empty, too long, of other signs, or not the shortest way to write itself as a path.

    `of` and `place` say in which list it is.
    """
    if problem := _problem(key):
        field = f"{of}[{place}].{what}" if of else what
        raise invalid(f"Invalid value {key[: KEY + 1]!r} for parameter {field!r}: {problem}")


@lru_cache(maxsize=10_000)
def _problem(key: str) -> str:
    """What is wrong with a key, if anything: the same keys come again and again."""
    if not key:
        return "A key name must be provided."
    if len(key) > KEY:
        return f"it exceeds the maximum length of {KEY} characters."
    if not _KEY.fullmatch(key):
        return (
            "Names may only contain alphanumerics, underscores (_), dashes (-), periods (.), spaces ( ), colon(:) "
            "and slashes (/)."
        )
    shortest = posixpath.normpath(key)
    if shortest != key or shortest == "." or shortest.startswith(("..", "/")):
        return (
            "Names may be treated as files in certain cases, and must "
            f"not resolve to other names when treated as such. This name would resolve to {shortest!r}"
        )
    return ""


def check_length(value: str, most: int, what: str) -> None:
    if len(value) > most:
        raise invalid(f"{what} exceeds the maximum length of {most} characters.")


def check_tags(tags: Sequence[Tag], most: int | None = None) -> None:
    """Refuse tags with a wrong key, and, where values have a limit, with a longer one."""
    for place, tag in enumerate(tags):
        check_key(tag.key, "key", "tags", place)
        if most is not None:
            check_length(tag.value, most, f"tags[{place}].value")


def cut(given: Sequence[Tag], most: int, what: str) -> list[Tag]:
    """Parameters or tags of a run, longer values cut and the log told, as by MLflow's own server.

    Refused, one long value would lose a whole batch and end somebody's training.
    """
    kept: list[Tag] = []
    for one in given:
        if len(one.value) > most:
            _log.warning("The %s %r has %d characters and is cut to %d.", what, one.key, len(one.value), most)
        kept.append(one if len(one.value) <= most else Tag(key=one.key, value=one.value[:most]))
    return kept


def check_count(given: int, most: int, what: str) -> None:
    if given > most:
        raise invalid(f"A batch logging request can contain at most {most} {what}. Got {given} {what}.")


def check_page(asked: int, most: int = PAGE) -> None:
    """How many results may be asked for."""
    if not 1 <= asked <= most:
        raise invalid(
            f"Invalid value {asked} for parameter 'max_results': It must be a positive integer and at most {most}."
        )

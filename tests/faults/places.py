"""Where boundaries are passed, and at which of them a process is worth killing."""

from pathlib import Path
from types import FrameType


def place_of(name: str, frame: FrameType | None) -> str:
    """A boundary with the functions of the house that led to it, from inside out; not those of the core."""
    functions = [name]
    while frame is not None:
        path = Path(frame.f_code.co_filename)
        if "heptad" in path.parts and "core" not in path.parts:
            functions.append(f"{path.stem}:{frame.f_code.co_qualname}")
        frame = frame.f_back
    return " < ".join(functions)


def chosen(passed: dict[int, str]) -> list[int]:
    """The boundaries to be killed at: where each place is passed first, and the last of each name.

    A function that comes to its boundary for the tenth time meets the code that it met the first time.
    """
    first = {place: number for number, place in reversed(passed.items())}
    last = {place.partition(" ")[0]: number for number, place in passed.items()}
    return sorted({*first.values(), *last.values()})

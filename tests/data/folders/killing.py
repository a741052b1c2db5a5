"""Adds, sends, fetches and puts in place in processes that are killed at each place; prints what came of it.

Usage: python -m tests.data.folders.killing FOLDER
"""

import importlib
import json
import os
import shutil
import signal
import sys
import threading
from collections.abc import Callable
from pathlib import Path

from tests.data.folders.conftest import contents, fill
from tests.faults.places import chosen, place_of

from heptad.core import catalogue, faults
from heptad.core.records import digest_of
from heptad.core.settings import StoreSettings
from heptad.core.workspace import open_workspace
from heptad.data.folders import packs
from heptad.data.folders.folders import Folders
from heptad.data.folders.settings import RemoteSettings


def folders(root: Path) -> Folders:
    return Folders(open_workspace(root, "test", StoreSettings()), RemoteSettings())


def in_child(act: Callable[[], None], kill_at: int = 0) -> bool:
    """Whether the act was finished; `False`: it was killed at that boundary."""
    child = os.fork()
    if child == 0:
        code = 1
        try:
            faults._KILL, faults._ACTIVE, faults._passed = kill_at, kill_at > 0, 0
            packs.PACK = 1 << 20
            act()
            code = 0
        finally:
            os._exit(code)
    _, status = os.waitpid(child, 0)
    if os.WIFSIGNALED(status):
        assert os.WTERMSIG(status) == signal.SIGKILL
        return False
    assert os.WEXITSTATUS(status) == 0
    return True


def places(act: Callable[[], None], answer: Path) -> dict[int, str]:
    """The places that an undisturbed act passes, by their numbers; what it imports is imported here from then on."""

    def noted() -> None:
        passed: list[str] = []
        guard = threading.Lock()

        def note(name: str) -> None:
            with guard:
                passed.append(place_of(name, sys._getframe(1)))

        faults._ACTIVE, faults._pass = True, note
        act()
        answer.write_text(json.dumps([passed, list(sys.modules)]), encoding="utf-8")

    in_child(noted)
    passed, modules = json.loads(answer.read_text(encoding="utf-8"))
    for module in modules:
        importlib.import_module(module)
    return dict(enumerate(passed, 1))


def add(root: Path) -> None:
    folders(root).add([root / "images"])


def check_out(root: Path) -> None:
    """From the second version to the first."""
    shutil.copy(root / "first", root / "images.heptad")
    folders(root).checkout()


def send(root: Path) -> None:
    folders(root).push(remote=str(root / "remote"))


def fetch(root: Path) -> None:
    (root / "clone").mkdir(exist_ok=True)
    shutil.copy(root / "images.heptad", root / "clone" / "images.heptad")
    folders(root / "clone").pull(remote=str(root / "remote"))


def prepare(root: Path) -> None:
    """Two versions, sent; the second is in place."""
    add(root)
    shutil.copy(root / "images.heptad", root / "first")
    fill(root / "images", {"a.txt": b"second", "new/file": b"x"})
    (root / "images" / "run.sh").unlink()
    add(root)
    send(root)


def state(root: Path) -> object:
    """All that counts, and that nothing lies about."""
    found: list[object] = [sorted(one.name for one in root.iterdir() if one.is_dir())]
    for place in (root, root / "clone"):
        if (place / "images.heptad").exists():
            opened = folders(place)
            versions = [(one.body.version, one.body.digest) for one in opened.log("images")]
            found += [sorted(map(repr, contents(place / "images").items())), versions, opened.status()]
    return found


def state_of(root: Path, act: Callable[[Path], None] = lambda _: None) -> bytes:
    """What is there after an act, in folders that were opened anew."""

    def tell() -> None:
        act(root)
        text = repr(state(root)).replace(str(root), "")
        os.write(told, digest_of(text.encode()).encode())

    answer, told = os.pipe()
    in_child(tell)
    os.close(told)
    with os.fdopen(answer, "rb") as said:
        return said.read()


ACTS: dict[str, tuple[Callable[[Path], None], bool]] = {
    "add": (add, False),
    "check out": (check_out, True),
    "send": (send, True),
    "fetch": (fetch, True),
}


def main() -> None:
    for contract, name in (("store", "sqlite"), ("blobs", "file")):
        catalogue.find(contract, name)  # imported once, and not by each process
    top = Path(sys.argv[1])
    new, prepared = top / "new", top / "prepared"
    for root in (new, prepared):
        fill(root / "images")
    in_child(lambda: prepare(prepared))
    killed, different = dict.fromkeys(ACTS, 0), []
    for name, (act, is_later) in ACTS.items():

        def fresh(number: int) -> Path:
            root = top / f"{name} {number}"  # noqa: B023 - called at once
            shutil.copytree(prepared if is_later else new, root, symlinks=True)  # noqa: B023 - called at once
            if name == "send":  # noqa: B023 - called at once
                shutil.rmtree(root / "remote")
            return root

        undisturbed = fresh(0)
        numbers = chosen(places(lambda: act(undisturbed), top / "places"))  # noqa: B023 - called at once
        expected = state_of(undisturbed)
        for number in numbers:
            root = fresh(number)
            killed[name] += not in_child(lambda: act(root), number)  # noqa: B023 - called at once
            if state_of(root, act) != expected:
                different.append(f"{name} {number}")
    print(json.dumps({"killed": killed, "different": different}))  # noqa: T201 - that is the answer


if __name__ == "__main__":
    main()

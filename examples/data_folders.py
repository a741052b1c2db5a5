"""A folder of images beside the code: kept as versions, compared, shared through a remote, and fetched by a clone."""

import random
import subprocess
from pathlib import Path

import heptad

top = Path("heptad-example-folders").absolute()
root, clone, remote = top / "project", top / "clone", str(top / "remote")


def git(*words: str) -> None:
    who = ["-c", "user.name=example", "-c", "user.email=example@localhost"]
    subprocess.run(["git", *who, *words], check=True)  # noqa: S603, S607 - your own git, with the words below


images = root / "images"
images.mkdir(parents=True)
chance = random.Random(7)
for number in range(200):
    (images / f"{number:03}.raw").write_bytes(chance.randbytes(5_000))
(images / "all.raw").write_bytes(chance.randbytes(5_000_000))

git("init", "-q", str(root))
folders = heptad.open_folders(root)
(first,) = folders.add([images])
print(f"stored: {first.new_bytes:,} bytes for {first.version.body.files} files")
git("-C", str(root), "add", "-A")
git("-C", str(root), "commit", "-q", "-m", "first images")

data = (images / "all.raw").read_bytes()
(images / "all.raw").write_bytes(data[:2_000_000] + b"a small edit" + data[2_000_000:])
(images / "007.raw").rename(images / "bond.raw")
print("before adding:", folders.status()[0].changes.counts())
(second,) = folders.add([images])
print(f"stored: {second.new_bytes:,} bytes more")
git("-C", str(root), "commit", "-q", "-a", "-m", "an edit")

folders.push(remote=remote, everything=True)
git("clone", "-q", str(root), str(clone))
fetched, _ = heptad.open_folders(clone).pull(remote=remote)
same = (clone / "images" / "all.raw").read_bytes() == (images / "all.raw").read_bytes()
print(f"the clone has {len(list((clone / 'images').iterdir()))} files, the same: {'yes' if same else 'no'}")

"""The program may be started through the interpreter."""

import subprocess
import sys


def test_the_module_is_the_command() -> None:
    """Arguments and exit codes are those of `heptad`."""
    done = subprocess.run([sys.executable, "-m", "heptad", "--version"], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout.startswith("heptad ")) == (0, True)
    assert subprocess.run([sys.executable, "-m", "heptad", "nothing"], capture_output=True, check=False).returncode == 2

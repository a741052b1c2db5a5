"""A process is counted and ended together with what it started."""

import subprocess
import sys

from heptad.experiments.searching.groups import end_group, is_larger, resident

_CHILD = "kept = bytearray(40_000_000); print(flush=True); import time; time.sleep(600)"
_CODE = f"""
import os, subprocess, sys, time
kept = bytearray(40_000_000)
if os.fork() == 0:
    time.sleep(600)
child = subprocess.Popen([sys.executable, "-c", {_CHILD!r}])
time.sleep(600)
"""


def test_a_group_is_measured_and_ended_with_all_its_processes() -> None:
    """What two of them share counts once; a group that is gone takes nothing, and is ended by nothing."""
    command = [sys.executable, "-c", _CODE]
    with subprocess.Popen(command, start_new_session=True, stdout=subprocess.PIPE) as leader:
        assert leader.stdout is not None
        leader.stdout.readline()
        assert 40_000_000 < resident(leader.pid) < 80_000_000
        assert is_larger(leader.pid, 80_000_000)
        assert not is_larger(leader.pid, 125_000_000)
        end_group(leader.pid)
        # The pipe ends once the last of them is gone.
        assert leader.stdout.read() == b""
    assert resident(leader.pid) == 0
    end_group(leader.pid)
    end_group(None)

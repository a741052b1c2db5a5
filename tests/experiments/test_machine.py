"""What a run had to work with, and how much of it was used."""

import os
import stat
import time
from pathlib import Path

import pytest

from heptad.experiments import machine
from heptad.experiments.machine import Usage, find_hardware


def test_the_machine_is_described():
    """Processor and memory; GPUs where there are any."""
    found = find_hardware()
    assert found.memory_mb > 100
    assert isinstance(found.processor, str)


def test_use_is_measured_since_the_last_time():
    """Time of the processors, memory, bytes from and to disks."""
    usage = Usage()
    sum(range(2_000_000))
    found = usage.sample()
    assert found["system.cpu_percent"] > 0
    assert found["system.memory_mb"] > 1
    assert 0 < found["system.machine_memory_percent"] < 100
    assert all(name.startswith("system.") for name in found)


def test_of_an_instant_nobody_knows_how_busy_the_machine_was():
    """The system counts hundredths of seconds: a run of a few thousandths would read 0% or 500%."""
    usage = Usage()
    assert "system.machine_cpu_percent" not in usage.sample()
    time.sleep(machine.SHORTEST)
    assert 0 <= usage.sample()["system.machine_cpu_percent"] <= 110 * (os.cpu_count() or 1)


def test_gpus_are_asked_through_their_tool(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """What a card does not measure is left out."""
    tool = tmp_path / "nvidia-smi"
    tool.write_text("#!/bin/sh\necho '37, 1024, 81559, [N/A], 41'\n")
    tool.chmod(tool.stat().st_mode | stat.S_IXUSR)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    found = Usage().sample()
    assert found["system.gpu0.percent"] == 37
    assert found["system.gpu0.memory_mb"] == 1024
    assert found["system.gpu0.temperature_c"] == 41
    assert "system.gpu0.power_w" not in found


def test_a_system_without_proc_tells_less(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """And nothing fails."""
    monkeypatch.setattr(machine, "_PROC", tmp_path)
    assert "system.cpu_percent" in Usage().sample()
    assert find_hardware().memory_mb > 100

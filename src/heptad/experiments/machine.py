"""The machine that a run uses: what it is, and how busy it is meanwhile."""

import os
import platform
import resource
import shutil
import subprocess
import time
from pathlib import Path

import msgspec

_PROC = Path("/proc")
_GPU_FIELDS = "utilization.gpu,memory.used,memory.total,power.draw,temperature.gpu"
_GPU_SECONDS = 5
SHORTEST = 0.5
"""Seconds of which the system's count of hundredths tells how busy the machine was."""


class Hardware(msgspec.Struct, frozen=True, kw_only=True):
    """What a run had to work with."""

    processor: str = ""
    memory_mb: int = 0
    gpus: list[str] = []


def find_hardware() -> Hardware:
    """What can be found out without rights; empty where the system does not tell."""
    lines = _lines(_PROC / "cpuinfo")
    model = next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), "")
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") >> 20
    gpus = [line.strip() for line in _ask_gpus("name,memory.total,driver_version")]
    return Hardware(processor=model or platform.processor(), memory_mb=memory, gpus=gpus)


class Usage:
    """How much of the machine this process, its children and its GPUs use, since the last time it was asked.

    `cpu_percent` counts 100 for each core; `memory_mb` is resident; `read_mb` and `write_mb` are what went to and
    from disks since the beginning. Those of the system count everybody.
    """

    def __init__(self) -> None:
        self._at, self._cpu, self._busy = time.monotonic(), _cpu_seconds(), _busy_seconds()
        self._has_gpus = shutil.which("nvidia-smi") is not None

    def sample(self) -> dict[str, float]:
        now, cpu, busy = time.monotonic(), _cpu_seconds(), _busy_seconds()
        passed = max(now - self._at, 1e-6)
        found = {"system.cpu_percent": 100 * (cpu - self._cpu) / passed}
        if busy is not None and self._busy is not None and passed >= SHORTEST:
            found["system.machine_cpu_percent"] = 100 * (busy - self._busy) / passed
        self._at, self._cpu, self._busy = now, cpu, busy
        found |= _memory() | _disk()
        if self._has_gpus:
            found |= _gpus()
        return found


def _cpu_seconds() -> float:
    own, children = resource.getrusage(resource.RUSAGE_SELF), resource.getrusage(resource.RUSAGE_CHILDREN)
    return own.ru_utime + own.ru_stime + children.ru_utime + children.ru_stime


def _busy_seconds() -> float | None:
    """Seconds that all cores together have not been idle; `None` where the system does not tell."""
    lines = _lines(_PROC / "stat")
    if not lines or not lines[0].startswith("cpu "):
        return None
    user, nice, system, _, _, interrupts, soft = map(int, lines[0].split()[1:8])
    return (user + nice + system + interrupts + soft) / os.sysconf("SC_CLK_TCK")


def _memory() -> dict[str, float]:
    found = {}
    sizes = _named_numbers(_lines(_PROC / "self" / "status"))
    if "VmRSS" in sizes:
        found["system.memory_mb"] = sizes["VmRSS"] / 1024
    machine = _named_numbers(_lines(_PROC / "meminfo"))
    if "MemAvailable" in machine:
        found["system.machine_memory_percent"] = 100 * (1 - machine["MemAvailable"] / machine["MemTotal"])
    return found


def _disk() -> dict[str, float]:
    counted = _named_numbers(_lines(_PROC / "self" / "io"))
    names = {"read_bytes": "system.read_mb", "write_bytes": "system.write_mb"}
    return {names[name]: counted[name] / 2**20 for name in names if name in counted}


def _gpus() -> dict[str, float]:
    found = {}
    names = ("percent", "memory_mb", "memory_total_mb", "power_w", "temperature_c")
    for number, line in enumerate(_ask_gpus(_GPU_FIELDS)):
        for name, value in zip(names, line.split(","), strict=False):
            try:
                found[f"system.gpu{number}.{name}"] = float(value)
            except ValueError:
                # "[N/A]": this card does not measure it.
                continue
    return found


def _ask_gpus(fields: str) -> list[str]:
    """A line for each GPU of NVIDIA; none where there is none, or no answer in five seconds."""
    try:
        done = subprocess.run(  # noqa: S603 - fixed arguments, no shell
            ["nvidia-smi", f"--query-gpu={fields}", "--format=csv,noheader,nounits"],  # noqa: S607 - wherever it is
            capture_output=True,
            timeout=_GPU_SECONDS,
            check=False,
            text=True,
        )
    except (OSError, subprocess.TimeoutExpired):
        return []
    return done.stdout.splitlines() if done.returncode == 0 else []


def _named_numbers(lines: list[str]) -> dict[str, int]:
    """`name: 123 kB` as name and number."""
    parts = (line.partition(":") for line in lines)
    return {name: int(value.split()[0]) for name, _, value in parts if value.split() and value.split()[0].isdigit()}


def _lines(path: Path) -> list[str]:
    try:
        return path.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return []

"""How much memory a process has needed, as the kernel counted it."""

import os
from pathlib import Path


def peak_rss_mb(pid: int | None = None) -> float:
    """The largest resident size of a process so far, in MiB (default: this one); 0 where it cannot be read."""
    path = Path(f"/proc/{pid or os.getpid()}/status")
    try:
        lines = path.read_text(encoding="ascii", errors="replace").splitlines()
    except OSError:
        return 0.0
    return next((int(line.split()[1]) / 1024 for line in lines if line.startswith("VmHWM:")), 0.0)

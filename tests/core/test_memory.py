"""Memory: the kernel's own count of what a process has needed."""

import platform
import subprocess
import sys

from heptad.core.memory import peak_rss_mb, return_freed_memory


def test_the_peak_grows_with_what_was_used() -> None:
    """A process that holds 100 MB has a peak of at least that."""
    code = "from heptad.core.memory import peak_rss_mb; held = b'1' * 100_000_000; print(peak_rss_mb())"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert float(done.stdout) > 95


def test_a_process_that_is_gone_counts_nothing() -> None:
    """Asking for a process that does not exist is no error."""
    assert peak_rss_mb(2**30) == 0
    assert peak_rss_mb() > 0


def test_the_c_library_can_be_told_to_give_memory_back() -> None:
    """On Linux with glibc it takes the settings; anywhere else nothing happens."""
    assert return_freed_memory() in {True, False}
    if "glibc" in platform.libc_ver():
        assert return_freed_memory()

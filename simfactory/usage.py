"""What a process and the machine's GPU use, from the kernel's files and NVIDIA's library."""

import os
import time
from pathlib import Path
from typing import Any

__all__ = ["Usage"]

TICKS = os.sysconf("SC_CLK_TCK")
PAGE = os.sysconf("SC_PAGE_SIZE")


class Usage:
    """What a process uses.

    Args:
        pid: The process.
    """

    def __init__(self, pid: int) -> None:
        self._folder = Path("/proc", str(pid))
        self._before = self._sample()
        self._gpu = _gpu()

    def now(self) -> dict[str, object]:
        """Return `memory_bytes`, `cpu_percent` since the last call, and `gpu`; what is unknown is absent."""
        sample, before = self._sample(), self._before
        if sample is None or before is None:
            return {}
        self._before = sample
        elapsed = max(sample[0] - before[0], 1e-3)
        found: dict[str, object] = {
            "memory_bytes": sample[2],
            "cpu_percent": round(100.0 * (sample[1] - before[1]) / elapsed, 1),
        }
        if self._gpu is not None:
            found["gpu"] = self._gpu()
        return found

    def _sample(self) -> tuple[float, float, int] | None:
        try:
            fields = (self._folder / "stat").read_text().rpartition(")")[2].split()
            pages = int((self._folder / "statm").read_text().split()[1])
        except (FileNotFoundError, ProcessLookupError):
            return None
        return time.monotonic(), (int(fields[11]) + int(fields[12])) / TICKS, pages * PAGE


def _gpu() -> Any:  # Any: a function or None; NVIDIA's library has no types
    """Return what tells the use of the first GPU; None where there is no driver."""
    try:
        import pynvml

        pynvml.nvmlInit()
        device = pynvml.nvmlDeviceGetHandleByIndex(0)
    except Exception:  # noqa: BLE001  # not installed, no driver, no device: no figure then, never a zero
        return None

    def now() -> dict[str, float]:
        rates, memory = pynvml.nvmlDeviceGetUtilizationRates(device), pynvml.nvmlDeviceGetMemoryInfo(device)
        return {"percent": float(rates.gpu), "memory_bytes": float(memory.used), "memory_total": float(memory.total)}

    return now

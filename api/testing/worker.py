"""A worker with a planted fault: `python -m api.testing.worker FAULT VALUE`; otherwise it is the real one.

hold SECONDS    the first episode holds the interpreter's lock so long, as a long call into C does
poison INDEX    the episode of this number kills the worker that begins it
clock SECONDS   the wall clock jumps to and fro by so much
"""

import ctypes
import os
import signal
import sys
import time
from collections.abc import Callable, Iterator
from typing import Any

from simfactory.spec import SceneSpec
from simfactory.worker import Worker, WorkerOptions

__all__ = ["main"]


def _hold(seconds: float) -> Callable[[SceneSpec], None]:
    left = [seconds]

    def hold(spec: SceneSpec) -> None:
        if left:
            ctypes.PyDLL(None).usleep(int(1e6 * left.pop()))  # a PyDLL keeps the lock

    return hold


def _poison(index: float) -> Callable[[SceneSpec], None]:
    def die(spec: SceneSpec) -> None:
        if spec.index == int(index):
            os.kill(os.getpid(), signal.SIGKILL)

    return die


def _jump(seconds: float) -> Callable[[SceneSpec], None]:
    real, jumps = time.time, [0]

    def jumped() -> float:
        return real() + (seconds if jumps[0] % 2 else -seconds)

    time.time = jumped

    def jump(spec: SceneSpec) -> None:
        jumps[0] += 1

    return jump


FAULTS = {"hold": _hold, "poison": _poison, "clock": _jump}


class _Faulty(Worker):
    """A worker that does something bad at each episode it begins."""

    def __init__(self, options: WorkerOptions, fault: Callable[[SceneSpec], None]) -> None:
        super().__init__(options)
        self._fault = fault

    def _units(self, *given: Any, **named: Any) -> Iterator[Any]:  # Any: those of Worker
        for each, unit, specs in super()._units(*given, **named):
            for spec in specs:
                self._fault(spec)
            yield each, unit, specs


def main(kind: str, value: str) -> int:
    """Work until told to stop."""
    options = WorkerOptions(
        redis=os.environ["REDIS_URL"],
        data=os.environ["SIMFACTORY_DATA"],
        lease=float(os.environ["SIMFACTORY_LEASE"]),
    )
    worker = _Faulty(options, FAULTS[kind](float(value)))
    signal.signal(signal.SIGTERM, lambda *_: worker.stop())
    return worker.run_to_end()


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))

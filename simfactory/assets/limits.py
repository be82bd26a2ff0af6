"""How large mesh and image files may be, and the limited process in which files of strangers are read."""

import json
import os
import resource
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from simfactory.errors import AssetError

__all__ = ["MESH_FORMATS", "confine", "report", "run_confined"]

MESH_FORMATS = ("obj", "stl", "ply", "glb")
BYTES_MAX = 256 * 2**20
TRIANGLES_MAX = 1_000_000
EXTENT_RANGE = (1e-6, 1e6)  # [file units]

MEMORY_MAX = 6 * 2**30  # [byte] of address space
SECONDS_MAX = 120  # of processor time to read a file; of wall time five times as many are allowed
OUTPUT_MAX = 512 * 2**20  # [byte] per written file
FILES_MAX = 64
ANSWER_MAX = 65_536  # [byte]


def confine(*, seconds: int = SECONDS_MAX) -> None:
    """Limit this process: memory, processor time [s], size and number of files, no core dump.

    Called by the child before it touches the file. A limit cannot be raised again by an unprivileged process.
    """
    for kind, limit in (
        (resource.RLIMIT_AS, MEMORY_MAX),
        (resource.RLIMIT_CPU, seconds),
        (resource.RLIMIT_FSIZE, OUTPUT_MAX),
        (resource.RLIMIT_NOFILE, FILES_MAX),
        (resource.RLIMIT_CORE, 0),
    ):
        hard = resource.getrlimit(kind)[1]
        allowed = limit if hard == resource.RLIM_INFINITY else min(limit, hard)
        resource.setrlimit(kind, (allowed, allowed))


def report(work: Callable[[], dict[str, object]]) -> None:
    """Run the child's work and print one line of JSON: what it returns, or `{"error": message}`."""
    try:
        answer = work()
    except AssetError as error:
        answer = {"error": str(error)}
    except MemoryError:
        answer = {"error": f"more than {MEMORY_MAX / 2**30:.0f} GiB of memory are needed"}
    except RecursionError:
        answer = {"error": "its structure is nested too deeply"}
    except Exception as error:  # noqa: BLE001 - readers of four formats raise whatever they like on broken bytes
        answer = {"error": f"{type(error).__name__}: {error}"[:300]}
    sys.stdout.write(json.dumps(answer))


def run_confined(
    module: str, *arguments: str, label: str, folder: Path, seconds: int = SECONDS_MAX
) -> dict[str, object]:
    """Run a module of ours as a limited child process and return its answer.

    Args:
        module: Name of the module; it calls `confine` and `report`.
        arguments: Its arguments.
        label: Name of the file, for messages.
        folder: An empty folder in which it works and leaves its results.
        seconds: Processor time that it allows itself [s].

    Raises:
        AssetError: The child refused the file, crashed on it or ran into a limit.
    """
    paths = os.pathsep.join(path for path in sys.path if path)
    threads = dict.fromkeys(("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"), "1")
    try:
        done = subprocess.run(
            [sys.executable, "-m", module, *arguments],
            cwd=folder,
            env={"PATH": os.environ.get("PATH", ""), "PYTHONPATH": paths, "PYTHONSAFEPATH": "1", **threads},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=5 * seconds,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise AssetError(f"{label} was not read within {5 * seconds} s: simplify it") from error
    if done.returncode != 0 or not done.stdout:
        last = done.stderr.decode(errors="replace").strip().splitlines()[-1:]
        raise AssetError(
            f"{label} cannot be read within {MEMORY_MAX / 2**30:.0f} GiB of memory and {seconds} s: its reader "
            f"ended with {done.returncode}{': ' + last[0][:200] if last else ''}; simplify it"
        )
    answer = json.loads(done.stdout[:ANSWER_MAX])
    if "error" in answer:
        raise AssetError(f"{label}: {answer['error']}")
    return dict(answer)

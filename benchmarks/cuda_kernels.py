"""Compiles all kernels for an NVIDIA GPU, on any machine: no GPU and no driver are needed.

    python benchmarks/cuda_kernels.py                      (minutes: the path tracer alone takes one or two)
    python benchmarks/cuda_kernels.py --architecture 89
    python benchmarks/cuda_kernels.py --deterministic      (of those that add up, in the mode that adds in order)

Warp brings NVIDIA's runtime compiler with it. What that refuses would fail when a GPU first runs it. Figures are
stored in `benchmarks/results/cuda_kernels.json`: seconds and size of the machine code by module, in both modes.
"""

import argparse
import json
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from generate import machine

from simfactory.launches import add_in_order, scattering
from simfactory.testing.cuda import compile_for_gpu, kernel_modules

RESULTS = Path(__file__).parent / "results" / "cuda_kernels.json"


def main() -> None:
    """Compile, print and store."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--architecture", type=int, default=90, help="compute capability times ten; default: Hopper")
    parser.add_argument("--deterministic", action="store_true")
    options = parser.parse_args()
    modules: dict[str, dict[str, float]] = {}
    names: Sequence[str] = kernel_modules()
    if options.deterministic:
        names = scattering()
        add_in_order()
    with tempfile.TemporaryDirectory() as folder:
        for name in names:
            begin = time.process_time()
            size = compile_for_gpu(name, Path(folder), architecture=options.architecture)
            modules[name] = {"cpu_s": round(time.process_time() - begin, 1), "bytes": size}
            print(f"{name}: {modules[name]['cpu_s']} CPU-s, {size} B", flush=True)
    report = json.loads(RESULTS.read_text()) if RESULTS.exists() else {}
    mode = "in_order" if options.deterministic else "modules"
    report |= {"architecture": options.architecture, "machine": machine(), mode: modules}
    RESULTS.write_text(json.dumps(report, indent=1) + "\n")


if __name__ == "__main__":
    main()

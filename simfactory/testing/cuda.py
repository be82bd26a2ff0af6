"""Compiles kernels for a GPU without one: what the compiler for CUDA refuses is found on any machine."""

import importlib
import pkgutil
from pathlib import Path

import simfactory

__all__ = ["compile_for_gpu", "kernel_modules"]

APART = "simfactory.testing"


def kernel_modules() -> list[str]:
    """Return the names of all of the project's modules that define kernels; imports every module."""
    import warp as wp

    found = []
    for info in pkgutil.walk_packages(simfactory.__path__, "simfactory."):
        if info.name.startswith(APART):
            continue
        module = importlib.import_module(info.name)
        kernels = [value for value in vars(module).values() if isinstance(value, wp.Kernel)]
        if any(kernel.module.name == info.name for kernel in kernels):  # not only imported
            found.append(info.name)
    return found


def compile_for_gpu(module: str, folder: Path, *, architecture: int = 90) -> int:
    """Compile a module's kernels into machine code for a GPU, as they are launched there; return its size [B].

    Args:
        module: Name of an importable module.
        folder: Where the code goes.
        architecture: Compute capability times ten, e.g. 90 for Hopper, 89 for Ada.

    Raises:
        RuntimeError: The compiler for CUDA refuses a kernel.
    """
    import warp as wp

    try:
        made = wp.compile_aot_module(
            importlib.import_module(module), arch=architecture, module_dir=folder, use_ptx=False
        )
    except Exception as error:  # Warp raises this very class
        raise RuntimeError(f"{module} does not compile for compute capability {architecture / 10}: {error}") from error
    return sum(path.stat().st_size for path in made)

"""Kernels compile for a GPU, also where there is none. All of them: `benchmarks/cuda_kernels.py`."""

import importlib
import inspect
import subprocess
import sys
from types import SimpleNamespace

import pytest
import warp as wp

from simfactory import launches
from simfactory.testing.cuda import compile_for_gpu, kernel_modules

SAMPLE = (
    "simfactory.rendering.kernels.surface",
    "simfactory.rendering.kernels.motion",
    "simfactory.simulators.newton.impacts.kernels",
    "simfactory.simulators.newton.descent.kernels.nodes",
    "simfactory.simulators.newton.liquid.kernels.transfer",
    "simfactory.surfacing.kernels",
)


@pytest.mark.parametrize("name", SAMPLE)
def test_kernels_compile_for_a_gpu(name, tmp_path):
    assert compile_for_gpu(name, tmp_path) > 1000


def test_every_module_with_kernels_is_found():
    assert set(SAMPLE) < set(kernel_modules())


def test_what_the_compiler_refuses_is_an_error(tmp_path, monkeypatch):
    broken = tmp_path / "broken_kernels.py"
    broken.write_text(
        "import warp as wp\n"
        '@wp.func_native("return no_such_function(x);")\n'
        "def broken(x: float) -> float: ...\n"
        "@wp.kernel\n"
        "def spoil(out: wp.array(dtype=float)):\n"
        "    out[wp.tid()] = broken(1.0)\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(RuntimeError, match=r"broken_kernels does not compile for compute capability 9\.0"):
        compile_for_gpu("broken_kernels", tmp_path)


# Sums of integers and extremes do not depend on the order; these modules have no others, or sort what they list.
ORDERLESS = {
    "simfactory.rendering.kernels.image",
    "simfactory.rendering.kernels.pack",
    "simfactory.simulators.newton.forces.loose.kernels",
    "simfactory.simulators.newton.grip.kernels",
    "simfactory.simulators.newton.impacts.kernels",
}


def test_modules_that_add_up_from_many_threads_say_so():
    adding = {name for name in kernel_modules() if "wp.atomic_" in inspect.getsource(importlib.import_module(name))}
    assert adding == ORDERLESS | set(launches.scattering())


# In a process of its own: what adds in order does so for good.
ORDERED = """
import sys
from pathlib import Path
from simfactory import launches
from simfactory.testing.cuda import compile_for_gpu
launches.add_in_order()
import simfactory.simulators.newton.liquid.kernels.pressure, simfactory.simulators.newton.descent.kernels.meeting
assert len(launches.scattering()) >= 2
for name in launches.scattering():
    compile_for_gpu(name, Path(sys.argv[1]))
"""


def test_sums_in_order_compile_for_a_gpu(tmp_path):
    subprocess.run([sys.executable, "-c", ORDERED, str(tmp_path)], check=True, timeout=300)
    sources = [path.read_text() for path in tmp_path.glob("*.cu")]
    assert len(sources) >= 2
    assert all("det_ctx{" in source for source in sources)  # Warp's name for what collects


def test_nothing_is_recorded_where_sums_are_ordered(monkeypatch):
    monkeypatch.setattr(launches, "adds_in_order", lambda: True)
    work = list
    assert launches.recorded(work, SimpleNamespace(is_cuda=True)) is work
    calls = []
    replay = launches.recorded(lambda: calls.append(1), wp.get_device("cpu"))
    assert (calls, replay) != ([], work)  # a CPU adds in one order anyway

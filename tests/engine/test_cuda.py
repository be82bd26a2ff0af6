"""Kernels compile for a GPU, also where there is none. All of them: `benchmarks/cuda_kernels.py`."""

import pytest

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

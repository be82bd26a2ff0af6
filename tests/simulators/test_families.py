"""Solver families: each scene finds its own, and a process imports no others."""

import subprocess
import sys
from collections.abc import Callable

import pytest

from simfactory.errors import SpecError
from simfactory.simulators.newton.steps import steps_for
from simfactory.spec import SceneSpec
from simfactory.testing.specs import make_granular_spec, make_rope_spec, make_soft_spec, make_spec

UNUSED = ("descent", "ropes", "sand")
LOAD = f"""
import sys
from simfactory.simulators import create_simulator
from simfactory.testing.specs import make_spec
simulator = create_simulator("newton")
simulator.load([make_spec()])
imported = [name for name in {UNUSED} if f"simfactory.simulators.newton.{{name}}" in sys.modules]
print(",".join(imported) or "none")
"""


@pytest.mark.parametrize(
    ("make", "family"),
    [
        (make_spec, "StepsRigid"),
        (make_soft_spec, "StepsSoft"),
        (make_rope_spec, "StepsRope"),
        (make_granular_spec, "StepsGranular"),
    ],
)
def test_a_scene_finds_its_family(make: Callable[[], SceneSpec], family: str) -> None:
    assert steps_for(make()).__name__ == family


def test_a_mixture_that_no_family_moves_is_refused() -> None:
    spec = make_spec()
    mixed = spec.model_copy(update={"bodies": (*make_rope_spec().bodies, *make_soft_spec().bodies)})
    with pytest.raises(SpecError, match="cannot be simulated in one scene"):
        steps_for(mixed)


def test_rigid_scenes_import_no_other_solver() -> None:
    done = subprocess.run([sys.executable, "-c", LOAD], capture_output=True, text=True, check=True)
    assert done.stdout.strip().splitlines()[-1] == "none"

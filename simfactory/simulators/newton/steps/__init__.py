"""Solver families: one module a family, discovered; a scene takes the cheapest that moves all its bodies."""

import importlib
import pkgutil
from functools import cache

from simfactory.errors import SpecError
from simfactory.simulators.newton.steps.base import Steps
from simfactory.spec import SceneSpec

__all__ = ["Steps", "steps_for"]


@cache
def _families() -> tuple[type[Steps], ...]:
    modules = [importlib.import_module(f"{__name__}.{module.name}") for module in pkgutil.iter_modules(__path__)]
    found = [module.STEPS for module in modules if hasattr(module, "STEPS")]
    return tuple(sorted(found, key=lambda family: family.cost))


def steps_for(spec: SceneSpec) -> type[Steps]:
    """Return the solver family of a scene.

    Raises:
        SpecError: No family moves all its bodies, or holds its joints.
    """
    kinds = {body.kind for body in spec.bodies}
    for family in _families():
        if kinds <= family.kinds and (family.has_joints or not spec.joints):
            return family
    if spec.joints and any(kinds <= family.kinds for family in _families()):
        raise SpecError(
            f"newton holds no joints in scenes with bodies of kinds {', '.join(sorted(kinds))}; allowed are joints "
            "among rigid bodies alone: take the joints or the other bodies away"
        )
    together = "; ".join(", ".join(sorted(family.kinds)) for family in _families())
    raise SpecError(
        f"bodies of kinds {', '.join(sorted(kinds))} cannot be simulated in one scene by newton; allowed together "
        f"are: {together}; put them into scenes of their own"
    )

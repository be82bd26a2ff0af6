"""The benchmark family: the scenes of Physics-IQ's test, rebuilt; never sampled, never trained on.

Names follow the forty scenes that Phys4D released, which are those of Physics-IQ; what happens is ours, from what the
names say. One module holds scenes of one sort in its `SCENARIOS`, discovered.

Source: S. Motamed et al., "Do generative video models understand physical principles?" (2025).
"""

import importlib
import pkgutil
from functools import cache

from scenes.benchmark.recording import SECONDS, SWITCH, VIEWS, recorded
from scenes.benchmark.scenario import Scenario
from simfactory.errors import SpecError

__all__ = ["SECONDS", "SWITCH", "VIEWS", "Scenario", "find_scenario", "recorded", "scenarios"]

_TOOLS = {"ramps", "recording", "scenario"}


@cache
def scenarios() -> dict[str, Scenario]:
    """Return all benchmark scenes by name."""
    found: dict[str, Scenario] = {}
    for module in pkgutil.iter_modules(__path__):
        if module.name not in _TOOLS:
            for one in importlib.import_module(f"{__name__}.{module.name}").SCENARIOS:
                found[one.name] = one
    return dict(sorted(found.items()))


def find_scenario(name: str) -> Scenario:
    """Return a benchmark scene.

    Raises:
        SpecError: There is none of this name.
    """
    if name not in scenarios():
        raise SpecError(f"benchmark scene {name!r} is unknown; allowed are {list(scenarios())}: name one of them")
    return scenarios()[name]

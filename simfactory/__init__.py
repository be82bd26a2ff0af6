"""A simulation data factory: scene specs become simulated, exactly annotated clips in Zarr datasets."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from simfactory.dataset import Clip, Dataset, open_dataset
    from simfactory.rollouts import rollout
    from simfactory.simulation import simulate
    from simfactory.spec import SceneSpec

__all__ = ["Clip", "Dataset", "SceneSpec", "open_dataset", "rollout", "simulate"]

_HOMES = {
    "Clip": "simfactory.dataset",
    "Dataset": "simfactory.dataset",
    "SceneSpec": "simfactory.spec",
    "open_dataset": "simfactory.dataset",
    "rollout": "simfactory.rollouts",
    "simulate": "simfactory.simulation",
}


def __getattr__(name: str) -> object:
    """Import a public name when it is first used, so that `import simfactory` stays light."""
    import importlib

    if name not in _HOMES:
        raise AttributeError(f"module 'simfactory' has no attribute {name!r}; it has {', '.join(__all__)}")
    return getattr(importlib.import_module(_HOMES[name]), name)

"""Who decides what an arm does: the interface of policies, a scripted one, and how an external one is found."""

import importlib
from dataclasses import dataclass
from typing import Literal, Protocol, final, runtime_checkable

from simfactory.actions.base import Action
from simfactory.actions.observation import Observation
from simfactory.errors import SpecError

__all__ = ["Policy", "Script", "WatchfulPolicy", "load_policy"]


@runtime_checkable
class Policy(Protocol):
    """Decides what one environment's arm does next. Whatever it remembers belongs to that environment alone."""

    def act(self, observation: Observation) -> Action | None:
        """Return the next action, None if there is nothing more to do; asked at a frame where the arm is idle."""
        ...


@runtime_checkable
class WatchfulPolicy(Policy, Protocol):
    """A policy that also looks on while the arm acts."""

    def watch(self, observation: Observation, action: Action) -> bool:
        """Return whether to break the action off; asked at every frame while it runs."""
        ...


@final
@dataclass(frozen=True, slots=True)
class Script:
    """A policy that does one action after the other and looks at nothing; several environments may share it.

    Attributes:
        actions: What is done, in order.
        on_failure: Whether to go on with the next action when one has failed, or to stop.
    """

    actions: tuple[Action, ...]
    on_failure: Literal["go_on", "stop"] = "go_on"

    def __init__(self, *actions: Action, on_failure: Literal["go_on", "stop"] = "go_on") -> None:
        object.__setattr__(self, "actions", actions)
        object.__setattr__(self, "on_failure", on_failure)

    def act(self, observation: Observation) -> Action | None:
        """Return the next action."""
        last, done = observation.last, len(observation.history)
        if done >= len(self.actions) or (last and last.status == "failed" and self.on_failure == "stop"):
            return None
        return self.actions[done]


def load_policy(path: str) -> Policy:
    """Return a new policy made by a callable of any Python package that can be imported.

    Args:
        path: `package.module:factory`, where `factory()` returns the policy: a function or a class.

    Raises:
        SpecError: The path is not of this form, the module or the callable does not exist, or what it returns has no
            method `act`. What the module itself raises is passed on.
    """
    module_name, colon, name = path.partition(":")
    if not colon or not module_name or not name:
        raise SpecError(f"policy {path!r} is not of the form 'package.module:factory', e.g. 'my_robot.policies:Tidy'")
    try:
        module = importlib.import_module(module_name)
    except ModuleNotFoundError as error:
        if error.name is None or not f"{module_name}.".startswith(f"{error.name}."):
            raise  # something that the module needs
        raise SpecError(
            f"policy {path!r}: there is no module {error.name!r}; install its package or put its folder on PYTHONPATH"
        ) from error
    factory = getattr(module, name, None)
    if not callable(factory):
        allowed = sorted(key for key, value in vars(module).items() if callable(value) and not key.startswith("_"))
        raise SpecError(f"policy {path!r}: {module_name} has no callable {name!r}; it has {allowed}")
    policy = factory()
    if not isinstance(policy, Policy):
        raise SpecError(
            f"policy {path!r} made a {type(policy).__name__} without a method act(observation): return an object "
            "that has one"
        )
    return policy

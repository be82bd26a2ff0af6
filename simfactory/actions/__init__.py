"""Atomic actions of a robot arm: policies choose them, controllers plan, monitor and turn them into joint commands.

One file an action; what lies in this folder is what there is.
"""

import importlib
import pkgutil
from collections.abc import Mapping
from functools import cache
from types import MappingProxyType

from simfactory.actions.base import Action, Attempt, Status, Verdict
from simfactory.actions.controller import Controller
from simfactory.actions.observation import Observation, Report
from simfactory.actions.policy import Policy, Script, WatchfulPolicy, load_policy

__all__ = [
    "Action",
    "Attempt",
    "Controller",
    "Observation",
    "Policy",
    "Report",
    "Script",
    "Status",
    "Verdict",
    "WatchfulPolicy",
    "action_types",
    "load_policy",
]


@cache
def action_types() -> Mapping[str, type[Action]]:
    """Return the `ACTION` of every module of this folder that has one, by name."""
    modules = (importlib.import_module(f"{__name__}.{module.name}") for module in pkgutil.iter_modules(__path__))
    found = (module.ACTION for module in modules if hasattr(module, "ACTION"))
    return MappingProxyType({action.name: action for action in found})

"""What acts on bodies besides gravity and contact: prescribed motion, pushes, damping, air drag and wind."""

from simfactory.simulators.newton.forces.actions import DRAG_COEFFICIENT, Actions
from simfactory.simulators.newton.forces.node_actions import NodeActions

__all__ = ["DRAG_COEFFICIENT", "Actions", "NodeActions"]

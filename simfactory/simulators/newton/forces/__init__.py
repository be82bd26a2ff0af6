"""What acts on bodies besides gravity and contact: prescribed motion, pushes, damping, air drag and wind."""

from simfactory.simulators.newton.forces.actions import DRAG_COEFFICIENT, Actions
from simfactory.simulators.newton.forces.line_drag import LINE_DRAG_COEFFICIENT, LineDrag
from simfactory.simulators.newton.forces.loose import LooseDrag
from simfactory.simulators.newton.forces.node_actions import NodeActions

__all__ = ["DRAG_COEFFICIENT", "LINE_DRAG_COEFFICIENT", "Actions", "LineDrag", "LooseDrag", "NodeActions"]

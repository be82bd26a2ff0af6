"""Vertex block descent of soft bodies: elements that do not lock, and a better first guess than the library's."""

from simfactory.simulators.newton.descent.cloth import ClothDescent, Sheet
from simfactory.simulators.newton.descent.elements import Solid
from simfactory.simulators.newton.descent.pinch import Pinch
from simfactory.simulators.newton.descent.samples import SHEAR, Samples, color_nodes, strain_samples
from simfactory.simulators.newton.descent.solver import VertexDescent

__all__ = [
    "SHEAR",
    "ClothDescent",
    "Pinch",
    "Samples",
    "Sheet",
    "Solid",
    "VertexDescent",
    "color_nodes",
    "strain_samples",
]

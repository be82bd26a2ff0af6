"""Vertex block descent of soft bodies, with a better first guess than the library's."""

from simfactory.simulators.newton.descent.solver import VertexDescent

__all__ = ["VertexDescent"]

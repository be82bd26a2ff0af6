"""The mock backend: closed-form motion of primitives and vibrating sheets, public and free of physics engines."""

from simfactory.simulators.base import Simulator
from simfactory.simulators.mock.motion import body_mass, body_motion, pose_at, sheet_vertices, vertices_at
from simfactory.simulators.mock.simulator import MockSimulator

__all__ = ["BACKEND", "MockSimulator", "body_mass", "body_motion", "pose_at", "sheet_vertices", "vertices_at"]

BACKEND: type[Simulator] = MockSimulator

"""Joints of rigid bodies: constraints that keep energy, solved among the contacts of a position-based step."""

from simfactory.simulators.newton.linkage.solver import JOINT_KINDS, LinkedSolver

__all__ = ["JOINT_KINDS", "LinkedSolver"]

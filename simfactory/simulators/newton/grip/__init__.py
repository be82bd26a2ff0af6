"""Contacts of robots, solved firmly enough to hold what fingers press on."""

from simfactory.simulators.newton.grip.grip import Grip

__all__ = ["Grip"]

"""Contacts of robots and vessels, solved firmly enough to hold what fingers press on."""

from simfactory.simulators.newton.grip.grip import Grip, has_firm

__all__ = ["Grip", "has_firm"]

"""The air of all environments: mean wind, gusts, plumes and flows, and their velocity at a point on the device."""

from simfactory.simulators.newton.air.kernels import Air, air_at
from simfactory.simulators.newton.air.tables import FLOW_KINDS, build_air

__all__ = ["FLOW_KINDS", "Air", "air_at", "build_air"]

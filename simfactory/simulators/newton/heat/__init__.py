"""Heat in soft bodies: conduction between nodes, exchange with what they touch and with the air, softening and flow."""

from simfactory.simulators.newton.heat.field import HeatField
from simfactory.simulators.newton.heat.mesh import HeatMesh, heat_mesh, heat_rate

__all__ = ["HeatField", "HeatMesh", "heat_mesh", "heat_rate"]

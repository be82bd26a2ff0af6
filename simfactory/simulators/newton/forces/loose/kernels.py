"""What air does to loose particles: drag of those that it meets, stress on those that lie on top."""

import warp as wp

from simfactory.simulators.newton.air.kernels import Air, air_at
from simfactory.simulators.newton.forces.kernels import drag

__all__ = ["NEAR", "TABLE", "blow_on_loose", "find_tops"]

NEAR = wp.constant(2.5)  # [spacing] how far upwind shelter is looked for
BEHIND = wp.constant(0.5)  # [spacing] how far upwind a particle is at least to shelter another
TABLE = wp.constant(512)  # columns along x and y, after which they begin anew
LOWEST = wp.constant(-32.0)  # [m] particles end 20 m from the origin


@wp.func
def column_of(place: wp.vec3, width: float):
    """Return the row of a vertical column in the table of columns."""
    i = int(wp.floor(place[0] / width)) % TABLE
    j = int(wp.floor(place[1] / width)) % TABLE
    return ((i + TABLE) % TABLE) * TABLE + (j + TABLE) % TABLE


@wp.kernel
def find_tops(width: float, positions: wp.array(dtype=wp.vec3), top: wp.array(dtype=wp.float32)):
    """Find the height of the highest particle of each column, above `LOWEST` [m]."""
    place = positions[wp.tid()]
    wp.atomic_max(top, column_of(place, width), place[2] - LOWEST)


@wp.kernel
def blow_on_loose(
    grid: wp.uint64,
    air: Air,
    world: int,
    dt: float,
    width: float,
    top: wp.array(dtype=wp.float32),
    diameter: wp.array(dtype=wp.float32),
    drag_rate: wp.array(dtype=wp.float32),
    stress_rate: wp.array(dtype=wp.float32),
    positions: wp.array(dtype=wp.vec3),
    velocities: wp.array(dtype=wp.vec3),
):
    """Brake one particle against the air: where others upwind leave it free, and along the level where it is on top."""
    p = wp.tid()
    place = positions[p]
    velocity = velocities[p]
    wind = air_at(air, world, place)
    speed = wp.length(wind - velocity)
    if speed < 1.0e-6:
        return
    way = (wind - velocity) / speed
    covered = float(0.0)
    for other in wp.hash_grid_query(grid, place, NEAR * width):
        arm = positions[other] - place
        upwind = -wp.dot(arm, way)
        if other != p and upwind > BEHIND * width and wp.length(arm) < NEAR * width:
            aside = wp.length(arm + upwind * way)
            covered += wp.max(1.0 - aside / diameter[p], 0.0)
    velocity = drag(velocity, wind, drag_rate[p] * dt * wp.max(1.0 - covered, 0.0))
    if place[2] - LOWEST >= top[column_of(place, width)]:
        level = wp.vec3(velocity[0] - wind[0], velocity[1] - wind[1], 0.0)
        velocity += drag(level, wp.vec3(), stress_rate[p] * dt) - level
    velocities[p] = velocity

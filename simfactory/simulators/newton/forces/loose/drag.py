"""Air on grains and liquids: drag of each particle that is not sheltered, and stress on what lies on top."""

import math
from typing import Any

import numpy as np
import warp as wp

from simfactory.simulators.newton.bodies import node_body
from simfactory.simulators.newton.forces.actions import DRAG_COEFFICIENT
from simfactory.simulators.newton.forces.loose.kernels import NEAR, TABLE, blow_on_loose, find_tops
from simfactory.spec import BodyFluid, BodyGranular, SceneSpec

__all__ = ["STRESS_COEFFICIENT", "LooseDrag"]

STRESS_COEFFICIENT = 0.0025  # of wind over water, at 25 m/s
BUCKETS = 64  # of the hash grid, along each axis


class LooseDrag:
    """½ ρ C_d A e |u| u on every particle of the loose bodies of one environment, and ρ C_s s² |u| u on top; u: wind.

    A is the cross-section of the grain, or of the drop of a liquid particle's volume, with the C_d of a ball. The part
    e of it is free: each particle within 2.5 spacings upwind covers as much as its disc overlaps. So a grain in flight
    falls as a ball, a clump as a larger one, and within a heap or a pool the air is still. Of each upright column of
    the width s of a spacing, the highest particle feels the stress of wind along a surface, C_s = 0.0025. Bodies give
    no shelter, and the air is not slowed.

    Source: J. Wu, "Wind-stress coefficients over sea surface from breeze to hurricane", Journal of Geophysical Research
    87 (1982): C_s = (0.8 + 0.065 U s/m) 10⁻³.

    Args:
        spec: The scene.
        world: Its world in the tables of the air.
        air: The air of all worlds.
        device: `cpu` or a CUDA device.
    """

    def __init__(self, spec: SceneSpec, world: int, air: Any, *, device: str) -> None:  # Any: a warp struct
        self._world, self._air, self._device = world, air, device
        self._density = spec.environment.air_density
        loose = [body for body in spec.bodies if isinstance(body, BodyGranular | BodyFluid)]
        self._width = max((body.spacing for body in loose), default=1.0)
        columns: list[np.ndarray[tuple[int, int], np.dtype[np.float64]]] = [np.zeros((0, 3))]
        for body in loose:
            mass = node_body(body).mass
            radius = body.grain_radius if isinstance(body, BodyGranular) else _drop_radius(mass[0], body)
            rate = 0.5 * self._density * DRAG_COEFFICIENT * math.pi * radius**2 / mass
            stress = self._density * STRESS_COEFFICIENT * self._width**2 / mass
            columns.append(np.stack([np.full(len(mass), 2.0 * radius), rate, stress], axis=-1))
        rows = np.concatenate(columns).astype(np.float32)
        self._count = len(rows)
        if self._density == 0.0 or not self._count:
            return
        # Any: Warp has no type information
        self._diameter: Any = wp.array(rows[:, 0].copy(), dtype=wp.float32, device=device)
        # Any: as above
        self._drag: Any = wp.array(rows[:, 1].copy(), dtype=wp.float32, device=device)
        # Any: as above
        self._stress: Any = wp.array(rows[:, 2].copy(), dtype=wp.float32, device=device)
        # Any: as above
        self._top: Any = wp.zeros(TABLE * TABLE, dtype=wp.float32, device=device)
        # Any: as above
        self._grid: Any = wp.HashGrid(BUCKETS, BUCKETS, BUCKETS, device=device)

    def act(self, positions: Any, velocities: Any, dt: float) -> None:  # Any: warp arrays
        """Change the velocities of the particles by what the air does in a step.

        Args:
            positions: `(particle,)` of all loose bodies, in their order [m].
            velocities: `(particle,)` [m/s].
            dt: Length of the step [s].
        """
        if self._density == 0.0 or not self._count:
            return
        self._grid.build(positions, NEAR * self._width)
        self._top.zero_()
        wp.launch(find_tops, dim=self._count, inputs=[self._width, positions], outputs=[self._top], device=self._device)
        wp.launch(
            blow_on_loose,
            dim=self._count,
            inputs=[
                self._grid.id,
                self._air,
                self._world,
                dt,
                self._width,
                self._top,
                self._diameter,
                self._drag,
                self._stress,
                positions,
            ],
            outputs=[velocities],
            device=self._device,
        )


def _drop_radius(mass: float, body: BodyFluid) -> float:
    """Return the radius [m] of the drop that a particle of a liquid is."""
    return float((3.0 * mass / (4.0 * math.pi * body.physical.density)) ** (1.0 / 3.0))

"""Contacts of robots and vessels, taken out of the hands of the position-based solver."""

from typing import Any

import numpy as np
import warp as wp

from simfactory.arms import is_guided
from simfactory.simulators.newton.grip.kernels import TOUCHES, Touch, hold_touches, order_touches, take_touches
from simfactory.simulators.newton.worlds import Worlds
from simfactory.spec import Body, BodyRigid, SceneSpec, Vessel

__all__ = ["Grip", "has_firm"]


def has_firm(spec: SceneSpec) -> bool:
    """Return whether a scene has bodies whose contacts are solved firmly."""
    return (spec.robot is not None and not is_guided(spec)) or any(_is_vessel(body) for body in spec.bodies)


def _is_vessel(body: Body) -> bool:
    return isinstance(body, BodyRigid) and isinstance(body.geometry, Vessel)


class Grip:
    """Solves the contacts of robots and vessels between the sweeps over joints.

    The solver's own contacts bound friction in each iteration by what that iteration presses, so that a held body
    creeps down by some mm/s; and fingers are a hundred times lighter than what they hold, at which corrections of all
    contacts at once converge slowly. Vessels nest with dozens of contacts, whose sum overshoots there.

    Args:
        worlds: The model's environments.
        contacts: The newton Contacts buffer.
        bodies: What the joints' impulses act on (see `linkage.kernels.Bodies`).
        dt: Solver step [s].
    """

    def __init__(self, worlds: Worlds, contacts: Any, bodies: Any, *, dt: float) -> None:  # Any: newton, warp
        model = worlds.model
        self._model, self._contacts, self._bodies, self._dt = model, contacts, bodies, dt
        firm = np.zeros(model.body_count, np.int32)
        for spec, rows in zip(worlds.specs, worlds.body_rows, strict=True):
            names = spec.robot.bodies if spec.robot is not None and not is_guided(spec) else ()
            for body, row in zip(spec.bodies, rows, strict=True):
                if row >= 0 and (body.name in names or _is_vessel(body)):
                    firm[row] = 1
        capacity = int(TOUCHES.val if hasattr(TOUCHES, "val") else TOUCHES)
        count = len(worlds.specs)
        self._is_firm: Any = wp.array(firm, dtype=wp.int32, device=model.device)  # Any: warp arrays, here and below
        self._touches: Any = wp.zeros(contacts.rigid_contact_max, dtype=Touch, device=model.device)  # Any: as above
        self._world_count: Any = wp.zeros(count, dtype=wp.int32, device=model.device)  # Any: as above
        self._world_list: Any = wp.zeros((count, capacity), dtype=wp.int32, device=model.device)  # Any: as above

    def take(self) -> None:
        """Take this step's contacts of robots and vessels over: after contact detection, once the joints have begun."""
        contacts, model = self._contacts, self._model
        self._world_count.zero_()
        wp.launch(
            take_touches,
            dim=contacts.rigid_contact_max,
            inputs=[
                contacts.rigid_contact_count,
                contacts.rigid_contact_point0,
                contacts.rigid_contact_point1,
                contacts.rigid_contact_offset0,
                contacts.rigid_contact_offset1,
                contacts.rigid_contact_normal,
                model.shape_body,
                model.shape_material_mu,
                self._is_firm,
                model.body_world,
                self._bodies,
            ],
            outputs=[
                contacts.rigid_contact_shape0,
                contacts.rigid_contact_shape1,
                self._touches,
                self._world_count,
                self._world_list,
            ],
            device=model.device,
        )
        wp.launch(
            order_touches, dim=len(self._world_count), inputs=[self._world_count, self._world_list], device=model.device
        )

    def hold(self, sweep: int, pose: Any, velocity: Any) -> None:  # Any: warp arrays
        """Sweep over the contacts, there in even sweeps and back in odd ones."""
        wp.launch(
            hold_touches,
            dim=len(self._world_count),
            inputs=[self._world_count, self._world_list, self._bodies, self._dt, sweep],
            outputs=[self._touches, pose, velocity],
            device=self._model.device,
        )

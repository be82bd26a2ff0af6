"""Grippers that hold cloth between their fingers."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import warp as wp

from simfactory.arms import is_guided
from simfactory.episode import FIRST_BODY, Contacts
from simfactory.joints import drive_of
from simfactory.robots import RobotModel, robot_model
from simfactory.simulators.newton.descent.kernels.pinch import POINTS, Gripper, let_slip, pull_pinched, take_hold
from simfactory.spec import BodyCloth, BodyRigid, SceneSpec
from simfactory.tailoring import cut
from simfactory.transforms import quat_from_matrix

__all__ = ["Pinch"]

Array = npt.NDArray[np.float64]

STIFFNESS = 2e4  # [N/m] of all points that a gripper holds: 1 N moves them by 0.05 mm
SLACK = 1e-3  # [m] by which fingers are closed that are farther apart than a layer of cloth is thick
SPACING = 5e-3  # [m] between points at most: a pad is 18 mm wide


class Pinch:
    """Points of cloth that lie between the fingers of grippers when these close, and stay there by friction.

    A finger is as wide as one triangle of cloth, or less, and presses on no node at all where there is none. So what it
    holds are points within triangles: each is tied to the place between the pads where it was by a spring, which
    yields as Coulomb friction does: its force is at most the point's share of 2 μ F, F the force of a finger, and
    beyond that it slips. Points that slip off the pads, and all when the fingers open, are free again. Where no cloth
    is between the fingers as they close, they hold none.

    Args:
        model: A newton Model.
        specs: The scenes of its environments.
        node_rows: By environment: number of a body of nodes → their rows, first and one after the last.
        body_rows: By environment `(body,)`: rows of rigid bodies.
    """

    def __init__(
        self,
        model: Any,  # Any: newton has no type information
        specs: Sequence[SceneSpec],
        *,
        node_rows: Sequence[Mapping[int, tuple[int, int]]],
        body_rows: Sequence[npt.NDArray[np.int64]],
    ) -> None:
        self._model, self._device = model, model.device
        self._specs, self._node_rows = specs, node_rows
        nodes: list[npt.NDArray[np.int64]] = []
        weights: list[Array] = []
        self._grippers: list[Any] = []  # Any: warp structures
        for environment, (spec, rows) in enumerate(zip(specs, node_rows, strict=True)):
            first = sum(len(part) for part in nodes)
            if spec.robot is not None and is_guided(spec):
                for index, (begin, _) in rows.items():
                    body = spec.bodies[index]
                    if isinstance(body, BodyCloth):
                        corners, share = _points(body)
                        nodes.append(begin + corners)
                        weights.append(share)
            last = sum(len(part) for part in nodes)
            self._grippers.append(_gripper(spec, body_rows[environment], first=first, last=last))
        count, room = len(specs), int(POINTS.val if hasattr(POINTS, "val") else POINTS)
        self._nodes = self._array(np.concatenate(nodes).astype(np.int32), wp.vec3i)
        self._weights = self._array(np.concatenate(weights).astype(np.float32), wp.vec3)
        self._table: Any = wp.array(self._grippers, dtype=Gripper, device=self._device)  # Any: a warp array
        self._closed = self._array(np.zeros(count, np.int32), wp.int32)
        self._count = self._array(np.zeros(count, np.int32), wp.int32)
        self._held = self._array(np.zeros((count, room), np.int32), wp.int32)
        # Any: a warp array
        self._anchor: Any = wp.zeros((count, room), dtype=wp.vec3, device=self._device)

    def take(self, state: Any) -> None:  # Any: a newton State
        """Take hold, or let go, by where the fingers are; before a solver step."""
        wp.launch(
            take_hold,
            dim=len(self._grippers),
            inputs=[
                self._table,
                self._nodes,
                self._weights,
                self._model.particle_radius,
                SLACK,
                state.body_q,
                state.particle_q,
            ],
            outputs=[self._closed, self._count, self._held, self._anchor],
            device=self._device,
        )

    def pull(
        self,
        color: int,
        node_color: Any,  # Any: a warp array
        friction: Any,  # Any: as above
        state: Any,  # Any: a newton State
        force: Any,  # Any: a warp array
        hessian: Any,  # Any: as above
    ) -> None:
        """Add forces and Hessians of what is held to the nodes of one colour."""
        wp.launch(
            pull_pinched,
            dim=len(self._grippers),
            inputs=[
                color,
                STIFFNESS,
                node_color,
                self._table,
                self._nodes,
                self._weights,
                friction,
                self._count,
                self._held,
                self._anchor,
                state.body_q,
                state.particle_q,
            ],
            outputs=[force, hessian],
            device=self._device,
        )

    def slip(self, friction: Any, state: Any) -> None:  # Any: a warp array, a newton State
        """Let slip what is pulled at too hard; after a solver step."""
        wp.launch(
            let_slip,
            dim=len(self._grippers),
            inputs=[
                STIFFNESS,
                SLACK,
                self._model.particle_radius,
                self._table,
                self._nodes,
                self._weights,
                friction,
                state.body_q,
                state.particle_q,
            ],
            outputs=[self._count, self._held, self._anchor],
            device=self._device,
        )

    def forget(self, environment: int) -> None:
        """Let go of everything in an environment."""
        self._closed[environment : environment + 1].zero_()
        self._count[environment : environment + 1].zero_()

    def read_contacts(self, nodes: npt.NDArray[np.float32]) -> list[Contacts]:
        """Return the contacts of fingers and the cloth that they hold, by environment: one a finger and cloth.

        Args:
            nodes: `(row, 3)` positions of all nodes [m].
        """
        counts, held = self._count.numpy(), self._held.numpy()
        corners, weights = self._nodes.numpy(), self._weights.numpy().astype(np.float64)
        result = []
        for spec, rows, count, samples in zip(self._specs, self._node_rows, counts, held, strict=True):
            found: list[tuple[int, int, Array]] = []
            for index, (begin, end) in rows.items():
                own = [k for k in samples[:count].tolist() if begin <= corners[k][0] < end]
                if not own or spec.robot is None:
                    continue
                places = np.einsum("sc,scx->sx", weights[own], nodes[corners[own]].astype(np.float64))
                names = [body.name for body in spec.bodies]
                for finger in spec.robot.bodies[-2:]:
                    pair = sorted((FIRST_BODY + names.index(finger), FIRST_BODY + index))
                    found.append((pair[0], pair[1], places.mean(axis=0)))
            result.append(_contacts(found))
        return result

    def _array(self, values: Any, dtype: Any) -> Any:  # Any: warp arrays and types
        return wp.array(values, dtype=dtype, device=self._device)


def _contacts(found: list[tuple[int, int, Array]]) -> Contacts:
    """Return contacts without a direction: pads press from both sides."""
    if not found:
        return Contacts.none()
    return Contacts(
        a=np.array([a for a, _, _ in found], np.uint16),
        b=np.array([b for _, b, _ in found], np.uint16),
        point=np.array([place for _, _, place in found], np.float32),
        normal=np.tile(np.array([0.0, 0.0, 1.0], np.float32), (len(found), 1)),
        impulse=np.full(len(found), np.nan, np.float32),
    )


def _points(body: BodyCloth) -> tuple[npt.NDArray[np.int64], Array]:
    """Return points of a cloth: the nodes `(point, 3)` of their triangles and their weights `(point, 3)`.

    Each triangle is divided into n² alike; the points are their middles.
    """
    mesh = cut(body.geometry, body.resolution)
    corners = mesh.vertices[mesh.triangles]
    longest = float(np.linalg.norm(corners - np.roll(corners, 1, axis=1), axis=-1).max())
    n = max(1, int(np.ceil(longest / SPACING)))
    upright = [((3 * i + 1) / (3 * n), (3 * j + 1) / (3 * n)) for i in range(n) for j in range(n - i)]
    turned = [((3 * i + 2) / (3 * n), (3 * j + 2) / (3 * n)) for i in range(n - 1) for j in range(n - 1 - i)]
    pairs = np.array(upright + turned)
    weights = np.column_stack([1.0 - pairs.sum(axis=1), pairs])
    nodes = np.repeat(mesh.triangles.astype(np.int64), len(weights), axis=0)
    return nodes, np.tile(weights, (len(mesh.triangles), 1))


# Any: a warp structure
def _gripper(spec: SceneSpec, rows: npt.NDArray[np.int64], *, first: int, last: int) -> Any:
    """Return the gripper of a scene as kernels read it."""
    gripper: Any = Gripper()  # Any: a warp structure
    gripper.hand = gripper.left = gripper.right = -1
    if spec.robot is None or last == first:
        return gripper
    model, names = robot_model(spec.robot.model), [body.name for body in spec.bodies]
    arm = len(model.arm)
    parts = [names.index(name) for name in spec.robot.bodies[arm:]]
    gripper.hand, gripper.left, gripper.right = (int(rows[part]) for part in parts)
    turn = quat_from_matrix(model.tool[:3, :3])
    gripper.tool = wp.transform(wp.vec3(*(model.tool[:3, 3] - model.arm[-1].center)), wp.quat(*turn))
    low, high, gripper.shut = _pads(model)
    gripper.low, gripper.high = wp.vec3(*low), wp.vec3(*high)
    finger = spec.bodies[parts[1]]
    assert isinstance(finger, BodyRigid)
    gripper.friction = finger.physical.dynamic_friction
    drives = [drive_of(joint) for joint in spec.joints if joint.name in spec.robot.joints[arm:]]
    gripper.press = min((drive.strength for drive in drives if drive is not None), default=0.0)
    gripper.first, gripper.last = first, last
    return gripper


def _pads(model: RobotModel) -> tuple[Array, Array, float]:
    """Return the corners of the box of closed pads, tool frame [m], and how far apart the fingers' centres then are."""
    back, boxes, centers = np.linalg.inv(model.tool), [], []
    for part in model.fingers:
        frame = back @ part.origin
        centers.append(frame[:3, :3] @ part.center + frame[:3, 3])
        for vertices, _ in part.hulls:
            placed = (vertices + part.center) @ frame[:3, :3].T + frame[:3, 3]
            if placed[:, 2].min() < 0.0 < placed[:, 2].max():
                boxes.append(placed)
    corners = np.concatenate(boxes)
    return corners.min(axis=0), corners.max(axis=0), float(abs(centers[0][1] - centers[1][1]))

"""How deep bodies are inside the ground, walls and each other."""

from collections.abc import Sequence, Set
from dataclasses import dataclass
from functools import partial

import numpy as np
import numpy.typing as npt

from simfactory.collision import body_parts
from simfactory.episode import Surface, Trajectory
from simfactory.joints import overlapping
from simfactory.meshes import TriangleMesh
from simfactory.separation import TOLERANCE, separation
from simfactory.spec import BodyCloth, BodyRigid, BodyRope, SceneSpec
from simfactory.transforms import quat_to_matrix

__all__ = ["Depth", "deepest", "penetration"]

FRAME_LIMIT = 24  # frames looked at for pairs of bodies
DIRECTION_COUNT = 64  # for round bodies, which have a face normal in almost every direction
SUPPORT_COUNT = 256  # directions whose extreme vertices stand for a mesh
SEARCH_STEPS = 8  # for the direction of least overlap
CONVEX = 1e-3  # of the size: vertices may stand this far outside a face of a convex mesh

Float64 = npt.NDArray[np.float64]


@dataclass(frozen=True, kw_only=True, slots=True)
class _Solid:
    """A rigid body's shape or one convex part of it, local frame.

    Attributes:
        body: Index of the body.
        dynamic: Whether it reacts.
        convex: Whether it is convex; others take no part in tests between bodies.
        vertices: `(vertex, 3)` extreme points [m].
        normals: `(normal, 3)` candidate directions of least overlap.
        faces: `(face, 3)` normals of all its faces.
        radius: Of the ball about the origin that holds it [m].
        thickness: Smallest extent along the local axes [m].
    """

    body: int
    dynamic: bool
    convex: bool
    vertices: Float64
    normals: Float64
    faces: Float64
    radius: float
    thickness: float


@dataclass(frozen=True, kw_only=True, slots=True)
class Depth:
    """How deep a body is inside something.

    Attributes:
        share: Depth over the smallest extent of the bodies involved [1].
        body: Index of the body.
        frame: When.
    """

    share: float = 0.0
    body: int = 0
    frame: int = 0


def penetration(spec: SceneSpec, trajectory: Trajectory, surfaces: Sequence[Surface]) -> float:
    """Return the largest depth of a dynamic body inside anything [1]; see `deepest`."""
    return deepest(spec, trajectory, surfaces).share


def deepest(spec: SceneSpec, trajectory: Trajectory, surfaces: Sequence[Surface]) -> Depth:
    """Return the largest depth of a dynamic body inside anything, over the smallest extent of the bodies involved.

    What a body travels in one solver step is taken off the depth: an impact is noticed at the step's end.

    Args:
        spec: The scene.
        trajectory: All states.
        surfaces: Surfaces of the scene.
    """
    solids = [
        _solid(surface.mesh, surface.body, dynamic=bool(np.isfinite(trajectory.properties.mass[surface.body])))
        for surface in surfaces
        if surface.body is not None and not (surface.deforming or surface.liquid)
    ]
    rotation = quat_to_matrix(trajectory.quat_xyzw)
    position = trajectory.position.astype(np.float64)
    linear = np.linalg.norm(trajectory.linear_velocity.astype(np.float64), axis=-1)
    angular = np.linalg.norm(trajectory.angular_velocity.astype(np.float64), axis=-1)
    step = 1.0 / (spec.fps * spec.substep_count)
    worst = Depth()
    for solid in solids:
        if solid.dynamic:
            world = np.einsum("tij,vj->tvi", rotation[:, solid.body], solid.vertices) + position[:, solid.body, None]
            travel = (linear[:, solid.body] + angular[:, solid.body] * solid.radius) * step
            depths = (_depth_in_scene(spec, world) - travel) / solid.thickness
            worst = _worse(worst, float(depths.max()), solid.body, int(depths.argmax()))
    frames = np.unique(np.linspace(0, trajectory.frame_count - 1, FRAME_LIMIT).round().astype(np.int64))
    for surface in surfaces:
        # Grains are looked at one by one, see `lost_grains`.
        if surface.deforming and surface.body in trajectory.vertices and surface.body not in trajectory.particles:
            worst = _worse(worst, _soft_depth(spec, trajectory, surface, solids, step), surface.body or 0, 0)
    names = [body.name for body in spec.bodies]
    joined = {frozenset(map(names.index, pair)) for pair in overlapping(spec.joints, spec.robot)}
    for first, second in _pairs([part for solid in solids for part in _parts(spec, solid)], joined=joined):
        a, b = first.body, second.body
        apart = position[frames, a] - position[frames, b]
        near = np.linalg.norm(apart, axis=-1) < first.radius + second.radius
        for frame in frames[near]:
            poses = [(rotation[frame, body], position[frame, body]) for body in (a, b)]
            speed = linear[frame, a] + linear[frame, b]
            speed += angular[frame, a] * first.radius + angular[frame, b] * second.radius
            depth = _overlap(first, second, poses) - speed * step
            body = a if first.dynamic else b
            worst = _worse(worst, float(depth) / min(first.thickness, second.thickness), body, int(frame))
    return worst


def _worse(worst: Depth, share: float, body: int, frame: int) -> Depth:
    """Return the deeper one of a depth so far and another one."""
    return Depth(share=share, body=body, frame=frame) if share > worst.share else worst


def _soft_depth(
    spec: SceneSpec, trajectory: Trajectory, surface: Surface, solids: Sequence[_Solid], step: float
) -> float:
    """Return how deep the vertices of a deforming surface are inside the scene or a convex rigid body [1].

    Over the smallest extent of the bodies involved (of cloth: a tenth of its longest one), beyond what both travel in
    a solver step; of cloth the middles of its triangles count too. Soft bodies among themselves are not looked at.
    """
    body = surface.body
    assert body is not None
    vertices = trajectory.vertices[body].astype(np.float64)
    thickness = float(np.ptp(surface.mesh.vertices, axis=0).min())
    shape = spec.bodies[body]
    if isinstance(shape, BodyRope):
        thickness = 2.0 * shape.geometry.radius
    if isinstance(shape, BodyCloth):
        thickness = 0.1 * float(np.ptp(surface.mesh.vertices, axis=0).max())
        vertices = np.concatenate([vertices, vertices[:, surface.mesh.triangles].mean(axis=2)], axis=1)
    if thickness == 0.0:  # a sheet with a prescribed motion goes where it is told to
        return 0.0
    speed = np.linalg.norm(trajectory.linear_velocity.astype(np.float64), axis=-1)
    worst = float((_depth_in_scene(spec, vertices) - speed[:, body] * step).max()) / thickness
    rotation = quat_to_matrix(trajectory.quat_xyzw)
    for solid in solids:
        if not solid.convex:
            continue
        local = vertices - trajectory.position[:, solid.body, None].astype(np.float64)
        near = np.flatnonzero((np.linalg.norm(local, axis=-1) < solid.radius).any(axis=1))
        for frame in near:
            points = local[frame] @ rotation[frame, solid.body]
            inside = _depth_in_solid(solid, points)
            travel = (speed[frame, body] + speed[frame, solid.body]) * step
            worst = max(worst, (inside - travel) / min(thickness, solid.thickness))
    return worst


def _depth_in_solid(solid: _Solid, points: Float64) -> float:
    """Return how deep the deepest of points `(point, 3)` is inside a convex solid [m], local frame; negative outside.

    All faces count, not only some directions: those stand off a round or long body by more than a thin rope or cloth
    may be inside.
    """
    depth = ((solid.vertices @ solid.normals.T).max(axis=0) - points @ solid.normals.T).min(axis=1)
    suspects = points[depth > 0.0]
    if not len(suspects):
        return float(depth.max())
    reach = (solid.vertices @ solid.faces.T).max(axis=0)
    return float((reach - suspects @ solid.faces.T).min(axis=1).max())


def _pairs(solids: Sequence[_Solid], *, joined: Set[frozenset[int]]) -> list[tuple[_Solid, _Solid]]:
    """Pairs of convex solids of which at least one reacts; bodies that a joint holds together may overlap there."""
    usable = [solid for solid in solids if solid.convex]
    return [
        (a, b)
        for k, a in enumerate(usable)
        for b in usable[k + 1 :]
        if a.body != b.body and (a.dynamic or b.dynamic) and frozenset((a.body, b.body)) not in joined
    ]


def _parts(spec: SceneSpec, solid: _Solid) -> list[_Solid]:
    """Return the convex parts of a body that is not convex, each as thick as itself, else the body."""
    body = spec.bodies[solid.body]
    if solid.convex or not isinstance(body, BodyRigid):
        return [solid]
    return [_solid(part, solid.body, dynamic=solid.dynamic) for part in body_parts(body)]


def _depth_in_scene(spec: SceneSpec, world: Float64) -> Float64:
    """Return how deep `(time,)` [m] vertices `(time, vertex, 3)` are below the ground or inside a wall."""
    x, y, z = np.moveaxis(world, -1, 0)
    depth = np.zeros(len(world))
    if spec.ground is not None:
        over = np.maximum(np.abs(x), np.abs(y)) < spec.ground.size / 2
        depth = np.maximum(depth, np.where(over, -z, 0.0).max(axis=1))
    if spec.room is not None:
        half_x, half_y, top = spec.room.size[0] / 2, spec.room.size[1] / 2, spec.room.size[2]
        inside_wall = np.maximum(np.abs(x) - half_x, np.abs(y) - half_y)
        depth = np.maximum(depth, np.where(z < top, inside_wall, 0.0).max(axis=1))
        if spec.room.ceiling:
            depth = np.maximum(depth, (z - top).max(axis=1))
    return depth


def _solid(mesh: TriangleMesh, body: int, *, dynamic: bool) -> _Solid:
    corners = mesh.vertices[mesh.triangles]
    normals = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    length = np.linalg.norm(normals, axis=-1)
    normals, anchors = normals[length > 0.0] / length[length > 0.0, None], corners[length > 0.0, 0]
    extent = np.ptp(mesh.vertices, axis=0)
    some = np.s_[:: max(1, len(normals) // DIRECTION_COUNT)]
    outside = mesh.vertices @ normals[some].T - np.einsum("nx,nx->n", normals[some], anchors[some])
    unique = np.unique(normals.round(6), axis=0)
    vertices = mesh.vertices
    if len(vertices) > SUPPORT_COUNT:
        vertices = vertices[np.unique((vertices @ _directions(SUPPORT_COUNT).T).argmax(axis=0))]
    return _Solid(
        body=body,
        dynamic=dynamic,
        convex=bool(outside.max() < CONVEX * extent.max()),
        vertices=vertices,
        normals=unique if len(unique) <= DIRECTION_COUNT else _directions(DIRECTION_COUNT),
        faces=unique,
        radius=float(np.linalg.norm(mesh.vertices, axis=-1).max()),
        thickness=float(extent.min()),
    )


def _directions(count: int) -> Float64:
    """Unit vectors `(count, 3)`, evenly spread: a golden-angle spiral."""
    z = 1.0 - (2.0 * np.arange(count) + 1.0) / count
    angle = np.arange(count) * np.pi * (3.0 - 5.0**0.5)
    ring = np.sqrt(1.0 - z * z)
    return np.stack([ring * np.cos(angle), ring * np.sin(angle), z], axis=-1)


def _overlap(first: _Solid, second: _Solid, poses: Sequence[tuple[Float64, Float64]]) -> float:
    """Return the penetration depth [m] of two convex solids: their least overlap along any direction.

    The search begins at the best of the line between the centres and the face normals of both; then the second one is
    moved out along it, and the shortest way between the two gives the next direction, until that is no better.
    """
    (rotation_a, position_a), (rotation_b, position_b) = poses
    a = first.vertices @ rotation_a.T + position_a
    b = second.vertices @ rotation_b.T + position_b

    def support(direction: Float64) -> Float64:
        return np.asarray(a[(a @ direction).argmax()] - b[(b @ direction).argmin()])

    def moved_out(shift: Float64, direction: Float64) -> Float64:
        return support(direction) - shift

    line = position_b - position_a
    if separation(support, -line, enough=TOLERANCE).distance > 0.0:
        return 0.0
    directions = np.concatenate([first.normals @ rotation_a.T, -second.normals @ rotation_b.T])
    distance = float(np.linalg.norm(line))
    if distance > 0.0:
        directions = np.concatenate([directions, line[None] / distance])
    best = np.inf
    for _ in range(SEARCH_STEPS):
        overlap = (a @ directions.T).max(axis=0) - (b @ directions.T).min(axis=0)
        chosen = int(overlap.argmin())
        if overlap[chosen] >= best:
            break
        best, direction = float(overlap[chosen]), directions[chosen]
        way = separation(partial(moved_out, 1.1 * max(best, 1e-4) * direction), -direction).nearest
        directions = -way[None] / float(np.linalg.norm(way))
    return max(best, 0.0)

"""Collision shapes and mass of rigid bodies: native shapes where one fits, convex parts elsewhere."""

import copy
import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product
from typing import Any

import newton
import numpy as np
import numpy.typing as npt
import warp as wp

from simfactory.collision import body_parts, may_split
from simfactory.joints import overlapping
from simfactory.meshes import TriangleMesh, body_mesh
from simfactory.robots import robot_model
from simfactory.spec import (
    BodyRigid,
    Box,
    Capsule,
    Cone,
    Cylinder,
    PhysicalMaterial,
    RobotPart,
    SceneSpec,
    Sphere,
    Vessel,
)
from simfactory.transforms import quat_from_axis_angle, quat_from_matrix
from simfactory.violations import ghost

__all__ = [
    "Solid",
    "add_boxes",
    "add_ground",
    "add_room",
    "add_shapes",
    "separate_ghost",
    "separate_joined",
    "separate_planes",
    "shape_config",
    "solid_inertia",
]

CONTACT_GAP = 0.01  # [m] at rest; moving shapes look further ahead, see simulator.SPECULATIVE_GAP
FLAT = 1.0  # height over radius; native cylinders that lie on a face are thrown up now and then, but roll smoothly
HULL_VERTICES = 2048  # a generated mesh keeps every vertex, so that what collides is what is seen
HULL_DIRECTIONS = 1024  # a larger mesh keeps its outermost vertices in so many directions


@dataclass(frozen=True, kw_only=True, slots=True)
class Solid:
    """Mass properties of a homogeneous body.

    Attributes:
        mass: [kg].
        center: `(3,)` centre of mass, body frame [m].
        inertia: `(3, 3)` about the centre of mass, body frame [kg·m²].
    """

    mass: float
    center: npt.NDArray[np.float64]
    inertia: npt.NDArray[np.float64]


def shape_config(material: PhysicalMaterial, *, density: float) -> Any:  # Any: a newton ShapeConfig, untyped
    """Return Newton's record of a shape's material: every parameter set, none left to a default.

    Torsional and rolling friction are off: the spec has one Coulomb coefficient, and a ball rolls freely.
    """
    return newton.ModelBuilder.ShapeConfig(
        density=density,
        mu=material.dynamic_friction,
        restitution=material.restitution,
        mu_torsional=0.0,
        mu_rolling=0.0,
        margin=0.0,
        gap=CONTACT_GAP,
    )


def add_shapes(builder: Any, link: int, body: BodyRigid, config: Any, *, frame: Any) -> list[int]:  # Any: newton
    """Add a body's collision shapes and return their indices.

    A body of several convex parts meets bodies with its parts and planes with its convex hull, which touches them
    where the parts do: one manifold instead of one a part, whose corrections would add up.

    Args:
        builder: A newton ModelBuilder.
        link: Newton's index of the body, -1 for the world.
        body: The body.
        config: Material of the shapes.
        frame: Transform from the body's frame to that of the link.

    Raises:
        AssetError: A user mesh is missing, unreadable or cannot be split into convex parts.
    """
    if not may_split(body.geometry):
        return [_add_shape(builder, link, body, config, frame=frame)]
    parts = body_parts(body)
    outer = copy.copy(config)
    outer.has_particle_collision = len(parts) == 1  # particles meet the parts
    shapes = [int(builder.add_shape_convex_hull(link, xform=frame, mesh=_hull(body_mesh(body)), cfg=outer))]
    if len(parts) > 1:
        shapes += [
            int(builder.add_shape_convex_hull(link, xform=frame, mesh=_hull(part), cfg=config)) for part in parts
        ]
    return shapes


def add_boxes(builder: Any, link: int, body: BodyRigid, shapes: Sequence[int]) -> None:  # Any: a newton ModelBuilder
    """Let cloth meet a robot's part as boxes around its hulls: against hulls contact costs ten times as much.

    Boxes lie along the principal axes of the hulls' vertices. Finger pads are boxes themselves.

    Args:
        builder: A newton ModelBuilder.
        link: Newton's index of the body, -1 for the world.
        body: A part of a robot.
        shapes: What `add_shapes` has added for it.
    """
    assert isinstance(body.geometry, RobotPart)
    for shape in shapes:
        builder.shape_flags[shape] &= ~int(newton.ShapeFlags.COLLIDE_PARTICLES)
    pose = wp.transform_identity()
    if link < 0:
        pose = wp.transform(wp.vec3(*body.position), wp.quat(*body.orientation))
    config = shape_config(body.physical, density=0.0)
    config.has_shape_collision = False
    for vertices, _ in robot_model(body.geometry.robot).part(body.geometry.part).hulls:
        _, axes = np.linalg.eigh(np.cov(vertices.T))
        axes[:, 2] = np.cross(axes[:, 0], axes[:, 1])
        along = vertices @ axes
        low, high = along.min(axis=0), along.max(axis=0)
        frame = wp.transform(wp.vec3(*(axes @ (0.5 * (low + high)))), wp.quat(*quat_from_matrix(axes)))
        half = (0.5 * (high - low)).tolist()
        builder.add_shape_box(link, xform=pose * frame, hx=half[0], hy=half[1], hz=half[2], cfg=config)


def separate_planes(
    builder: Any,  # Any: a newton ModelBuilder
    bodies: Sequence[Sequence[int]],
    planes: Sequence[int],
    spec: SceneSpec,
) -> None:
    """Let bodies of several shapes meet planes with the first, their hull, and all else with the others, their parts.

    Vessels meet robots and what stands still with their hull, too: one manifold, and no such body is inside of one.

    Args:
        builder: A newton ModelBuilder.
        bodies: Per body the shapes that `add_shapes` returned.
        planes: Shapes of the ground and the walls.
        spec: The scene.
    """
    outside = {
        index
        for index, body in enumerate(spec.bodies)
        if isinstance(body, BodyRigid) and (isinstance(body.geometry, RobotPart) or body.mobility == "static")
    }
    for number, shapes in enumerate(bodies):
        if len(shapes) <= 1:  # a soft body has none
            continue
        for plane in planes:
            for part in shapes[1:]:
                builder.add_shape_collision_filter_pair(part, plane)
        is_vessel = isinstance(getattr(spec.bodies[number], "geometry", None), Vessel)
        for index, own in enumerate(bodies):
            if index == number:
                continue
            by_hull = is_vessel and index in outside
            for mine, other in product(shapes[1:] if by_hull else shapes[:1], own):
                builder.add_shape_collision_filter_pair(mine, other)


def separate_joined(builder: Any, bodies: Sequence[Sequence[int]], spec: SceneSpec) -> None:  # Any: newton
    """Let bodies that a joint holds together, and parts of one robot, pass through each other.

    Args:
        builder: A newton ModelBuilder.
        bodies: Per body the shapes that `add_shapes` returned.
        spec: The scene.
    """
    number = {body.name: index for index, body in enumerate(spec.bodies)}
    for pair in sorted(map(sorted, overlapping(spec.joints, spec.robot))):
        if len(pair) == 2:
            for one, other in product(bodies[number[pair[0]]], bodies[number[pair[1]]]):
                builder.add_shape_collision_filter_pair(one, other)


def separate_ghost(builder: Any, bodies: Sequence[Sequence[int]], spec: SceneSpec) -> None:  # Any: newton
    """Let the one body that breaks physics, if there is one, pass through all others.

    Args:
        builder: A newton ModelBuilder.
        bodies: Per body the shapes that `add_shapes` returned.
        spec: The scene.
    """
    index = ghost(spec)
    if index is None:
        return
    for number, own in enumerate(bodies):
        for one, other in product(bodies[index], own if number != index else ()):
            builder.add_shape_collision_filter_pair(one, other)


def _add_shape(builder: Any, link: int, body: BodyRigid, config: Any, *, frame: Any) -> int:  # Any: newton, warp
    """Add the one collision shape of a convex body.

    Args:
        builder: A newton ModelBuilder.
        link: Newton's index of the body, -1 for the world.
        body: The body.
        config: Material of the shape.
        frame: Transform from the body's frame to that of the link.

    Raises:
        AssetError: A user mesh is missing or unreadable.
    """
    fx, fy, fz = body.factors
    match body.geometry:
        case Box(size=(x, y, z)):
            half = x * fx / 2, y * fy / 2, z * fz / 2
            return int(builder.add_shape_box(link, xform=frame, hx=half[0], hy=half[1], hz=half[2], cfg=config))
        case Sphere(radius=r) if fx == fy == fz:
            return int(builder.add_shape_sphere(link, xform=frame, radius=r * fx, cfg=config))
        case Sphere(radius=r):
            return int(builder.add_shape_ellipsoid(link, xform=frame, rx=r * fx, ry=r * fy, rz=r * fz, cfg=config))
        case Capsule(radius=r, height=h) if fx == fy == fz:
            return int(builder.add_shape_capsule(link, xform=frame, radius=r * fx, half_height=h * fx / 2, cfg=config))
        case Cylinder(radius=r, height=h) if not is_hull(body):
            return int(builder.add_shape_cylinder(link, xform=frame, radius=r * fx, half_height=h * fz / 2, cfg=config))
        case Cone(radius=r, height=h) if fx == fy:
            # Newton's cone is centred at half its height, ours at its centroid, a quarter above the base.
            up = wp.transform(wp.vec3(0.0, 0.0, h * fz / 4), wp.quat_identity())
            return int(
                builder.add_shape_cone(link, xform=frame * up, radius=r * fx, half_height=h * fz / 2, cfg=config)
            )
        case _:
            return int(builder.add_shape_convex_hull(link, xform=frame, mesh=_hull(body_mesh(body)), cfg=config))


def solid_inertia(body: BodyRigid) -> Solid:
    """Return a body's mass properties: of its native shape if it has one, else of its mesh (not of the hull).

    Raises:
        AssetError: A user mesh is missing or unreadable.
    """
    if isinstance(body.geometry, RobotPart):
        part = robot_model(body.geometry.robot).part(body.geometry.part)
        return Solid(mass=part.mass, center=np.zeros(3), inertia=part.inertia)
    if is_hull(body):
        return _mesh_solid(body_mesh(body), body.physical.density)
    builder = newton.ModelBuilder()
    link = builder.add_link()
    config = shape_config(body.physical, density=body.physical.density)
    _add_shape(builder, link, body, config, frame=wp.transform_identity())
    inertia = np.array(builder.body_inertia[link], np.float64).reshape(3, 3)
    # Native shapes are centred on their centroid here; what Newton finds beyond that is float32 rounding.
    return Solid(mass=float(builder.body_mass[link]), center=np.zeros(3), inertia=inertia)


def _mesh_solid(mesh: TriangleMesh, density: float) -> Solid:
    """Integrate over the tetrahedra between the origin and each triangle.

    Source: J. Blow, A. Binstock, "How to find the inertia tensor (or other mass properties) of a 3D solid body
    represented by a triangle mesh" (2004).
    """
    corners = mesh.vertices[mesh.triangles] - mesh.centroid()  # (triangle, corner, xyz)
    volume6 = np.einsum("ti,ti->t", corners[:, 0], np.cross(corners[:, 1], corners[:, 2]))
    total = corners.sum(axis=1)
    second = np.einsum("t,tki,tkj->ij", volume6, corners, corners) + np.einsum("t,ti,tj->ij", volume6, total, total)
    covariance = density * second / 120.0
    center = mesh.centroid()
    # The schema centres meshes on their centroid: what is left is rounding.
    center[np.abs(center) < 1e-6 * np.abs(mesh.vertices).max()] = 0.0
    inertia = np.trace(covariance) * np.eye(3) - covariance
    return Solid(mass=density * mesh.volume(), center=center, inertia=inertia)


def is_hull(body: BodyRigid) -> bool:
    """Return whether a body collides as the convex hull of its mesh instead of as a native shape."""
    fx, fy, fz = body.factors
    match body.geometry:
        case Box() | Sphere():
            return False
        case Capsule():
            return not fx == fy == fz
        case Cylinder(radius=r, height=h):
            return fx != fy or h * fz < FLAT * r * fx
        case Cone():
            return fx != fy
        case _:
            return True


def add_ground(builder: Any, material: PhysicalMaterial) -> int:  # Any: a newton ModelBuilder
    """Add the floor as an unbounded plane z = 0, facing up."""
    return _add_plane(builder, material, position=(0.0, 0.0, 0.0), axis=(1.0, 0.0, 0.0), angle=0.0)


def add_room(
    builder: Any,  # Any: a newton ModelBuilder
    material: PhysicalMaterial,
    *,
    size: tuple[float, float, float],
    ceiling: bool,
) -> list[int]:
    """Add a room's walls (and ceiling) as unbounded planes that face inwards."""
    x, y, z = size
    along_x, along_y, right = (1.0, 0.0, 0.0), (0.0, 1.0, 0.0), math.pi / 2
    sides = [
        ((-x / 2, 0.0, 0.0), along_y, right),
        ((x / 2, 0.0, 0.0), along_y, -right),
        ((0.0, -y / 2, 0.0), along_x, -right),
        ((0.0, y / 2, 0.0), along_x, right),
    ]
    if ceiling:
        sides.append(((0.0, 0.0, z), along_x, math.pi))
    return [_add_plane(builder, material, position=position, axis=axis, angle=angle) for position, axis, angle in sides]


def _add_plane(
    builder: Any,  # Any: a newton ModelBuilder
    material: PhysicalMaterial,
    *,
    position: tuple[float, float, float],
    axis: tuple[float, float, float],
    angle: float,
) -> int:
    """Add an unbounded plane whose normal is z turned about an axis.

    As a pose: from a plane equation Newton finds no rotation that turns z upside down.
    """
    frame = wp.transform(wp.vec3(*position), wp.quat(*quat_from_axis_angle(axis, angle)))
    config = shape_config(material, density=0.0)
    return int(builder.add_shape_plane(plane=None, xform=frame, width=0.0, length=0.0, cfg=config))


def _hull(mesh: TriangleMesh) -> Any:  # Any: a newton Mesh
    """Return a mesh of vertices on the convex hull: Newton's convex shapes collide as the hull of their vertices."""
    if len(mesh.vertices) <= HULL_VERTICES:
        return _newton_mesh(mesh)
    # A spiral of even density on the sphere.
    step = np.arange(HULL_DIRECTIONS) + 0.5
    polar, azimuth = np.arccos(1.0 - 2.0 * step / HULL_DIRECTIONS), np.pi * (1.0 + 5.0**0.5) * step
    directions = np.stack([np.sin(polar) * np.cos(azimuth), np.sin(polar) * np.sin(azimuth), np.cos(polar)], axis=-1)
    kept = np.unique([int(np.argmax(mesh.vertices @ direction)) for direction in directions])
    triangles = np.array([(0, k, k + 1) for k in range(1, len(kept) - 1)], np.int32)
    return newton.Mesh(mesh.vertices[kept].astype(np.float32), triangles.ravel(), compute_inertia=False)


def _newton_mesh(mesh: TriangleMesh) -> Any:  # Any: a newton Mesh
    return newton.Mesh(mesh.vertices.astype(np.float32), mesh.triangles.ravel())

"""Scenes to render, and an independent oracle: Embree finds the triangle, numpy computes in float64."""

import math
from dataclasses import dataclass, replace

import numpy as np
import pytest
import trimesh
from trimesh.ray.ray_pyembree import RayMeshIntersector

from simfactory.cameras import camera_to_world, intrinsics
from simfactory.episode import Surface, WorldState, scene_surfaces
from simfactory.meshes import TriangleMesh, body_mesh, sheet_heights
from simfactory.rendering import Renderer
from simfactory.spec import (
    BodyRigid,
    BodySheet,
    Box,
    CameraOrbit,
    CameraSpec,
    Capsule,
    Checker,
    Cone,
    Cylinder,
    Ground,
    LightSun,
    PhysicalMaterial,
    Prism,
    SceneSpec,
    Sphere,
    Superellipsoid,
    VisualMaterial,
)
from simfactory.transforms import (
    invert_pose,
    pixel_centers,
    pose_matrix,
    project,
    quat_from_axis_angle,
    quat_multiply,
    quat_rotate,
    transform_points,
)

PHYSICAL = PhysicalMaterial(density=1000.0, static_friction=0.5, dynamic_friction=0.5, restitution=0.1)
GEOMETRIES = (
    Sphere(radius=0.5),
    Box(size=(0.8, 0.6, 0.5)),
    Capsule(radius=0.25, height=0.6),
    Cone(radius=0.45, height=0.9),
    Cylinder(radius=0.35, height=0.7),
    Prism(sides=5, radius=0.45, height=0.6, taper=0.5),
    Superellipsoid(radii=(0.4, 0.35, 0.3), exponents=(0.4, 1.5)),
    Box(size=(1.2, 0.9, 0.02)),
)


@dataclass(frozen=True, kw_only=True, slots=True)
class Scene:
    """A spec whose bodies move: rigid ones turn and drift, a sheet vibrates; the camera circles."""

    spec: SceneSpec
    surfaces: tuple[Surface, ...]
    velocity: np.ndarray
    spin: np.ndarray

    def state(self, time: float) -> WorldState:
        count = len(self.spec.bodies)
        start = np.array([body.position for body in self.spec.bodies])
        turn = quat_from_axis_angle(self.spin, np.linalg.norm(self.spin, axis=-1) * time)
        quat = quat_multiply(turn, np.array([body.orientation for body in self.spec.bodies]))
        return WorldState(
            time=time,
            position=(start + self.velocity * time).astype(np.float32),
            quat_xyzw=quat.astype(np.float32),
            linear_velocity=np.zeros((count, 3), np.float32),
            angular_velocity=np.zeros((count, 3), np.float32),
            vertices={k: sheet(body, time) for k, body in enumerate(self.spec.bodies) if body.kind == "sheet"},
        )

    def cameras(self, time: float) -> np.ndarray:
        return np.concatenate([camera_to_world(camera, [time]) for camera in self.spec.cameras])

    def points(self, state: WorldState, surface: Surface) -> np.ndarray:
        """World positions of a surface's vertices in float64."""
        if surface.deforming:
            return np.asarray(state.vertices[surface.body], np.float64)
        if surface.body is None:
            return surface.mesh.vertices
        pose = pose_matrix(state.position[surface.body], state.quat_xyzw[surface.body])
        return transform_points(pose, surface.mesh.vertices)


def sheet(body: BodySheet, time: float) -> np.ndarray:
    points = body_mesh(body).vertices.copy()
    points[:, 2] += sheet_heights(body, time)
    return (quat_rotate(body.orientation, points) + np.asarray(body.position)).astype(np.float32)


def camera(name: str, *, size: int, azimuth: float, rate: float = 0.6) -> CameraSpec:
    path = CameraOrbit(target=(0.0, 0.0, 0.4), radius=4.0, height=1.6, azimuth=azimuth, azimuth_rate=rate)
    return CameraSpec(name=name, rig="orbit", width=size, height=size, field_of_view=50.0, path=path)


def random_scene(seed: int, *, size: int, camera_count: int = 1, deforming: bool = True, body_count: int = 7) -> Scene:
    draw = np.random.default_rng(seed)
    bodies: list[BodyRigid | BodySheet] = []
    for k in range(body_count):
        quat = draw.normal(size=4)
        x, y, z = draw.uniform(-1.2, 1.2), draw.uniform(-1.2, 1.2), draw.uniform(0.5, 1.3)
        bodies.append(
            BodyRigid(
                name=f"body_{k}",
                position=(x, y, z),
                orientation=tuple(quat / np.linalg.norm(quat)),
                geometry=GEOMETRIES[(seed + k) % len(GEOMETRIES)],
                physical=PHYSICAL,
                visual=VisualMaterial(base_color=tuple(draw.uniform(0.2, 0.9, 3)), roughness=draw.uniform(0.05, 0.9)),
            )
        )
    if deforming:
        bodies.append(
            BodySheet(
                name="sheet",
                position=(0.3, -0.4, 1.7),
                size=(1.6, 1.4),
                cells=24,
                amplitude=0.25,
                frequency=1.5,
                modes=(2, 1),
                physical=PHYSICAL,
                visual=VisualMaterial(),
            )
        )
    texture = Checker(color=(0.3, 0.3, 0.35), scale=0.8)
    spec = SceneSpec(
        scene="rendering",
        category="rigid",
        tier="multi_object",
        seed=seed,
        frame_count=4,
        fps=24.0,
        bodies=tuple(bodies),
        ground=Ground(size=20.0, physical=PHYSICAL, visual=VisualMaterial(texture=texture)),
        lights=(LightSun(direction=(-0.5, 0.4, -0.8), irradiance=3.0),),
        cameras=tuple(camera(f"camera_{k}", size=size, azimuth=seed + 2.1 * k) for k in range(camera_count)),
    )
    count = len(bodies)
    velocity, spin = draw.normal(scale=0.8, size=(count, 3)), draw.normal(scale=2.0, size=(count, 3))
    if deforming:
        velocity[-1] = spin[-1] = 0.0
    return Scene(spec=spec, surfaces=scene_surfaces(spec), velocity=velocity, spin=spin)


class Oracle:
    """What one camera sees at one instant, by Embree and float64 arithmetic."""

    def __init__(self, scene: Scene, time: float, tile: int = 0) -> None:
        self.scene, self.state = scene, scene.state(time)
        self.pose, self.camera = scene.cameras(time)[tile], scene.spec.cameras[tile]
        parts = [scene.points(self.state, surface) for surface in scene.surfaces]
        faces = [surface.mesh.triangles for surface in scene.surfaces]
        starts = np.cumsum([0, *map(len, parts)])[:-1]
        self.corners = np.concatenate([part[face] for part, face in zip(parts, faces, strict=True)])
        self.owner = np.repeat(np.arange(len(faces)), list(map(len, faces)))
        self.first = np.cumsum([0, *map(len, faces)])[:-1]
        merged = np.concatenate([face + start for face, start in zip(faces, starts, strict=True)])
        self.caster = RayMeshIntersector(trimesh.Trimesh(np.concatenate(parts), merged, process=False))

    def rays(self) -> np.ndarray:
        k = intrinsics(self.camera)
        pixels = pixel_centers(self.camera.height, self.camera.width).reshape(-1, 2)
        local = np.concatenate([(pixels - k[:2, 2]) / k[[0, 1], [0, 1]], np.ones((len(pixels), 1))], axis=-1)
        return local @ self.pose[:3, :3].T

    def surface(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Instance, triangle and depth `(height, width)`."""
        rays = self.rays()
        face = self.caster.intersects_first(np.broadcast_to(self.pose[:3, 3], rays.shape), rays)
        hit = face >= 0
        a, b, c = np.moveaxis(self.corners[face], 1, 0)
        normal = np.cross(b - a, c - a)
        with np.errstate(divide="ignore", invalid="ignore"):
            top = np.einsum("ij,ij->i", a - self.pose[:3, 3], normal)
            depth = top / np.einsum("ij,ij->i", rays, normal)
        ids = np.array([surface.instance for surface in self.scene.surfaces])
        shape = (self.camera.height, self.camera.width)
        instance = np.where(hit, ids[self.owner[face]], 0).reshape(shape)
        triangle = np.where(hit, face - self.first[self.owner[face]], -1).reshape(shape)
        return instance, triangle, np.where(hit, depth, math.inf).reshape(shape)

    def sees(self, points: np.ndarray, *, tolerance: float) -> np.ndarray:
        """Whether nothing lies before world points, seen from the camera, by a share of their distance."""
        eye = self.pose[:3, 3]
        rays = points - eye
        face = self.caster.intersects_first(np.broadcast_to(eye, rays.shape), rays)
        a, b, c = np.moveaxis(self.corners[face], 1, 0)
        normal = np.cross(b - a, c - a)
        reach = np.einsum("ij,ij->i", a - eye, normal) / np.einsum("ij,ij->i", rays, normal)
        return (face < 0) | (reach > 1.0 - tolerance)

    def raster(self, points: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Raster coordinates and depth of world points."""
        local = transform_points(invert_pose(self.pose), points)
        return project(local, intrinsics(self.camera)), local[..., 2]


@pytest.fixture(scope="session")
def make_scene():
    return random_scene


def with_rings(scene: Scene) -> Scene:
    """The scene with every rigid body a ring: neither convex nor a shape of its own."""
    torus = trimesh.creation.torus(major_radius=0.4, minor_radius=0.15, major_sections=48, minor_sections=24)
    ring = TriangleMesh(vertices=torus.vertices, triangles=torus.faces.astype(np.int32), smooth_angle=0.7)
    surfaces = [replace(s, mesh=ring) if s.body is not None and not s.deforming else s for s in scene.surfaces]
    return replace(scene, surfaces=tuple(surfaces))


@pytest.fixture(scope="session")
def make_rings():
    return with_rings


@pytest.fixture(scope="session")
def make_oracle():
    return Oracle


@pytest.fixture(scope="session")
def physical():
    return PHYSICAL


@pytest.fixture
def open_renderer():
    opened: list[Renderer] = []

    def open_one(*scenes: Scene) -> Renderer:
        opened.append(Renderer([(scene.spec, scene.surfaces) for scene in scenes]))
        return opened[-1]

    yield open_one
    for renderer in opened:
        renderer.close()

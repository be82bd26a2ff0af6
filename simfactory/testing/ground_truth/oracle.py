"""The oracle: what a camera truly sees of a moving scene, in float64 and independent of the renderer.

Embree says only which triangle a ray meets first. Everything else (where, how far, which way it faces, where that
point goes) follows from the scene's geometry in float64: rays against planes, closed-form poses, a pinhole. Rotations,
camera poses and projections are written out here once more, so that a mistake in the project's own does not cancel.
"""

import importlib
import math
from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from simfactory.episode import SKY, Trajectory, scene_surfaces
from simfactory.simulators.mock import body_motion, sheet_vertices
from simfactory.spec import BodySheet, CameraSpec, SceneSpec
from simfactory.testing.ground_truth.paths import oracle_gaze

__all__ = ["Oracle", "Target", "View", "WorldMotion", "oracle_camera"]

Bool = npt.NDArray[np.bool_]
Float64 = npt.NDArray[np.float64]
Int64 = npt.NDArray[np.int64]


@dataclass(frozen=True, kw_only=True, slots=True)
class WorldMotion:
    """Where all bodies are at all frames, float64.

    Attributes:
        position: `(time, body, 3)` [m].
        quat_xyzw: `(time, body, 4)` body to world.
        vertices: Body index → `(time, vertex, 3)` world positions [m] of deforming bodies.
        temperatures: Body index → `(time, vertex)` [K] of bodies whose temperature is simulated.
    """

    position: Float64
    quat_xyzw: Float64
    vertices: Mapping[int, Float64]
    temperatures: Mapping[int, Float64] = field(default_factory=dict)

    @classmethod
    def closed_form(cls, spec: SceneSpec) -> "WorldMotion":
        """Return the motion that the mock backend's formulas prescribe."""
        times = np.arange(spec.frame_count) / spec.fps
        motions = [body_motion(spec, index, times) for index in range(len(spec.bodies))]
        return cls(
            position=np.stack([motion.position for motion in motions], axis=1),
            quat_xyzw=np.stack([motion.quat_xyzw for motion in motions], axis=1),
            vertices={
                index: np.stack([sheet_vertices(body, time) for time in times])
                for index, body in enumerate(spec.bodies)
                if isinstance(body, BodySheet)
            },
        )

    @classmethod
    def recorded(cls, trajectory: Trajectory) -> "WorldMotion":
        """Return the motion that a backend recorded."""
        return cls(
            position=trajectory.position.astype(np.float64),
            quat_xyzw=trajectory.quat_xyzw.astype(np.float64),
            vertices={body: points.astype(np.float64) for body, points in trajectory.vertices.items()},
            temperatures={body: values.astype(np.float64) for body, values in trajectory.temperatures.items()},
        )


@dataclass(frozen=True, kw_only=True, slots=True)
class View:
    """What one camera sees at one frame; all arrays `(height, width, …)`.

    Attributes:
        instance: Instance id; 0 = nothing hit.
        triangle: Row of the triangle among all triangles of the scene; -1 where nothing is hit.
        weights: Barycentric weights `(…, 3)`.
        depth: z along the optical axis [m]; inf where nothing is hit.
        point: World position `(…, 3)` [m].
        normal: Unit normal `(…, 3)` facing the camera, world frame; 0 where nothing is hit.
    """

    instance: Int64
    triangle: Int64
    weights: Float64
    depth: Float64
    point: Float64
    normal: Float64


@dataclass(frozen=True, kw_only=True, slots=True)
class Target:
    """Where the points of a view are at another frame; all arrays `(height, width, …)`.

    Attributes:
        flow: Raster displacement `(…, 2)` [px]; NaN where nothing is hit or the point is not in front.
        displacement: In the world `(…, 3)` [m]; 0 where nothing is hit.
        depth: z [m] of the point in that frame's camera.
        outside: Outside the frame or behind the camera.
        margin: Distance to the image's nearest border [px]; negative outside.
        occluded: Hidden by a surface.
        gap: How much nearer than the point the first surface on its ray is, over the distance [1].
    """

    flow: Float64
    displacement: Float64
    depth: Float64
    outside: Bool
    margin: Float64
    occluded: Bool
    gap: Float64


def oracle_camera(camera: CameraSpec, times: Float64) -> tuple[Float64, Float64]:
    """Return K `(3, 3)` [px] and camera_to_world `(time, 4, 4)` of a camera, derived from its spec anew."""
    focal = max(camera.width, camera.height) / (2.0 * math.tan(0.5 * math.pi * camera.field_of_view / 180.0))
    intrinsics = np.array([[focal, 0.0, 0.5 * camera.width], [0.0, focal, 0.5 * camera.height], [0.0, 0.0, 1.0]])
    poses = np.zeros((len(times), 4, 4))
    for row, time in enumerate(times):
        eye, aim = oracle_gaze(camera.path, float(time))
        gaze = (aim - eye) / math.sqrt(float(((aim - eye) ** 2).sum()))
        right = np.array([gaze[1], -gaze[0], 0.0])  # gaze × z: level
        if math.hypot(*right) < 1e-9:
            right = np.array([-gaze[2], 0.0, gaze[0]])  # gaze × y for a vertical view
        right = right / math.sqrt(float((right**2).sum()))
        poses[row, :3] = np.stack([right, np.cross(gaze, right), gaze, eye], axis=-1)
        poses[row, 3, 3] = 1.0
    return intrinsics, poses


def _rotated(quat_xyzw: Float64, points: Float64) -> Float64:
    """Rotate points `(n, 3)` by a quaternion `(4,)`: v + 2 w (q × v) + 2 q × (q × v)."""
    unit = quat_xyzw / np.sqrt((quat_xyzw**2).sum())
    axis = np.broadcast_to(unit[:3], points.shape)
    once = np.cross(axis, points)
    return np.asarray(points + 2.0 * unit[3] * once + 2.0 * np.cross(axis, once))


class Oracle:
    """Exact views of one camera.

    Args:
        spec: The scene.
        camera: One of its cameras.
        motion: Where all bodies are.
        pixel_offset: Shift of the sampling points against pixel centres [px]; only planted errors use it.
    """

    def __init__(
        self,
        spec: SceneSpec,
        camera: CameraSpec,
        motion: WorldMotion,
        *,
        pixel_offset: tuple[float, float] = (0.0, 0.0),
    ) -> None:
        self.spec, self.camera, self.motion = spec, camera, motion
        self.intrinsics, self.poses = oracle_camera(camera, np.arange(spec.frame_count) / spec.fps)
        self.surfaces = scene_surfaces(spec)
        self.first_triangle: dict[int, int] = {}
        owners: list[Int64] = []
        triangles: list[Int64] = []
        vertex_count = 0
        for surface in self.surfaces:
            self.first_triangle[surface.instance] = sum(map(len, triangles))
            triangles.append(surface.mesh.triangles.astype(np.int64) + vertex_count)
            owners.append(np.full(len(surface.mesh.triangles), surface.instance))
            vertex_count += len(surface.mesh.vertices)
        self.triangles, self.owner = np.concatenate(triangles), np.concatenate(owners)
        columns, rows = np.meshgrid(np.arange(camera.width), np.arange(camera.height))
        self.pixels = np.stack([columns + 0.5 + pixel_offset[0], rows + 0.5 + pixel_offset[1]], axis=-1)
        self._scenes: dict[int, object] = {}  # Embree's own scenes: no type information
        self._corners: dict[int, Float64] = {}

    def corners(self, frame: int) -> Float64:
        """Return the corners `(triangle, 3, 3)` of all triangles at a frame, world frame [m]."""
        if frame not in self._corners:
            vertices = []
            for surface in self.surfaces:
                if surface.body is None:
                    vertices.append(surface.mesh.vertices)
                elif surface.deforming:
                    vertices.append(self.motion.vertices[surface.body][frame])
                else:
                    turned = _rotated(self.motion.quat_xyzw[frame, surface.body], surface.mesh.vertices)
                    vertices.append(turned + self.motion.position[frame, surface.body])
            self._corners.pop(frame - 3, None)
            self._corners[frame] = np.concatenate(vertices)[self.triangles]
        return self._corners[frame]

    def first_hits(self, frame: int, rays: Float64) -> tuple[Int64, Float64]:
        """Return which triangle rays `(ray, 3)` from the camera meet first, and where.

        Returns:
            Triangle row `(ray,)`, -1 for none, and the distance `(ray,)` in lengths of the ray, inf for none.
        """
        eye = self.poses[frame, :3, 3]
        unit = rays / np.linalg.norm(rays, axis=-1, keepdims=True)
        scene = self._scene(frame)
        found = np.full(len(rays), -1, np.int64)
        if len(rays):
            origins = np.zeros(rays.shape, np.float32)  # geometry is moved to the camera: no digits are lost
            found = np.asarray(scene.run(origins, unit.astype(np.float32)), np.int64)  # type: ignore[attr-defined]  # untyped
        corner = self.corners(frame)[found] - eye
        normal = np.cross(corner[:, 1] - corner[:, 0], corner[:, 2] - corner[:, 0])
        with np.errstate(divide="ignore", invalid="ignore"):
            distance = np.einsum("rx,rx->r", normal, corner[:, 0]) / np.einsum("rx,rx->r", normal, rays)
        return found, np.where(found >= 0, distance, np.inf)

    def view(self, frame: int, *, pixels: Float64 | None = None) -> View:
        """Return what the camera sees at a frame.

        Args:
            frame: The frame.
            pixels: Raster coordinates `(…, 2)` [px]; None = all pixel centres.
        """
        pixels = self.pixels if pixels is None else pixels
        rotation, eye = self.poses[frame, :3, :3], self.poses[frame, :3, 3]
        slopes = (pixels - self.intrinsics[:2, 2]) / self.intrinsics[0, 0]
        rays = slopes[..., :1] * rotation[:, 0] + slopes[..., 1:] * rotation[:, 1] + rotation[:, 2]  # z = 1
        flat = rays.reshape(-1, 3)
        found, depth = self.first_hits(frame, flat)
        hit = found >= 0
        point = eye + flat * np.where(hit, depth, 0.0)[:, None]
        corner = self.corners(frame)[found]
        normal = np.cross(corner[:, 1] - corner[:, 0], corner[:, 2] - corner[:, 0])
        normal = np.where(hit[:, None], normal / np.linalg.norm(normal, axis=-1, keepdims=True), 0.0)
        normal = np.where(np.einsum("rx,rx->r", normal, flat)[:, None] > 0.0, -normal, normal)
        shape = pixels.shape[:-1]
        return View(
            instance=np.where(hit, self.owner[found], SKY).reshape(shape),
            triangle=found.reshape(shape),
            weights=_barycentric(point, corner).reshape(*shape, 3),
            depth=depth.reshape(shape),
            point=point.reshape(*shape, 3),
            normal=normal.reshape(*shape, 3),
        )

    def target(self, view: View, frame: int, *, pixels: Float64 | None = None) -> Target:
        """Return where the points of a view are at another frame."""
        pixels = self.pixels if pixels is None else pixels
        hit = view.triangle >= 0
        moved = np.einsum("...k,...kx->...x", view.weights, self.corners(frame)[view.triangle])
        moved = np.where(hit[..., None], moved, 0.0)
        raster, depth = self.image(frame, moved)
        front = hit & (depth > 0.0)
        size = np.array([self.camera.width, self.camera.height])
        margin = np.where(front, np.minimum(raster, size - raster).min(axis=-1), -np.inf)
        gap = np.full(hit.shape, -np.inf)
        inside = front & (margin >= 0.0)
        gap[inside] = self.gap(frame, moved[inside], view.triangle[inside])
        return Target(
            flow=np.where(front[..., None], raster - pixels, np.nan),
            displacement=np.where(hit[..., None], moved - view.point, 0.0),
            depth=depth,
            outside=hit & ~inside,
            margin=margin,
            occluded=gap > 1e-6,
            gap=gap,
        )

    def image(self, frame: int, world: Float64) -> tuple[Float64, Float64]:
        """Return raster coordinates `(…, 2)` [px] and z `(…)` [m] of world points; NaN behind the camera."""
        offset = world - self.poses[frame, :3, 3]
        x, y, z = (offset @ self.poses[frame, :3, axis] for axis in range(3))
        safe = np.where(z > 0.0, z, np.nan)
        focal, center = self.intrinsics[0, 0], self.intrinsics[:2, 2]
        return np.stack([focal * x / safe + center[0], focal * y / safe + center[1]], axis=-1), z

    def gap(self, frame: int, world: Float64, own: Int64) -> Float64:
        """Return how much nearer than each point `(n, 3)` the first surface on its ray is, over the distance [1].

        Zero where the ray meets the point's own triangle first; negative where it meets nothing before the point.
        """
        found, distance = self.first_hits(frame, world - self.poses[frame, :3, 3])
        return np.where(found == own, 0.0, 1.0 - distance)

    def _scene(self, frame: int) -> object:
        if frame not in self._scenes:
            scenes = importlib.import_module("embreex.rtcore_scene")
            meshes = importlib.import_module("embreex.mesh_construction")
            scene = scenes.EmbreeScene(robust=True)
            local = (self.corners(frame) - self.poses[frame, :3, 3]).astype(np.float32)
            self._scenes.pop(frame - 3, None)
            self._scenes[frame] = scene
            meshes.TriangleMesh(scene, local)
        return self._scenes[frame]


def _barycentric(point: Float64, corner: Float64) -> Float64:
    """Return weights `(n, 3)` of points `(n, 3)` in the planes of triangles `(n, 3, 3)`."""
    u, v, w = corner[:, 1] - corner[:, 0], corner[:, 2] - corner[:, 0], point - corner[:, 0]
    normal = np.cross(u, v)
    square = np.einsum("nx,nx->n", normal, normal)
    second = np.einsum("nx,nx->n", np.cross(w, v), normal) / square
    third = np.einsum("nx,nx->n", np.cross(u, w), normal) / square
    return np.stack([1.0 - second - third, second, third], axis=-1)

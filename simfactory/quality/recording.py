"""What one camera's recording measures while it is made, frame by frame on a sparse grid of pixels."""

from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from simfactory.annotations import ClipContext, FrameContext, sample_grid
from simfactory.annotations.material_points import MaterialPoints
from simfactory.cameras import NEAR_PLANE
from simfactory.episode import FIRST_BODY, SKY
from simfactory.pixels import Motion
from simfactory.quality.action import moving_bodies
from simfactory.transforms import invert_pose, project, transform_points, unproject

__all__ = ["ClipChecks"]

SAME_SURFACE = 0.01  # of z: the nearest pixel's tangent plane passes this close to a point that landed there

Bool = npt.NDArray[np.bool_]
Float64 = npt.NDArray[np.float64]
Int64 = npt.NDArray[np.int64]


@dataclass(slots=True)
class _Mean:
    """A running mean over finite values, and whether any was not finite."""

    total: float = 0.0
    count: int = 0
    finite: bool = True

    def add(self, values: Float64) -> None:
        kept = values[np.isfinite(values)]
        self.finite &= len(kept) == len(values)
        self.total += float(kept.sum())
        self.count += len(kept)

    @property
    def value(self) -> float:
        return self.total / self.count if self.count else 0.0


@dataclass(frozen=True, kw_only=True, slots=True)
class _Samples:
    """Pixels of one frame that hit something: `(sample,)` arrays, world positions now and after the motion."""

    rows: Int64
    columns: Int64
    on_grid: tuple[Int64, Int64]
    instance: npt.NDArray[np.uint16]
    depth: Float64
    position: Float64


@dataclass(frozen=True, kw_only=True, slots=True)
class _Landing:
    """Unoccluded points of one frame on their way to the next: `(sample,)` ids, `(sample, 3)` world positions [m]."""

    instance: npt.NDArray[np.uint16]
    position: Float64


@dataclass(slots=True)
class _Tally:
    """Running figures of a clip."""

    reprojection: _Mean = field(default_factory=_Mean)
    depth: _Mean = field(default_factory=_Mean)
    flow: _Mean = field(default_factory=_Mean)
    mismatch: _Mean = field(default_factory=_Mean)
    visible: list[float] = field(default_factory=list)
    moving: list[float] = field(default_factory=list)
    bodies: list[Float64] = field(default_factory=list)


class ClipChecks:
    """Measures a clip as it is recorded; give it every frame in order.

    What a frame shows is compared with the trajectory (does the pixel's material point project back onto its centre?
    does flow end where that point goes?) and with the next frame (does what is not occluded land on its own surface?).

    Args:
        context: The clip.
    """

    def __init__(self, context: ClipContext) -> None:
        self._clip = context
        self._points = MaterialPoints(context.surfaces, context.trajectory)
        self._moving = moving_bodies(context.trajectory, context.surfaces)
        self._tally = _Tally()
        self._landing: _Landing | None = None
        self._triangles_known = True

    def frame(self, context: FrameContext) -> None:
        """Measure one frame."""
        surface = context.surface
        pixels = np.bincount(surface.instance.ravel(), minlength=FIRST_BODY + self._moving.shape[1])
        area = pixels[FIRST_BODY:] / surface.instance.size
        self._tally.visible.append(float(area.sum()))
        self._tally.bodies.append(area)
        if self._moving[context.frame].any():
            self._tally.moving.append(float(area[self._moving[context.frame]].sum()))
        if self._landing is not None:
            self._check_landing(context, self._landing)
        self._landing = None
        grid = sample_grid(context.frame, *surface.depth.shape)
        few = surface.sampled(grid)
        rows, columns = np.nonzero(few.instance != SKY)
        on_grid = rows, columns
        if len(rows) == 0:
            return
        triangle = few.triangle[on_grid]
        self._triangles_known &= bool((triangle >= 0).all())
        bary = few.bary[on_grid].astype(np.float64)
        weights = np.concatenate([bary, 1.0 - bary.sum(axis=-1, keepdims=True)], axis=-1)
        motions = {
            step: motion.sampled(grid)
            for step, motion in ((+1, context.forward), (-1, context.backward))
            if motion is not None
        }
        steps = [0, *motions]
        instance = few.instance[on_grid]
        world = self._points.positions(
            instance,
            np.maximum(triangle, 0),
            weights,
            born=context.frame,
            frames=[context.frame + step for step in steps],
        )
        samples = _Samples(
            rows=rows * grid.stride + grid.first,
            columns=columns * grid.stride + grid.first,
            on_grid=on_grid,
            instance=instance,
            depth=few.depth[on_grid].astype(np.float64),
            position=world[0],
        )
        self._check_reprojection(context.frame, samples)
        for step, target in zip(steps[1:], world[1:], strict=True):
            self._check_flow(context.frame + step, samples, target, motions[step])
        if +1 in motions:
            self._depart(context.frame, samples, motions[+1])

    @property
    def finite(self) -> bool:
        """Whether every looked-at value that must be a number is one."""
        tally = self._tally
        return self._triangles_known and tally.reprojection.finite and tally.depth.finite and tally.flow.finite

    @property
    def figures(self) -> dict[str, float]:
        """Figures of the frames so far: `reprojection_px`, `depth_residual`, `flow_residual`, `warp_mismatch`."""
        return {
            "reprojection_px": self._tally.reprojection.value,
            "depth_residual": self._tally.depth.value,
            "flow_residual": self._tally.flow.value,
            "warp_mismatch": self._tally.mismatch.value,
        }

    @property
    def visible_area(self) -> Float64:
        """Share of the image that bodies cover, `(time,)`."""
        return np.asarray(self._tally.visible, np.float64)

    @property
    def body_area(self) -> Float64:
        """Share of the image that each body covers, `(time, body)`."""
        return np.asarray(self._tally.bodies, np.float64)

    @property
    def moving_area(self) -> Float64:
        """Share of the image that moving bodies cover, at the frames `(frame,)` in which any body moves."""
        return np.asarray(self._tally.moving, np.float64)

    def _to_image(self, frame: int, world: Float64) -> tuple[Float64, Float64]:
        """Return raster coordinates `(sample, 2)` and z `(sample,)` of world points at a frame."""
        camera = transform_points(invert_pose(self._clip.camera_to_world[frame]), world)
        return project(camera, self._clip.intrinsics), camera[:, 2]

    def _check_reprojection(self, frame: int, samples: _Samples) -> None:
        raster, z = self._to_image(frame, samples.position)
        centers = np.stack([samples.columns, samples.rows], axis=-1) + 0.5
        self._tally.reprojection.add(np.linalg.norm(raster - centers, axis=-1))
        self._tally.depth.add(np.abs(z - samples.depth) / np.abs(z))

    def _check_flow(self, frame: int, samples: _Samples, target: Float64, motion: Motion) -> None:
        raster, z = self._to_image(frame, target)
        flow = motion.flow[samples.on_grid].astype(np.float64)
        expected = raster - np.stack([samples.columns, samples.rows], axis=-1) - 0.5
        front = z > NEAR_PLANE
        length = np.linalg.norm(expected[front], axis=-1)
        self._tally.flow.add(np.linalg.norm(flow[front] - expected[front], axis=-1) / (1.0 + length))

    def _depart(self, frame: int, samples: _Samples, motion: Motion) -> None:
        """Remember where the pixels' points will be, from depth and displacement alone."""
        centers = np.stack([samples.columns, samples.rows], axis=-1) + 0.5
        seen = unproject(centers, samples.depth, self._clip.intrinsics)
        world = transform_points(self._clip.camera_to_world[frame], seen) + motion.displacement[samples.on_grid]
        open_ = ~(motion.occluded[samples.on_grid] | motion.outside[samples.on_grid])
        self._landing = _Landing(instance=samples.instance[open_], position=world[open_])

    def _check_landing(self, context: FrameContext, landing: _Landing) -> None:
        surface = context.surface
        height, width = surface.depth.shape
        raster, z = self._to_image(context.frame, landing.position)
        with np.errstate(invalid="ignore"):
            inside = (z > 0.0) & (raster >= 0.0).all(axis=-1) & (raster < (width, height)).all(axis=-1)
        columns, rows = raster[inside].astype(np.int64).T
        with np.errstate(invalid="ignore"):  # sky has no position: inf - inf; its id differs anyway
            seen = unproject(
                np.stack([columns, rows], axis=-1) + 0.5, surface.depth[rows, columns], self._clip.intrinsics
            )
            there = transform_points(self._clip.camera_to_world[context.frame], seen)
            offset = np.einsum("sx,sx->s", context.normals(rows, columns), landing.position[inside] - there)
            same: Bool = surface.instance[rows, columns] == landing.instance[inside]
            same &= np.abs(offset) < SAME_SURFACE * z[inside]
        self._tally.mismatch.add(np.concatenate([~same, np.ones(int((~inside).sum()))]).astype(np.float64))

"""Which stored values contradict each other, and by how much more than their precision allows."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from simfactory.episode import SKY
from simfactory.signals import HIT, OCCLUDED_AFTER, OCCLUDED_BEFORE, OUTSIDE_AFTER, OUTSIDE_BEFORE, SATURATED
from simfactory.transforms import invert_pose, project, transform_points, unproject

__all__ = ["Agreement", "Frame", "check_motion", "check_points", "check_single", "check_tracks"]

SAMPLE_COUNT = 4096  # pixels looked at per frame
EXACT, NEAREST = 2e-3, 0.1  # share that may disagree: rounding alone · look-ups at the nearest pixel of outlines
SLACK = 4e-3  # [px], relative beyond 1 px: float32 arithmetic
SURFACE = 0.01  # of z: how far a point may lie outside the depths of its 3 × 3 pixels

Array = npt.NDArray[np.generic]
Bool = npt.NDArray[np.bool_]
Float64 = npt.NDArray[np.float64]
Int64 = npt.NDArray[np.int64]


@dataclass(frozen=True, kw_only=True, slots=True)
class Frame:
    """One stored frame.

    Attributes:
        index: Number of the frame.
        last: Whether it is the clip's last.
        time: Its time [s].
        intrinsics: K `(3, 3)` [px].
        poses: camera_to_world `(2, 4, 4)` of this frame and the next; `(1, 4, 4)` at the last.
        arrays: Its slices, by name, in physical units.
        following: The next frame's slices.
    """

    index: int
    last: bool
    time: float
    intrinsics: Float64
    poses: Float64
    arrays: Mapping[str, Array]
    following: Mapping[str, Array] | None

    def has(self, *names: str) -> bool:
        """Return whether all these arrays were recorded."""
        return all(name in self.arrays for name in names)

    def values(self, name: str) -> Float64:
        """Return an array as float64."""
        return self.arrays[name].astype(np.float64)

    def to_image(self, world: Float64, *, step: int = 0) -> tuple[Float64, Float64]:
        """Return raster coordinates `(…, 2)` [px] and z `(…)` [m] of world points; `step` 1 = in the next frame."""
        camera = transform_points(invert_pose(self.poses[step]), world)
        return project(camera, self.intrinsics), camera[..., 2]


@dataclass(slots=True)
class Agreement:
    """Counts contradictions by array and kind.

    Attributes:
        flow_step: Stored step of flow [px]; 0 = not quantised.
        scene_flow_step: Stored step of scene flow [m].
        depth_step: Largest relative rounding error of depth.
        normal_step: Stored step of normals.
        estimated: Whether flow comes from an estimator: it may be missing where the
            mask says that its point is hidden at the other frame.
    """

    flow_step: float
    scene_flow_step: float
    depth_step: float
    normal_step: float
    estimated: bool = False
    _counts: dict[tuple[str, str, float], tuple[int, int]] = field(default_factory=dict)

    def note(self, path: str, problem: str, wrong: Bool, *, allowed: float = 0.0) -> None:
        """Count wrong values; more than the allowed share of all is a problem."""
        key = path, problem, allowed
        bad, total = self._counts.get(key, (0, 0))
        self._counts[key] = bad + int(np.count_nonzero(wrong)), total + wrong.size

    def problems(self) -> Iterator[tuple[str, str]]:
        """Yield (array, sentence) of everything that exceeds its allowed share."""
        for (path, problem, allowed), (bad, total) in sorted(self._counts.items()):
            if bad > allowed * total:
                yield path, f"{problem}: {bad} of {total} looked at, allowed are {allowed:.1%}"


def check_single(agreement: Agreement, frame: Frame) -> None:
    """Check what one frame alone must satisfy: hits, ids, depths, normals and missing values."""
    if frame.has("depth"):
        agreement.note("depth", "is not positive", frame.values("depth") <= 0.0)
    if frame.has("mask"):
        _check_hits(agreement, frame)


def _check_hits(agreement: Agreement, frame: Frame) -> None:
    """Check what the mask says is hit; models and estimators say nothing of it."""
    hit = frame.arrays["mask"].astype(np.uint8) & HIT > 0
    occluded = frame.arrays["mask"].astype(np.uint8) & ~np.uint8(HIT | SATURATED) > 0
    agreement.note("mask", "marks motion where nothing is hit", occluded & ~hit)
    if frame.has("instance"):
        agreement.note("instance", "and the hit bit differ", (frame.arrays["instance"] != SKY) != hit)
    if frame.has("depth"):
        depth = frame.values("depth")
        agreement.note("depth", "and the hit bit differ", np.isfinite(depth) != hit)
    if frame.has("normal"):
        length = np.linalg.norm(frame.values("normal"), axis=-1)
        agreement.note("normal", "is not of length 1", np.abs(length - hit) > 1e-3 + agreement.normal_step)
    for name, missing_frame in (("flow_forward", frame.last), ("flow_backward", frame.index == 0)):
        if frame.has(name):
            defined = np.isfinite(frame.values(name)).all(axis=0)
            bits = OUTSIDE_AFTER if name == "flow_forward" else OUTSIDE_BEFORE
            if agreement.estimated:
                bits |= OCCLUDED_AFTER if name == "flow_forward" else OCCLUDED_BEFORE
            outside = frame.arrays["mask"].astype(np.uint8) & np.uint8(bits) > 0
            wrong = (defined & ~hit) | (~defined & hit & ~outside)
            wrong = np.where(missing_frame, defined, wrong)
            agreement.note(name, "is defined where it must not be, or missing where it must be", wrong)
    if frame.has("scene_flow"):
        defined = np.isfinite(frame.values("scene_flow")).all(axis=0)
        agreement.note(
            "scene_flow", "is not defined exactly where something is hit", defined != (hit & (not frame.last))
        )


def check_motion(agreement: Agreement, frame: Frame) -> None:
    """Check flow against depth, poses and scene flow, and where it leads against the next frame."""
    if frame.last or not frame.has("depth", "scene_flow", "flow_forward", "mask"):
        return
    height, width = frame.arrays["depth"].shape
    stride = max(1, round((height * width / SAMPLE_COUNT) ** 0.5))
    rows, columns = (axis.ravel() for axis in np.mgrid[0:height:stride, 0:width:stride])
    mask = frame.arrays["mask"].astype(np.uint8)[rows, columns]
    flow, moved = (frame.values(name)[:, rows, columns].T for name in ("flow_forward", "scene_flow"))
    depth = frame.values("depth")[rows, columns]
    usable = (mask & HIT > 0) & (mask & SATURATED == 0)
    usable &= np.isfinite(depth) & np.isfinite(flow).all(axis=-1) & np.isfinite(moved).all(axis=-1)
    rows, columns, mask = rows[usable], columns[usable], mask[usable]
    flow, moved, depth = flow[usable], moved[usable], depth[usable]
    centers = np.stack([columns, rows], axis=-1) + 0.5
    raster, z, tolerance = _expected(agreement, frame, centers, depth, moved)
    off = np.abs(flow - (raster - centers)) > tolerance
    agreement.note("flow_forward", "contradicts depth, poses and scene flow", off.any(axis=-1), allowed=EXACT)
    size = np.array([width, height])
    margin = np.where(raster < size / 2, raster, size - raster)  # distance to the nearer border; negative = outside
    sure = (np.abs(margin) > tolerance).all(axis=-1)
    outside = mask & OUTSIDE_AFTER > 0
    wrong = (outside != ((margin < 0.0).any(axis=-1) | (z <= 0.0))) & sure
    agreement.note("mask", "contradicts flow about what leaves the frame", wrong, allowed=EXACT)
    landed = (mask & (OUTSIDE_AFTER | OCCLUDED_AFTER) == 0) & (margin >= 0.0).all(axis=-1)
    target = np.minimum((centers + flow)[landed].astype(np.int64), size - 1).clip(0)
    _check_landing(agreement, frame, (rows[landed], columns[landed]), target, z[landed], flow[landed])


def _expected(
    agreement: Agreement, frame: Frame, centers: Float64, depth: Float64, moved: Float64
) -> tuple[Float64, Float64, Float64]:
    """Return where points land: raster `(n, 2)`, z `(n,)`, and how far `(n, 2)` [px] rounding may move that."""

    def landing(depth: Float64) -> tuple[Float64, Float64]:
        world = transform_points(frame.poses[0], unproject(centers, depth, frame.intrinsics)) + moved
        return frame.to_image(world, step=1)

    raster, z = landing(depth)
    by_depth = np.abs(landing(depth * (1.0 + agreement.depth_step))[0] - raster)
    reach = np.abs(raster - frame.intrinsics[:2, 2]) + frame.intrinsics[0, 0]
    by_scene_flow = reach * (np.sqrt(3.0) * agreement.scene_flow_step / 2.0 / np.maximum(z, 1e-6))[:, None]
    rounding = agreement.flow_step / 2.0 + SLACK * (1.0 + np.abs(raster - centers))
    return raster, z, 1.05 * (by_depth + by_scene_flow) + rounding


def _check_landing(
    agreement: Agreement, frame: Frame, source: tuple[Int64, Int64], target: Int64, z: Float64, flow: Float64
) -> None:
    """Check the next frame where unoccluded points land; pixels that show another body there are outlines."""
    if frame.following is None:
        return
    columns, rows = target.T
    nearest, farthest = _depth_range(frame.following["depth"].astype(np.float64), rows, columns)
    near = (nearest * (1.0 - SURFACE) < z) & (z < farthest * (1.0 + SURFACE))
    agreement.note("depth", "of the next frame contradicts where flow leads", ~near, allowed=NEAREST)
    same = np.ones(len(z), np.bool_)
    if frame.has("instance"):
        same = frame.following["instance"][rows, columns] == frame.arrays["instance"][source]
        agreement.note("instance", "changes along the flow", ~same, allowed=NEAREST)
    if frame.has("flow_backward"):
        back = frame.following["flow_backward"].astype(np.float64)[:, rows, columns].T
        mismatch = np.linalg.norm(flow + back, axis=-1)
        wrong = mismatch[same & near] > 0.5 + 0.15 * np.linalg.norm(flow[same & near], axis=-1)
        agreement.note("flow_backward", "does not undo flow_forward", wrong, allowed=NEAREST)


def _depth_range(depth: Float64, rows: Int64, columns: Int64) -> tuple[Float64, Float64]:
    """Return the smallest and largest depth `(n,)` [m] of the 3 × 3 pixels about each given one."""
    height, width = depth.shape
    around = [
        depth[np.clip(rows + dy, 0, height - 1), np.clip(columns + dx, 0, width - 1)]
        for dy in (-1, 0, 1)
        for dx in (-1, 0, 1)
    ]
    return np.min(around, axis=0), np.max(around, axis=0)


def check_points(agreement: Agreement, frame: Frame) -> None:
    """Check that 4D points are what their pixels show."""
    if not frame.has("points/position", "depth") or len(frame.arrays["points/position"]) == 0:
        return
    position = frame.values("points/position")
    raster, z = frame.to_image(position[:, :3])
    off = np.abs(raster - np.floor(raster) - 0.5).max(axis=-1)
    agreement.note("points/position", "does not project onto pixel centres", off > 0.02, allowed=EXACT)
    agreement.note("points/position", "is not at its frame's time", np.abs(position[:, 3] - frame.time) > 1e-4)
    height, width = frame.arrays["depth"].shape
    columns, rows = np.clip(raster.astype(np.int64), 0, (width - 1, height - 1)).T
    wrong = np.abs(frame.values("depth")[rows, columns] - z) > (1e-4 + 1.05 * agreement.depth_step) * z
    agreement.note("points/position", "contradicts depth", wrong, allowed=EXACT)
    if frame.has("instance"):
        wrong = frame.arrays["instance"][rows, columns] != frame.arrays["points/instance"]
        agreement.note("points/instance", "contradicts instance", wrong, allowed=EXACT)


def check_tracks(agreement: Agreement, frame: Frame, tracks: Mapping[str, Array]) -> None:
    """Check the visibility of tracked points against the frame and its depth, and their ids where they were picked."""
    if "tracks/position" not in tracks or not frame.has("depth"):
        return
    raster, z = frame.to_image(tracks["tracks/position"][:, :, frame.index].astype(np.float64).T)
    visible = tracks["tracks/visible"][:, frame.index].astype(np.bool_)
    height, width = frame.arrays["depth"].shape
    inside = (z > 0.0) & (raster >= 0.0).all(axis=-1) & (raster < (width, height)).all(axis=-1)
    agreement.note("tracks/visible", "shows points that are not in the frame", visible & ~inside, allowed=EXACT)
    columns, rows = np.where(inside[:, None], raster, 0.0).astype(np.int64).T
    _, farthest = _depth_range(frame.values("depth"), rows, columns)
    hidden = farthest < z * (1.0 - SURFACE)
    agreement.note("tracks/visible", "shows points behind a surface", hidden[visible & inside], allowed=EXACT)
    picked = (tracks["tracks/frame"] == frame.index) & inside
    off = np.abs(raster[picked] - np.floor(raster[picked]) - 0.5).max(axis=-1)
    agreement.note("tracks/position", "was not picked at a pixel's centre", off > 0.02, allowed=EXACT)
    if frame.has("instance"):
        wrong = frame.arrays["instance"][rows, columns] != tracks["tracks/instance"]
        agreement.note("tracks/instance", "contradicts instance where it was picked", wrong[picked], allowed=EXACT)

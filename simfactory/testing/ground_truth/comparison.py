"""Compares a clip's arrays with the oracle: figures of every modality, and the limits they must keep."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from simfactory.annotations.points import MOVING_SPEED
from simfactory.episode import SKY
from simfactory.signals import (
    HIT,
    OCCLUDED_AFTER,
    OCCLUDED_BEFORE,
    OUTSIDE_AFTER,
    OUTSIDE_BEFORE,
    SATURATED,
)
from simfactory.testing.ground_truth.grains import compare_grain_ids, compare_grains
from simfactory.testing.ground_truth.heat import compare_temperature
from simfactory.testing.ground_truth.oracle import Oracle, Target, View

__all__ = ["EXACT", "Limits", "compare", "violations"]

TIE = 1e-3  # [px]: pixels whose centre is this close to an outline may show either side
RINGS = (1.0, 0.3, 0.1, 0.03, 0.01)  # of `TIE`, looked at around a pixel: float32 rays err by 1e-5 px
DEPTH = 1e-5  # relative: surfaces seen edge-on magnify the float32 rounding of poses; `depth_beyond` is their share
JUMP = 1e-3  # relative: the same id at another depth is another part of the body
CREASE = 0.05  # [deg]: normals that differ by more belong to different faces
GRAZING = 2e-2  # of the distance: a point this little behind the first surface is at the edge of hiding

Array = npt.NDArray[np.generic]
Arrays = Mapping[str, Array]
Bool = npt.NDArray[np.bool_]
Float64 = npt.NDArray[np.float64]


@dataclass(frozen=True, kw_only=True, slots=True)
class Limits:
    """What figures may be at most (`minimum`: at least); `stored` widens them by what quantisation adds.

    Attributes:
        maximum: Largest allowed value by figure.
        minimum: Smallest allowed value by figure.
    """

    maximum: Mapping[str, float]
    minimum: Mapping[str, float]

    def stored(
        self,
        *,
        flow_step: float,
        scene_flow_step: float,
        normal_step: float,
        depth_step: float,
        temperature_step: float,
    ) -> "Limits":
        """Return the limits for a stored clip, by its storage steps ([px], [m], [1], relative, [K]); 0 = not quantised.

        A rounded vector is off by at most half a step per component, which √2 (√3) components never double.
        """
        added = {
            "flow_interior_mean": flow_step / 2.0,
            "flow_interior_p99": flow_step,
            "flow_mean": flow_step / 2.0,
            "flow_p99": flow_step,
            "depth_mean": depth_step / 2.0,
            "depth_p99": depth_step / 2.0,
            "depth_beyond": float(depth_step > 0.0),
            "depth_max": depth_step / 2.0,
            "scene_flow_p99_m": scene_flow_step,
            "scene_flow_max_m": scene_flow_step,
            "normal_max_deg": float(np.degrees(normal_step)),
            "temperature_p99_K": temperature_step / 2.0,
        }
        widened = {name: limit + added.get(name, 0.0) for name, limit in self.maximum.items()}
        return Limits(maximum=widened, minimum=self.minimum)


EXACT = Limits(
    maximum={
        "flow_interior_mean": 1e-4,
        "flow_interior_p99": 1e-3,
        "flow_mean": 1e-4,
        "flow_p99": 1e-3,
        "depth_mean": 1e-6,
        "depth_p99": 1e-5,
        "depth_beyond": 5e-5,
        "depth_max": 1e-4,
        "normal_max_deg": 0.05,
        "scene_flow_p99_m": 2e-6,
        "scene_flow_max_m": 1e-4,
        "ties": 5e-4,
        "creases": 5e-4,
        "unexplained": 0.0,
        "hit_mismatch": 0.0,
        "outside_mismatch": 1e-5,
        "undefined_mismatch": 0.0,
        "camera_error": 1e-9,
        "body_error_m": 1e-5,
        "track_error_max_m": 1e-5,
        "track_pick_max_px": 1e-2,
        "point_error_p99": 1e-5,
        "point_error_max": 1e-4,
        "point_velocity_max": 5e-3,
        "point_mismatch": 1e-3,
        "particle_mismatch": 5e-3,
        "particle_error_m": 1e-6,
        "particle_size_error": 1e-4,
        "temperature_p99_K": 2e-3,
        "temperature_mismatch": 0.0,
    },
    minimum={
        "iou_worst": 0.9995,
        "iou_mean": 0.9995,
        "occlusion_agreement": 0.999,
        "occlusion_iou": 0.9,
        "track_visible_agreement": 0.999,
    },
)


def violations(figures: Mapping[str, float], limits: Limits = EXACT) -> list[str]:
    """Return a sentence for every figure beyond its limit."""
    found = [
        f"{name} is {figures[name]:.3g}, at most {limit:g} is exact"
        for name, limit in limits.maximum.items()
        if name in figures and not figures[name] <= limit
    ]
    return found + [
        f"{name} is {figures[name]:.6g}, at least {limit:g} is exact"
        for name, limit in limits.minimum.items()
        if name in figures and not figures[name] >= limit
    ]


def compare(oracle: Oracle, arrays: Arrays, *, normal_step: float = 0.0) -> dict[str, float]:
    """Return the figures of a clip's arrays against the oracle.

    Distances are in metres, flow in pixels, depth relative, normals in degrees, shares and agreements in 1.
    *Interior* pixels have only their own id among their 3 × 3 neighbours. Pixels whose centre lies on an outline
    (within a thousandth of a pixel) may show either side: they are left out of per-pixel errors, corrected in the
    IoU, and counted as `ties`. `iou_raw` corrects nothing. Anything else that differs counts as `unexplained`.

    Args:
        oracle: Exact views of the clip's camera.
        arrays: Signal name → array of all frames, in physical units.
        normal_step: Step with which normals were stored [1]; a crease must exceed its rounding.
    """
    tally = _Tally(crease=CREASE + float(np.degrees(normal_step)))
    for frame in range(oracle.spec.frame_count):
        view = oracle.view(frame)
        kept = _compare_view(tally, oracle, arrays, frame, view)
        for step in (+1, -1):
            if 0 <= frame + step < oracle.spec.frame_count:
                target = oracle.target(view, frame + step)
                _compare_motion(tally, arrays, frame, step, view, target, kept)
            else:
                _compare_undefined(tally, arrays, frame, step)
        if "points/position" in arrays:
            _compare_points(tally, oracle, arrays, frame, view)
        if "particle" in arrays:
            tally.count("particle_mismatch", *compare_grain_ids(oracle, arrays, frame, view))
        if "temperature" in arrays:
            errors, *mismatch = compare_temperature(oracle, arrays, frame, view)
            tally.add("temperature|_K", errors)
            tally.count("temperature_mismatch", *mismatch)
        if "tracks/position" in arrays:
            _compare_tracks(tally, oracle, arrays, frame)
    figures = tally.figures()
    if "particles/position" in arrays:
        figures |= compare_grains(oracle, arrays)
    figures["camera_error"] = max(
        float(np.abs(arrays["camera/K"].astype(np.float64) - oracle.intrinsics).max()),
        float(np.abs(arrays["camera/camera_to_world"].astype(np.float64) - oracle.poses).max()),
    )
    figures["body_error_m"] = float(np.abs(arrays["bodies/position"].astype(np.float64) - oracle.motion.position).max())
    return figures


@dataclass(slots=True)
class _Tally:
    """Error samples and counts by name, and the angle [deg] from which normals belong to different faces."""

    crease: float
    samples: dict[str, list[Float64]] = field(default_factory=dict)
    counts: dict[str, list[int]] = field(default_factory=dict)
    overlaps: dict[int, list[int]] = field(default_factory=dict)  # id → [corrected both, either, raw both, either]

    def add(self, name: str, values: Float64) -> None:
        self.samples.setdefault(name, []).append(values.ravel())

    def count(self, name: str, wrong: int, total: int) -> None:
        bad = self.counts.setdefault(name, [0, 0])
        bad[0] += wrong
        bad[1] += total

    def figures(self) -> dict[str, float]:
        figures: dict[str, float] = {}
        for name, parts in self.samples.items():
            values = np.concatenate(parts)
            base, _, unit = name.partition("|")
            if len(values):
                figures[f"{base}_mean{unit}"] = float(values.mean())
                figures[f"{base}_p99{unit}"] = float(np.quantile(values, 0.99))
                figures[f"{base}_max{unit}"] = float(values.max())
        for name, (wrong, total) in self.counts.items():
            share = wrong / total if total else 0.0
            figures[name] = 1.0 - share if name.endswith("agreement") else share
        if self.overlaps:
            corrected = [both / either for both, either, _, _ in self.overlaps.values()]
            raw = [both / either for _, _, both, either in self.overlaps.values() if either]
            figures |= {"iou_worst": min(corrected), "iou_mean": float(np.mean(corrected)), "iou_raw": min(raw)}
        if "occlusion_union" in self.counts:
            both, either = self.counts["occlusion_union"]
            figures.pop("occlusion_union")
            figures["occlusion_iou"] = both / either if either else 1.0
        return figures


def _compare_view(tally: _Tally, oracle: Oracle, arrays: Arrays, frame: int, view: View) -> Bool:
    """Compare ids, depth and normals; return the pixels where both show the same part of the same thing."""
    instance, depth = arrays["instance"][frame].astype(np.int64), arrays["depth"][frame].astype(np.float64)
    hit = view.instance != SKY
    both = hit & (instance == view.instance) & np.isfinite(depth)
    with np.errstate(invalid="ignore"):
        off = np.abs(depth - view.depth) / view.depth
    tie = _ties(oracle, frame, instance, depth, (instance != view.instance) | (both & (off > JUMP)))
    tally.count("ties", int(tie.sum()), tie.size)
    tally.count("unexplained", int(((instance != view.instance) & ~tie).sum()), tie.size)
    for number in np.union1d(np.unique(view.instance), np.unique(instance)):
        if number != SKY:
            ours, true = instance == number, view.instance == number
            seen = [(ours & true)[~tie].sum(), (ours | true)[~tie].sum(), (ours & true).sum(), (ours | true).sum()]
            ties = int((true & tie).sum())  # a tie counts as right: either side is
            entry = tally.overlaps.setdefault(int(number), [0, 0, 0, 0])
            for place, value in enumerate((seen[0] + ties, seen[1] + ties, seen[2], seen[3])):
                entry[place] += int(value)
    kept = both & ~tie
    tally.add("depth", off[kept])
    tally.count("depth_beyond", int((off[kept] > DEPTH).sum()), int(kept.sum()))
    mask = arrays["mask"][frame].astype(np.int64)
    tally.count("hit_mismatch", int((((mask & HIT) > 0) != (instance != SKY)).sum()), mask.size)
    if "normal" in arrays:
        _compare_normals(tally, oracle, frame, view, arrays["normal"][frame].astype(np.float64), kept)
    return np.asarray(kept)


def _compare_normals(tally: _Tally, oracle: Oracle, frame: int, view: View, normal: Float64, kept: Bool) -> None:
    """Compare normals; a pixel whose centre lies on a crease may show the face on either side."""
    off = _angles(normal, view.normal)
    rows, columns = np.nonzero(kept & (off > tally.crease))
    near = oracle.view(frame, pixels=_around(oracle, rows, columns))
    crease = np.zeros(kept.shape, np.bool_)
    crease[rows, columns] = (_angles(normal[rows, columns][:, None], near.normal) < tally.crease).any(axis=1)
    tally.count("creases", int(crease.sum()), crease.size)
    tally.add("normal|_deg", off[kept & ~crease])


def _angles(a: Float64, b: Float64) -> Float64:
    """Return the angles `(…)` between vectors `(…, 3)` [deg]."""
    sine, cosine = np.linalg.norm(np.cross(a, b), axis=-1), np.einsum("...x,...x->...", *np.broadcast_arrays(a, b))
    return np.asarray(np.degrees(np.arctan2(sine, cosine)))


def _around(oracle: Oracle, rows: npt.NDArray[np.int64], columns: npt.NDArray[np.int64]) -> Float64:
    """Return raster coordinates `(n, point, 2)` within `TIE` around pixel centres.

    One ring alone would step over slivers: at a pole, where a ball's triangles meet, a pixel can lie on the edge of
    one that is narrower at `TIE` than the ring's points are apart.
    """
    angles = np.arange(8) * np.pi / 4.0
    ring = np.stack([np.cos(angles), np.sin(angles)], axis=-1)
    return oracle.pixels[rows, columns][:, None] + TIE * np.concatenate([share * ring for share in RINGS])


def _ties(oracle: Oracle, frame: int, instance: npt.NDArray[np.int64], depth: Float64, doubtful: Bool) -> Bool:
    """Return which doubtful pixels show what the oracle sees within `TIE` of their centre."""
    rows, columns = np.nonzero(doubtful)
    tie = np.zeros(doubtful.shape, np.bool_)
    if len(rows):
        near = oracle.view(frame, pixels=_around(oracle, rows, columns))
        same = near.instance == instance[rows, columns][:, None]
        with np.errstate(invalid="ignore"):
            level = np.abs(near.depth - depth[rows, columns][:, None]) < JUMP * near.depth
        tie[rows, columns] = (same & (level | (near.instance == SKY))).any(axis=1)
    return tie


def _compare_motion(
    tally: _Tally, arrays: Arrays, frame: int, step: int, view: View, target: Target, kept: Bool
) -> None:
    """Compare flow, scene flow, and what hides or leaves, to the next (+1) or the previous (-1) frame."""
    name = "flow_forward" if step > 0 else "flow_backward"
    occluded_bit, outside_bit = (OCCLUDED_AFTER, OUTSIDE_AFTER) if step > 0 else (OCCLUDED_BEFORE, OUTSIDE_BEFORE)
    mask = arrays["mask"][frame].astype(np.int64)
    if name in arrays:
        flow = arrays[name][frame].astype(np.float64).transpose(1, 2, 0)
        defined = np.isfinite(flow).all(axis=-1)
        tally.count(
            "undefined_mismatch", int((defined != (target.depth > 0.0) & (view.instance != SKY))[kept].sum()), mask.size
        )
        usable = kept & defined & np.isfinite(target.flow).all(axis=-1) & (mask & SATURATED == 0)
        inside = usable & ~target.outside
        error = np.linalg.norm(np.where(usable[..., None], flow - target.flow, 0.0), axis=-1)
        tally.add("flow_interior", error[inside & _interior(view.instance)])
        tally.add("flow", error[inside])
        tally.add("flow_outside", error[usable & target.outside])
    if step > 0 and "scene_flow" in arrays:
        moved = arrays["scene_flow"][frame].astype(np.float64).transpose(1, 2, 0)
        tally.add("scene_flow|_m", np.linalg.norm((moved - target.displacement)[kept], axis=-1))
    outside, occluded = mask & outside_bit > 0, mask & occluded_bit > 0
    clear = kept & (np.abs(target.margin) > TIE)
    tally.count("outside_mismatch", int((outside != target.outside)[clear].sum()), int(clear.sum()))
    clear &= ~target.outside & ~outside
    wrong = (occluded != target.occluded)[clear]
    tally.count("occlusion_agreement", int(wrong.sum()), int(clear.sum()))
    sure = clear & ((target.gap <= 1e-6) | (target.gap > GRAZING))
    tally.count("occlusion_sure_agreement", int((occluded != target.occluded)[sure].sum()), int(sure.sum()))
    tally.count(
        "occlusion_union",
        int((occluded & target.occluded)[clear].sum()),
        int((occluded | target.occluded)[clear].sum()),
    )


def _compare_undefined(tally: _Tally, arrays: Arrays, frame: int, step: int) -> None:
    """Check that nothing is said about a frame that does not exist."""
    names = ("flow_forward", "scene_flow") if step > 0 else ("flow_backward",)
    for name in names:
        if name in arrays:
            said = np.isfinite(arrays[name][frame].astype(np.float64))
            tally.count("undefined_mismatch", int(said.sum()), said.size)


def _interior(instance: npt.NDArray[np.int64]) -> Bool:
    """Return the pixels whose 3 × 3 neighbours all have their own id; the image's border has none beyond it."""
    padded = np.pad(instance, 1, mode="edge")
    height, width = instance.shape
    shifts = [padded[dy : dy + height, dx : dx + width] == instance for dy in range(3) for dx in range(3)]
    return np.asarray(np.logical_and.reduce(shifts))


def _compare_points(tally: _Tally, oracle: Oracle, arrays: Arrays, frame: int, view: View) -> None:
    """Compare the moving points of a frame with the strided pixels that the oracle says move."""
    offsets = arrays["points/offsets"].astype(np.int64)
    rows = slice(int(offsets[frame]), int(offsets[frame + 1]))
    position = arrays["points/position"][rows].astype(np.float64)
    velocity = arrays["points/velocity"][rows].astype(np.float64)
    step = 1 if frame + 1 < oracle.spec.frame_count else -1
    true = np.zeros((*view.instance.shape, 3))
    if 0 <= frame + step < oracle.spec.frame_count:
        true = oracle.target(view, frame + step).displacement * (oracle.spec.fps * step)
    stride = oracle.spec.sensors.point_stride
    chosen = np.zeros(view.instance.shape, np.bool_)
    chosen[stride // 2 :: stride, stride // 2 :: stride] = True
    speed = np.linalg.norm(true, axis=-1)
    raster, _ = oracle.image(frame, position[:, :3])
    columns, lines = np.clip(np.nan_to_num(raster), 0, np.array(view.instance.shape[::-1]) - 1).astype(np.int64).T
    listed = np.zeros(view.instance.shape, np.bool_)
    listed[lines, columns] = True
    clear = np.abs(speed - MOVING_SPEED) > 0.1 * MOVING_SPEED
    wrong = (listed != (chosen & (speed > MOVING_SPEED) & (view.instance != SKY))) & clear
    tally.count("point_mismatch", int(wrong.sum()), max(int(listed.sum()), 1))
    same = view.instance[lines, columns] == arrays["points/instance"][rows]
    same &= (
        np.linalg.norm(velocity - true[lines, columns], axis=-1) < 0.5 * speed[lines, columns]
    )  # not a tie's other side
    distance = np.linalg.norm(position[:, :3] - view.point[lines, columns], axis=-1) / view.depth[lines, columns]
    tally.count("point_mismatch", int((~same).sum()), 0)
    tally.add("point_error", distance[same])
    tally.add("point_velocity", np.linalg.norm(velocity - true[lines, columns], axis=-1)[same])


def _compare_tracks(tally: _Tally, oracle: Oracle, arrays: Arrays, frame: int) -> None:
    """Compare positions and visibility of tracked material points at a frame."""
    instance = arrays["tracks/instance"].astype(np.int64)
    first = np.zeros(int(instance.max(initial=0)) + 1, np.int64)
    for number, row in oracle.first_triangle.items():
        if number < len(first):
            first[number] = row
    own = first[instance] + arrays["tracks/triangle"].astype(np.int64)
    weights = arrays["tracks/bary"].astype(np.float64)
    true = np.einsum("pk,pkx->px", weights, oracle.corners(frame)[own])
    position = arrays["tracks/position"][:, :, frame].astype(np.float64).T
    tally.add("track_error|_m", np.linalg.norm(position - true, axis=-1))
    raster, z = oracle.image(frame, true)
    picked = arrays["tracks/frame"] == frame
    off = raster[picked] - np.floor(raster[picked]) - 0.5
    tally.add("track_pick|_px", np.linalg.norm(off, axis=-1))
    size = np.array([oracle.camera.width, oracle.camera.height])
    with np.errstate(invalid="ignore"):
        inside = (z > 0.0) & (raster >= 0.0).all(axis=-1) & (raster < size).all(axis=-1)
    gap = np.full(len(own), -np.inf)
    gap[inside] = oracle.gap(frame, true[inside], own[inside])
    visible = inside & (gap <= 1e-6)
    wrong = arrays["tracks/visible"][:, frame].astype(np.bool_) != visible
    tally.count("track_visible_agreement", int(wrong.sum()), len(own))
    sure = ~inside | (gap <= 1e-6) | (gap > GRAZING)
    tally.count("track_visible_sure_agreement", int(wrong[sure].sum()), int(sure.sum()))

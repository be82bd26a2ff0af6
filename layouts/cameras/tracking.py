"""Tracking: cameras that turn and move with the expected action."""

import math

import numpy as np
import numpy.typing as npt

from layouts.cameras.base import MARGIN, Rig, farthest, scale_to_fit, view_angles, view_from
from layouts.region import HORIZON, STEP, Region
from layouts.stage import snapped
from layouts.streams import Streams
from simfactory.spec import CameraSpec, CameraTracking

__all__ = ["RIG", "RigTracking"]

Vector = npt.NDArray[np.float64]

ELEVATIONS = (12.0, 40.0)  # [deg]
FOLLOW = (0.5, 0.8)  # how far the target goes with the action [1]; the rest stays with the middle of the region
CARRY = (0.2, 0.6)  # how far the camera itself goes along with its target [1]
TURN = 8.0  # [deg/s] about the action, either way
INTERVAL = 0.25  # [s] between keyframes
EARLIER, LATER = 0.5, 0.7  # [s]: what happens around a keyframe must be in the picture; predictions are not exact
CLOSEST = 0.7  # of the factor that would show the whole region at once


class RigTracking(Rig):
    """Cameras that follow where the bodies are expected; the path is resolved when it is sampled."""

    name = "tracking"
    usual = 1

    def camera(self, rank: int, region: Region, *, size: tuple[int, int], streams: Streams) -> CameraSpec:
        """Return the k-th following camera."""
        draw = streams("camera", self.name, rank)
        azimuth = draw.uniform(0.0, 2.0 * math.pi)
        elevation = math.radians(draw.within("camera_elevation", draw.uniform(*ELEVATIONS)))
        turn = math.radians(draw.uniform(-TURN, TURN))
        angle, halves = view_angles(draw, size)
        margin, follow, carry = draw.uniform(*MARGIN), draw.uniform(*FOLLOW), draw.uniform(*CARRY)
        moments = np.arange(0.0, HORIZON + 1e-9, INTERVAL)
        targets = region.target + follow * (self._focus(region, moments) - region.target)
        lags = (1.0 - carry) * (region.target - targets)  # the camera goes only part of its target's way
        shape = np.stack([view_from(azimuth + turn * moment, elevation) for moment in moments])
        scale = self._scale(shape, lags, targets, moments, region, halves)
        scale = min(scale * margin, 0.98 * farthest(region) - region.radius)
        keyframes = [
            {"time": moment, "position": snapped(target + lag + scale * arrow), "target": snapped(target)}
            for moment, target, lag, arrow in zip(moments.tolist(), targets, lags, shape, strict=True)
        ]
        path = CameraTracking.model_validate({"keyframes": keyframes})
        width, height = size
        return CameraSpec(
            name=f"{self.name}_{rank}", rig=self.name, width=width, height=height, field_of_view=angle, path=path
        )

    @staticmethod
    def _focus(region: Region, moments: Vector) -> Vector:
        """Where the action is expected `(time, 3)` [m], smoothed over half a second, low bodies at their height."""
        instants = np.concatenate([moments + shift for shift in (-0.25, -0.125, 0.0, 0.125, 0.25)])
        rows = np.clip(np.round(instants / STEP).astype(np.int64), 0, len(region.focus) - 1)
        return np.asarray(region.focus[rows].reshape(5, -1, 3).mean(axis=0))

    @staticmethod
    def _scale(shape: Vector, lags: Vector, targets: Vector, moments: Vector, region: Region, halves: Vector) -> float:
        """The factor from which every keyframe shows what happens around it, and not much less than everything."""
        whole = CLOSEST * scale_to_fit(shape, np.tile(region.target, (len(shape), 1)), region, halves)
        scale = whole
        for _ in range(3):  # the lag turns the view a little, less and less with distance
            for row, moment in enumerate(moments):
                end = math.inf if row == len(moments) - 1 else moment + LATER
                part = region.during(moment - EARLIER, min(end, HORIZON + 1.0))
                arrow = shape[row] + lags[row] / scale
                scale = max(scale, scale_to_fit(arrow[None], targets[row][None], part, halves))
        return scale


RIG = RigTracking()

"""Conservation: surfaces of objects keep the area, and so the mass, that they truly keep."""

from dataclasses import dataclass
from typing import final

import torch
from torch import Tensor

from training.points4d import unproject
from training.rewards.instances import instance_mean, mean_of_instances
from training.rewards.scene import Scene4D, Truth4D

__all__ = ["REWARD", "AreaConservation"]


@final
@dataclass(frozen=True, kw_only=True, slots=True)
class AreaConservation:
    """− the mean of |log(Â'/Â) − log(A'/A)| over objects.

    A is the area [m²] of what is seen of an object: the sum over the right-angled triangles of neighbouring pixels; A'
    is that of the same triangles once their corners have moved. Of a rigid body and of thin cloth A' = A; what truly
    spreads may spread.

    Attributes:
        largest: Values count as this at most.
        smallest_pixels: Objects of which fewer triangles are seen do not count.
    """

    largest: float = 2.0
    smallest_pixels: int = 4

    @property
    def name(self) -> str:
        """Its name."""
        return "conservation"

    def __call__(self, predicted: Scene4D, truth: Truth4D) -> Tensor:
        """Return `(batch,)` [1]; 0 where no object is seen."""
        known = torch.isfinite(truth.scene_flow).all(dim=2)
        instance = truth.instance[:, :-1]
        same = (instance == instance.roll(-1, dims=-1)) & (instance == instance.roll(-1, dims=-2))
        whole = known & known.roll(-1, dims=-1) & known.roll(-1, dims=-2) & same
        whole[..., -1] = False
        whole[..., -1, :] = False
        ours, counts = self._growth(predicted.depth, predicted.scene_flow(truth), truth, whole, instance)
        theirs, _ = self._growth(truth.as_scene().depth, torch.nan_to_num(truth.scene_flow), truth, whole, instance)
        return -mean_of_instances((ours - theirs).abs().clamp(max=self.largest), counts >= self.smallest_pixels)

    @staticmethod
    def _growth(depth: Tensor, flow: Tensor, truth: Truth4D, whole: Tensor, instance: Tensor) -> tuple[Tensor, Tensor]:
        """Return log(A'/A) `(batch, frame, id)`, and how many triangles each has."""
        camera = unproject(depth[:, :-1], truth.intrinsics[:, :-1])
        rotation = truth.camera_to_world[:, :-1, None, None, :3, :3].to(camera)
        before = (rotation @ camera[..., None])[..., 0]  # areas do not ask where the camera is
        after = before + flow.movedim(2, -1)
        areas = torch.stack([_triangles(before), _triangles(after)], dim=2)
        means, counts = instance_mean(areas, whole, instance)
        means = means.clamp(min=1e-8)
        growth: Tensor = torch.log(means[:, :, 1] / means[:, :, 0])
        return growth, counts


def _triangles(points: Tensor) -> Tensor:
    """Return the area [m²] between each pixel's point and those to the right and below `(batch, frame, y, x)`."""
    right, below = points.roll(-1, dims=-2) - points, points.roll(-1, dims=-3) - points
    area: Tensor = 0.5 * torch.linalg.vector_norm(torch.linalg.cross(right, below, dim=-1), dim=-1)
    return area


REWARD = AreaConservation

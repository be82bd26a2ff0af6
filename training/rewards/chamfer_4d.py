"""4D Chamfer: moving points in space and time beside the simulator's."""

from dataclasses import dataclass
from typing import final

import torch
from torch import Tensor

from training.chamfer import chamfer_4d
from training.points4d import moving_mask, moving_points
from training.rewards.scene import Scene4D, Truth4D

__all__ = ["REWARD", "Chamfer4D"]


@final
@dataclass(frozen=True, kw_only=True, slots=True)
class Chamfer4D:
    """−CD₄D of the moving points of prediction and truth.

    Points are X = D(u, v) K⁻¹ (u, v, 1)ᵀ in the world's frame, by the true camera. True points slower than
    `minimum_speed` stand still, predicted ones also if slower than a quarter of the median true speed: a flow that is
    wrong by a twentieth of a pixel would else set the whole background in motion, and cost more than an empty clip.
    Where the truth hits nothing (sky) nothing counts. If only one of the two has a moving point, the
    distance is `empty_penalty`; if neither has, 0.

    **Source**: Phys4D, eqs. (9)-(13). Penalty and speeds are ours.

    Attributes:
        time_scale: λ, what a second is worth [m/s].
        minimum_speed: [m/s]; above what flows in steps of 1/64 px say of things that rest.
        relative_speed: The quarter above.
        empty_penalty: [m]; distances above it count as it.
        stride: Every n-th row and column.
    """

    time_scale: float = 0.9
    minimum_speed: float = 0.1
    relative_speed: float = 0.25
    empty_penalty: float = 5.0
    stride: int = 1

    @property
    def name(self) -> str:
        """Its name."""
        return "chamfer_4d"

    def __call__(self, predicted: Scene4D, truth: Truth4D) -> Tensor:
        """Return −CD₄D `(batch,)` [m]."""
        theirs = truth.as_scene()
        hit = torch.isfinite(truth.depth)
        known = hit & torch.isfinite(truth.motion).all(dim=2)
        found = []
        for place in range(len(truth)):
            points, times = self._points(theirs, truth, place, known[place], self.minimum_speed)
            speed = max(self.minimum_speed, self.relative_speed * _median_speed(truth, place))
            ours, our_times = self._points(predicted, truth, place, hit[place], speed)
            if len(ours) and len(points):
                distance = chamfer_4d(ours, our_times, points, times, time_scale=self.time_scale)
                found.append(-torch.clamp(torch.as_tensor(distance), max=self.empty_penalty))
            else:
                found.append(truth.depth.new_tensor(-self.empty_penalty if len(ours) or len(points) else 0.0))
        return torch.stack([value.to(truth.depth) for value in found])

    def _points(
        self, scene: Scene4D, truth: Truth4D, place: int, counts: Tensor, speed: float
    ) -> tuple[Tensor, Tensor]:
        """Return moving points [m] and their times [s] of one clip, of the pixels that count."""
        return moving_points(
            torch.where(counts, scene.depth[place], torch.inf),
            truth.intrinsics[place],
            truth.camera_to_world[place],
            fps=float(truth.fps[place]),
            motion=scene.motion[place],
            minimum_speed=speed,
            stride=self.stride,
        )


def _median_speed(truth: Truth4D, place: int) -> float:
    """Return the median speed [m/s] of what moves in a clip; 0 where nothing does."""
    flow = truth.scene_flow[place].movedim(1, -1)[moving_mask(truth.scene_flow[place], fps=float(truth.fps[place]))]
    return float(torch.linalg.vector_norm(flow, dim=-1).median() * truth.fps[place]) if len(flow) else 0.0


REWARD = Chamfer4D

"""Tracks: where predicted motion takes the points of each object, beside where they went."""

from dataclasses import dataclass
from typing import final

import torch
from torch import Tensor
from torch.nn import functional

from training.rewards.instances import mean_of_instances
from training.rewards.scene import Scene4D, Truth4D

__all__ = ["REWARD", "TrackOffset", "collision_weight", "follow"]


@final
@dataclass(frozen=True, kw_only=True, slots=True)
class TrackOffset:
    """− the mean offset of tracks, as a share of the picture's height, over the objects that move.

    Points that are seen in the first frame are followed by the predicted flow; each counts where it is truly seen. An
    object is named by its id: a scene in which two have swapped their ways is wrong, however alike its points are as a
    set, and so is one that comes late, however small a delay is beside a picture.

    Attributes:
        collision: How many times more a frame weighs at which the object begins to touch another, and its neighbours.
        largest: Offsets count as this share of the height at most.
        travel: Objects whose points move less stand still and do not count [px].
    """

    collision: float = 2.0
    largest: float = 0.5
    travel: float = 0.5

    @property
    def name(self) -> str:
        """Its name."""
        return "track_offset"

    def __call__(self, predicted: Scene4D, truth: Truth4D) -> Tensor:
        """Return `(batch,)` [1]; 0 where nothing that is seen moves."""
        path = truth.tracks_image
        begun = truth.tracks_visible[:, :, 0] & torch.isfinite(path[:, :, 0]).all(dim=-1)
        followed = follow(predicted.motion[:, :, :2], torch.where(begun[..., None], path[:, :, 0], 0.0))
        seen = truth.tracks_visible & begun[..., None] & torch.isfinite(path).all(dim=-1)
        goal = torch.where(seen[..., None], path, followed)
        height = predicted.depth.shape[-2]
        offset = (torch.linalg.vector_norm(followed - goal, dim=-1) / height).clamp(max=self.largest)
        way = torch.linalg.vector_norm(goal - torch.where(begun[..., None], path[:, :, 0], 0.0)[:, :, None], dim=-1)
        # From points to objects, frame by frame; the first frame is given.
        ids, weights = truth.tracks_instance, seen.to(offset.dtype)
        id_count = int(ids.max()) + 1 if ids.numel() else 1
        index = ids[..., None].expand(offset.shape)
        blank = offset.new_zeros(len(offset), id_count, offset.shape[-1])
        counts = blank.scatter_add(1, index, weights)
        means = blank.scatter_add(1, index, weights * offset) / counts.clamp(min=1.0)
        ways = blank.scatter_add(1, index, weights * way) / counts.clamp(min=1.0)
        moves = ways.amax(dim=2, keepdim=True) > self.travel
        known = ((counts > 0) & moves)[:, :, 1:].transpose(1, 2)
        heavier = collision_weight(truth, id_count, self.collision)[:, 1:]
        values = means[:, :, 1:].transpose(1, 2)
        mean_weight = mean_of_instances(heavier, known)
        weighted = mean_of_instances(values * heavier, known) / mean_weight.clamp(min=1.0)
        return -weighted


def follow(flow: Tensor, start: Tensor) -> Tensor:
    """Return where a flow takes points, step by step, each by the flow of the pixel that it is in.

    Args:
        flow: (du, dv) `(batch, frame, 2, height, width)` [px].
        start: Raster coordinates at the first frame `(batch, point, 2)` [px].

    Returns:
        `(batch, point, frame, 2)` [px]; points that leave the picture go on by the flow at its edge.
    """
    size = start.new_tensor([flow.shape[-1], flow.shape[-2]])
    places = [start]
    for frame in range(flow.shape[1] - 1):
        grid = (2.0 * places[-1] / size - 1.0)[:, :, None]
        step = functional.grid_sample(flow[:, frame], grid, mode="nearest", padding_mode="border", align_corners=False)
        places.append(places[-1] + step[..., 0].transpose(1, 2))
    return torch.stack(places, dim=2)


def collision_weight(truth: Truth4D, id_count: int, more: float) -> Tensor:
    """Return `(batch, frame, id)`: 1 + more at the frames where an object begins to touch another, and beside them.

    Two that touch at the window's first frame already have not begun to.

    Args:
        truth: The clips.
        id_count: Ids are smaller.
        more: See above.
    """
    frame_count = truth.depth.shape[1]
    weight = truth.depth.new_ones(len(truth), frame_count, id_count)
    for place, (frames, pairs) in enumerate(zip(truth.contacts_frame.tolist(), truth.contacts.tolist(), strict=True)):
        touching: dict[int, set[tuple[int, int]]] = {}
        for frame, pair in zip(frames, pairs, strict=True):
            if any(pair):
                touching.setdefault(int(frame), set()).add((min(pair), max(pair)))
        for frame in range(1, frame_count):
            for pair in touching.get(frame, set()) - touching.get(frame - 1, set()):
                for identity in pair:
                    if identity < id_count:
                        weight[place, max(frame - 1, 0) : frame + 2, identity] = 1.0 + more
    return weight


REWARD = TrackOffset

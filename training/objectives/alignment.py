"""PhysisForcing: features of a middle block follow tracks, and relate as the simulator's state does."""

from dataclasses import dataclass
from typing import final

import torch
from torch import Tensor, nn

from training.config import LossConfig
from training.data import Batch
from training.losses import relational_alignment_loss, trajectory_alignment_loss
from training.model import BackboneShape, TokenGrid
from training.regions import physics_informative_mask, token_mask, tracks_in_view
from training.teachers import contact_graph, sim_state_relations

__all__ = ["Alignment", "TrackTargets", "alignment_block", "token_frames", "track_targets"]

PROJECTED_WIDTH = 64
HIDDEN_WIDTH = 128
TRACKER_NOISE = 0.1  # [px]: shorter steps of a tracker are none
DEEP = 30  # blocks from which on block 15 is aligned


@final
@dataclass(frozen=True, kw_only=True, slots=True)
class TrackTargets:
    """Tracks at the times of tokens.

    Attributes:
        places: (u, v) `(batch, point, time, 2)`, shares of the image.
        visible: `(batch, point, time)` bool.
        selected: `(batch, point)` bool: which points are looked at.
    """

    places: Tensor
    visible: Tensor
    selected: Tensor


class Alignment(nn.Module):
    """Both alignment losses with the small networks that project features; they are no part of the trained model.

    **Source**: PhysisForcing; exact tracks, visibility and the simulator's state stand where it has estimators. Of
    ordinary videos there are a tracker's points, which `pixel` follows; `semantic` leaves them out.

    Args:
        shape: The backbone's sizes.
        losses: Weights and kinds.
        seed: Of the first weights.
    """

    def __init__(self, shape: BackboneShape, losses: LossConfig, *, seed: int = 0) -> None:
        super().__init__()
        self.grid = shape.grid
        self.losses = losses
        self.block = alignment_block(shape.block_count, losses.alignment_block)
        names = [name for name in ("pixel", "semantic") if getattr(losses, name)]
        with torch.random.fork_rng():
            torch.manual_seed(seed)
            self.project = nn.ModuleDict({name: _projection(shape.inner_width) for name in names})

    def forward(self, features: Tensor, batch: Batch) -> dict[str, Tensor]:
        """Return each alignment loss that has a weight, not yet weighted.

        Args:
            features: Of the block, `(batch, time, channel, height, width)` on the grid of tokens.
            batch: With tracks and camera; for `semantic`, with scene flow, instances and contacts.
        """
        frames = token_frames(self.grid, batch["rgb"].shape[1])
        tracks = track_targets(batch, frames, region_mask=self.losses.region_mask)
        found: dict[str, Tensor] = {}
        if "pixel" in self.project:
            projected = self._projected("pixel", features)
            found["pixel"] = trajectory_alignment_loss(
                projected, tracks.places, tracks.visible, selected=tracks.selected
            )
        if "semantic" in self.project:
            found["semantic"] = self._semantic(self._projected("semantic", features), batch, tracks, frames)
        return found

    def _projected(self, name: str, features: Tensor) -> Tensor:
        projected: Tensor = self.project[name](features.movedim(2, -1))
        return projected.movedim(-1, 2)

    def _semantic(self, features: Tensor, batch: Batch, tracks: TrackTargets, frames: Tensor) -> Tensor:
        """Return the relational loss, each token frame for itself."""
        height, width = features.shape[-2:]
        selected = torch.stack(
            [
                token_mask(
                    tracks.places[:, :, time], tracks.selected & tracks.visible[:, :, time], height=height, width=width
                )
                for time in range(len(frames))
            ],
            dim=1,
        )
        # Of clips without a camera, such as real videos, the simulator knows nothing.
        known = torch.isfinite(batch["camera_to_world"]).all(dim=-1).all(dim=-1)[:, frames, None, None]
        selected = selected & known if self.losses.region_mask else known.expand_as(selected)
        relations = sim_state_relations(*_token_state(batch, frames, height=height, width=width))
        return relational_alignment_loss(
            features.flatten(-2).transpose(-2, -1), relations, selected=selected.flatten(-2)
        )


def alignment_block(block_count: int, chosen: int | None) -> int:
    """Return the block whose features are aligned: block 15 of 30 blocks or more, else the middle one.

    **Source**: PhysisForcing, the best of blocks 10, 15, 20 and 25.
    """
    if chosen is not None:
        return chosen
    return 15 if block_count >= DEEP else (block_count - 1) // 2


def token_frames(grid: TokenGrid, frame_count: int) -> Tensor:
    """Return the frame that stands for each time of the tokens: frame 0 for the first, else the middle of its frames.

    Args:
        grid: From frames to tokens.
        frame_count: Frames of the clip.

    Returns:
        `(time,)` int64.
    """
    latents = (frame_count - 1) // grid.temporal_stride + 1
    count = -(-latents // grid.patch[0])
    begin = torch.arange(count) * grid.frames_per_token - grid.lead_frame_count(latents)
    middle = begin + grid.frames_per_token // 2
    middle[0] = 0
    return middle.clamp(min=0, max=frame_count - 1)


def track_targets(batch: Batch, frames: Tensor, *, region_mask: bool) -> TrackTargets:
    """Return where the tracks of a batch are at some frames, and which of them matter.

    Args:
        batch: With tracks and camera; clips without any have no selected points. Of a tracker's points the motion on
            the picture counts, and the depth that the batch has.
        frames: `(time,)`.
        region_mask: Only points that move much near the camera; else all that frame 0 sees.
    """
    height, width = batch["rgb"].shape[-2:]
    world, visible = batch["tracks_world"], batch["tracks_visible"] & batch["tracks_valid"].unsqueeze(-1)
    image = batch["tracks_image"]
    places = image / image.new_tensor([width, height])
    selected = visible[..., 0] & torch.isfinite(places[..., 0, :]).all(dim=-1)
    if region_mask and world.shape[1]:
        _, depth = tracks_in_view(world, batch["intrinsics"], batch["camera_to_world"], height=height, width=width)
        known = torch.isfinite(world).flatten(1).all(dim=-1, keepdim=True)
        exact = physics_informative_mask(world, visible, depth[..., 0])
        tracked = physics_informative_mask(image, visible, _depth_at(batch, places[..., 0, :]), noise=TRACKER_NOISE)
        selected = selected & torch.where(known, exact, tracked)
    return TrackTargets(places=places[:, :, frames], visible=visible[:, :, frames], selected=selected)


def _depth_at(batch: Batch, places: Tensor) -> Tensor:
    """Return the depth [m] of frame 0 at places `(batch, point, 2)` in 0 … 1; 1 throughout a clip without depth."""
    if "depth" not in batch.tensors:
        return torch.ones_like(places[..., 0])
    depth = batch["depth"][:, 0]
    height, width = depth.shape[-2:]
    inside = torch.nan_to_num(places).clamp(0.0, 1.0)
    row = (inside[..., 1] * height).long().clamp(max=height - 1)
    column = (inside[..., 0] * width).long().clamp(max=width - 1)
    there = torch.isfinite(depth).flatten(1).any(dim=-1)
    found = depth.flatten(1).gather(1, row * width + column)
    return torch.where(there[:, None], found, 1.0)


def _token_state(batch: Batch, frames: Tensor, *, height: int, width: int) -> tuple[Tensor, Tensor, Tensor]:
    """Return instances, velocities [m/s] and contacts of tokens, at their centres and frames.

    The last frame has no scene flow: its tokens have the velocities of the frame before.
    """
    rows, columns = batch["rgb"].shape[-2:]
    device = frames.device
    row = ((torch.arange(height, device=device) + 0.5) * rows / height).long()
    column = ((torch.arange(width, device=device) + 0.5) * columns / width).long()
    at = (slice(None), frames[:, None, None], row[:, None], column)
    instance = batch["instance"][at].flatten(-2)
    moved = batch["scene_flow"].movedim(2, -1)
    before = frames.clamp(max=moved.shape[1] - 2)
    fps = torch.tensor(batch.fps, dtype=moved.dtype, device=moved.device)
    velocity = moved[:, before[:, None, None], row[:, None], column].flatten(2, 3) * fps[:, None, None, None]
    ids = [batch["instance"].flatten(), batch["contacts_a"].flatten(), batch["contacts_b"].flatten()]
    count = int(torch.cat(ids).max()) + 1
    graphs = [
        contact_graph(a[valid], b[valid], count=count)
        for a, b, valid in zip(batch["contacts_a"], batch["contacts_b"], batch["contacts_valid"], strict=True)
    ]
    contacts = torch.stack(graphs).unsqueeze(1).expand(-1, len(frames), -1, -1)
    return instance, velocity, contacts


def _projection(width: int) -> nn.Module:
    return nn.Sequential(nn.Linear(width, HIDDEN_WIDTH), nn.GELU(), nn.Linear(HIDDEN_WIDTH, PROJECTED_WIDTH))

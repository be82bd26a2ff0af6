"""Which frames a latent frame of a video autoencoder stands for, and tensors regrouped by latent frames."""

import torch
from torch import Tensor

from simfactory.errors import SpecError

__all__ = [
    "check_latent_length",
    "frames_of_latent",
    "from_latent_groups",
    "latent_count",
    "latent_of_frame",
    "to_latent_groups",
]


def check_latent_length(length: int, *, stride: int) -> None:
    """Refuse a window that a causal video autoencoder cannot encode whole.

    Args:
        length: Number of frames.
        stride: Frames per latent frame after the first, e.g. 4.

    Raises:
        SpecError: length mod stride is not 1 mod stride.
    """
    if stride < 1 or length < 1:
        raise SpecError(f"{length} frames at a temporal stride of {stride}; both are at least 1")
    if (length - 1) % stride:
        lower = (length - 1) // stride * stride + 1
        raise SpecError(
            f"windows of {length} frames do not fit a temporal stride of {stride}: latent 0 is frame 0, every further "
            f"one {stride} frames. Allowed are 1 + {stride} n frames: take {lower} or {lower + stride}"
        )


def latent_count(length: int, *, stride: int) -> int:
    """Return how many latent frames a window of `length` frames has: 1 + (length − 1)/stride.

    Raises:
        SpecError: The length does not fit the stride.
    """
    check_latent_length(length, stride=stride)
    return 1 + (length - 1) // stride


def frames_of_latent(latent: int, *, stride: int) -> range:
    """Return the frames that a latent frame stands for: 0 for the first, then `stride` each.

    With stride s latent 0 is frame 0 and latent k is frames s k − s + 1 … s k, with s = 4: 4k − 3 … 4k.

    **Source**: the causal video autoencoders of Wan and CogVideoX, whose first frame is encoded alone.
    """
    return range(1) if latent == 0 else range(stride * (latent - 1) + 1, stride * latent + 1)


def latent_of_frame(frame: int, *, stride: int) -> int:
    """Return the latent frame that stands for a frame, ⌈frame/stride⌉."""
    return -(-frame // stride)


def to_latent_groups(frames: Tensor, *, stride: int, dim: int = 0) -> tuple[Tensor, Tensor]:
    """Group the frames of a tensor by latent frame.

    Latent 0 has one frame: it is the last of its group, and the places before it repeat it.

    Args:
        frames: Has `length` frames along `dim`.
        stride: Frames per latent frame.
        dim: The axis of time, not negative; it becomes two, (latent, stride).

    Returns:
        The groups, and `(latent, stride)` bool: where a group's place is a frame of its own.

    Raises:
        SpecError: The length does not fit the stride.
    """
    length = frames.shape[dim]
    count = latent_count(length, stride=stride)
    index = torch.arange(1 - stride, length, device=frames.device)
    groups = frames.index_select(dim, index.clamp(min=0))
    return groups.view(*frames.shape[:dim], count, stride, *frames.shape[dim + 1 :]), (index >= 0).view(count, stride)


def from_latent_groups(groups: Tensor, *, dim: int = 0) -> Tensor:
    """Return the frames of a tensor that is grouped by latent frame, the inverse of `to_latent_groups`.

    Args:
        groups: Has (latent, stride) at `dim` and `dim` + 1, e.g. what a head emits for every latent frame.
        dim: The axis of latent frames, not negative; with the next it becomes one axis, time.
    """
    stride = groups.shape[dim + 1]
    frames = groups.flatten(dim, dim + 1)
    return frames.narrow(dim, stride - 1, frames.shape[dim] - stride + 1)

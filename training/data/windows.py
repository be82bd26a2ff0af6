"""Windows: runs of consecutive frames, where they begin in a clip, and the key that names one."""

from dataclasses import dataclass
from typing import Literal, final

from simfactory.errors import SpecError
from training.data.latent_frames import check_latent_length

__all__ = ["WindowKey", "Windows"]


@final
@dataclass(frozen=True, kw_only=True, slots=True)
class Windows:
    """How windows are cut from clips.

    Attributes:
        length: Frames of a window.
        stride: Frames from the begin of one window to that of the next.
        starts: `fixed`: at 0, stride, 2 stride, …; `random`: as many per clip and epoch, each anywhere in the clip.
        align: Random begins are multiples of it: those of 8 frames decode least.
        latent_stride: Temporal stride of the video autoencoder that encodes windows; 1 = any length will do.

    Raises:
        SpecError: A number is below 1, or the length does not fit the latent stride.
    """

    length: int
    stride: int = 1
    starts: Literal["fixed", "random"] = "fixed"
    align: int = 1
    latent_stride: int = 1

    def __post_init__(self) -> None:
        for name in ("length", "stride", "align", "latent_stride"):
            if getattr(self, name) < 1:
                raise SpecError(f"windows with {name}={getattr(self, name)}; it is at least 1")
        if self.starts not in ("fixed", "random"):
            raise SpecError(f"windows with starts={self.starts!r}; choose fixed or random")
        check_latent_length(self.length, stride=self.latent_stride)

    def count(self, frame_count: int) -> int:
        """Return how many windows a clip gives in an epoch; 0 if it is too short."""
        return max(0, (frame_count - self.length) // self.stride + 1)

    def start(self, number: int, frame_count: int, *, draw: float) -> int:
        """Return the first frame of a clip's window.

        Args:
            number: Which window of the clip, from 0.
            frame_count: Frames of the clip.
            draw: Uniform in [0, 1); used if begins are random.
        """
        if self.starts == "fixed":
            return number * self.stride
        places = (frame_count - self.length) // self.align + 1
        return min(int(draw * places), places - 1) * self.align


@final
@dataclass(frozen=True, kw_only=True, slots=True)
class WindowKey:
    """Names one window and the part of the picture that is taken; equal keys give equal bytes.

    Attributes:
        source: Position of the source among the dataset's sources.
        clip_id: The clip.
        start: First frame.
        top: First row of the crop [px].
        left: First column of the crop [px].
        seed: For a random transform of this sample alone, in [0, 2^53).
    """

    source: int
    clip_id: str
    start: int
    top: int = 0
    left: int = 0
    seed: int = 0

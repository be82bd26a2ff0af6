"""What an annotation is: signals derived from the surface buffer and the trajectory, never guessed."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from simfactory.episode import Surface, Trajectory
from simfactory.pixels import MotionArrays, PixelGrid, SurfaceArrays, SurfaceBuffer
from simfactory.signals import Signal
from simfactory.spec import CameraSpec, SceneSpec

__all__ = ["Annotation", "Arrays", "ClipContext", "FrameContext", "Keyframe", "Visible", "sample_grid"]

SAMPLE_COUNT = 1024  # pixels of a frame that checks look at

Arrays = Mapping[str, npt.NDArray[np.generic]]
Visible = Callable[[npt.NDArray[np.float32], npt.NDArray[np.uint16]], npt.NDArray[np.bool_]]


@dataclass(frozen=True, kw_only=True, slots=True)
class FrameContext:
    """All that one camera knows about one frame.

    Attributes:
        frame: Index of the frame.
        clip: What holds for the whole clip.
        rgb: `(height, width, 3)` uint8 sRGB; None where no annotation of any clip beside it needs it.
        surface: What each pixel centre sees.
        forward: Motion to frame + 1; None at the last frame.
        backward: Motion to frame − 1; None at the first frame.
        stored: Signals that the renderer has brought into their stored form; their annotations are not asked.
        saturated: How many elements of these lie beyond the stored range, where any do.
    """

    frame: int
    clip: "ClipContext"
    rgb: npt.NDArray[np.uint8] | None
    surface: SurfaceArrays
    forward: MotionArrays | None
    backward: MotionArrays | None
    stored: Arrays = field(default_factory=dict)
    saturated: Mapping[str, int] = field(default_factory=dict)

    def normals(self, rows: npt.NDArray[np.int64], columns: npt.NDArray[np.int64]) -> npt.NDArray[np.float32]:
        """Return the normals `(pixel, 3)` of some pixels: as they are stored, where they are."""
        if "normal" in self.stored:
            stored = self.stored["normal"][rows, columns].astype(np.float32)
            return stored / np.float32(np.iinfo(np.int8).max)
        return self.surface.normal[rows, columns]


def sample_grid(frame: int, height: int, width: int) -> PixelGrid:
    """Return the pixels that checks look at: about as many of each frame, others than of the frame before."""
    stride = max(1, round((height * width / SAMPLE_COUNT) ** 0.5))
    return PixelGrid(frame * 7 % stride, stride)


@dataclass(frozen=True, kw_only=True, slots=True)
class Keyframe:
    """What is kept of a frame on which tracks may begin; copies, as surface buffers are written again.

    Attributes:
        instance: `(height, width)` uint16.
        depth: `(height, width)` float32 [m].
        grid: The surface buffer of the middle of every square of `track_spacing` pixels.
    """

    instance: npt.NDArray[np.uint16]
    depth: npt.NDArray[np.float32]
    grid: SurfaceBuffer

    @classmethod
    def of(cls, surface: SurfaceArrays, *, spacing: int) -> "Keyframe":
        """Return what is kept of a surface buffer, one grid point in `spacing` pixels along both axes."""
        height, width = surface.depth.shape
        grid = np.s_[min(spacing // 2, height - 1) :: spacing, min(spacing // 2, width - 1) :: spacing]
        names = ("instance", "triangle", "bary", "depth", "normal")
        return cls(
            instance=surface.instance.copy(),
            depth=surface.depth.copy(),
            grid=SurfaceBuffer(**{name: getattr(surface, name)[grid].copy() for name in names}),
        )


@dataclass(frozen=True, kw_only=True, slots=True)
class ClipContext:
    """All that one camera knows about an episode.

    Attributes:
        spec: The scene.
        camera: The camera.
        intrinsics: `(3, 3)` K [px].
        camera_to_world: `(time, 4, 4)`.
        surfaces: Surfaces by position; `Surface.instance` is the id.
        trajectory: States of all bodies at all frames.
        keyframes: Frame index → what tracks need of frame 0 and a few later frames (filled as frames are rendered,
            complete when per-clip signals are computed).
        visible: Points `(time, point, 3)` world [m] and the instance ids `(point,)` of what carries them →
            `(time, point)`: in front of the camera, inside the frame
            and not hidden by any surface at that frame, by ray cast.
    """

    spec: SceneSpec
    camera: CameraSpec
    intrinsics: npt.NDArray[np.float64]
    camera_to_world: npt.NDArray[np.float64]
    surfaces: tuple[Surface, ...]
    trajectory: Trajectory
    keyframes: Mapping[int, Keyframe]
    visible: Visible


@dataclass(frozen=True, kw_only=True, slots=True)
class Annotation:
    """One modality; each file of this folder exports one as `ANNOTATION`.

    Attributes:
        name: What users write in `--modalities`.
        signals: The arrays it yields.
        frame: Computes the slices of one frame, without the time axis (ragged signals: all rows of the frame).
        clip: Computes whole arrays once all frames are rendered.
        needs: Which costly inputs `frame` reads: any of `rgb`, `forward`, `backward`.
        kinds: Kinds of bodies or joints of which it tells; scenes without any are recorded without it. Empty = all
            scenes.
        tells: Whether it tells anything of a scene; None = as `kinds` say.
    """

    name: str
    signals: tuple[Signal, ...]
    frame: Callable[[FrameContext], Arrays] | None = None
    clip: Callable[[ClipContext], Arrays] | None = None
    needs: frozenset[str] = frozenset()
    kinds: frozenset[str] = frozenset()
    tells: Callable[[SceneSpec], bool] | None = None

"""Frames of many (environment, camera) tiles, rendered together and in order."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
import numpy.typing as npt

from simfactory.annotations.base import FrameContext, sample_grid
from simfactory.cameras import camera_to_world
from simfactory.episode import WorldState
from simfactory.launches import turn
from simfactory.pixels import PixelGrid
from simfactory.preflight import tiles_together
from simfactory.recording import Clip
from simfactory.rendering import DeviceImage, DeviceMotion, DeviceStored, DeviceSurface, Placed, Renderer, Steps
from simfactory.stages import Stages

__all__ = ["FrameStream", "packing_steps", "tile_groups", "works_ahead"]

FLOWS = {"flow_forward", "flow_backward"}
INSTANTS = 3  # kept alive at once: motion needs the frames before and after


def tile_groups(clips: Sequence[Clip]) -> Iterator[list[Clip]]:
    """Yield clips that can be rendered together: one resolution, length and shutter, within the memory for tiles."""

    def key(clip: Clip) -> tuple[int, int, int, float]:
        camera = clip.header.camera
        return camera.width, camera.height, clip.trajectory.frame_count, camera.shutter

    for wanted in dict.fromkeys(map(key, clips)):
        same = [clip for clip in clips if key(clip) == wanted]
        count = tiles_together(wanted[0] * wanted[1])
        for begin in range(0, len(same), count):
            yield same[begin : begin + count]


def works_ahead(device: str) -> bool:
    """Return whether a frame is rendered while the one before it is read: on a GPU, which does so by itself."""
    return device != "cpu"


def packing_steps(clips: Sequence[Clip]) -> Steps | None:
    """Return the steps of what is brought into stored form while it is on the device; None if it is not.

    It is if the recorders of all clips take normals and flow so, as far as they take them, and no mask that would have
    to tell of one flow alone.
    """
    found: dict[str, set[float]] = {"normal": set(), "flow": set()}
    for clip in clips:
        recorded = {signal.name for signal in clip.header.signals}
        steps = clip.recorder.steps
        if not recorded & {"normal", *FLOWS} <= steps.keys() or ("mask" in recorded and not recorded >= FLOWS):
            return None
        found["normal"] |= {steps[name] for name in recorded & {"normal"}}
        found["flow"] |= {steps[name] for name in recorded & FLOWS}
    if not any(found.values()) or max(map(len, found.values())) > 1:
        return None
    return Steps(**{name: values.pop() for name, values in found.items() if values})


@dataclass(frozen=True, kw_only=True, slots=True)
class _Frame:
    """What the renderer makes of a frame, for all tiles."""

    surface: DeviceSurface
    forward: DeviceMotion | None
    backward: DeviceMotion | None
    rgb: DeviceImage | None
    stored: DeviceStored | None


class FrameStream:
    """Renders the frames of one group of clips, one launch for all tiles.

    On a GPU the work on the next frame is given before the present one is handed out, so that it goes on while that is
    copied to the host, annotated and encoded.
    """

    def __init__(self, clips: Sequence[Clip], *, preset: str, device: str, stages: Stages) -> None:
        """Open a renderer for clips of one resolution, length and shutter; clips of one episode stand together.

        Raises:
            SpecError: Unknown preset.
        """
        self._clips, self._stages = clips, stages
        episodes = list({id(clip.trajectory): clip for clip in clips}.values())
        self._trajectories = [clip.trajectory for clip in episodes]
        scenes = []
        for first in episodes:
            cameras = tuple(clip.header.camera for clip in clips if clip.trajectory is first.trajectory)
            scenes.append((first.header.spec.model_copy(update={"cameras": cameras}), first.surfaces))
        self._needs = frozenset().union(*(clip.needs for clip in clips))
        self._steps = packing_steps(clips)
        with turn(), stages.measure("load"):
            self._ahead = works_ahead(device)
            self._renderer = Renderer(
                scenes,
                preset=preset,
                device=device,
                images="rgb" in self._needs,
                ahead=self._ahead,
                steps=self._steps,
            )
        self._poses = np.stack([clip.poses for clip in clips], axis=1)  # (time, tile, 4, 4)
        self._placed: dict[int, Placed] = {}
        self._surfaces: dict[int, DeviceSurface] = {}
        self._given: dict[int, _Frame] = {}
        for tile, clip in enumerate(clips):
            clip.bind(partial(self._visible, tile))

    @property
    def frame_count(self) -> int:
        """Number of frames of every clip."""
        return len(self._poses)

    def close(self) -> None:
        """Free the renderer and what it drew: clips know their stream and it knows them, which would keep all of it."""
        with turn():
            self._renderer.close()
            del self._renderer
        self._clips, self._trajectories = (), []
        self._placed.clear()
        self._surfaces.clear()
        self._given.clear()

    def frame(self, frame: int) -> list[FrameContext]:
        """Return one frame's context for each clip; call in order. Arrays are valid until the next call."""
        shown = self._given.pop(frame, None) or self._give(frame)
        if self._ahead and frame + 1 < self.frame_count:
            self._given[frame + 1] = self._give(frame + 1)
        return [
            FrameContext(
                frame=frame,
                clip=clip.context,
                rgb=None if shown.rgb is None else shown.rgb.tile(tile),
                surface=shown.surface.tile(tile),
                forward=None if shown.forward is None else shown.forward.tile(tile),
                backward=None if shown.backward is None else shown.backward.tile(tile),
                stored={} if shown.stored is None else shown.stored.tile(tile),
                saturated={} if shown.stored is None else shown.stored.saturated(tile),
            )
            for tile, clip in enumerate(self._clips)
        ]

    def _give(self, frame: int) -> "_Frame":
        """Give the renderer the work on a frame."""
        before, after = frame - 1, frame + 1
        for needed in (frame, after):
            if needed < self.frame_count and needed not in self._surfaces:
                self._show(needed)
        surface = self._surfaces[frame]
        forward = self._motion(frame, after) if after < self.frame_count else None
        backward = self._motion(frame, before) if before >= 0 else None
        return _Frame(
            surface=surface,
            forward=forward,
            backward=backward,
            rgb=self._image(frame) if "rgb" in self._needs else None,
            stored=None if self._steps is None else self._pack(surface, forward, backward),
        )

    def _pack(
        self, surface: DeviceSurface, forward: DeviceMotion | None, backward: DeviceMotion | None
    ) -> DeviceStored:
        with turn(), self._stages.measure("annotate"):
            return self._renderer.pack(surface, forward, backward)

    def _image(self, frame: int) -> DeviceImage:
        with turn(), self._stages.measure("shade"):
            return self._renderer.shade(
                self._surfaces[frame],
                self._placed[frame],
                self._poses[frame],
                frame,
                between=partial(self._between, frame),
            )

    def _motion(self, frame: int, other: int) -> DeviceMotion:
        with turn(), self._stages.measure("motion"):
            return self._renderer.motion(
                self._surfaces[frame],
                self._surfaces[other],
                self._placed[frame],
                self._placed[other],
                self._poses[frame],
                self._poses[other],
                grid=self._grid(frame),
            )

    def _show(self, frame: int) -> None:
        with turn(), self._stages.measure("surface"):
            self._placed[frame] = self._place(frame, slot=frame % INSTANTS)
            self._surfaces[frame] = self._renderer.surface(
                self._placed[frame], self._poses[frame], slot=frame % INSTANTS, grid=self._grid(frame)
            )
        self._placed.pop(frame - INSTANTS, None)
        self._surfaces.pop(frame - INSTANTS, None)

    def _grid(self, frame: int) -> PixelGrid:
        return sample_grid(frame, self._renderer.height, self._renderer.width)

    def _place(self, frame: int, *, slot: int) -> Placed:
        return self._renderer.place([trajectory.state(frame) for trajectory in self._trajectories], slot=slot)

    def _between(self, frame: int, share: float) -> tuple[list[WorldState], npt.NDArray[np.float64]]:
        """Where bodies and cameras `(tile, 4, 4)` are at a share of the time from a frame to the next one."""
        states = [trajectory.between(frame, share) for trajectory in self._trajectories]
        poses = [camera_to_world(clip.header.camera, [(frame + share) / clip.header.spec.fps]) for clip in self._clips]
        return states, np.concatenate(poses)

    def _visible(
        self, tile: int, points: npt.NDArray[np.float32], instances: npt.NDArray[np.uint16]
    ) -> npt.NDArray[np.bool_]:
        """Which points `(time, point, 3)` a tile's camera sees at each frame `(time, point)`; after the last frame."""
        seen = np.zeros(points.shape[:2], np.bool_)
        for frame in range(self.frame_count):
            with turn():
                placed = self._place(frame, slot=0)
                seen[frame] = self._renderer.visible(placed, tile, self._poses[frame, tile], points[frame], instances)
        return seen

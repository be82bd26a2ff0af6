"""The renderer: surface buffers, motion and images of many cameras in many environments at once."""

import hashlib
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import warp as wp

from simfactory.cameras import intrinsics
from simfactory.episode import Surface, WorldState
from simfactory.errors import SpecError
from simfactory.pixels import PixelGrid
from simfactory.rendering.arrays import DeviceArray, ReadBack, Values, WarpArray, WarpType, host_view
from simfactory.rendering.buffers import DeviceImage, DeviceMotion, DeviceStored, DeviceSurface
from simfactory.rendering.exposure import Exposure, lens_records
from simfactory.rendering.geometry import SLOTS, Geometry
from simfactory.rendering.images import Painter
from simfactory.rendering.kernels.look import Lens
from simfactory.rendering.kernels.motion import trace_motion, trace_visibility
from simfactory.rendering.kernels.surface import trace_surface
from simfactory.rendering.lighting import build_look
from simfactory.rendering.packing import Packer, Steps
from simfactory.rendering.placement import Placed, Placements
from simfactory.rendering.presets import find_preset
from simfactory.spec import CameraSpec, SceneSpec

__all__ = ["Renderer"]

Bool = npt.NDArray[np.bool_]
Float64 = npt.NDArray[np.float64]
Instances = npt.NDArray[np.integer]
Scenes = Sequence[tuple[SceneSpec, tuple[Surface, ...]]]
Between = Callable[[float], tuple[Sequence[WorldState], Float64]]

# Seldom read whole where frames are packed: of surfaces, of motion to the next frame, and to the one before.
SELDOM_OF_SURFACE = frozenset({"triangle", "bary", "normal"})
SELDOM_AFTER = frozenset({"flow", "depth", "occluded", "outside"})
SELDOM_BEFORE = SELDOM_AFTER | {"displacement"}
BETWEEN = SLOTS  # the slot that goes through a frame while shutters are open


class Renderer:
    """Renders all cameras of several scenes together; a tile is one (environment, camera).

    Work goes in slots: `place` puts all environments into a state, `surface` finds what each camera sees, `motion`
    and `shade` read both. Three slots hold three instants, so that a frame has its past and its future beside it; one
    more, the renderer's own, goes through the time for which shutters are open.

    Attributes:
        tiles: `(environment, camera)` of every tile, environment by environment in the order of `spec.cameras`.
        height: Height of every tile [px].
        width: Width of every tile [px].
    """

    def __init__(
        self,
        scenes: Scenes,
        *,
        preset: str = "draft",
        device: str = "cpu",
        images: bool = True,
        ahead: bool = False,
        steps: Steps | None = None,
    ) -> None:
        """Upload the scenes.

        Args:
            scenes: One spec per environment, with its surfaces.
            preset: Quality of the images.
            device: Warp's name of the device, e.g. `cpu` or `cuda:0`.
            images: Whether there will be any: materials, lights and skies are not needed else.
            ahead: Whether the next frame's work is given before what this one shows is read: motion then stays valid
                until its slot shows another surface, for twice the memory.
            steps: Of what `pack` quantises, if frames will be packed: the host then reads whole normals, triangles and
                flow seldom.

        Raises:
            SpecError: There is no such preset, no scene, or the cameras differ in resolution or shutter.
            BackendUnavailable: The preset denoises, and the package for it is missing.
        """
        if not scenes:
            raise SpecError("a renderer needs at least one scene, none was given")
        cameras = [(environment, camera) for environment, (spec, _) in enumerate(scenes) for camera in spec.cameras]
        sizes = sorted({(camera.width, camera.height) for _, camera in cameras})
        if len(sizes) > 1:
            raise SpecError(
                f"cameras: all cameras that render together have one resolution, these have {sizes}: "
                "give them one width and height, or render them apart"
            )
        shutters = sorted({camera.shutter for _, camera in cameras})
        if len(shutters) > 1:
            raise SpecError(
                f"cameras: all cameras that render together have one shutter, these have {shutters}: render them apart"
            )
        self._preset, self._shutter, self._ahead = find_preset(preset), shutters[0], ahead
        self.tiles = tuple(
            (environment, camera) for environment, (spec, _) in enumerate(scenes) for camera in range(len(spec.cameras))
        )
        self.width, self.height = sizes[0]
        self._device = wp.get_device(device)
        matrices = np.array([intrinsics(camera) for _, camera in cameras])
        self._lens = np.stack([matrices[:, 0, 0], matrices[:, 1, 1], matrices[:, 0, 2], matrices[:, 1, 2]], axis=-1)
        self._intrinsics: WarpArray = wp.array(self._lens, dtype=wp.vec4d, device=self._device)
        owners = np.array([environment for environment, _ in cameras], np.int32)
        self._environments: WarpArray = wp.array(owners, dtype=wp.int32, device=self._device)
        self._seeds = np.array([_seed(scenes[environment][0], camera.name) for environment, camera in cameras])
        groups = [surfaces for _, surfaces in scenes]
        self._geometry = Geometry(
            [surface for group in groups for surface in group], self._device, slots=SLOTS + (self._shutter > 0.0)
        )
        self._placements = Placements(groups, self._geometry, self._device)
        self._images = self._open_images(scenes, [camera for _, camera in cameras]) if images else None
        self._memory: dict[tuple[str | int, ...], Any] = {}  # Any: arrays of several types, made on first use
        self._packer: Packer | None = None
        if steps is not None:
            self._packer = Packer(steps, (len(self.tiles), self.height, self.width), self._device)

    def place(self, states: Sequence[WorldState], slot: int) -> Placed:
        """Put every environment into a state; what the slot held before becomes invalid.

        Raises:
            SpecError: The slot does not exist.
        """
        self._check_slot(slot)
        return self._placements.place(states, slot)

    def surface(
        self, placed: Placed, camera_to_world: Float64, slot: int, *, grid: PixelGrid | None = None
    ) -> DeviceSurface:
        """Find what every pixel centre of every tile sees.

        Args:
            placed: Where everything is.
            camera_to_world: `(tile, 4, 4)` OpenCV axes, world frame.
            slot: Whose memory to use.
            grid: Pixels that will be read, where frames are packed.

        Raises:
            SpecError: The slot does not exist.
        """
        self._check_slot(slot)
        types = {
            "item": wp.int32,
            "instance": wp.uint16,
            "triangle": wp.int32,
            "bary": wp.vec2,
            "depth": wp.float32,
            "normal": wp.vec3,
        }
        arrays, host = self._arrays(("surface", slot), types, SELDOM_OF_SURFACE)
        self._launch(
            trace_surface,
            placed.world,
            self._environments,
            self._intrinsics,
            self._poses(("surface", slot), camera_to_world),
            *arrays.values(),
        )
        host.begin(None if grid is None else grid.pixels)
        return DeviceSurface(slot=slot, host=host, **arrays)

    def motion(
        self,
        buffers: DeviceSurface,
        buffers_to: DeviceSurface,
        placed_from: Placed,
        placed_to: Placed,
        camera_to_world_from: Float64,
        camera_to_world_to: Float64,
        *,
        grid: PixelGrid | None = None,
    ) -> DeviceMotion:
        """Follow every pixel's surface point from one instant to another.

        Args:
            buffers: What the cameras see at the first instant.
            buffers_to: What they see at the second instant.
            placed_from: Where everything is at the first instant.
            placed_to: Where everything is at the second instant.
            camera_to_world_from: `(tile, 4, 4)` at the first instant.
            camera_to_world_to: `(tile, 4, 4)` at the second instant.
            grid: Pixels that will be read, where frames are packed.
        """
        types = {
            "flow": wp.vec2,
            "displacement": wp.vec3,
            "depth": wp.float32,
            "occluded": wp.bool,
            "outside": wp.bool,
        }
        self._placements.carry(placed_from.slot, placed_to.slot)
        order = (placed_to.slot - buffers.slot) % SLOTS
        seldom = SELDOM_AFTER if order == 1 else SELDOM_BEFORE
        arrays, host = self._arrays(("motion", order, buffers.slot if self._ahead else 0), types, seldom)
        self._launch(
            trace_motion,
            placed_from.world,
            placed_to.world,
            self._geometry.carried,
            self._environments,
            self._intrinsics,
            self._poses(("from", order, buffers.slot), camera_to_world_from),
            self._poses(("to", order, buffers.slot), camera_to_world_to),
            buffers.item,
            buffers.triangle,
            buffers.depth,
            buffers_to.item,
            buffers_to.depth,
            *arrays.values(),
        )
        host.begin(None if grid is None else grid.pixels)
        return DeviceMotion(host=host, **arrays)

    def pack(self, buffers: DeviceSurface, forward: DeviceMotion | None, backward: DeviceMotion | None) -> DeviceStored:
        """Bring a frame into the form in which it is stored.

        Args:
            buffers: What the cameras see.
            forward: Motion to the next frame, if there is one.
            backward: Motion to the frame before, if there is one.

        Raises:
            SpecError: The renderer was opened without steps.
        """
        if self._packer is None:
            raise SpecError("this renderer was opened without steps: open it with steps=Steps(...) to pack")
        return self._packer.pack(buffers, forward, backward)

    def shade(
        self,
        buffers: DeviceSurface,
        placed: Placed,
        camera_to_world: Float64,
        frames: Sequence[int] | int,
        *,
        between: Between | None = None,
    ) -> DeviceImage:
        """Make images.

        Args:
            buffers: What the cameras see.
            placed: Where everything is.
            camera_to_world: `(tile, 4, 4)`, as given to `surface`.
            frames: Index of the frame, of each tile or of all: part of the key of random sample positions.
            between: Where everything is at a share, 0–1, of the time to the next frame: asked for while shutters are
                open. None renders an instant.

        Raises:
            SpecError: The renderer was opened without images.
        """
        if self._images is None:
            raise SpecError("this renderer was opened with images=False: open it with images=True to shade")
        poses, seeds = self._poses(("shade", buffers.slot), camera_to_world), self._frame_seeds(frames, buffers.slot)
        key = ("rgb", buffers.slot)
        if key not in self._memory:
            shape = (len(self.tiles), self.height, self.width, 3)
            made: WarpArray = wp.empty(shape, dtype=wp.uint8, device=self._device)
            self._memory[key] = made, ReadBack({"rgb": made})
        rgb, host = self._memory[key]
        if isinstance(self._images, Painter):
            self._images.paint(buffers, placed.world, poses, seeds, rgb)
            host.begin()
            return DeviceImage(rgb=rgb, host=host)
        if between is None or not self._shutter:
            self._images.expose(buffers, placed.world, poses, seeds)
        else:
            self._expose_between(self._images, buffers, seeds, between)
        self._images.finish(rgb)
        host.begin()
        return DeviceImage(rgb=rgb, host=host, light=self._images.light)

    def visible(
        self, placed: Placed, tile: int, camera_to_world: Float64, points: Values, instances: Instances | None = None
    ) -> Bool:
        """Return whether a camera sees world points: in front of it, inside the frame, nothing before them.

        Args:
            placed: Where everything is.
            tile: Whose intrinsics and environment apply.
            camera_to_world: `(4, 4)`.
            points: `(point, 3)` world frame [m], of any floating type.
            instances: `(point,)` ids of the surfaces that carry them: points that a liquid carries may be a particle's
                spacing below its surface. None = no liquid carries any.
        """
        if len(points) == 0:
            return np.zeros(0, np.bool_)
        targets: WarpArray = wp.array(np.ascontiguousarray(points, np.float64), dtype=wp.vec3d, device=self._device)
        environment = self.tiles[tile][0]
        items = np.full(len(points), -1, np.int32)
        if instances is not None:
            items = self._placements.item(environment, instances)
        carriers: WarpArray = wp.array(items, dtype=wp.int32, device=self._device)
        seen = wp.empty(len(points), dtype=wp.bool, device=self._device)
        wp.launch(
            trace_visibility,
            dim=len(points),
            inputs=[
                placed.world,
                environment,
                wp.vec4d(*self._lens[tile]),
                wp.mat44d(*np.asarray(camera_to_world, np.float64).ravel()),
                self.width,
                self.height,
                targets,
                carriers,
            ],
            outputs=[seen],
            device=self._device,
        )
        return np.asarray(host_view(seen), np.bool_).copy()

    def close(self) -> None:
        """Free the device's memory; the renderer cannot be used again."""
        self._memory.clear()
        if isinstance(self._images, Exposure):
            self._images.close()
        del self._placements, self._geometry, self._images

    def _open_images(self, scenes: Scenes, cameras: Sequence[CameraSpec]) -> Painter | Exposure:
        """Upload how everything looks."""
        look = build_look(scenes, self._geometry, self._preset, self._device)
        lenses: WarpArray = wp.array(lens_records(cameras, self._lens), dtype=Lens, device=self._device)
        if self._preset.samples:
            shape = (len(cameras), self.height, self.width)
            return Exposure(look, self._environments, lenses, shape, self._preset, self._device)
        return Painter(look, self._environments, lenses, self.height, self.width, self._device)

    def _expose_between(self, exposure: Exposure, buffers: DeviceSurface, seeds: WarpArray, between: Between) -> None:
        """Gather light at the middles of equal parts of the time for which the shutters are open."""
        instants = self._preset.instants
        for instant in range(instants):
            states, camera_to_world = between(self._shutter * (instant + 0.5) / instants)
            placed = self._placements.place(states, BETWEEN)
            poses = self._poses(("between",), camera_to_world)
            exposure.expose(buffers, placed.world, poses, seeds, instant=instant, instants=instants)

    def _check_slot(self, slot: int) -> None:
        if not 0 <= slot < SLOTS:
            raise SpecError(f"there is no slot {slot}; a renderer has slots 0 to {SLOTS - 1}")

    def _launch(self, kernel: wp.Kernel, *arguments: object) -> None:
        dim = (len(self.tiles), self.height, self.width)
        wp.launch(kernel, dim=dim, inputs=list(arguments), device=self._device)

    def _arrays(
        self, key: tuple[str | int, ...], types: dict[str, WarpType], seldom: frozenset[str]
    ) -> tuple[dict[str, WarpArray], ReadBack]:
        """Return the arrays of a purpose, on the device and on the host, allocated once."""
        if key not in self._memory:
            shape = (len(self.tiles), self.height, self.width)
            arrays = {name: wp.empty(shape, dtype=t, device=self._device) for name, t in types.items()}
            read = {name: array for name, array in arrays.items() if name != "item"}
            self._memory[key] = arrays, ReadBack(read, seldom=seldom if self._packer else frozenset())
        arrays, host = self._memory[key]
        return dict(arrays), host

    def _poses(self, purpose: tuple[str | int, ...], camera_to_world: Float64) -> WarpArray:
        """Upload camera poses, into memory of their own for each purpose and slot: none is waited for."""
        key = ("poses", *purpose)
        if key not in self._memory:
            self._memory[key] = DeviceArray(np.zeros((len(self.tiles), 4, 4)), wp.mat44d, self._device)
        poses: DeviceArray = self._memory[key]
        poses.host[:] = camera_to_world
        poses.upload()
        return poses.array

    def _frame_seeds(self, frames: Sequence[int] | int, slot: int) -> WarpArray:
        """Upload the key of each tile's sample positions: its camera, and the frame if the preset wants it."""
        if ("seeds", slot) not in self._memory:
            self._memory["seeds", slot] = DeviceArray(np.zeros(len(self.tiles), np.int32), wp.int32, self._device)
        seeds: DeviceArray = self._memory["seeds", slot]
        frame = np.asarray(frames, np.int64) if self._preset.animated_samples else np.int64(0)
        seeds.host[:] = (self._seeds + 7919 * frame) & 0x7FFFFFFF
        seeds.upload()
        return seeds.array


def _seed(spec: SceneSpec, camera: str) -> int:
    """Return a number that belongs to one camera of one episode, wherever it is rendered."""
    digest = hashlib.sha256(f"{spec.seed}/{spec.index}/{spec.attempt}/{camera}".encode()).digest()
    return int.from_bytes(digest[:4], "little") & 0x7FFFFFFF

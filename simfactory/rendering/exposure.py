"""Images by paths of light: exposed on a film, denoised tile by tile, developed."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import warp as wp

from simfactory.rendering.arrays import Records, WarpArray, host_view, records
from simfactory.rendering.buffers import DeviceSurface
from simfactory.rendering.denoise import Denoiser
from simfactory.rendering.kernels.blocks import EDGE, MARGIN, ROUGH, Blocks, expose_blocks, spread_blocks
from simfactory.rendering.kernels.film import Centers, Film, Run, ask_further, develop, expose
from simfactory.rendering.kernels.look import Lens, Look
from simfactory.rendering.kernels.world import World
from simfactory.rendering.presets import Preset
from simfactory.spec import CameraSpec

__all__ = ["Exposure", "lens_records"]

STEP = 16  # of the grid on which boxes in a tile begin and end [px]
RICH = 0.1  # share of mirrors and glass from which on a tile is denoised with most care
CLEAR = 0.05  # transmission from which on a body shows what is behind it


def lens_records(cameras: Sequence[CameraSpec], pinholes: npt.NDArray[np.float64]) -> Records:
    """Return how each camera gathers light, given `(camera, 4)` fx, fy, cx, cy [px]."""
    rows = records(Lens, len(cameras))
    for row, camera, pinhole in zip(rows, cameras, pinholes, strict=True):
        row["pinhole"] = pinhole
        row["aperture"], row["focus"] = camera.aperture_radius, camera.focus_distance
        row["gain"] = 2.0**camera.exposure
    return rows


@dataclass(frozen=True, kw_only=True, slots=True)
class _Region:
    """What is followed pixel by pixel.

    Attributes:
        tiles: The tiles that have any of it `(some,)`.
        boxes: First and one past the last row and column, of every tile `(tile,)`.
        dim: How many tiles have any, and the largest box's rows and columns.
    """

    tiles: WarpArray
    boxes: WarpArray
    dim: tuple[int, int, int]


class Exposure:
    """Follows paths for all tiles of a renderer."""

    def __init__(
        self,
        look: Look,
        environments: WarpArray,
        lenses: WarpArray,
        shape: tuple[int, int, int],
        preset: Preset,
        device: wp.Device,
    ) -> None:
        """Prepare for tiles `(tile, height, width)`, given each tile's environment and lens.

        Raises:
            BackendUnavailable: The preset denoises, and pyoidn is missing.
        """
        self._look, self._environments, self._lenses = look, environments, lenses
        self._shape, self._preset, self._device = shape, preset, device
        self._film = Film()
        for name in ("light", "albedo", "normal"):
            setattr(self._film, name, wp.zeros(shape, dtype=wp.vec3, device=device))
        refined = shape if preset.more_samples else (0, 0, 0)
        self._film.doubt = wp.zeros(refined, dtype=wp.float32, device=device)
        self._film.taken, self._film.further = (wp.zeros(refined, dtype=wp.int32, device=device) for _ in range(2))
        self._shares = False  # whether blocks of pixels shared the paths of the last images
        self._blocks = Blocks()
        few = (shape[0], -(-shape[1] // EDGE), -(-shape[2] // EDGE)) if preset.block_samples else (0, 0, 0)
        for name in ("light", "albedo", "normal", "vector", "share"):
            setattr(self._blocks, name, wp.zeros(few, dtype=wp.vec3, device=device))
        self._blocks.pixel = wp.zeros(few, dtype=wp.int32, device=device)
        self._mirrors = _mirrors(look, preset)
        self._shown = self._mirrors | _uneven(look)
        self._whole = np.array([row["aperture"] > 0.0 for row in lenses.numpy()])
        self._everywhere = _region(np.tile(np.array([0, shape[1], 0, shape[2]], np.int32), (shape[0], 1)), device)
        self._denoiser = None
        if preset.denoiser is not None:
            self._denoiser = Denoiser(preset=preset.name, quality=preset.denoiser)
        self._careful: Denoiser | None = None  # for tiles rich in mirrors
        self._rich: WarpArray = wp.zeros(shape[0], dtype=wp.int32, device=device)

    @property
    def light(self) -> WarpArray:
        """Linear light `(tile, height, width)` vec3 of the last images."""
        light: WarpArray = self._film.light
        return light

    def expose(
        self,
        buffers: DeviceSurface,
        world: World,
        poses: WarpArray,
        seeds: WarpArray,
        *,
        instant: int = 0,
        instants: int = 1,
    ) -> None:
        """Gather light on the film: the first instant clears it, all weigh the same.

        Args:
            buffers: What the cameras see when the shutter opens.
            world: Where everything is at this instant.
            poses: camera_to_world of each tile at this instant.
            seeds: Keys of each tile's paths.
            instant: Number of the instant.
            instants: How many there are.
        """
        samples, edges = (-(-count // instants) for count in (self._preset.samples, self._preset.edge_samples))
        if instants > 1 and samples * instants >= self._preset.samples + self._preset.edge_samples:
            edges = 0  # enough for outlines as well
        centers = Centers()
        centers.item, centers.triangle, centers.normal = buffers.item, buffers.triangle, buffers.normal
        counts = {"samples": samples, "edge_samples": edges, "instant": instant, "instants": instants}
        given = [world, self._look, self._environments, seeds, self._lenses, poses, centers]
        self._rich.assign(self._rich_tiles(buffers))
        self._shares = self._preset.block_samples > 0 and instants == 1
        if self._shares:
            self._expose_blocks(buffers, given, counts)
            return
        for refine in range(1 if instants > 1 or self._preset.more_samples == 0 else 2):
            if refine:
                inputs = [self._look, centers, self._rich, self._film]
                wp.launch(ask_further, dim=self._shape, inputs=inputs, device=self._device)
            self._follow(given, self._run(counts | {"refine": refine}, self._everywhere), self._everywhere)

    def finish(self, rgb: WarpArray) -> None:
        """Denoise and develop what was gathered into `rgb` `(tile, height, width, 3)`."""
        if self._denoiser is not None and not self._shares:
            film = self._film
            guides = (film.albedo, film.normal)
            rich_tiles = self._rich.numpy()
            plain = [(slice(0), slice(0)) if rich else (slice(None), slice(None)) for rich in rich_tiles]
            _denoise(self._denoiser, film.light, guides, self._device, plain)
            if rich_tiles.any():
                others = [(slice(None), slice(None)) if rich else (slice(0), slice(0)) for rich in rich_tiles]
                _denoise(self._best(), film.light, guides, self._device, others)
        inputs = [self._look, self._lenses, self._film.light]
        wp.launch(develop, dim=self._shape, inputs=inputs, outputs=[rgb], device=self._device)

    def close(self) -> None:
        """Free the denoiser."""
        for denoiser in (self._denoiser, self._careful):
            if denoiser is not None:
                denoiser.close()

    def _best(self) -> Denoiser:
        """Return the denoiser of highest effort."""
        if self._careful is None:
            self._careful = Denoiser(preset=self._preset.name, quality="high")
        return self._careful

    def _rich_tiles(self, buffers: DeviceSurface) -> npt.NDArray[np.int32]:
        """Return whether mirrors and glass fill more than a share of a tile `(tile,)`."""
        seen = self._mirrors[np.asarray(host_view(buffers.item))]
        return np.asarray(seen.mean(axis=(1, 2)) > RICH, np.int32)

    def _expose_blocks(self, buffers: DeviceSurface, given: list[object], counts: dict[str, int]) -> None:
        """Follow paths for blocks of pixels, and in a box of each tile for every pixel; denoise both and join them."""
        blocks, film = self._blocks, self._film
        boxes = self._boxes(np.asarray(host_view(buffers.item)))
        region = _region(boxes, self._device)
        run = self._run(counts | {"refine": 0}, region)
        self._follow(given, run, region)
        wp.launch(expose_blocks, dim=blocks.pixel.shape, inputs=[*given, run, blocks], device=self._device)
        if self._denoiser is not None:
            cuts = [(slice(top, bottom), slice(left, right)) for top, bottom, left, right in boxes.tolist()]
            _denoise(self._denoiser, film.light, (film.albedo, film.normal), self._device, cuts)
            _denoise(self._denoiser, blocks.light, (blocks.albedo, blocks.normal), self._device, self._around(boxes))
        wp.launch(spread_blocks, dim=self._shape, inputs=[*given, run, blocks, film], device=self._device)

    def _run(self, counts: dict[str, int], region: _Region) -> Run:
        run = Run()
        run.tiles, run.boxes, run.rich = region.tiles, region.boxes, self._rich
        for name, value in counts.items():
            setattr(run, name, value)
        return run

    def _follow(self, given: list[object], run: Run, region: _Region) -> None:
        """Follow the paths of every pixel in a region."""
        if min(region.dim):
            wp.launch(expose, dim=region.dim, inputs=[*given, run, self._film], device=self._device)

    def _around(self, boxes: npt.NDArray[np.int32]) -> list[tuple[slice, slice]]:
        """Return what of each tile's blocks is needed: none where the box is the whole tile, else all."""
        whole = np.all(boxes == [0, self._shape[1], 0, self._shape[2]], axis=1)
        return [(slice(0), slice(0)) if every else (slice(None), slice(None)) for every in whole]

    def _boxes(self, item: npt.NDArray[np.int32]) -> npt.NDArray[np.int32]:
        """Return for each tile the rows and columns (from, to) about what blocks cannot show `(tile, 4)`.

        Borders lie on a grid, so that they seldom move from frame to frame.
        """
        boxes = np.zeros((len(item), 4), np.int32)
        apart = self._shown[item]
        for tile, marked in enumerate(apart):
            if self._whole[tile]:
                boxes[tile] = 0, item.shape[1], 0, item.shape[2]
            elif marked.any():
                for axis, size in enumerate(item.shape[1:]):
                    (found,) = np.nonzero(marked.any(axis=1 - axis))
                    first = (found[0] - int(MARGIN)) // STEP * STEP
                    last = -(-(found[-1] + 1 + int(MARGIN)) // STEP) * STEP
                    boxes[tile, 2 * axis : 2 * axis + 2] = max(first, 0), min(last, size)
        return boxes


def _region(boxes: npt.NDArray[np.int32], device: wp.Device) -> _Region:
    """Upload the boxes of all tiles `(tile, 4)`."""
    (tiles,) = np.nonzero(boxes[:, 1] > boxes[:, 0])
    return _Region(
        tiles=wp.array(tiles, dtype=wp.int32, device=device),
        boxes=wp.array(boxes, dtype=wp.vec4i, device=device),
        dim=(len(tiles), int((boxes[:, 1] - boxes[:, 0]).max()), int((boxes[:, 3] - boxes[:, 2]).max())),
    )


def _mirrors(look: Look, preset: Preset) -> npt.NDArray[np.bool_]:
    """Return which items are mirrors or clear glass, as `is_mirror` has it; one more, the last, is the sky."""
    rows = look.materials.numpy()
    shows = (rows["metallic"] > 0.5) | (rows["transmission"] > 0.5)
    return np.append(shows & (rows["roughness"] < preset.mirror_roughness), False)


def _uneven(look: Look) -> npt.NDArray[np.bool_]:
    """Return which other items blocks of pixels cannot show; one more, the last, is the sky."""
    rows = look.materials.numpy()
    glints = (rows["relief"] >= 0) & ((rows["metallic"] > 0.5) | (rows["roughness"] < float(ROUGH)))
    return np.append((rows["transmission"] > CLEAR) | glints, False)


def _denoise(
    denoiser: Denoiser,
    gathered: WarpArray,
    guides: tuple[WarpArray, WarpArray],
    device: wp.Device,
    cuts: Sequence[tuple[slice, slice]] | None = None,
) -> None:
    """Denoise gathered light, guided by albedo and normals, tile by tile; of each the whole or a cut."""
    light, albedo, normal = (host_view(array) for array in (gathered, *guides))
    for tile in range(len(light)):
        cut = (slice(None), slice(None)) if cuts is None else cuts[tile]
        if light[tile][cut].size:
            light[tile][cut] = denoiser.denoise(light[tile][cut], albedo[tile][cut], normal[tile][cut])
    if not device.is_cpu:
        gathered.assign(np.ascontiguousarray(light))

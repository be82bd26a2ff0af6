"""Images by paths of light: exposed on a film, denoised tile by tile, developed."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import warp as wp

from simfactory.rendering.arrays import Records, WarpArray, host_view, records
from simfactory.rendering.buffers import DeviceSurface
from simfactory.rendering.denoise import Denoiser
from simfactory.rendering.kernels.film import Centers, Film, Run, ask_further, develop, expose
from simfactory.rendering.kernels.look import Lens, Look
from simfactory.rendering.kernels.world import World
from simfactory.rendering.presets import Preset
from simfactory.spec import CameraSpec

__all__ = ["Exposure", "lens_records"]


def lens_records(cameras: Sequence[CameraSpec], pinholes: npt.NDArray[np.float64]) -> Records:
    """Return how each camera gathers light, given `(camera, 4)` fx, fy, cx, cy [px]."""
    rows = records(Lens, len(cameras))
    for row, camera, pinhole in zip(rows, cameras, pinholes, strict=True):
        row["pinhole"] = pinhole
        row["aperture"], row["focus"] = camera.aperture_radius, camera.focus_distance
        row["gain"] = 2.0**camera.exposure
    return rows


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
        self._denoiser = None
        if preset.denoiser is not None:
            self._denoiser = Denoiser(shape[1], shape[2], preset=preset.name, quality=preset.denoiser)

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
        for refine in range(1 if instants > 1 or self._preset.more_samples == 0 else 2):
            if refine:
                inputs = [self._look, centers, self._film]
                wp.launch(ask_further, dim=self._shape, inputs=inputs, device=self._device)
            run = Run()
            for name, value in {**counts, "refine": refine}.items():
                setattr(run, name, value)
            inputs = [world, self._look, self._environments, seeds, self._lenses, poses, centers, run, self._film]
            wp.launch(expose, dim=self._shape, inputs=inputs, device=self._device)

    def finish(self, rgb: WarpArray) -> None:
        """Denoise and develop what was gathered into `rgb` `(tile, height, width, 3)`."""
        if self._denoiser is not None:
            self._denoise(self._denoiser)
        inputs = [self._look, self._lenses, self._film.light]
        wp.launch(develop, dim=self._shape, inputs=inputs, outputs=[rgb], device=self._device)

    def close(self) -> None:
        """Free the denoiser."""
        if self._denoiser is not None:
            self._denoiser.close()

    def _denoise(self, denoiser: Denoiser) -> None:
        light, albedo, normal = (host_view(array) for array in (self._film.light, self._film.albedo, self._film.normal))
        for tile in range(self._shape[0]):
            light[tile] = denoiser.denoise(light[tile], albedo[tile], normal[tile])
        if not self._device.is_cpu:
            self._film.light.assign(np.ascontiguousarray(light))

"""Images from surface buffers: few pixels are shaded, smooth ones interpolated, edges sampled again."""

import numpy as np
import warp as wp

from simfactory.rendering.arrays import WarpArray
from simfactory.rendering.buffers import DeviceSurface
from simfactory.rendering.kernels.image import CROSS, DIAGONAL, Canvas, resolve, shade_listed, spread_light
from simfactory.rendering.kernels.look import Look
from simfactory.rendering.kernels.world import World

__all__ = ["Painter"]


class Painter:
    """Shades all tiles of a renderer."""

    def __init__(
        self, look: Look, environments: WarpArray, lenses: WarpArray, height: int, width: int, device: wp.Device
    ) -> None:
        """Prepare for tiles of one size, given each tile's environment and lens."""
        self._look = look
        self._environments = environments
        self._lenses = lenses
        self._shape = (len(environments), height, width)
        self._device = device
        tile, row, column = np.meshgrid(
            np.arange(len(environments)), np.arange(0, height, 2), np.arange(0, width, 2), indexing="ij"
        )
        coarse = np.stack([tile.ravel(), row.ravel(), column.ravel()], axis=-1)
        self._coarse: WarpArray = wp.array(coarse, dtype=wp.vec3i, device=device)
        self._listed = wp.empty(len(environments) * height * width, dtype=wp.vec3i, device=device)
        self._count = wp.zeros(1, dtype=wp.int32, device=device)
        self._canvas = Canvas()
        for name, dtype in (("light", wp.vec3), ("pattern", wp.vec3), ("center", wp.vec4)):
            setattr(self._canvas, name, wp.empty(self._shape, dtype=dtype, device=device))

    def paint(self, buffers: DeviceSurface, world: World, poses: WarpArray, seeds: WarpArray, rgb: WarpArray) -> None:
        """Fill `rgb` `(tile, height, width, 3)`.

        Args:
            buffers: What the cameras see.
            world: Where everything is.
            poses: camera_to_world of each tile.
            seeds: Keys of each tile's sample positions.
            rgb: Display values.
        """
        canvas = self._canvas
        canvas.rgb = rgb
        tiles, height, width = self._shape
        lens, seen = self._lenses, (buffers.item, buffers.triangle)

        def shade(pixels: WarpArray, count: int, *, refine: int) -> None:
            inputs = [world, self._look, refine, self._environments, seeds, lens, poses, *seen, pixels, canvas]
            wp.launch(shade_listed, dim=count, inputs=inputs, device=self._device)

        shade(self._coarse, len(self._coarse), refine=0)
        for stage, covered in ((DIAGONAL, (height // 2, width // 2)), (CROSS, (height, (width + 1) // 2))):
            self._count.zero_()
            wp.launch(
                spread_light,
                dim=(tiles, *covered),
                inputs=[world, self._look, stage, lens, poses, *seen, canvas, self._count, self._listed],
                device=self._device,
            )
            shade(self._listed, self._listed_count(), refine=0)
        self._count.zero_()
        inputs = [self._look, canvas, self._count, self._listed]
        wp.launch(resolve, dim=self._shape, inputs=inputs, device=self._device)
        shade(self._listed, self._listed_count(), refine=1)

    def _listed_count(self) -> int:
        return int(self._count.numpy()[0])

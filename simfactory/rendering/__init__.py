"""Rendering: exact surface buffers, motion and shaded images of all cameras of all environments at once."""

from simfactory.rendering.buffers import DeviceImage, DeviceMotion, DeviceSurface
from simfactory.rendering.denoise import check_denoiser
from simfactory.rendering.placement import Placed
from simfactory.rendering.presets import find_preset, preset_names
from simfactory.rendering.renderer import Renderer

__all__ = [
    "DeviceImage",
    "DeviceMotion",
    "DeviceSurface",
    "Placed",
    "Renderer",
    "check_denoiser",
    "find_preset",
    "preset_names",
]

"""Rendering: exact surface buffers, motion and shaded images of all cameras of all environments at once."""

from simfactory.rendering.buffers import DeviceImage, DeviceMotion, DeviceStored, DeviceSurface
from simfactory.rendering.denoise import check_denoiser
from simfactory.rendering.packing import Steps
from simfactory.rendering.placement import Placed
from simfactory.rendering.presets import find_preset, preset_names
from simfactory.rendering.renderer import Renderer

__all__ = [
    "DeviceImage",
    "DeviceMotion",
    "DeviceStored",
    "DeviceSurface",
    "Placed",
    "Renderer",
    "Steps",
    "check_denoiser",
    "find_preset",
    "preset_names",
]

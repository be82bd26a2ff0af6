"""Colours: sRGB decoding, colour temperature, and the curve from scene light to display values."""

import numpy as np
import numpy.typing as npt

__all__ = ["LUMINANCE", "blackbody", "display_table", "display_values", "linear"]

Float32 = npt.NDArray[np.float32]
Float64 = npt.NDArray[np.float64]

LUMINANCE = np.array([0.2126, 0.7152, 0.0722])  # of linear sRGB (Rec. 709)


def linear(srgb: npt.ArrayLike) -> Float64:
    """Decode sRGB values 0–1 `(..., 3)` to linear light.

    Source: IEC 61966-2-1.
    """
    value = np.asarray(srgb, np.float64)
    return np.where(value <= 0.04045, value / 12.92, ((value + 0.055) / 1.055) ** 2.4)


def encoded(light: npt.ArrayLike) -> Float64:
    """Encode linear light 0–1 as sRGB values 0–1.

    Source: IEC 61966-2-1.
    """
    value = np.asarray(light, np.float64)
    return np.where(value <= 0.0031308, 12.92 * value, 1.055 * np.maximum(value, 0.0031308) ** (1.0 / 2.4) - 0.055)


def blackbody(temperature: float) -> Float64:
    """Return the linear sRGB colour `(3,)` of a black body at a temperature [K], luminance 1, relative to 6,500 K.

    Planck's law at three wavelengths that stand for the primaries, divided by the same at the white point.
    """
    wavelength = np.array([612e-9, 549e-9, 465e-9])

    def radiance(kelvin: float) -> Float64:
        return np.asarray(1.0 / np.expm1(1.438776877e-2 / (wavelength * kelvin)))

    color = radiance(temperature) / radiance(6500.0)
    return np.asarray(color / (color @ LUMINANCE))


def display_table(size: int, *, exposure: float, contrast: float, knee: float) -> Float32:
    """Tabulate the display value 0–255 `(size,)` of linear light x ≥ 0 at index x / (x + knee) · (size − 1).

    The curve is the Naka–Rushton response y = xᶜ / (xᶜ + sᶜ) with s chosen so that 0.18 after exposure stays 0.18:
    straight through the middle greys, a long shoulder, never clipped.

    Source: K. Naka, W. Rushton, "S-potentials from luminosity units in the retina of fish", J. Physiol. (1966).
    """
    position = np.linspace(0.0, 1.0, size)
    light = exposure * knee * position / np.maximum(1.0 - position, 1e-9)
    half_response = 0.18**contrast * (1.0 - 0.18) / 0.18
    powered = light**contrast
    return (255.0 * encoded(powered / (powered + half_response))).astype(np.float32)


def display_values(light: npt.ArrayLike, *, exposure: float, contrast: float) -> Float64:
    """Return the display values 0–255 `(..., 3)` of linear light, as kernels develop it.

    Bright colours lose some saturation, then the curve of `display_table` acts on each channel.
    """
    value = np.asarray(light, np.float64)
    mixed = exposure * (0.91 * value + 0.03 * value.sum(axis=-1, keepdims=True))
    half_response = 0.18**contrast * (1.0 - 0.18) / 0.18
    powered = np.maximum(mixed, 0.0) ** contrast
    return 255.0 * encoded(powered / (powered + half_response))

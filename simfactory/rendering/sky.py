"""The procedural sky: radiance by direction, tabulated for every roughness, and its diffuse light."""

import functools
import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from simfactory.rendering.color import LUMINANCE, linear
from simfactory.spec import Sky

__all__ = ["LEVELS", "TABLE_HEIGHT", "TABLE_WIDTH", "SkyTable", "harmonics", "sky_table"]

Float32 = npt.NDArray[np.float32]
Float64 = npt.NDArray[np.float64]

TABLE_HEIGHT, TABLE_WIDTH = 48, 24  # elevation × azimuth from the sun
LEVELS = 5  # roughness 0, 0.25, … 1
NOMINAL_SUN = (0.5, 0.0, 0.8660254)  # where an unseen sun stands that only colours the sky

RAYLEIGH = np.array([5.8e-6, 13.5e-6, 33.1e-6])  # scattering coefficients at 680, 550, 440 nm [1/m]
MIE = np.array([1.0, 1.19, 1.43])  # relative haze scattering, Ångström exponent 0.84
RAYLEIGH_HEIGHT, MIE_HEIGHT = 8400.0, 1250.0  # scale heights [m]
ANISOTROPY = 0.72  # of haze
HAZE = 0.8  # brightness of the haze at the horizon over that of the sky above it, without the sun's light on it
HORIZON_BAND = 0.11  # sine of the elevation up to which the horizon's colour reaches


@dataclass(frozen=True, kw_only=True, slots=True)
class SkyTable:
    """One environment's distant light.

    Attributes:
        radiance: `(level, elevation, azimuth, 3)` linear; level 0 is the sky as seen (without the sun's disk), the
            others are blurred for rough reflections and hold the ground's reflected light below the horizon.
        harmonics: `(9, 3)` irradiance coefficients (see `harmonics`).
        up_irradiance: `(3,)` irradiance of the sky alone on a level surface.
    """

    radiance: Float32
    harmonics: Float32
    up_irradiance: Float64


def _airmass(sine: Float64) -> Float64:
    """Return the relative optical path at an elevation given by its sine.

    Source: F. Kasten, A. Young, "Revised optical air mass tables", Applied Optics (1989).
    """
    sine = np.clip(sine, 0.0, 1.0)
    return np.asarray(1.0 / (sine + 0.50572 * (6.07995 + np.degrees(np.arcsin(sine))) ** -1.6364))


def _scattering(directions: Float64, sun: Float64, turbidity: float) -> Float64:
    """Return single-scattered light of the clear and hazy sky `(..., 3)`, not normalised.

    Source: N. Hoffman, A. Preetham, "Rendering outdoor light scattering in real time" (2002), with a uniform share
    of multiply scattered light.
    """
    haze = 1.6e-6 * (turbidity - 0.6) * MIE
    depth = RAYLEIGH * RAYLEIGH_HEIGHT + haze * MIE_HEIGHT
    cosine = np.clip(directions @ sun, -1.0, 1.0)[..., None]
    rayleigh_phase = 3.0 / (16.0 * math.pi) * (1.0 + cosine**2)
    g = ANISOTROPY
    mie_phase = (1.0 - g * g) / (4.0 * math.pi * (1.0 + g * g - 2.0 * g * cosine) ** 1.5)
    path = _airmass(directions[..., 2])[..., None]
    sun_path = _airmass(np.asarray(max(float(sun[2]), 0.02)))
    sunlight = np.exp(-depth * sun_path * 0.7)
    single = (RAYLEIGH * rayleigh_phase + haze * mie_phase) / (RAYLEIGH + haze)
    multiple = 0.25 / (4.0 * math.pi) * (0.4 + 0.6 * sunlight)
    return np.asarray((single * sunlight + multiple) * (1.0 - np.exp(-depth * path)))


@functools.lru_cache(maxsize=1)
def _directions() -> Float64:
    """Return the table's directions `(elevation, azimuth, 3)`, the sun's azimuth along x."""
    v = np.linspace(-1.0, 1.0, TABLE_HEIGHT)
    z = np.sign(v) * v * v
    cosine = 1.0 - 2.0 * np.linspace(0.0, 1.0, TABLE_WIDTH) ** 2
    ring = np.sqrt(1.0 - z * z)[:, None]
    sine = np.sqrt(np.maximum(1.0 - cosine**2, 0.0))
    return np.stack([ring * cosine, ring * sine, np.broadcast_to(z[:, None], ring.shape[:1] + sine.shape)], axis=-1)


@functools.lru_cache(maxsize=1)
def _lobes() -> tuple[Float32, ...]:
    """Return for each rough level the weights `(texel, texel)` with which it averages the sharp table.

    The lobe about the mirrored direction is cosᵖ with p = (2/α² − 2) / 4, α = roughness².

    Source: B. Karis, "Real shading in Unreal Engine 4" (2013), with the Blinn–Phong exponent of a GGX lobe.
    """
    grid = _directions()
    flat = grid.reshape(-1, 3)
    mirrored = flat * np.array([1.0, -1.0, 1.0])
    v = np.linspace(-1.0, 1.0, TABLE_HEIGHT)
    cosine = 1.0 - 2.0 * np.linspace(0.0, 1.0, TABLE_WIDTH) ** 2
    rows = np.gradient(np.sign(v) * v * v)
    columns = np.gradient(np.arccos(cosine))
    area = (rows[:, None] * columns).ravel()
    weights = []
    for level in range(1, LEVELS):
        alpha = (level / (LEVELS - 1)) ** 2
        power = max((2.0 / alpha**2 - 2.0) / 4.0, 1.0)
        lobe = np.maximum(flat @ flat.T, 0.0) ** power + np.maximum(flat @ mirrored.T, 0.0) ** power
        lobe *= area
        weights.append((lobe / lobe.sum(axis=1, keepdims=True)).astype(np.float32))
    return tuple(weights)


def harmonics(directions: Float64) -> Float64:
    """Return the nine real spherical harmonics up to order two `(..., 9)` of unit vectors `(..., 3)`.

    Source: R. Ramamoorthi, P. Hanrahan, "An efficient representation for irradiance environment maps" (2001).
    """
    x, y, z = np.moveaxis(directions, -1, 0)
    return np.stack(
        [
            np.full_like(x, 0.282095),
            0.488603 * y,
            0.488603 * z,
            0.488603 * x,
            1.092548 * x * y,
            1.092548 * y * z,
            0.315392 * (3.0 * z * z - 1.0),
            1.092548 * x * z,
            0.546274 * (x * x - y * y),
        ],
        axis=-1,
    )


@functools.lru_cache(maxsize=1)
def _sphere() -> Float64:
    """Return evenly spread directions `(direction, 3)` (a Fibonacci lattice)."""
    index = np.arange(1024) + 0.5
    z = 1.0 - 2.0 * index / 1024
    angle = math.pi * (3.0 - math.sqrt(5.0)) * index
    ring = np.sqrt(1.0 - z * z)
    return np.stack([ring * np.cos(angle), ring * np.sin(angle), z], axis=-1)


def sky_table(
    sky: Sky, sun: npt.ArrayLike | None, sun_irradiance: npt.ArrayLike, ground_albedo: npt.ArrayLike | None
) -> SkyTable:
    """Tabulate a sky; brightness is scaled so that intensity 1 puts irradiance 1 on a level surface.

    Args:
        sky: The sky.
        sun: Unit vector towards the sun `(3,)`, or None for a sky without a visible sun.
        sun_irradiance: Its irradiance on a level surface `(3,)`, for the light that the ground returns.
        ground_albedo: Mean linear colour of the ground `(3,)`; None without ground.
    """
    toward = np.asarray(NOMINAL_SUN if sun is None else sun, np.float64)
    toward = np.array([math.hypot(toward[0], toward[1]), 0.0, max(float(toward[2]), 0.02)])
    toward /= np.linalg.norm(toward)
    shape = _Shape(sun=toward, turbidity=sky.turbidity, horizon=linear(sky.horizon_color))
    sphere = _sphere()
    solid_angle = 4.0 * math.pi / len(sphere)
    upward = np.maximum(sphere[:, 2], 0.0) * solid_angle
    scale = sky.intensity / max(float((upward @ shape.radiance(sphere, HAZE)) @ LUMINANCE), 1e-9)
    up_irradiance = scale * (upward @ shape.radiance(sphere, HAZE))
    level = up_irradiance + np.asarray(sun_irradiance)
    # The haze is lit by the sun as the ground is: without that a sunlit floor would end before a dark horizon.
    lit_haze = float(level @ LUMINANCE) / math.pi / max(scale * float(shape.rim(sphere).mean(axis=0) @ LUMINANCE), 1e-9)
    haze = float(np.clip(0.5 * (HAZE + lit_haze), 0.6, 2.5))

    def lit(directions: Float64) -> Float64:
        above = scale * shape.radiance(directions, haze)
        if ground_albedo is None:
            return np.asarray(above)
        return np.where(directions[..., 2:3] < 0.0, np.asarray(ground_albedo) * level / math.pi, above)

    table = np.empty((LEVELS, TABLE_HEIGHT, TABLE_WIDTH, 3))
    grid = _directions()
    table[0] = scale * shape.radiance(grid, haze)
    sharp = lit(grid).reshape(-1, 3).astype(np.float32)
    for number, lobe in enumerate(_lobes(), start=1):
        table[number] = (lobe @ sharp).reshape(grid.shape)
    band = np.repeat([math.pi, 2.0 * math.pi / 3.0, math.pi / 4.0], [1, 3, 5])
    coefficients = band[:, None] * (harmonics(sphere).T @ lit(sphere)) * solid_angle
    return SkyTable(
        radiance=table.astype(np.float32), harmonics=coefficients.astype(np.float32), up_irradiance=up_irradiance
    )


@dataclass(frozen=True, kw_only=True, slots=True)
class _Shape:
    """A sky's distribution of light, not yet scaled; the sun's azimuth is the x axis."""

    sun: Float64
    turbidity: float
    horizon: Float64

    def rim(self, directions: Float64) -> Float64:
        """Return the light just above the horizon below each direction `(..., 3)`."""
        level = directions * np.array([1.0, 1.0, 0.0]) + np.array([0.0, 0.0, 0.03])
        level /= np.linalg.norm(level, axis=-1, keepdims=True)
        return _scattering(level, self.sun, self.turbidity)

    def radiance(self, directions: Float64, haze: float) -> Float64:
        """Return the light `(..., 3)`: the sky, and near and below the horizon a band of tinted haze."""
        light = _scattering(directions, self.sun, self.turbidity)
        rim = self.rim(directions)
        brightness = (rim @ LUMINANCE)[..., None]
        band = haze * self.horizon * (0.4 * brightness + 0.6 * rim)
        blend = np.clip(directions[..., 2:3] / HORIZON_BAND, 0.0, 1.0)
        blend = blend * blend * (3.0 - 2.0 * blend)
        return np.asarray(band + (light - band) * blend)

"""Environment maps on the device: their sun taken out as a light, blurred levels, diffuse light, sampling tables."""

import functools
import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import warp as wp

from simfactory.maps import load_environment
from simfactory.rendering.arrays import records
from simfactory.rendering.color import LUMINANCE, blackbody
from simfactory.rendering.kernels.distant import CELL_COLUMNS, CELL_ROWS, ROUGH_LEVELS, Distant, DistantMap
from simfactory.rendering.latlong import directions, distribution, prefiltered, reduced, solid_angles
from simfactory.rendering.sky import LEVELS, TABLE_HEIGHT, TABLE_WIDTH, SkyTable, harmonics
from simfactory.spec import EnvironmentMap, LightSun, SceneSpec, Sky

__all__ = ["MapLight", "build_distant", "map_light", "shows_sun", "with_map_sun"]

Float32 = npt.NDArray[np.float32]
Float64 = npt.NDArray[np.float64]

ROUGH_ROWS, ROUGH_COLUMNS = 64, 128  # as in kernels.distant
SUN_RADIUS = math.radians(4.0)  # of the cap about the brightest texel that a sun may fill
SUN_SHARE = 0.15  # of the map's light that makes it a sun
SHADES = np.geomspace(1000.0, 20000.0, 200)  # colour temperatures tried for a sun [K]


@dataclass(frozen=True, kw_only=True, slots=True)
class _Picture:
    """A map with its sun taken out, scaled to intensity 1, not turned.

    Attributes:
        radiance: `(height, width, 3)` linear.
        sun: Unit vector towards the sun `(3,)`; None without one.
        irradiance: Of the sun on a facing surface `(3,)`.
    """

    radiance: Float32
    sun: Float64 | None
    irradiance: Float64


@dataclass(frozen=True, kw_only=True, slots=True)
class MapLight:
    """What one environment's map sends.

    Attributes:
        table: Its diffuse light; the procedural sky's radiance in it is empty.
        rough: `(level, row, column, 3)` radiance as rough surfaces mirror it, over the light that the ground returns.
    """

    table: SkyTable
    rough: Float32


@functools.lru_cache(maxsize=32)
def _picture(digest: str) -> _Picture:
    radiance = load_environment(digest).astype(np.float64)
    area = solid_angles(*radiance.shape[:2])[:, None]
    upper = radiance[: radiance.shape[0] // 2]
    even = 0.5 * float(((upper @ LUMINANCE) * area[: len(upper)]).sum())
    radiance = radiance / max(even, 1e-9)
    light = (radiance @ LUMINANCE) * area
    towards = directions(*radiance.shape[:2])
    peak = towards[np.unravel_index(int(light.argmax()), light.shape)]
    distance = np.arccos(np.clip(towards @ peak, -1.0, 1.0))
    cap, rim = distance < SUN_RADIUS, (distance >= SUN_RADIUS) & (distance < 2.0 * SUN_RADIUS)
    around = np.quantile(radiance[rim], 0.9, axis=0)
    excess = np.where(cap[..., None], np.maximum(radiance - around, 0.0), 0.0) * area[..., None]
    if peak[2] <= 0.0 or float((excess @ LUMINANCE).sum()) < SUN_SHARE * float(light.sum()):
        return _Picture(radiance=radiance.astype(np.float32), sun=None, irradiance=np.zeros(3))
    center = np.einsum("ijc,ij->c", towards, excess @ LUMINANCE)
    return _Picture(
        radiance=(radiance - excess / area[..., None]).astype(np.float32),
        sun=center / np.linalg.norm(center),
        irradiance=excess.sum(axis=(0, 1)),
    )


def _turned(vectors: Float64, angle: float) -> Float64:
    """Return vectors `(..., 3)` turned about z, counter-clockwise seen from above."""
    c, s = math.cos(angle), math.sin(angle)
    return np.asarray(vectors @ np.array([[c, s, 0.0], [-s, c, 0.0], [0.0, 0.0, 1.0]]))


def shows_sun(sky: Sky) -> bool:
    """Return whether a sky has a place for a sun's disk: a procedural one has, a map has if its picture shows one."""
    return sky.environment_map is None or _picture(sky.environment_map.digest).sun is not None


def with_map_sun(spec: SceneSpec) -> SceneSpec:
    """Return the scene with the sun of its environment map, if it has one, as one more light.

    A sun of a few texels would cast no shadow in light that is looked up in blurred tables, and much noise in light
    that is sampled. Its luminance is kept, its hue is that of the nearest black body.
    """
    chosen = spec.sky.environment_map
    if chosen is None:
        return spec
    picture = _picture(chosen.digest)
    if picture.sun is None:
        return spec
    ratio = picture.irradiance[0] / max(float(picture.irradiance[2]), 1e-9)
    shades = np.array([blackbody(float(kelvin)) for kelvin in SHADES])
    nearest = int(np.abs(np.log(np.maximum(shades[:, 0], 1e-9) / np.maximum(shades[:, 2], 1e-9) / ratio)).argmin())
    travel = -_turned(picture.sun, chosen.rotation)
    sun = LightSun(
        direction=(float(travel[0]), float(travel[1]), float(travel[2])),
        irradiance=min(spec.sky.intensity * float(picture.irradiance @ LUMINANCE), 100.0),
        temperature=float(SHADES[nearest]),
    )
    return spec.model_copy(update={"lights": (*spec.lights, sun)})


def map_light(
    sky: Sky,
    chosen: EnvironmentMap,
    sun: Float64 | None,
    sun_irradiance: npt.ArrayLike,
    ground_albedo: npt.ArrayLike | None,
) -> MapLight:
    """Return the light of an environment's map; below the horizon that which the ground returns, if there is one.

    Args:
        sky: The sky that shows the map.
        chosen: The map.
        sun: Unit vector towards the sun `(3,)`, whose azimuth is the x axis of the harmonics; None for +x.
        sun_irradiance: Irradiance of all suns on a level surface `(3,)`.
        ground_albedo: Mean linear colour of the ground `(3,)`; None without ground.
    """
    sharp = sky.intensity * _picture(chosen.digest).radiance.astype(np.float64)
    lit = reduced(sharp, ROUGH_ROWS, ROUGH_COLUMNS)
    towards = directions(ROUGH_ROWS, ROUGH_COLUMNS)
    area = solid_angles(ROUGH_ROWS, ROUGH_COLUMNS)[:, None, None]
    up_irradiance = (lit * np.maximum(towards[..., 2:], 0.0) * area).sum(axis=(0, 1))
    if ground_albedo is not None:
        returned = np.asarray(ground_albedo) * (up_irradiance + np.asarray(sun_irradiance)) / math.pi
        lit = np.where(towards[..., 2:] < 0.0, returned, lit)
    rough = np.stack([prefiltered(lit, roughness=level / ROUGH_LEVELS) for level in range(1, int(ROUGH_LEVELS) + 1)])
    bearing = math.atan2(sun[1], sun[0]) if sun is not None and math.hypot(sun[0], sun[1]) > 1e-6 else 0.0
    basis = harmonics(_turned(towards, chosen.rotation - bearing))
    band = np.repeat([math.pi, 2.0 * math.pi / 3.0, math.pi / 4.0], [1, 3, 5])
    coefficients = band[:, None] * np.einsum("ijk,ijc->kc", basis, lit * area)
    table = SkyTable(
        radiance=np.zeros((LEVELS, TABLE_HEIGHT, TABLE_WIDTH, 3), np.float32),
        harmonics=coefficients.astype(np.float32),
        up_irradiance=up_irradiance,
    )
    return MapLight(table=table, rough=rough.astype(np.float32))


def build_distant(skies: Sequence[Sky], lights: Sequence[MapLight | None], device: wp.Device) -> Distant:
    """Upload the environments' maps; `lights` has None where the sky is procedural."""
    rows = records(DistantMap, len(skies))
    texels: list[Float32] = [np.zeros((1, 3), np.float32)]  # an empty array has no address
    tables: list[tuple[Float32, Float32]] = []
    placed: dict[str, tuple[int, int]] = {}
    count = 1
    for record, sky, light in zip(rows, skies, lights, strict=True):
        record["cosine"] = 1.0
        if sky.environment_map is None or light is None:
            continue
        digest, rotation = sky.environment_map.digest, sky.environment_map.rotation
        picture = _picture(digest).radiance
        if digest not in placed:
            placed[digest] = count, len(tables)
            texels.append(picture.reshape(-1, 3))
            tables.append(_table(digest))
            count += len(texels[-1])
        record["used"], (record["first"], record["table"]) = 1, placed[digest]
        record["rows"], record["columns"] = picture.shape[:2]
        record["first_rough"], record["scale"] = count, sky.intensity
        record["cosine"], record["sine"] = math.cos(rotation), math.sin(rotation)
        texels.append(light.rough.reshape(-1, 3))
        count += len(texels[-1])
    tables = tables or [(np.zeros(1, np.float32), np.zeros((1, 1), np.float32))]
    distant = Distant()
    distant.maps = wp.array(rows, dtype=DistantMap, device=device)
    distant.texels = wp.array(np.concatenate(texels), dtype=wp.vec3, device=device)
    distant.row_sums = wp.array(np.stack([row for row, _ in tables]), dtype=wp.float32, device=device)
    distant.column_sums = wp.array(np.stack([column for _, column in tables]), dtype=wp.float32, device=device)
    return distant


@functools.lru_cache(maxsize=32)
def _table(digest: str) -> tuple[Float32, Float32]:
    radiance = _picture(digest).radiance.astype(np.float64)
    return distribution(reduced(radiance, int(CELL_ROWS), int(CELL_COLUMNS)) @ LUMINANCE)

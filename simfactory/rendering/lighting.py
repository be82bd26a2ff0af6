"""Looks on the device: materials, lights, skies and rooms of all environments."""

import math
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import warp as wp

from simfactory.episode import GROUND, ROOM, Surface
from simfactory.meshes import TriangleMesh
from simfactory.rendering.arrays import Records, WarpArray, records
from simfactory.rendering.color import blackbody, display_table
from simfactory.rendering.environments import MapLight, build_distant, map_light, shows_sun, with_map_sun
from simfactory.rendering.geometry import Geometry
from simfactory.rendering.kernels.look import DISK, POINT, RECTANGLE, SUN, Light, Look, Material, Scenery
from simfactory.rendering.kernels.skylight import tabulate_even_irradiance
from simfactory.rendering.materials import material, mean_color
from simfactory.rendering.pictures import Gallery
from simfactory.rendering.presets import Preset
from simfactory.rendering.sky import SkyTable, sky_table
from simfactory.spec import LightArea, LightPoint, LightSun, SceneSpec

__all__ = ["build_look"]

Float64 = npt.NDArray[np.float64]

TONE_SIZE, TONE_KNEE = 8192, 0.5
EVEN_SHAPE, EVEN_DIRECTIONS = (24, 32), 2048  # of the irradiance by normal: error below 0.3 %
STRIDES = 48  # dimensions of a path whose samples are evenly spread


def build_look(
    scenes: Sequence[tuple[SceneSpec, tuple[Surface, ...]]], geometry: Geometry, preset: Preset, device: wp.Device
) -> Look:
    """Upload how everything looks."""
    scenes = [(with_map_sun(spec), group) for spec, group in scenes]
    surfaces = [(spec, surface) for spec, group in scenes for surface in group]
    gallery = Gallery((surface.visual for _, surface in surfaces), device)
    lights: list[Records] = []
    sceneries: list[Records] = []
    tables: list[SkyTable] = []
    maps: list[MapLight | None] = []
    for spec, group in scenes:
        table, distant = _table(spec, gallery)
        tables.append(table)
        maps.append(distant)
        sceneries.append(_scenery(spec, group, table, sum(map(len, lights)), gallery))
        lights.append(_lights(spec))
    look = Look()
    rows = [
        material(*pair, gallery, first_corner=shape.first_corner)
        for pair, shape in zip(surfaces, geometry.shapes, strict=True)
    ]
    look.materials = wp.array(np.concatenate(rows), dtype=Material, device=device)
    look.distant = build_distant([spec.sky for spec, _ in scenes], maps, device)
    look.pictures = gallery.pictures
    look.pictures.coordinates = geometry.coordinates
    every = np.concatenate([*lights, records(Light, 1)])  # one more: an empty array has no address
    look.lights = wp.array(every, dtype=Light, device=device)
    look.sceneries = wp.array(np.concatenate(sceneries), dtype=Scenery, device=device)
    look.sky = wp.array(np.stack([table.radiance for table in tables]), dtype=wp.vec3, device=device)
    look.harmonics = wp.array(np.stack([table.harmonics for table in tables]), dtype=wp.vec3, device=device)
    look.rest = geometry.rest
    tone = display_table(TONE_SIZE, exposure=preset.exposure, contrast=preset.contrast, knee=TONE_KNEE)
    look.tone = wp.array(tone, dtype=wp.float32, device=device)
    look.tone_knee = TONE_KNEE
    look.traced_roughness = preset.traced_roughness
    look.edge_samples = preset.edge_samples
    look.edge_contrast = 255.0 * preset.edge_contrast
    look.smooth_contrast = 255.0 * preset.smooth_contrast
    look.strides = wp.array(_strides(), dtype=wp.uint32, device=device)
    look.samples, look.depth, look.split = preset.samples, preset.depth, int(preset.split)
    look.mirror_samples, look.texture_samples = preset.mirror_samples, preset.texture_samples
    look.block_samples, look.more_mirror_samples = preset.block_samples, preset.more_mirror_samples
    look.more_samples, look.noise = preset.more_samples, preset.noise
    look.detail_noise, look.mirror_noise = preset.detail_noise, preset.mirror_noise
    look.filter_width = preset.filter_width
    look.mirror_roughness, look.brightest = preset.mirror_roughness, preset.brightest
    look.even = _even_irradiance(look, len(scenes), preset, device)
    return look


def _even_irradiance(look: Look, environments: int, preset: Preset, device: wp.Device) -> WarpArray:
    """Return the irradiance of sky and ground by normal `(environment, elevation, azimuth)` vec3; paths need it."""
    even: WarpArray = wp.zeros((environments, *EVEN_SHAPE), dtype=wp.vec3, device=device)
    look.even = even
    if preset.samples:
        wp.launch(tabulate_even_irradiance, dim=even.shape, inputs=[look, EVEN_DIRECTIONS], device=device)
    return even


def _strides() -> npt.NDArray[np.uint32]:
    """Return the steps of Kronecker sequences by dimension, in units of 2⁻³²: roots of primes, no two related."""
    primes = [n for n in range(2, 600) if all(n % k for k in range(2, math.isqrt(n) + 1))]
    parts = np.modf(np.sqrt(primes))[0]
    return (parts[(parts > 0.2) & (parts < 0.8)][:STRIDES] * 2.0**32).astype(np.uint32)


def _toward(light: LightSun) -> Float64:
    direction = -np.asarray(light.direction, np.float64)
    return np.asarray(direction / np.linalg.norm(direction))


def _sun(spec: SceneSpec) -> LightSun | None:
    """Return the sun that the sky shows: the brightest one."""
    suns = [light for light in spec.lights if isinstance(light, LightSun)]
    return max(suns, key=lambda sun: sun.irradiance, default=None)


def _table(spec: SceneSpec, gallery: Gallery) -> tuple[SkyTable, MapLight | None]:
    sun = _sun(spec)
    level = sum(
        (
            light.irradiance * max(float(_toward(light)[2]), 0.0) * blackbody(light.temperature)
            for light in spec.lights
            if isinstance(light, LightSun)
        ),
        start=np.zeros(3),
    )
    albedo = None if spec.ground is None else mean_color(spec.ground.visual, gallery)
    toward = None if sun is None else _toward(sun)
    if spec.sky.environment_map is None:
        return sky_table(spec.sky, toward, level, albedo), None
    light = map_light(spec.sky, spec.sky.environment_map, toward, level, albedo)
    return light.table, light


def _lights(spec: SceneSpec) -> Records:
    rows = records(Light, len(spec.lights))
    for record, light in zip(rows, spec.lights, strict=True):
        color = blackbody(light.temperature)
        match light:
            case LightSun():
                record["kind"], record["place"], record["color"] = SUN, _toward(light), light.irradiance * color
                record["spread"] = 1.0 - math.cos(math.radians(0.5 * light.angular_diameter))
            case LightArea():
                record["kind"] = RECTANGLE if light.shape == "rectangle" else DISK
                record["place"], record["color"] = light.position, light.radiance * color
                record["facing"], record["across"], record["upward"] = _axes(light)
                record["area"] = _area(light)
            case LightPoint():
                record["kind"], record["place"], record["color"] = POINT, light.position, light.intensity * color
    return rows


def _axes(light: LightArea) -> tuple[Float64, Float64, Float64]:
    """Return where an area faces (unit) and its half axes [m]; the first axis is level."""
    facing = np.asarray(light.direction, np.float64) / np.linalg.norm(light.direction)
    level = np.cross((0.0, 0.0, 1.0), facing)
    if np.linalg.norm(level) < 1e-6:
        level = np.array([1.0, 0.0, 0.0])
    level /= np.linalg.norm(level)
    return facing, 0.5 * light.size[0] * level, 0.5 * light.size[1] * np.cross(facing, level)


def _area(light: LightArea) -> float:
    return light.size[0] * light.size[1] * (1.0 if light.shape == "rectangle" else 0.25 * math.pi)


def _scenery(
    spec: SceneSpec, surfaces: Sequence[Surface], table: SkyTable, first_light: int, gallery: Gallery
) -> Records:
    record = records(Scenery, 1)
    record["first_light"], record["light_count"] = first_light, len(spec.lights)
    sun = _sun(spec)
    record["sun"] = (0.5, 0.0, 0.866) if sun is None else _toward(sun)
    if sun is not None and shows_sun(spec.sky):
        record["sun_glow"] = sun.irradiance * blackbody(sun.temperature)
    half = 1.0 if spec.ground is None else 0.5 * spec.ground.size
    record["fade_start"], record["fade_end"] = 0.35 * half, 0.97 * half
    bodies = [surface.mesh for surface in surfaces if surface.body is not None]
    record["occlusion_reach"] = 2.0 * max(map(_half_extent, bodies))
    if spec.room is not None:
        record["room"], record["room_open"] = spec.room.size, not spec.room.ceiling
        record["room_light"] = _room_light(spec, surfaces, table, gallery)
        record["fade_start"], record["fade_end"] = 1e6, 2e6
    return record


def _half_extent(mesh: TriangleMesh) -> float:
    return 0.5 * float(np.ptp(mesh.vertices, axis=0).max())


def _room_light(spec: SceneSpec, surfaces: Sequence[Surface], table: SkyTable, gallery: Gallery) -> Float64:
    """Return the irradiance that a room's own surfaces send everywhere `(3,)`: light in, spread by many bounces.

    What enters (lamps, and sky and sun through an open top) meets the walls; each bounce keeps the albedo's share,
    so the sum is flux · albedo / (1 - albedo) over the inner area.
    """
    width, depth, height = spec.room.size if spec.room is not None else (1.0, 1.0, 1.0)
    top, sides = width * depth, 2.0 * (width + depth) * height
    flux = np.zeros(3)
    for light in spec.lights:
        color = blackbody(light.temperature)
        match light:
            case LightPoint():
                flux += 4.0 * math.pi * light.intensity * color
            case LightArea():
                flux += math.pi * light.radiance * _area(light) * color
            case LightSun() if spec.room is not None and not spec.room.ceiling:
                flux += light.irradiance * max(float(_toward(light)[2]), 0.0) * top * color
    closed = spec.room is not None and spec.room.ceiling
    if not closed:
        flux += table.up_irradiance * top
    colors = [mean_color(surface.visual, gallery) for surface in surfaces if surface.instance in (GROUND, ROOM)]
    albedo = np.clip(np.mean(colors, axis=0), 0.0, 0.8)
    area = 2.0 * top + sides
    kept = albedo * (1.0 - (0.0 if closed else top / area))
    return np.asarray(flux * albedo / ((1.0 - kept) * area))

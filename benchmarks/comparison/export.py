"""Writes a scene at one instant for other renderers: triangles, base colours baked to textures, lights, sky."""

import math
from pathlib import Path

import numpy as np
import numpy.typing as npt
import warp as wp
from comparison.exchange import Exchange, Thing, exchanged, srgb
from comparison.kernels import bake, bake_sky

from simfactory.cameras import camera_to_world, intrinsics
from simfactory.episode import Surface, WorldState, scene_surfaces
from simfactory.rendering import find_preset
from simfactory.rendering.color import blackbody, display_values
from simfactory.rendering.geometry import Geometry
from simfactory.rendering.kernels.look import Look
from simfactory.rendering.lighting import build_look
from simfactory.rendering.placement import Placements
from simfactory.spec import CameraSpec, LightArea, LightPoint, LightSun, SceneSpec
from simfactory.transforms import quat_to_matrix

__all__ = ["export"]

SKY_ROWS = 512
MOST_TEXELS = 4096  # along an edge of a texture
DENSITY = 1.5  # texels per pixel: denser ones would be read from coarser copies, where triangles run together

Float64 = npt.NDArray[np.float64]
UInt8 = npt.NDArray[np.uint8]


def export(spec: SceneSpec, state: WorldState, path: Path) -> None:
    """Write the file that other renderers read."""
    surfaces = scene_surfaces(spec)
    device = wp.get_device("cpu")
    geometry = Geometry(surfaces, device)
    look = build_look([(spec, surfaces)], geometry, find_preset("draft"), device)
    world = Placements([surfaces], geometry, device).place([state], 0).world
    normals, rows = world.normals.numpy(), world.instances.numpy()
    camera = spec.cameras[0]
    things = tuple(
        _thing(surface, state, camera, look, item, normals[rows["first_normal"][item] :])
        for item, surface in enumerate(surfaces)
    )
    pinhole = intrinsics(camera)
    sky = _sky(look)
    scenery = look.sceneries.numpy()[0]
    # Light from everywhere for renderers that know only a constant: the sky's mean over the upper half, or the room's.
    ambient = sky[: SKY_ROWS // 2].mean(axis=(0, 1)) if spec.room is None else scenery["room_light"] / math.pi
    preset = find_preset("high")
    gain = preset.exposure * 2.0**camera.exposure
    shown = display_values(sky, exposure=gain, contrast=preset.contrast)
    facts = {
        "width": camera.width,
        "height": camera.height,
        "intrinsics": [pinhole[0, 0], pinhole[1, 1], pinhole[0, 2], pinhole[1, 2]],
        "camera_to_world": camera_to_world(camera, [state.time])[0].tolist(),
        "lights": [_light(light) for light in spec.lights],
        "ambient": np.asarray(ambient, np.float64).tolist(),
        "exposure": gain,
        "background": [(shown[row].mean(axis=0) / 255.0).tolist() for row in (0, SKY_ROWS // 2 - 6)],
    }
    exchanged(Exchange(facts=facts, things=things, sky=sky), path)


def _light(light: LightSun | LightArea | LightPoint) -> dict[str, object]:
    """Return a light's facts; `color` is irradiance, radiance or radiant intensity, linear."""
    row = light.model_dump(include={"kind", "position", "direction", "size", "shape", "angular_diameter"})
    match light:
        case LightSun():
            level = light.irradiance
        case LightArea():
            level = light.radiance
        case LightPoint():
            level = light.intensity
    return {**row, "color": (level * blackbody(light.temperature)).tolist()}


def _thing(
    surface: Surface, state: WorldState, camera: CameraSpec, look: Look, item: int, normals: npt.NDArray[np.float32]
) -> Thing:
    mesh, visual = surface.mesh, surface.visual
    corners = normals[: 3 * len(mesh.triangles)].reshape(-1, 3, 3).astype(np.float64)
    corners /= np.maximum(np.linalg.norm(corners, axis=-1, keepdims=True), 1e-12)
    vertices = mesh.vertices
    if surface.deforming and surface.body is not None:
        vertices = state.vertices[surface.body]
    elif surface.body is not None:
        rotation = quat_to_matrix(state.quat_xyzw[surface.body])
        vertices = vertices @ rotation.T + state.position[surface.body]
        corners = corners @ rotation.T
    uv, texture = np.zeros((*corners.shape[:2], 2)), None
    if visual.texture is not None:
        uv, texture = _baked(surface, look, item, _pixels(vertices[mesh.triangles], camera))
    facts = {
        "name": surface.name,
        "instance": surface.instance,
        "color": look.materials.numpy()[item]["mean"].tolist(),
        "roughness": visual.roughness,
        "metallic": visual.metallic,
        "transmission": visual.transmission,
        "refractive_index": visual.refractive_index,
    }
    return Thing(facts=facts, vertices=vertices, triangles=mesh.triangles, normals=corners, uv=uv, texture=texture)


def _pixels(triangles: Float64, camera: CameraSpec) -> float:
    """Return how many pixels an edge of the nearer, larger triangles `(triangle, 3, 3)` covers."""
    eye = camera_to_world(camera, [0.0])[0, :3, 3]
    edges = np.linalg.norm(triangles - np.roll(triangles, 1, axis=1), axis=-1).min(axis=1)
    away = np.linalg.norm(triangles.mean(axis=1) - eye, axis=-1)
    return float(np.quantile(intrinsics(camera)[0, 0] * edges / away, 0.9))


def _baked(surface: Surface, look: Look, item: int, pixels: float) -> tuple[Float64, UInt8]:
    """Return uv `(triangle, 3, 2)` and the texture of a surface: two triangles share each square cell of it."""
    rest = np.asarray(surface.mesh.vertices, np.float64)[surface.mesh.triangles]
    count = len(rest)
    cells = math.ceil(math.sqrt(math.ceil(count / 2)))
    edge = min(max(int(DENSITY * pixels) + 6, 10), MOST_TEXELS // cells)
    gutter = max(1.5, edge / 24)  # [texel] about each triangle, for coarser copies of the texture
    far = edge - 2.5 * gutter
    first = np.array([[gutter, gutter], [far, gutter], [gutter, far]])
    shapes = np.stack([first, edge - first])
    order = np.arange(count)
    cell = np.stack([order // 2 % cells, order // 2 // cells], axis=-1)
    texels = cell[:, None] * edge + shapes[order % 2]
    size = math.ceil(cells * edge / 4) * 4  # OpenGL reads rows in steps of four bytes
    uv = np.stack([texels[..., 0] / size, 1.0 - texels[..., 1] / size], axis=-1)
    x, y = np.meshgrid(np.arange(edge) + 0.5, np.arange(edge) + 0.5, indexing="xy")
    second = (x + y > edge)[..., None]
    image = np.zeros((size, size, 3), np.uint8)
    for start in range(0, count, 2):
        pair = [start, min(start + 1, count - 1)]
        position, normal = (_spread(rest[pair], shapes, x, y, second, k) for k in ("place", "normal"))
        footprint = float(np.linalg.norm(np.ptp(rest[start], axis=0))) / edge
        colors = wp.empty(edge * edge, dtype=wp.vec3, device="cpu")
        flat = [wp.array(a.reshape(-1, 3), dtype=wp.vec3, device="cpu") for a in (position, normal)]
        wp.launch(bake, dim=edge * edge, inputs=[look, item, footprint, *flat, colors], device="cpu")
        left, top = edge * cell[start]
        image[top : top + edge, left : left + edge] = np.rint(255.0 * srgb(colors.numpy().reshape(edge, edge, 3)))
    return uv, image


def _spread(
    triangles: Float64, shapes: Float64, x: Float64, y: Float64, second: npt.NDArray[np.bool_], what: str
) -> npt.NDArray[np.float32]:
    """Return the place [m] or the normal of every texel of a cell `(edge, edge, 3)`; triangles go on in their plane."""
    layers = []
    for corners, shape in zip(triangles, shapes, strict=True):
        sides = corners[1:] - corners[0]
        if what == "normal":
            normal = np.cross(*sides)
            layers.append(np.broadcast_to(normal / max(float(np.linalg.norm(normal)), 1e-12), (*x.shape, 3)))
            continue
        weights = np.stack([x - shape[0, 0], y - shape[0, 1]], axis=-1) @ np.linalg.inv(shape[1:] - shape[0])
        layers.append(corners[0] + weights @ sides)
    return np.where(second, layers[1], layers[0]).astype(np.float32)


def _sky(look: Look) -> npt.NDArray[np.float32]:
    """Return the sky without its sun as a picture of all directions, see `Exchange.sky`."""
    elevation = math.pi * (0.5 - (np.arange(SKY_ROWS) + 0.5) / SKY_ROWS)
    azimuth = math.pi * (1.0 - 2.0 * (np.arange(2 * SKY_ROWS) + 0.5) / (2 * SKY_ROWS))
    ring, height = np.cos(elevation)[:, None], np.sin(elevation)[:, None]
    directions = np.stack(
        [ring * np.cos(azimuth), ring * np.sin(azimuth), np.broadcast_to(height, (SKY_ROWS, 2 * SKY_ROWS))], axis=-1
    )
    count = 2 * SKY_ROWS * SKY_ROWS
    radiance = wp.empty(count, dtype=wp.vec3, device="cpu")
    flat = wp.array(directions.reshape(-1, 3).astype(np.float32), dtype=wp.vec3, device="cpu")
    wp.launch(bake_sky, dim=count, inputs=[look, flat, radiance], device="cpu")
    return np.array(radiance.numpy().reshape(SKY_ROWS, 2 * SKY_ROWS, 3), np.float32)

"""Textures and reliefs: filtered without aliasing, mean kept at a distance, geometry left alone."""

import math
from dataclasses import replace

import cv2
import numpy as np
import pytest
import warp as wp

from simfactory.episode import scene_surfaces
from simfactory.maps import add_map, load_image, shipped_maps
from simfactory.rendering import Renderer
from simfactory.rendering.color import linear
from simfactory.rendering.kernels.look import Look, Material
from simfactory.rendering.kernels.pictures import Pictures, projected
from simfactory.rendering.kernels.textures import texture_mix
from simfactory.rendering.materials import material, mean_color
from simfactory.rendering.pictures import Gallery, mip_levels, slopes
from simfactory.spec import (
    Brushed,
    Checker,
    EnvironmentMap,
    Fabric,
    ImageTexture,
    Marble,
    Noise,
    NormalMap,
    Sky,
    Stone,
    Stripes,
    VisualMaterial,
    Wood,
)

DARK, LIGHT = (0.1, 0.1, 0.1), (0.8, 0.8, 0.8)
FAMILIES = {
    "checker": Checker(color=LIGHT, scale=1.0),
    "stripes": Stripes(color=LIGHT, scale=1.0),
    "noise": Noise(color=LIGHT, scale=1.0),
    "ridges": Noise(color=LIGHT, scale=1.0, ridged=True, octaves=7, gain=0.65),
    "swirls": Noise(color=LIGHT, scale=1.0, warp=1.2),
    "marble": Marble(color=LIGHT, scale=1.0),
    "wood": Wood(color=LIGHT, scale=1.0),
    "cobbles": Stone(color=LIGHT, scale=1.0, joint=0.1, grain=0.5),
    "granite": Stone(color=LIGHT, scale=1.0, joint=0.0, grain=0.8),
    "plain weave": Fabric(color=LIGHT, scale=1.0),
    "twill": Fabric(color=LIGHT, scale=1.0, float_length=3, thickness=0.6),
    "brushed": Brushed(color=LIGHT, scale=1.0),
}


@wp.kernel
def mix_at(
    materials: wp.array(dtype=Material), points: wp.array(dtype=wp.vec3), width: float, mixes: wp.array(dtype=float)
):
    m = materials[0]
    footprint = wp.vec3(width, width, 0.0)
    normal = wp.vec3(0.0, 0.0, 1.0)
    mixes[wp.tid()] = texture_mix(m.texture, m.period, m.offset, m.shape, points[wp.tid()], footprint, normal)


@wp.kernel
def read_at(pictures: Pictures, points: wp.array(dtype=wp.vec3), width: float, values: wp.array(dtype=wp.vec3)):
    normal = wp.vec3(0.0, 0.0, 1.0)
    value, _lean = projected(pictures, 0, 1.0, points[wp.tid()], wp.vec3(width, width, 0.0), normal)
    values[wp.tid()] = value


def plane(count=40_000, edge=40.0):
    points = np.random.default_rng(0).uniform(-edge / 2, edge / 2, (count, 3))
    points[:, 2] = 0.3
    return wp.array(points.astype(np.float32), dtype=wp.vec3, device="cpu")


def mixed(visual, spec, width):
    surface = replace(scene_surfaces(spec)[-2], visual=visual)
    row = material(spec, surface, Gallery([visual], wp.get_device("cpu")))
    points, mixes = plane(), wp.empty(40_000, dtype=float, device="cpu")
    materials = wp.array(row, dtype=Material, device="cpu")
    wp.launch(mix_at, dim=len(points), inputs=[materials, points, width, mixes], device="cpu")
    return mixes.numpy().astype(np.float64)


@pytest.mark.parametrize("family", FAMILIES)
def test_a_pattern_fades_into_its_mean_as_pixels_grow(family, make_scene):
    spec = make_scene(0, size=32).spec
    visual = VisualMaterial(base_color=DARK, texture=FAMILIES[family])
    sharp, medium, wide = (mixed(visual, spec, width) for width in (0.005, 0.3, 4.0))
    assert sharp.std() > 0.08
    assert medium.std() < sharp.std()
    assert wide.std() < 0.03, "what is finer than a pixel must not shimmer"
    assert wide.mean() == pytest.approx(sharp.mean(), abs=0.09), "a surface is as bright far away as near by"


@pytest.fixture
def picture(tmp_path, monkeypatch):
    """A noisy image of 64x32 texels, in the asset folder."""
    monkeypatch.setenv("SIMFACTORY_ASSETS", str(tmp_path / "assets"))
    image = np.random.default_rng(2).integers(0, 256, (32, 64, 3), np.uint8)
    cv2.imwrite(str(tmp_path / "noise.png"), image)
    return add_map(tmp_path / "noise.png", licence="CC0-1.0")


def read(digest, points, width):
    gallery = Gallery([VisualMaterial(texture=ImageTexture(digest=digest, scale=1.0))], wp.get_device("cpu"))
    values = wp.empty(len(points), dtype=wp.vec3, device="cpu")
    wp.launch(read_at, dim=len(points), inputs=[gallery.pictures, points, width, values], device="cpu")
    return values.numpy()


def test_an_image_lies_with_its_left_to_the_right_and_its_top_away(picture):
    texels = linear(load_image(picture, "texture") / 255.0)
    places = np.array([[(column + 0.5) / 64, -(row + 0.5) / 64, 0.0] for row, column in ((0, 0), (5, 20), (31, 63))])
    points = wp.array(places.astype(np.float32), dtype=wp.vec3, device="cpu")
    values = read(picture, points, 1e-4)
    np.testing.assert_allclose(values, [texels[0, 0], texels[5, 20], texels[31, 63]], atol=1e-4)


def test_an_image_fades_into_its_mean(picture):
    texels = linear(load_image(picture, "texture") / 255.0)
    spread = []
    for width in (1e-3, 1 / 32, 1 / 8, 1 / 2, 4.0):
        values = read(picture, plane(4000), width)
        np.testing.assert_allclose(values.mean(axis=0), texels.mean(axis=(0, 1)), atol=0.02)
        spread.append(values.std(axis=0).max())
    assert spread == sorted(spread, reverse=True)
    assert spread[-1] < 1e-4


def test_mip_levels_keep_the_mean_exactly():
    image = np.random.default_rng(0).random((64, 16, 3))
    levels = mip_levels(image)
    assert [level.shape[:2] for level in levels] == [(64, 16), (32, 8), (16, 4), (8, 2), (4, 1), (2, 1), (1, 1)]
    for level in levels:
        np.testing.assert_allclose(level.mean(axis=(0, 1)), image.mean(axis=(0, 1)), rtol=1e-6)


def test_slopes_are_those_of_the_normals():
    angle = math.radians(30.0)
    normal = np.array([math.sin(angle), 0.0, math.cos(angle)])
    image = np.stack([np.tile(normal, (8, 1)), np.tile(normal * [-1.0, 1.0, 1.0], (8, 1))])
    lean = slopes(np.round((image + 1.0) * 127.5).astype(np.uint8))
    np.testing.assert_allclose(lean[0, :, 0], math.tan(angle), atol=0.01)
    np.testing.assert_allclose(lean[..., :2].mean(axis=(0, 1)), 0.0, atol=1e-9)
    np.testing.assert_allclose(lean[..., 2], math.tan(angle) ** 2, atol=0.02)


def test_the_mean_colour_of_an_image_is_tinted(picture):
    visual = VisualMaterial(base_color=(1.0, 0.5, 0.0), texture=ImageTexture(digest=picture, scale=1.0))
    gallery = Gallery([visual], wp.get_device("cpu"))
    mean = linear(load_image(picture, "texture") / 255.0).mean(axis=(0, 1))
    np.testing.assert_allclose(mean_color(visual, gallery), mean * linear((1.0, 0.5, 0.0)), rtol=1e-5)


def dressed(scene, **changes):
    """The scene with the looks of all its bodies and its ground changed."""
    spec = scene.spec

    def dress(part):
        return part.model_copy(update={"visual": part.visual.model_copy(update=changes)})

    spec = spec.model_copy(update={"bodies": tuple(map(dress, spec.bodies)), "ground": dress(spec.ground)})
    return replace(scene, spec=spec, surfaces=scene_surfaces(spec))


def rendered(*scenes):
    renderer = Renderer([(scene.spec, scene.surfaces) for scene in scenes])
    poses = np.concatenate([scene.cameras(0.1) for scene in scenes])
    placed = renderer.place([scene.state(0.1) for scene in scenes], 0)
    buffers = renderer.surface(placed, poses, 0)
    image = renderer.shade(buffers, placed, poses, 0)
    tiles = range(len(renderer.tiles))
    result = [(image.tile(tile).copy(), buffers.tile(tile).normal.copy()) for tile in tiles]
    renderer.close()
    return result


def test_a_relief_changes_pixels_but_no_normal(make_scene):
    scene = make_scene(1, size=64)
    relief = NormalMap(digest=shipped_maps()["normal_0026"].sha256, scale=0.5)
    ((plain, normal),) = rendered(scene)
    ((bumpy, still),) = rendered(dressed(scene, normal_map=relief))
    np.testing.assert_array_equal(still, normal)
    assert np.abs(bumpy.astype(float) - plain).mean() > 2.0
    ((flat, _),) = rendered(dressed(scene, normal_map=relief.model_copy(update={"strength": 0.0})))
    assert np.abs(flat.astype(float) - plain).mean() < 1.0  # every pixel is shaded, none interpolated


def test_pixels_do_not_depend_on_what_else_is_rendered(make_scene, picture):
    maps = [shipped_maps()[name].sha256 for name in ("sky", "lobby")]
    relief = NormalMap(digest=shipped_maps()["normal_0009"].sha256, scale=0.5)
    scenes = [make_scene(seed, size=48) for seed in (1, 2, 3)]
    scenes[0] = dressed(scenes[0], normal_map=relief)
    scenes[2] = dressed(scenes[2], texture=ImageTexture(digest=picture, scale=0.4))
    for index, digest in ((0, maps[0]), (2, maps[1])):
        sky = Sky(intensity=2.0, environment_map=EnvironmentMap(digest=digest, rotation=1.0))
        scenes[index] = replace(scenes[index], spec=scenes[index].spec.model_copy(update={"sky": sky}))
    together = [image for image, _ in rendered(*scenes)]
    for scene, image in zip(scenes, together, strict=True):
        np.testing.assert_array_equal(rendered(scene)[0][0], image)


def test_a_look_names_no_picture_where_there_is_none(make_scene):
    scene = make_scene(0, size=32)
    renderer = Renderer([(scene.spec, scene.surfaces)])
    look: Look = renderer._images._look
    assert (look.materials.numpy()["image"] == -1).all()
    assert (look.materials.numpy()["relief"] == -1).all()
    assert (look.distant.maps.numpy()["used"] == 0).all()
    renderer.close()

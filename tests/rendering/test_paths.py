"""Path-traced presets: they agree with many samples, and pixels depend on their scene, camera and frame alone."""

import importlib
from dataclasses import replace

import cv2
import numpy as np
import pytest
import warp as wp

from simfactory.cameras import camera_to_world
from simfactory.episode import scene_surfaces
from simfactory.errors import BackendUnavailable, SpecError
from simfactory.maps import add_map
from simfactory.preflight import check_scene
from simfactory.rendering import Renderer, presets
from simfactory.rendering.color import display_values
from simfactory.rendering.kernels.film import display_doubt
from simfactory.rendering.kernels.look import Look
from simfactory.rendering.presets import find_preset
from simfactory.spec import (
    BodyRigid,
    CameraFixed,
    CameraSpec,
    EnvironmentMap,
    LightArea,
    LightPoint,
    SceneSpec,
    Sky,
    Sphere,
    VisualMaterial,
    read_specs,
)
from simfactory.testing.ground_truth import mock_trajectory

SIZE = 48


@pytest.fixture(scope="session")
def judged(repository_root):
    """Return a scene of `benchmarks/presets.py` in a small picture."""

    def open_scene(name):
        spec = read_specs(repository_root / "benchmarks" / "scenes" / f"{name}.json")[0]
        return seen_with(spec, width=SIZE, height=SIZE)

    return open_scene


@pytest.fixture(scope="session")
def outdoor(judged):
    return judged("outdoor")


def seen_with(spec, **changes):
    return spec.model_copy(update={"cameras": (spec.cameras[0].model_copy(update=changes),)})


def shots(spec, *, preset, keys=(0,)):
    """Linear light `(key, height, width, 3)` and rgb of the first frame."""
    renderer = Renderer([(spec, scene_surfaces(spec))], preset=preset)
    pose = camera_to_world(spec.cameras[0], [0.0])
    placed = renderer.place([mock_trajectory(spec).state(0)], 0)
    buffers = renderer.surface(placed, pose, 0)
    light, rgb = [], []
    for key in keys:
        image = renderer.shade(buffers, placed, pose, key)
        rgb.append(np.copy(image.tile(0)))
        light.append(None if image.light is None else np.copy(image.light.numpy()[0]))
    renderer.close()
    return light, rgb


def display(light):
    preset = find_preset("high")
    return display_values(light, exposure=preset.exposure, contrast=preset.contrast)


@pytest.mark.parametrize("name", ["outdoor", "relief"])
def test_standard_agrees_with_many_samples(name, judged):
    spec = judged(name)
    light, _ = shots(spec, preset="reference", keys=range(4))
    truth = display(np.mean(light, axis=0))
    _, rgb = shots(spec, preset="standard")
    error = rgb[0] - truth
    assert 10.0 * np.log10(255.0**2 / np.mean(error**2)) > 30.0  # 256²: see benchmarks/results/presets.json
    assert abs(error.mean()) < 0.5


def test_a_ground_in_relief_changes_as_much_as_by_many_samples(judged):
    bumpy = judged("relief")
    visual = bumpy.ground.visual.model_copy(update={"normal_map": None})
    even = bumpy.model_copy(update={"ground": bumpy.ground.model_copy(update={"visual": visual})})
    change = {}
    for preset in ("reference", "standard"):
        images = [np.mean(shots(spec, preset=preset, keys=range(4))[1], axis=0) for spec in (bumpy, even)]
        change[preset] = (images[0] - images[1])[SIZE // 2 :].ravel()
    truth, found = change["reference"], change["standard"]
    assert np.corrcoef(truth, found)[0, 1] > 0.85
    assert truth @ found / (truth @ truth) == pytest.approx(1.0, abs=0.1)


def test_pixels_of_paths_depend_neither_on_batch_nor_on_slot(make_scene):
    scenes = [make_scene(seed, size=SIZE, camera_count=2) for seed in (1, 2)]
    images = []
    for members, slot in ((scenes, 2), (scenes[1:], 0)):
        renderer = Renderer([(scene.spec, scene.surfaces) for scene in members], preset="standard")
        pose = np.concatenate([scene.cameras(0.2) for scene in members])
        placed = renderer.place([scene.state(0.2) for scene in members], slot)
        image = renderer.shade(renderer.surface(placed, pose, slot), placed, pose, 7)
        images.append([np.copy(image.tile(tile)) for tile in range(len(renderer.tiles))][-2:])
        renderer.close()
    assert np.array_equal(images[0], images[1])


def test_noise_changes_from_frame_to_frame_but_not_from_run_to_run(outdoor):
    _, first = shots(outdoor, preset="standard", keys=(0, 1))
    _, again = shots(outdoor, preset="standard", keys=(0,))
    assert np.array_equal(first[0], again[0])
    assert not np.array_equal(first[0], first[1])


@pytest.fixture
def furnace(tmp_path, monkeypatch, physical):
    """Return a white ball of some material under an even sky without ground: a furnace."""
    monkeypatch.setenv("SIMFACTORY_ASSETS", str(tmp_path / "assets"))
    cv2.imwrite(str(tmp_path / "even.hdr"), np.ones((64, 128, 3), np.float32))
    sky = Sky(environment_map=EnvironmentMap(digest=add_map(tmp_path / "even.hdr", licence="CC0-1.0")))

    def make(**look):
        visual = VisualMaterial(base_color=(1.0, 1.0, 1.0), **look)
        ball = BodyRigid(
            name="ball", position=(0.0, 0.0, 0.0), geometry=Sphere(radius=0.5), physical=physical, visual=visual
        )
        path = CameraFixed(position=(0.0, -3.0, 0.0), target=(0.0, 0.0, 0.0))
        camera = CameraSpec(name="eye", rig="fixed", width=SIZE, height=SIZE, field_of_view=25.0, path=path)
        return SceneSpec(
            scene="furnace",
            category="rigid",
            tier="single",
            seed=1,
            frame_count=1,
            fps=24.0,
            bodies=(ball,),
            sky=sky,
            cameras=(camera,),
        )

    return make


@pytest.mark.parametrize(
    ("look", "least"),
    [
        ({"roughness": 1.0}, 0.93),
        ({"roughness": 0.5}, 0.93),
        ({"roughness": 0.2}, 0.93),
        ({"roughness": 0.02, "metallic": 1.0}, 0.99),
        ({"roughness": 0.3, "metallic": 1.0}, 0.93),
        ({"roughness": 0.9, "metallic": 1.0}, 0.44),  # light that facets pass on to each other is not followed
        ({"roughness": 0.0, "transmission": 1.0}, 0.93),
    ],
)
def test_no_material_makes_light_in_a_furnace(look, least, furnace):
    light, _ = shots(furnace(**look), preset="reference", keys=range(2))
    mean = np.mean(light, axis=0)[..., 1]
    sky, ball = mean[0, 0], mean[SIZE // 2 - 12 : SIZE // 2 + 12, SIZE // 2 - 12 : SIZE // 2 + 12].mean()
    assert sky == pytest.approx(1.0 / np.pi, rel=0.02)
    assert least < ball / sky < 1.02


def test_paths_are_added_where_light_is_uncertain(outdoor, monkeypatch):
    truth = np.mean(shots(outdoor, preset="reference", keys=range(8))[0], axis=0)
    errors = []
    for noise in (2.0, 1e3):  # as little noise as 60 further paths can bring, and none added
        preset = replace(find_preset("high"), noise=noise, more_samples=124, denoiser=None)
        monkeypatch.setitem(presets._PRESETS, "high", preset)
        light = shots(outdoor, preset="high")[0][0]
        errors.append(np.sqrt(np.mean((display(light) - display(truth)) ** 2)))
    assert errors[0] < 0.6 * errors[1]


@wp.kernel
def write_doubt(look: Look, mean: wp.array(dtype=float), found: wp.array(dtype=float)):
    found[wp.tid()] = display_doubt(look, 1.0, mean[wp.tid()], mean[wp.tid()] * mean[wp.tid()], 1.0)


def test_less_than_no_light_is_no_place_in_the_tone_curve(outdoor):
    renderer = Renderer([(outdoor, scene_surfaces(outdoor))], preset="standard")
    mean, found = wp.array([-0.4, -1e6, 0.4], dtype=float, device="cpu"), wp.empty(3, dtype=float, device="cpu")
    wp.launch(write_doubt, dim=3, inputs=[renderer._images._look, mean, found], device="cpu")
    assert (found.numpy() == 0.0).all()  # one path has no spread
    renderer.close()


def test_an_area_far_away_lights_like_a_point(outdoor):
    dark = outdoor.model_copy(update={"sky": outdoor.sky.model_copy(update={"intensity": 0.0})})
    area = LightArea(position=(0.0, 0.0, 40.0), direction=(0.0, 0.0, -1.0), size=(0.5, 0.5), radiance=8000.0)
    point = LightPoint(position=(0.0, 0.0, 40.0), intensity=2000.0)
    light = [shots(dark.model_copy(update={"lights": (lamp,)}), preset="reference")[0][0] for lamp in (area, point)]
    assert np.mean(light[0]) == pytest.approx(np.mean(light[1]), rel=0.02)


@pytest.mark.parametrize("preset", ["draft", "standard"])
def test_one_ev_more_is_brighter(outdoor, preset):
    _, plain = shots(outdoor, preset=preset)
    _, bright = shots(seen_with(outdoor, exposure=1.0), preset=preset)
    assert bright[0].mean() > plain[0].mean() + 15.0


def test_an_open_aperture_blurs_what_is_out_of_focus(outdoor):
    sharp = shots(outdoor, preset="reference")[0][0]
    blurred = shots(seen_with(outdoor, aperture_radius=0.03, focus_distance=0.5), preset="reference")[0][0]
    steps = [np.quantile(np.abs(np.diff(light, axis=1)), 0.99) for light in (sharp, blurred)]
    assert steps[1] < 0.6 * steps[0]


def test_draft_refuses_an_open_aperture(outdoor):
    with pytest.raises(SpecError, match=r"aperture_radius.*'standard'"):
        check_scene(seen_with(outdoor, aperture_radius=0.1), backend="mock")


def test_without_the_denoiser_the_error_names_a_preset_that_works(outdoor, monkeypatch):
    def missing(name):
        raise ImportError(f"No module named {name!r}")

    monkeypatch.setattr(importlib, "import_module", missing)
    with pytest.raises(BackendUnavailable, match=r"'high'.*pyoidn.*'draft'"):
        Renderer([(outdoor, scene_surfaces(outdoor))], preset="high")


def test_presets_without_paths_carry_no_light(outdoor):
    assert shots(outdoor, preset="draft")[0] == [None]

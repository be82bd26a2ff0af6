"""Images look as light says: shadows, albedo, sky, and edges that agree with many samples."""

from dataclasses import replace

import numpy as np
import pytest

from simfactory.episode import WorldState, scene_surfaces
from simfactory.rendering import Renderer, presets
from simfactory.spec import (
    BodyRigid,
    Box,
    CameraFixed,
    CameraSpec,
    Ground,
    LightPoint,
    LightSun,
    Room,
    SceneSpec,
    Sphere,
    VisualMaterial,
)

SIZE = 128
SUN = LightSun(direction=(0.0, 0.0, -1.0), irradiance=3.0)


def still(spec):
    count = len(spec.bodies)
    return WorldState(
        time=0.0,
        position=np.array([body.position for body in spec.bodies], np.float32),
        quat_xyzw=np.array([body.orientation for body in spec.bodies], np.float32),
        linear_velocity=np.zeros((count, 3), np.float32),
        angular_velocity=np.zeros((count, 3), np.float32),
    )


@pytest.fixture
def make_spec(physical):
    def make(*visuals, lights=(SUN,), room=False, height=0.8):
        bodies = [
            BodyRigid(
                name=f"body_{k}",
                position=(0.9 * k - 0.45 * (len(visuals) - 1), 0.0, height),
                geometry=Box(size=(0.6, 0.6, 0.1)) if k % 2 else Sphere(radius=0.3),
                physical=physical,
                visual=visual,
            )
            for k, visual in enumerate(visuals)
        ]
        wall = Room(size=(8.0, 8.0, 3.0), ceiling=True, physical=physical, visual=VisualMaterial())
        path = CameraFixed(position=(0.0, -3.2, 1.6), target=(0.0, 0.0, 0.5))
        return SceneSpec(
            scene="shading",
            category="rigid",
            tier="multi_object",
            seed=3,
            frame_count=1,
            fps=24.0,
            bodies=tuple(bodies),
            ground=Ground(physical=physical, visual=VisualMaterial(base_color=(0.6, 0.6, 0.6), roughness=0.9)),
            room=wall if room else None,
            lights=lights,
            cameras=(CameraSpec(name="eye", rig="fixed", width=SIZE, height=SIZE, field_of_view=50.0, path=path),),
        )

    return make


def shaded(spec):
    """An image `(height, width, 3)` 0–255 as float, with its surface buffer and world positions."""
    from simfactory.cameras import camera_to_world, intrinsics
    from simfactory.transforms import pixel_centers, unproject

    renderer = Renderer([(spec, scene_surfaces(spec))])
    pose = camera_to_world(spec.cameras[0], [0.0])
    placed = renderer.place([still(spec)], 0)
    buffers = renderer.surface(placed, pose, 0)
    image = renderer.shade(buffers, placed, pose, 0).tile(0).astype(np.float64)
    surface = buffers.tile(0)
    depth = np.where(surface.instance > 0, surface.depth, 0.0)
    points = unproject(pixel_centers(SIZE, SIZE), depth, intrinsics(spec.cameras[0]))
    renderer.close()
    return image, surface, points @ pose[0, :3, :3].T + pose[0, :3, 3]


def test_shadowed_ground_is_darker_than_lit_ground(make_spec):
    image, surface, points = shaded(make_spec(VisualMaterial()))
    ground = surface.instance == 1
    away = np.hypot(points[..., 0], points[..., 1])
    shadow, lit = ground & (away < 0.25), ground & (away > 0.6) & (away < 0.9)
    assert shadow.any()
    assert image[shadow].mean() < 0.6 * image[lit].mean()


def test_without_the_sun_bodies_still_darken_the_ground_below(make_spec):
    image, surface, points = shaded(make_spec(VisualMaterial(), lights=(), height=0.32))
    ground = surface.instance == 1
    away = np.hypot(points[..., 0], points[..., 1])
    below, beside = image[ground & (away < 0.3)].mean(), image[ground & (away > 1.5) & (away < 2.0)].mean()
    assert below < 0.9 * beside


def test_brighter_paint_gives_brighter_pixels(make_spec):
    levels = [0.2, 0.4, 0.6, 0.8]
    means = []
    for level in levels:
        image, surface, _ = shaded(make_spec(VisualMaterial(base_color=(level, level, level))))
        means.append(image[surface.instance == 3].mean())
    assert means == sorted(means)
    assert means[0] < 0.6 * means[-1]


def test_paint_keeps_its_hue(make_spec):
    image, surface, _ = shaded(make_spec(VisualMaterial(base_color=(0.9, 0.2, 0.1))))
    red, green, blue = image[surface.instance == 3].mean(axis=0)
    assert red > 1.5 * green
    assert green > blue - 20.0


def test_the_sky_is_bluer_above_than_at_the_horizon(make_spec):
    image, surface, _ = shaded(make_spec(VisualMaterial()))
    rows = np.flatnonzero((surface.instance == 0).all(axis=1))
    top, bottom = image[rows[0]].mean(axis=0), image[rows[-1]].mean(axis=0)
    assert top[2] / top[0] > bottom[2] / bottom[0]
    assert top[2] > top[0]


def test_the_ground_ends_in_the_colour_of_the_horizon(make_spec):
    image, surface, _ = shaded(make_spec(VisualMaterial()))
    edge = np.flatnonzero((surface.instance == 1).any(axis=1))[0]
    assert np.abs(image[edge + 1] - image[edge - 1]).max() < 12.0


@pytest.mark.parametrize("room", [False, True])
def test_every_material_gives_finite_unsaturated_light(room, make_spec):
    visuals = (
        VisualMaterial(metallic=1.0, roughness=0.05),
        VisualMaterial(transmission=1.0, roughness=0.0),
        VisualMaterial(base_color=(0.0, 0.0, 0.0), roughness=0.0),
        VisualMaterial(base_color=(1.0, 1.0, 1.0), roughness=1.0),
    )
    lamp = LightPoint(position=(0.5, -1.0, 2.4), intensity=8.0)
    image, surface, _ = shaded(make_spec(*visuals, lights=(lamp, SUN), room=room))
    assert set(np.unique(surface.instance)) >= {1, 3, 4, 5, 6}
    assert 20.0 < image.mean() < 235.0
    assert (image >= 254.0).all(axis=-1).mean() < 0.02


def test_a_mirror_shows_its_surroundings_and_glass_what_lies_behind(make_spec):
    plain, surface, _ = shaded(make_spec(VisualMaterial(base_color=(0.5, 0.5, 0.5), roughness=0.9)))
    mirror, _, _ = shaded(make_spec(VisualMaterial(base_color=(0.95, 0.95, 0.95), metallic=1.0, roughness=0.02)))
    glass, _, _ = shaded(make_spec(VisualMaterial(base_color=(1.0, 1.0, 1.0), transmission=1.0, roughness=0.0)))
    ball = surface.instance == 3
    assert mirror[ball].std() > plain[ball].std()
    assert np.abs(glass[ball] - plain[ball]).mean() > 5.0


def test_edge_samples_reduce_the_error_against_many_samples(make_spec, monkeypatch):
    spec = make_spec(VisualMaterial(base_color=(0.9, 0.3, 0.2)), VisualMaterial(base_color=(0.2, 0.3, 0.8)))
    draft = presets.find_preset("draft")
    images = {}
    for name, changes in {
        "one": {"edge_samples": 0, "smooth_contrast": 0.0},
        "draft": {},
        "many": {"edge_samples": 63, "edge_contrast": -1.0, "smooth_contrast": 0.0},
    }.items():
        monkeypatch.setitem(presets._PRESETS, "draft", replace(draft, **changes))
        images[name], surface, _ = shaded(spec)
    outline = np.zeros((SIZE, SIZE), bool)
    outline[:, 1:] |= surface.instance[:, 1:] != surface.instance[:, :-1]
    outline[1:] |= surface.instance[1:] != surface.instance[:-1]
    error = {name: np.sqrt(np.mean((images[name] - images["many"])[outline] ** 2)) for name in ("one", "draft")}
    assert error["draft"] < 0.5 * error["one"]
    inside = ~outline & (surface.instance > 0)
    assert np.abs(images["draft"] - images["many"])[inside].mean() < 1.0

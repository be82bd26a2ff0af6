"""Environment maps: where their light comes from, how it is blurred, and how it is sampled."""

import math

import cv2
import numpy as np
import pytest
import warp as wp

from simfactory.maps import add_map, shipped_maps
from simfactory.rendering.color import LUMINANCE
from simfactory.rendering.environments import build_distant, map_light, with_map_sun
from simfactory.rendering.kernels.distant import Distant, map_pdf, map_radiance, sample_map
from simfactory.rendering.latlong import directions, prefiltered, reduced, solid_angles
from simfactory.rendering.sky import harmonics
from simfactory.spec import EnvironmentMap, SceneSpec, Sky


@wp.kernel
def look_up(distant: Distant, toward: wp.array(dtype=wp.vec3), roughness: float, light: wp.array(dtype=wp.vec3)):
    light[wp.tid()] = map_radiance(distant, 0, toward[wp.tid()], roughness)


@wp.kernel
def look_up_pdf(distant: Distant, toward: wp.array(dtype=wp.vec3), pdf: wp.array(dtype=float)):
    pdf[wp.tid()] = map_pdf(distant, 0, toward[wp.tid()])


@wp.kernel
def draw(distant: Distant, seed: int, toward: wp.array(dtype=wp.vec3), pdf: wp.array(dtype=float)):
    state = wp.rand_init(seed, wp.tid())
    u = wp.randf(state)
    direction, density = sample_map(distant, 0, u, wp.randf(state))
    toward[wp.tid()] = direction
    pdf[wp.tid()] = density


@pytest.fixture
def plant(tmp_path, monkeypatch):
    """Write an even map with one bright texel and return its digest."""
    monkeypatch.setenv("SIMFACTORY_ASSETS", str(tmp_path / "assets"))

    def write(row, column, bright=30.0, size=(64, 128)):
        image = np.full((*size, 3), 0.25, np.float32)
        image[row, column] = bright
        cv2.imwrite(str(tmp_path / "map.hdr"), image)
        return add_map(tmp_path / "map.hdr", licence="CC0-1.0")

    return write


def sky_of(digest, rotation=0.0, intensity=1.0):
    return Sky(intensity=intensity, environment_map=EnvironmentMap(digest=digest, rotation=rotation))


def uploaded(sky):
    light = map_light(sky, sky.environment_map, None, np.zeros(3), None)
    return build_distant([sky], [light], wp.get_device("cpu")), light


def radiance(distant, toward, roughness=0.0):
    flat = np.ascontiguousarray(toward.reshape(-1, 3), np.float32)
    light = wp.empty(len(flat), dtype=wp.vec3, device="cpu")
    wp.launch(
        look_up,
        dim=len(flat),
        inputs=[distant, wp.array(flat, dtype=wp.vec3, device="cpu"), roughness, light],
        device="cpu",
    )
    return light.numpy().reshape(toward.shape).astype(np.float64)


def density(distant, toward):
    flat = np.ascontiguousarray(toward.reshape(-1, 3), np.float32)
    pdf = wp.empty(len(flat), dtype=float, device="cpu")
    wp.launch(
        look_up_pdf, dim=len(flat), inputs=[distant, wp.array(flat, dtype=wp.vec3, device="cpu"), pdf], device="cpu"
    )
    return pdf.numpy().reshape(toward.shape[:-1]).astype(np.float64)


def drawn(distant, count, seed=1):
    toward, pdf = wp.empty(count, dtype=wp.vec3, device="cpu"), wp.empty(count, dtype=float, device="cpu")
    wp.launch(draw, dim=count, inputs=[distant, seed, toward, pdf], device="cpu")
    return toward.numpy().astype(np.float64), pdf.numpy().astype(np.float64)


@pytest.mark.parametrize(
    ("row", "column", "rotation", "expected"),
    [
        (16, 64, 0.0, (1.0, 0.0, 1.0)),  # the middle of the picture is +x; a quarter down from the zenith
        (32, 32, 0.0, (0.0, 1.0, 0.0)),  # left in the picture is to the left when one looks along +x
        (32, 96, 0.0, (0.0, -1.0, 0.0)),
        (32, 64, 0.5 * math.pi, (0.0, 1.0, 0.0)),  # turned counter-clockwise
        (48, 0, math.pi, (1.0, 0.0, -1.0)),
    ],
)
def test_a_planted_light_appears_in_the_right_direction(row, column, rotation, expected, plant):
    distant, _ = uploaded(sky_of(plant(row, column), rotation))
    towards = directions(256, 512)
    light = radiance(distant, towards)[..., 0]
    found = towards[np.unravel_index(light.argmax(), light.shape)]
    wanted = np.array(expected) / np.linalg.norm(expected)
    # Texels are 2.8° wide; the planted one's centre is half a texel beside the direction.
    assert math.degrees(math.acos(min(found @ wanted, 1.0))) < 3.5


def test_intensity_is_that_of_an_even_sky():
    for name in ("sky", "studio", "forest"):
        sky = with_sun = sky_of(shipped_maps()[name].sha256, intensity=2.0)
        _, light = uploaded(sky)
        spec = SceneSpec.model_construct(sky=with_sun, lights=())
        suns = with_map_sun(spec).lights
        towards, area = directions(64, 128), solid_angles(64, 128)[:, None]
        distant, _ = uploaded(sky)
        upper = (radiance(distant, towards) @ LUMINANCE * area)[:32].sum() + sum(sun.irradiance for sun in suns)
        assert 0.5 * upper == pytest.approx(2.0, rel=0.05)  # sampled at every fourth texel
        assert (light.table.up_irradiance > 0.0).all()


def test_suns_are_taken_out_of_the_maps_that_show_one():
    found = set()
    for name, record in shipped_maps().items():
        if record.kind == "environment":
            spec = SceneSpec.model_construct(sky=sky_of(record.sha256), lights=())
            found |= {name} if with_map_sun(spec).lights else set()
    assert found >= {"park", "sky", "sunrise"}
    assert not found & {"apartment", "city", "forest", "lab", "venice", "warehouse"}


def test_a_sun_shines_from_where_the_map_shows_it(plant):
    spec = SceneSpec.model_construct(sky=sky_of(plant(16, 32, bright=900.0), rotation=0.0), lights=())
    (sun,) = with_map_sun(spec).lights
    toward = -np.array(sun.direction)
    assert math.degrees(math.acos(toward @ np.array([0.0, 1.0, 1.0]) / math.sqrt(2.0))) < 3.5


@pytest.mark.parametrize("roughness", [0.25, 0.5, 0.75, 1.0])
def test_blurring_neither_makes_nor_loses_light(roughness):
    area = solid_angles(64, 128)[:, None, None]
    even = prefiltered(np.full((64, 128, 3), 0.7), roughness=roughness)
    np.testing.assert_allclose(even, 0.7, rtol=1e-6)
    draw = np.random.default_rng(0)
    spots = np.where(draw.random((64, 128, 1)) > 0.995, 50.0, 0.1) * np.ones(3)
    blurred = prefiltered(spots, roughness=roughness)
    # Weights sum to 1 over what a direction gathers, and to 1 within the grid's coarseness over what a texel gives.
    np.testing.assert_allclose((blurred * area).sum(axis=(0, 1)), (spots * area).sum(axis=(0, 1)), rtol=0.01)
    assert blurred.std() < spots.std()


def test_a_reduced_map_sends_the_same_light():
    fine = np.random.default_rng(1).random((64, 128, 3))
    coarse = reduced(fine, 16, 32)
    total = (fine * solid_angles(64, 128)[:, None, None]).sum(axis=(0, 1))
    np.testing.assert_allclose((coarse * solid_angles(16, 32)[:, None, None]).sum(axis=(0, 1)), total, rtol=1e-12)


@pytest.mark.parametrize("name", ["studio", "sky", "apartment"])
def test_the_density_of_samples_integrates_to_one_and_is_that_of_the_samples(name):
    distant, _ = uploaded(sky_of(shipped_maps()[name].sha256, rotation=0.7))
    towards = directions(512, 1024)
    total = (density(distant, towards) * solid_angles(512, 1024)[:, None]).sum()
    assert total == pytest.approx(1.0, abs=2e-3)
    toward, pdf = drawn(distant, 20_000)
    np.testing.assert_allclose(np.linalg.norm(toward, axis=-1), 1.0, atol=1e-5)
    again = density(distant, toward)
    # Directions on the border of a cell may be looked up in the next one: float32 decides.
    assert np.isclose(again, pdf, rtol=1e-3).mean() > 0.999


@pytest.mark.parametrize("name", ["studio", "sky", "apartment", "warehouse"])
@pytest.mark.parametrize("normal", [(0.0, 0.0, 1.0), (0.6, -0.64, 0.48)])
def test_sampled_irradiance_converges_to_the_sum_over_the_map(name, normal):
    distant, light = uploaded(sky_of(shipped_maps()[name].sha256, rotation=0.7))
    towards = directions(256, 512)
    weight = np.maximum(towards @ np.array(normal), 0.0) * solid_angles(256, 512)[:, None]
    expected = (radiance(distant, towards) @ LUMINANCE * weight).sum()
    toward, pdf = drawn(distant, 200_000)
    values = radiance(distant, toward) @ LUMINANCE * np.maximum(toward @ np.array(normal), 0.0) / pdf
    error = values.std() / math.sqrt(len(values))
    assert values.mean() == pytest.approx(expected, abs=4.0 * error + 0.002 * expected)
    assert values.std() < 2.5 * expected, "drawn in proportion to the light, samples differ little"
    # Nine harmonics hold irradiance to a few percent; without a sun the frames agree.
    smooth = (harmonics(np.array(normal)) @ light.table.harmonics) @ LUMINANCE
    assert smooth == pytest.approx(expected, rel=0.12)


def test_rough_levels_lie_between_the_sharp_map_and_its_mean():
    distant, _ = uploaded(sky_of(shipped_maps()["workshop"].sha256))
    towards = directions(64, 128)
    spread = [radiance(distant, towards, roughness=r)[..., 1].std() for r in (0.0, 0.2, 0.4, 0.6, 0.8, 1.0)]
    assert spread == sorted(spread, reverse=True)

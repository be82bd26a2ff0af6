"""Motion is the difference of projections of the same material point, and occlusion is what Embree sees."""

from dataclasses import replace

import numpy as np
import pytest

from simfactory.testing.specs import make_camera

SIZE = 256
FROM, TO = 0.3, 0.3 + 1.0 / 24.0


def from_a_tripod(scene):
    """The scene before a camera that stands still, and of its bodies every second one does."""
    velocity, spin = scene.velocity.copy(), scene.spin.copy()
    velocity[::2], spin[::2] = 0.0, 0.0
    camera = make_camera(size=(SIZE, SIZE), position=(0.5, -3.8, 1.8), target=(0.0, 0.0, 0.4))
    spec = scene.spec.model_copy(update={"cameras": (camera,)})
    return replace(scene, spec=spec, velocity=velocity, spin=spin)


def rendered(scene, renderer, start, end):
    placed = [renderer.place([scene.state(time)], slot) for slot, time in enumerate((start, end))]
    poses = scene.cameras(start), scene.cameras(end)
    buffers, others = (renderer.surface(placed[slot], poses[slot], slot) for slot in (0, 1))
    motion = renderer.motion(buffers, others, *placed, *poses)
    return buffers.tile(0), motion.tile(0)


def material_points(scene, oracle, state):
    """World positions `(height, width, 3)` at a state of the points that an oracle's camera sees; which are hit."""
    instance, triangle, depth = oracle.surface()
    shape = instance.shape
    rays = oracle.rays().reshape(*shape, 3)
    hit = instance > 0
    here = oracle.pose[:3, 3] + rays * np.where(hit, depth, 0.0)[..., None]
    there = np.zeros((*shape, 3))
    for surface in scene.surfaces:
        mine = instance == surface.instance
        faces = surface.mesh.triangles[triangle[mine]]
        before, after = (scene.points(s, surface)[faces] for s in (oracle.state, state))
        a, edge1, edge2 = before[:, 0], before[:, 1] - before[:, 0], before[:, 2] - before[:, 0]
        normal, offset = np.cross(edge1, edge2), here[mine] - a
        area = np.einsum("ni,ni->n", normal, normal)
        b1 = np.einsum("ni,ni->n", np.cross(offset, edge2), normal) / area
        b2 = np.einsum("ni,ni->n", np.cross(edge1, offset), normal) / area
        there[mine] = np.einsum("nk,nkx->nx", np.stack([1.0 - b1 - b2, b1, b2], axis=-1), after)
    return here, there, instance, triangle


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize(("start", "end"), [(FROM, TO), (TO, FROM)])
@pytest.mark.parametrize("tripod", [False, True])
def test_flow_is_the_difference_of_projections(seed, start, end, tripod, make_scene, make_oracle, open_renderer):
    scene = from_a_tripod(make_scene(seed, size=SIZE)) if tripod else make_scene(seed, size=SIZE)
    buffer, motion = rendered(scene, open_renderer(scene), start, end)
    before, after = make_oracle(scene, start), make_oracle(scene, end)
    here, there, instance, triangle = material_points(scene, before, after.state)
    same = (buffer.instance == instance) & (buffer.triangle == triangle) & (instance > 0)
    pixels, depth = after.raster(there)
    expected = pixels - before.raster(here)[0]
    error = np.linalg.norm(motion.flow[same] - expected[same], axis=-1)
    assert error.mean() < 1e-4
    assert np.percentile(error, 99) < 1e-3
    assert np.allclose(motion.depth[same], depth[same], rtol=1e-6)
    assert np.allclose(motion.displacement[same], (there - here)[same], atol=2e-6)
    inside = ((pixels >= 0.0) & (pixels < SIZE)).all(axis=-1) & (depth > 0.0)
    assert np.mean(motion.outside[same] == ~inside[same]) > 0.9999


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("rings", [False, True])
@pytest.mark.parametrize("tripod", [False, True])
def test_occlusion_agrees_with_embree(seed, rings, tripod, make_scene, make_rings, make_oracle, open_renderer):
    scene = make_rings(make_scene(seed, size=SIZE)) if rings else make_scene(seed, size=SIZE)
    if tripod:
        scene = from_a_tripod(scene)
    buffer, motion = rendered(scene, open_renderer(scene), 0.3, 0.5)
    before, after = make_oracle(scene, 0.3), make_oracle(scene, 0.5)
    _, there, instance, triangle = material_points(scene, before, after.state)
    same = (buffer.instance == instance) & (buffer.triangle == triangle) & (instance > 0) & ~motion.outside
    seen = after.sees(there[same], tolerance=3e-5)
    hidden = motion.occluded[same]
    assert hidden.any()
    both, either = np.sum(hidden & ~seen), np.sum(hidden | ~seen)
    # A triangle seen edge-on to 1e-6 rad is anybody's rounding: a ring shows a handful of such pixels.
    assert both >= 0.9995 * either - 8.0
    assert not motion.occluded[motion.outside].any()


def test_nothing_moves_between_equal_instants(make_scene, open_renderer):
    scene = make_scene(3, size=SIZE)
    buffer, motion = rendered(scene, open_renderer(scene), FROM, FROM)
    hit = buffer.instance > 0
    assert np.abs(motion.flow[hit]).max() < 1e-9
    assert not motion.displacement.any()
    assert not motion.occluded.any()
    assert not motion.outside.any()
    assert np.isnan(motion.flow[~hit]).all()
    assert np.isposinf(motion.depth[~hit]).all()


def test_points_behind_the_camera_are_outside_and_have_no_flow(make_scene, open_renderer):
    scene = make_scene(0, size=64)
    renderer = open_renderer(scene)
    placed = renderer.place([scene.state(0.0)], 0)
    front = scene.cameras(0.0)
    behind = front @ np.diag([-1.0, 1.0, -1.0, 1.0])
    buffers = renderer.surface(placed, front, 0)
    motion = renderer.motion(buffers, buffers, placed, placed, front, behind).tile(0)
    hit = buffers.tile(0).instance > 0
    assert motion.outside[hit].all()
    assert np.isnan(motion.flow).all()
    assert (motion.depth[hit] < 0.0).all()
    assert not motion.occluded.any()


@pytest.mark.parametrize("seed", range(3))
def test_visibility_agrees_with_embree(seed, make_scene, make_oracle, open_renderer):
    scene = make_scene(seed, size=SIZE)
    renderer = open_renderer(scene)
    state = scene.state(0.2)
    placed = renderer.place([state], 0)
    draw, points = np.random.default_rng(seed), []
    for surface in scene.surfaces[1:]:
        corners = scene.points(state, surface)[draw.choice(surface.mesh.triangles, 300)]
        points.append(np.einsum("nk,nkx->nx", draw.dirichlet((1.0, 1.0, 1.0), 300), corners))
    points = np.concatenate(points)
    seen = renderer.visible(placed, 0, scene.cameras(0.2)[0], points)
    oracle = make_oracle(scene, 0.2)
    pixels, depth = oracle.raster(points)
    inside = ((pixels >= 0.0) & (pixels < SIZE)).all(axis=-1) & (depth > 0.0)
    expected = inside & oracle.sees(points, tolerance=1e-4)
    assert np.mean(seen == expected) > 0.998  # points at the very outline differ by rounding
    assert 0.1 < seen.mean() < 0.9

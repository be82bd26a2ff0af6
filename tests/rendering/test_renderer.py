"""What a renderer promises whatever it renders: tiles, slots, errors, and pixels that depend on their scene alone."""

import numpy as np
import pytest

from simfactory.errors import SpecError
from simfactory.rendering import Renderer, preset_names

SIZE = 96
ARRAYS = ("instance", "triangle", "bary", "depth", "normal")
MOTION = ("flow", "displacement", "depth", "occluded", "outside")


def everything(renderer, scenes, *, slots, environment):
    """All arrays of one environment's tiles, rendered in some slots."""
    states = [[scene.state(time) for scene in scenes] for time in (0.2, 0.3)]
    poses = [np.concatenate([scene.cameras(time) for scene in scenes]) for time in (0.2, 0.3)]
    placed = [renderer.place(state, slot) for state, slot in zip(states, slots, strict=True)]
    buffers, others = (renderer.surface(*work) for work in zip(placed, poses, slots, strict=True))
    motion = renderer.motion(buffers, others, *placed, *poses)
    image = renderer.shade(buffers, placed[0], poses[0], 7)
    tiles = [tile for tile, (owner, _) in enumerate(renderer.tiles) if owner == environment]
    return [
        np.copy(array)
        for tile in tiles
        for array in (
            *(getattr(buffers.tile(tile), name) for name in ARRAYS),
            *(getattr(motion.tile(tile), name) for name in MOTION),
            image.tile(tile),
        )
    ]


def test_pixels_depend_neither_on_batch_nor_on_slot(make_scene, open_renderer):
    scenes = [make_scene(seed, size=SIZE, camera_count=2) for seed in (1, 2, 3)]
    batch = everything(open_renderer(*scenes), scenes, slots=(2, 0), environment=1)
    alone = everything(open_renderer(scenes[1]), scenes[1:2], slots=(0, 1), environment=0)
    assert len(batch) == len(alone) == 2 * 11
    for one, other in zip(batch, alone, strict=True):
        assert one.tobytes() == other.tobytes()


def test_a_slot_stays_valid_until_it_is_placed_again(make_scene, open_renderer):
    scene = make_scene(4, size=SIZE)
    renderer = open_renderer(scene)
    pose = scene.cameras(0.0)
    placed = renderer.place([scene.state(0.1)], 0)
    before = np.copy(renderer.surface(placed, pose, 0).tile(0).depth)
    renderer.place([scene.state(0.7)], 1)
    renderer.place([scene.state(0.9)], 2)
    assert np.array_equal(renderer.surface(placed, pose, 1).tile(0).depth, before)
    moved = renderer.place([scene.state(0.9)], 0)
    assert not np.array_equal(renderer.surface(moved, pose, 1).tile(0).depth, before)


def test_tiles_run_through_cameras_within_environments(make_scene, open_renderer):
    scenes = [make_scene(0, size=32, camera_count=2), make_scene(1, size=32, camera_count=3)]
    assert open_renderer(*scenes).tiles == ((0, 0), (0, 1), (1, 0), (1, 1), (1, 2))


def test_odd_image_sizes_render(make_scene, open_renderer):
    scene = make_scene(5, size=33)
    renderer = open_renderer(scene)
    placed = renderer.place([scene.state(0.0)], 0)
    buffers = renderer.surface(placed, scene.cameras(0.0), 0)
    image = renderer.shade(buffers, placed, scene.cameras(0.0), 0).tile(0)
    assert image.shape == (33, 33, 3)
    assert image.min(axis=-1).max() > 0
    assert (image.max(axis=-1) > 0).all()


def test_unknown_presets_are_refused_by_name(make_scene):
    scene = make_scene(0, size=32)
    with pytest.raises(SpecError, match=f"'ultra'.*{preset_names()[0]}"):
        Renderer([(scene.spec, scene.surfaces)], preset="ultra")


def test_cameras_of_different_resolution_are_refused(make_scene):
    scenes = [make_scene(0, size=32), make_scene(1, size=64)]
    with pytest.raises(SpecError, match="one resolution"):
        Renderer([(scene.spec, scene.surfaces) for scene in scenes])


def test_slots_beyond_the_third_are_refused(make_scene, open_renderer):
    scene = make_scene(0, size=32)
    with pytest.raises(SpecError, match="slot 3"):
        open_renderer(scene).place([scene.state(0.0)], 3)

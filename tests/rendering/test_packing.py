"""Frames in stored form: as if numpy had quantised them, on whatever side they are read."""

import math
from dataclasses import replace

import numpy as np
import pytest
import warp as wp

from simfactory.annotations import annotations
from simfactory.errors import SpecError
from simfactory.pixels import PixelGrid
from simfactory.rendering import Renderer, Steps, arrays
from simfactory.rendering.arrays import ReadBack
from simfactory.signals import HIT, OCCLUDED_AFTER, OUTSIDE_BEFORE, SATURATED
from simfactory.store.precision import Quantiser

SIZE = 24
FLOWS = ("flow_forward", "flow_backward")
SIGNALS = {signal.name: signal for one in annotations(("normal", *FLOWS)) for signal in one.signals}


@pytest.fixture
def still(make_scene):
    """A renderer with what a camera sees twice, and the motion between."""
    scene = make_scene(1, size=SIZE)
    renderer = Renderer([(scene.spec, scene.surfaces)], steps=Steps())
    times = (0.1, 0.2)
    placed = [renderer.place([scene.state(time)], slot) for slot, time in enumerate(times)]
    seen = [renderer.surface(placed[slot], scene.cameras(time), slot) for slot, time in enumerate(times)]
    motion = renderer.motion(seen[0], seen[1], *placed, *(scene.cameras(time) for time in times))
    yield renderer, seen[0], motion
    renderer.close()


def quantised(name, values):
    coder = Quantiser(SIGNALS[name], profile="portable")
    elements = np.empty(values.shape, coder.encoding.stored)
    beyond = coder.encode(np.ascontiguousarray(values), elements)
    return elements, np.zeros(values.shape, bool) if beyond is None else beyond


def test_what_is_packed_is_what_the_store_would_quantise(still):
    renderer, surface, motion = still
    flow = motion.flow.numpy()
    flow[0, 3, 4], flow[0, 5, 6], flow[0, 7, 8] = (600.0, -1.0), (math.nan, math.nan), (511.995, -512.01)
    motion.flow.assign(flow)
    stored = renderer.pack(surface, motion, None)
    found = stored.tile(0)
    planar, beyond = quantised("flow_forward", motion.tile(0).flow.transpose(2, 0, 1))
    np.testing.assert_array_equal(found["flow_forward"], planar)
    np.testing.assert_array_equal(found["normal"], quantised("normal", surface.tile(0).normal)[0])
    assert (found["flow_backward"] == np.iinfo(np.int16).min).all()
    assert stored.saturated(0) == {"flow_forward": beyond.sum(), "flow_backward": 0}
    assert beyond.sum() == 3
    bits = np.where(surface.tile(0).instance != 0, HIT, 0) | np.where(motion.tile(0).occluded, OCCLUDED_AFTER, 0)
    bits |= np.where(motion.tile(0).outside, 2 * OCCLUDED_AFTER, 0) | np.where(beyond.any(axis=0), SATURATED, 0)
    np.testing.assert_array_equal(found["mask"], bits)
    back = renderer.pack(surface, None, replace(motion, outside=wp.full(motion.outside.shape, True, dtype=wp.bool)))
    assert (back.tile(0)["mask"] & OUTSIDE_BEFORE).all()


@pytest.mark.parametrize(("name", "bad"), [("flow", math.inf), ("normal", math.nan)])
def test_what_is_no_number_has_no_stored_form(still, name, bad):
    renderer, surface, motion = still
    array = getattr(motion if name == "flow" else surface, name)
    values = array.numpy()
    values[0, 2, 2, 0] = bad
    array.assign(values)
    assert renderer.pack(surface, motion, None).tile(0) == {}


def test_a_renderer_without_steps_packs_nothing(make_scene):
    scene = make_scene(1, size=SIZE)
    renderer = Renderer([(scene.spec, scene.surfaces)])
    with pytest.raises(SpecError, match="open it with steps"):
        renderer.pack(None, None, None)
    renderer.close()


def test_what_is_seldom_read_is_copied_when_it_is(monkeypatch):
    monkeypatch.setattr(arrays, "copies", lambda device: True)
    often, seldom = (wp.array(np.arange(96.0).reshape(2, 6, 8), dtype=wp.float32) for _ in range(2))
    back = ReadBack({"often": often, "seldom": seldom}, seldom=frozenset({"seldom"}))
    for shift in (0, 1):
        grid = PixelGrid(shift, 3).pixels
        back.begin(grid)
        kept = seldom.numpy().copy()
        seldom.fill_(float(shift))
        often.fill_(-1.0)  # after the copy has begun: the host keeps what was there
        assert (back.values("often") == kept).all() or shift
        np.testing.assert_array_equal(back.sampled("seldom", grid), kept[:, grid[0], grid[1]])
        np.testing.assert_array_equal(back.values("seldom"), np.full((2, 6, 8), float(shift)))
        other = PixelGrid(1, 2).pixels
        np.testing.assert_array_equal(back.sampled("seldom", other), np.full((2, 3, 4), float(shift)))

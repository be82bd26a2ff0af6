"""Every rig keeps the action in view: simulated on newton, looked at with surface buffers."""

import numpy as np
import pytest

import scenes
from layouts.cameras import rigs
from simfactory.episode import scene_surfaces
from simfactory.quality import episode_report
from simfactory.testing.visibility import sightings, trajectories

SPEC_COUNT, BATCH = 60, 20
FLOOR = 0.001  # of the pixels: half of what benchmarks/visibility.py counts as missing the action


@pytest.mark.timeout(600)
def test_every_rig_sees_moving_bodies_and_no_camera_is_ever_inside_one():
    areas: dict[str, list[float]] = {name: [] for name in rigs()}
    for begin in range(0, SPEC_COUNT, BATCH):
        specs = [
            scenes.sample("rigid", seed=17, index=index, rigs=tuple(rigs()), size=(64, 64), frame_count=36)
            for index in range(begin, begin + BATCH)
        ]
        for spec, trajectory in zip(specs, trajectories(specs), strict=True):
            if not episode_report(spec, trajectory, scene_surfaces(spec), []).passed:
                continue  # is not recorded: another attempt takes its place
            for found in sightings(spec, trajectory, frames=range(0, 36, 7)):
                assert not found.inside, (spec.index, spec.scene, found.camera)
                areas[found.rig].append(found.area)
    for rig, shares in areas.items():
        assert len(shares) > 0.8 * SPEC_COUNT
        assert np.nanquantile(shares, 0.01) > FLOOR, rig
        assert np.nanmedian(shares) > 0.01, rig

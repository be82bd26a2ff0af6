"""Every rig keeps the action in view: simulated on newton, looked at with surface buffers."""

import numpy as np
import pytest

import scenes
from layouts.cameras import rigs
from simfactory.episode import scene_surfaces
from simfactory.quality import Thresholds, episode_report
from simfactory.testing.trajectories import trajectories
from simfactory.testing.visibility import sightings

SPEC_COUNT, BATCH = 60, 20
FLOOR = Thresholds().moving_area


@pytest.mark.timeout(600)
def test_every_rig_sees_moving_bodies_and_no_camera_is_ever_inside_one():
    areas: dict[str, list[float]] = {name: [] for name in rigs()}
    for begin in range(0, SPEC_COUNT, BATCH):
        specs = [
            scenes.sample("rigid", seed=17, index=index, rigs=tuple(rigs()), size=(64, 64), frame_count=36)
            for index in range(begin, begin + BATCH)
        ]
        for spec, trajectory in zip(specs, trajectories(specs), strict=True):
            reasons = set(episode_report(spec, trajectory, scene_surfaces(spec), []).reasons)
            if reasons - {"camera_inside"}:
                continue  # its physics is refused: another attempt takes its place
            for found in sightings(spec, trajectory, frames=range(0, 36, 7)):
                assert not found.inside, (spec.index, spec.scene, found.camera)
                areas[found.rig].append(found.area)
    for rig, shares in areas.items():
        assert len(shares) > 0.8 * SPEC_COUNT
        assert np.mean(np.array(shares) < FLOOR) <= 0.02, rig  # the quality gate refuses these
        assert np.nanmedian(shares) > 0.01, rig

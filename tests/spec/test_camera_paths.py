"""Camera paths: closed forms agree with an independent derivation, begin and end as the spec says."""

import numpy as np
import pytest
from pydantic import ValidationError

from simfactory.cameras import camera_course
from simfactory.rng import stream
from simfactory.spec import (
    CameraCrane,
    CameraDolly,
    CameraFirstPerson,
    CameraFixed,
    CameraOrbit,
    CameraTracking,
    Keyframe,
)
from simfactory.testing.ground_truth.paths import oracle_gaze

TIMES = np.linspace(0.0, 4.0, 33)


def point(draw, low=-3.0, high=3.0):
    return draw.uniform(low, high), draw.uniform(low, high), draw.uniform(0.2, 2.0)


def random_paths(seed):
    draw = stream(seed, "paths")
    moments = np.cumsum([draw.uniform(0.1, 0.8) for _ in range(6)])
    return [
        CameraFixed(position=point(draw), target=point(draw)),
        CameraOrbit(target=point(draw), radius=draw.uniform(1, 3), height=1.0, azimuth=0.4, azimuth_rate=-0.7),
        CameraDolly(
            position=point(draw),
            position_end=point(draw),
            target=point(draw),
            target_end=point(draw),
            duration=draw.uniform(0.5, 5.0),
        ),
        CameraCrane(
            target=point(draw),
            distance=2.0,
            azimuth=1.0,
            elevation=0.1,
            elevation_end=draw.uniform(0.3, 1.2),
            duration=2.0,
        ),
        CameraTracking(
            keyframes=tuple(Keyframe(time=float(t), position=point(draw), target=point(draw)) for t in moments)
        ),
        CameraFirstPerson(position=point(draw), position_end=point(draw), target=point(draw), duration=3.0),
        CameraFirstPerson(position=(1.0, 2.0, 1.5), position_end=(1.0, 2.0, 1.5), target=point(draw), duration=3.0),
    ]


@pytest.mark.parametrize("seed", range(8))
def test_every_path_agrees_with_an_independent_derivation(seed):
    for path in random_paths(seed):
        positions, targets = camera_course(path, TIMES)
        expected = [oracle_gaze(path, float(time)) for time in TIMES]
        assert positions == pytest.approx(np.array([eye for eye, _ in expected]), abs=1e-12)
        assert targets == pytest.approx(np.array([aim for _, aim in expected]), abs=1e-12)


def test_a_dolly_starts_and_ends_at_rest_where_it_should():
    path = CameraDolly(
        position=(3.0, 0.0, 1.0),
        position_end=(1.0, 1.0, 1.0),
        target=(0.0, 0.0, 0.0),
        target_end=(0.0, 1.0, 0.0),
        duration=2.0,
    )
    positions, targets = camera_course(path, [0.0, 1e-3, 1.0, 2.0, 9.0])
    assert positions[[0, 3, 4]].tolist() == [[3.0, 0.0, 1.0], [1.0, 1.0, 1.0], [1.0, 1.0, 1.0]]
    assert positions[2] == pytest.approx([2.0, 0.5, 1.0])
    assert targets[3].tolist() == [0.0, 1.0, 0.0]
    assert np.linalg.norm(positions[1] - positions[0]) < 1e-5  # second order: it starts from rest


def test_a_crane_keeps_its_distance():
    path = random_paths(0)[3]
    positions, targets = camera_course(path, TIMES)
    assert np.linalg.norm(positions - targets, axis=-1) == pytest.approx(2.0)
    assert np.diff(positions[:17, 2]).min() > 0.0


def test_a_tracking_camera_passes_through_its_keyframes():
    path = random_paths(1)[4]
    positions, targets = camera_course(path, [keyframe.time for keyframe in path.keyframes])
    assert positions == pytest.approx(np.array([keyframe.position for keyframe in path.keyframes]), abs=1e-12)
    assert targets == pytest.approx(np.array([keyframe.target for keyframe in path.keyframes]), abs=1e-12)


def test_a_tracking_camera_has_no_jerk_in_speed_at_a_keyframe():
    path = random_paths(2)[4]
    at = path.keyframes[2].time

    def step_in_speed(width):
        before, now, after = camera_course(path, [at - width, at, at + width])[0]
        return np.abs((after - now) - (now - before)).max() / width

    assert step_in_speed(1e-6) < 0.02 * step_in_speed(1e-4)  # acceleration times width: it vanishes with the width


def test_a_head_bobs_within_its_height_and_only_while_it_walks():
    path = CameraFirstPerson(
        position=(4.0, 0.0, 1.6), position_end=(2.0, 0.0, 1.6), target=(0.0, 0.0, 0.5), duration=3.0, bob=0.04
    )
    positions, _ = camera_course(path, np.linspace(0.0, 6.0, 601))
    assert positions[:, 2].min() == pytest.approx(1.6)
    assert positions[:, 2].max() == pytest.approx(1.64, abs=1e-4)
    assert np.abs(positions[:, 1]).max() == pytest.approx(0.02, abs=1e-4)
    assert np.ptp(positions[301:], axis=0) == pytest.approx(np.zeros(3), abs=1e-12)


def test_keyframes_out_of_order_are_refused():
    keyframes = tuple(Keyframe(time=time, position=(1.0, 0.0, 1.0), target=(0.0, 0.0, 0.0)) for time in (0.0, 1.0, 1.0))
    with pytest.raises(ValidationError, match="give each a later time"):
        CameraTracking(keyframes=keyframes)

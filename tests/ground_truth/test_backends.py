"""Ground truth of real clips: every backend against the oracle, and every planted error found on every backend."""

from functools import cache

import numpy as np
import pytest

from simfactory.quality import verify_clip
from simfactory.simulation import simulate
from simfactory.testing.ground_truth import (
    PLANTED,
    PLANTED_GRAINS,
    PLANTED_HEAT,
    assert_exact,
    check,
    compare,
    oracles,
    sample_scene,
    store_clip,
    stored_arrays,
    stored_limits,
    violations,
)

pytest.importorskip("embreex")

BACKENDS = [
    "mock",
    "newton",
    "newton, soft bodies",
    "newton, cloth",
    "newton, inflatables",
    "newton, ropes",
    "newton, granular",
    "newton, robot",
    "newton, heat",
]
SCENES = [0, 1, 2]


@cache
def episode_of(backend, index):
    simulator, _, bodies = backend.partition(", ")
    spec = sample_scene(
        index,
        deforming=simulator == "mock",
        soft=bodies == "soft bodies",
        cloth=bodies == "cloth",
        inflatable=bodies == "inflatables",
        rope=bodies == "ropes",
        granular=bodies == "granular",
        robot=bodies == "robot",
        thermal=bodies == "heat",
        size=128,
        frame_count=3,
        seed=1,
    )
    return simulate(spec, backend=simulator)


@pytest.mark.parametrize("index", SCENES)
@pytest.mark.parametrize("backend", BACKENDS)
def test_clips_are_exact(backend, index):
    for figures in check(episode_of(backend, index), closed_form=backend == "mock"):
        assert_exact(figures)


@pytest.mark.parametrize("backend", BACKENDS)
def test_recorded_bodies_are_those_of_the_trajectory(backend):
    episode = episode_of(backend, 0)
    for clip in episode.clips:
        np.testing.assert_array_equal(clip.arrays["bodies/position"], episode.trajectory.position)
        np.testing.assert_array_equal(clip.arrays["bodies/quat_xyzw"], episode.trajectory.quat_xyzw)


@pytest.mark.parametrize("name", PLANTED)
@pytest.mark.parametrize("backend", BACKENDS)
def test_every_planted_error_is_found(backend, name):
    episode = episode_of(backend, 0)
    oracle, clip = oracles(episode, closed_form=backend == "mock")[0], episode.clips[0]
    assert violations(compare(oracle, PLANTED[name](oracle, clip.arrays)))


@pytest.mark.parametrize("name", PLANTED_GRAINS)
def test_errors_planted_in_grains_are_found(name):
    episode = episode_of("newton, granular", 0)
    oracle, clip = oracles(episode, closed_form=False)[0], episode.clips[0]
    assert violations(compare(oracle, PLANTED_GRAINS[name](clip.arrays)))


@pytest.mark.parametrize("name", PLANTED_HEAT)
def test_errors_planted_in_temperatures_are_found(name):
    episode = episode_of("newton, heat", 0)
    oracle, clip = oracles(episode, closed_form=False)[0], episode.clips[0]
    assert violations(compare(oracle, PLANTED_HEAT[name](clip.arrays)))


def test_recorded_grains_are_those_of_the_trajectory():
    episode = episode_of("newton, granular", 1)
    for clip in episode.clips:
        for field, rows in (("position", "particles"), ("velocity", "particle_velocities")):
            expected = np.concatenate(list(getattr(episode.trajectory, rows).values()), axis=1)
            np.testing.assert_array_equal(clip.arrays[f"particles/{field}"], expected)


@pytest.mark.parametrize("profile", ["portable", "archive"])
@pytest.mark.parametrize("backend", BACKENDS)
def test_stored_clips_are_exact_within_their_steps_and_consistent(backend, profile, tmp_path):
    episode = episode_of(backend, 1)
    oracle = oracles(episode, closed_form=backend == "mock")[0]
    clip = store_clip(tmp_path / "set", episode.spec, episode.clips[0].arrays, profile=profile)
    figures = compare(oracle, stored_arrays(clip), normal_step=clip.encodings["normal"].scale or 0.0)
    assert_exact(figures, stored_limits(clip))
    assert verify_clip(clip) == []


@pytest.mark.parametrize("backend", BACKENDS)
def test_quality_gate_finds_nothing_wrong_with_the_recording(backend):
    reasons = {reason for index in SCENES for reason in episode_of(backend, index).quality["reasons"]}
    assert not reasons & {"not_finite", "reprojection", "flow", "warp", "empty_camera", "inverted_elements"}


@pytest.mark.parametrize("backend", BACKENDS)
def test_tracks_are_visible_where_they_were_picked(backend):
    for clip in episode_of(backend, 0).clips:
        picked = clip.arrays["tracks/frame"]
        assert clip.arrays["tracks/visible"][np.arange(len(picked)), picked].mean() > 0.999

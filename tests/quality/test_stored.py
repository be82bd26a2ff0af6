"""The self-consistency check of stored clips: silent on exact ones, loud on planted errors, in both profiles."""

import numpy as np
import pytest

from simfactory.annotations import annotations
from simfactory.quality import verify_clip
from simfactory.spec import Box, MotionLinear
from simfactory.testing.ground_truth import (
    PLANTED,
    Oracle,
    WorldMotion,
    mock_trajectory,
    oracle_contexts,
    record,
    store_clip,
)
from simfactory.testing.specs import make_body, make_camera, make_sheet, make_spec


@pytest.fixture(scope="module")
def exact():
    spec = make_spec(
        bodies=[
            make_body("box", angular_velocity=(3.0, 2.0, 1.0)),
            make_body("rod", Box(size=(1.0, 0.04, 0.04)), position=(0.0, -0.8, 0.7), mobility="kinematic"),
            make_sheet(position=(0.7, 0.3, 0.5)),
        ],
        motions=[MotionLinear(body="rod", velocity=(2.0, 0.0, 0.5))],
        cameras=[make_camera(size=(96, 80), orbit_rate=0.7)],
        frame_count=10,
    )
    oracle = Oracle(spec, spec.cameras[0], WorldMotion.closed_form(spec))
    return oracle, record(oracle_contexts(oracle, mock_trajectory(spec)), annotations())


def stored(folder, oracle, arrays, profile="portable", names=()):
    return store_clip(folder, oracle.spec, arrays, profile=profile, modalities=names)


@pytest.mark.parametrize("profile", ["portable", "archive"])
def test_an_exact_clip_has_no_findings(profile, exact, tmp_path):
    assert verify_clip(stored(tmp_path / "set", *exact, profile)) == []


def test_missing_modalities_are_skipped(exact, tmp_path):
    assert verify_clip(stored(tmp_path / "set", *exact, names=["depth"])) == []


@pytest.mark.parametrize("name", [name for name in PLANTED if name not in ("half_pixel_shift", "transposed_body_pose")])
def test_planted_errors_are_found_without_the_scene(name, exact, tmp_path):
    oracle, arrays = exact
    assert verify_clip(stored(tmp_path / "set", oracle, PLANTED[name](oracle, arrays)))


@pytest.mark.parametrize(
    ("name", "change", "path"),
    [
        ("depth", lambda a: a * np.float32(1.05), "points/position"),
        ("flow_forward", lambda a: a + np.float32(0.1), "flow_forward"),
        ("flow_backward", lambda a: -a, "flow_backward"),
        ("scene_flow", lambda a: a * np.float32(1.2), "flow_forward"),
        ("mask", lambda a: a & ~np.uint8(1), "instance"),
        ("instance", lambda a: np.where(a == 3, 4, a).astype(np.uint16), "points/instance"),
        ("normal", lambda a: a * np.float32(0.5), "normal"),
        ("time", lambda a: a + 0.01, "time"),
        ("tracks/visible", lambda a: np.ones_like(a), "tracks/visible"),
        ("tracks/instance", lambda a: (a + 1).astype(np.uint16), "tracks/instance"),
        ("tracks/position", lambda a: a + np.float32(0.01), "tracks/position"),
        ("points/position", lambda a: a + np.float32(0.01), "points/position"),
        ("camera/camera_to_world", lambda a: a * [[[1.0, 1.0, -1.0, 1.0]]], "camera/camera_to_world"),
    ],
)
def test_contradictions_name_their_array(name, change, path, exact, tmp_path):
    oracle, arrays = exact
    findings = verify_clip(stored(tmp_path / "set", oracle, {**arrays, name: change(arrays[name])}))
    assert path in {finding.path for finding in findings}, findings
    assert all(finding.clip_id and finding.problem for finding in findings)

"""What a clip's checks measure, on exact frames and on frames with planted errors."""

from dataclasses import replace

import numpy as np
import pytest

from scenes.sample import sample
from simfactory.engine import Engine
from simfactory.episode import scene_surfaces
from simfactory.quality import ClipChecks, episode_report
from simfactory.recording import MemoryRecorder
from simfactory.spec import Box, MotionLinear, Sphere
from simfactory.testing.ground_truth import Oracle, WorldMotion, mock_trajectory, oracle_contexts
from simfactory.testing.specs import make_body, make_camera, make_sheet, make_spec


@pytest.fixture(scope="module")
def contexts():
    spec = make_spec(
        bodies=[
            make_body("box", angular_velocity=(3.0, 2.0, 1.0)),
            make_body("rod", Box(size=(1.0, 0.04, 0.04)), position=(0.0, -0.8, 0.7), mobility="kinematic"),
            make_sheet(position=(0.7, 0.3, 0.5)),
        ],
        motions=[MotionLinear(body="rod", velocity=(1.0, 0.0, 0.5))],
        cameras=[make_camera(size=(96, 80), orbit_rate=0.7)],
        frame_count=5,
    )
    oracle = Oracle(spec, spec.cameras[0], WorldMotion.closed_form(spec))
    return oracle_contexts(oracle, mock_trajectory(spec))


def report_of(contexts):
    checks = ClipChecks(contexts[0].clip)
    for context in contexts:
        checks.frame(context)
    clip = contexts[0].clip
    return episode_report(clip.spec, clip.trajectory, clip.surfaces, [checks])


def with_surface(context, **changes):
    return replace(context, surface=replace(context.surface, **changes))


def with_forward(context, change):
    return context if context.forward is None else replace(context, forward=change(context.forward))


def test_exact_frames_pass(contexts):
    report = report_of(contexts)
    assert report.passed, report
    assert report.figures["reprojection_px"] < 1e-4
    assert report.figures["flow_residual"] < 1e-4
    assert report.figures["warp_mismatch"] < 0.05
    assert report.figures["visible_frames"] == 1.0


def test_area_is_the_share_of_body_pixels(contexts):
    checks = ClipChecks(contexts[0].clip)
    checks.frame(contexts[0])
    assert checks.visible_area == pytest.approx([(contexts[0].surface.instance >= 3).mean()])


def with_backward(context, change):
    return context if context.backward is None else replace(context, backward=change(context.backward))


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda c, _: with_surface(c, depth=c.surface.depth * np.float32(1.001)), "reprojection"),
        (lambda c, _: with_surface(c, bary=c.surface.bary[..., ::-1]), "reprojection"),
        (lambda c, _: with_surface(c, depth=c.surface.depth * np.float32(np.nan)), "not_finite"),
        (lambda c, _: with_forward(c, lambda m: replace(m, flow=-m.flow)), "flow"),
        (lambda c, _: with_forward(c, lambda m: replace(m, flow=m.flow[..., ::-1])), "flow"),
        (lambda c, _: with_forward(c, lambda m: replace(m, flow=m.flow * np.float32(np.nan))), "not_finite"),
        (
            lambda c, _: replace(
                c, backward=None if c.backward is None else replace(c.backward, flow=-c.backward.flow)
            ),
            "flow",
        ),
        (lambda c, _: with_forward(c, lambda m: replace(m, displacement=m.displacement + np.float32(0.5))), "warp"),
        (lambda c, all_: replace(c, surface=all_[max(c.frame - 1, 0)].surface), "reprojection"),
        (lambda c, _: with_surface(c, instance=np.minimum(c.surface.instance, 1)), "empty_camera"),
    ],
)
def test_planted_errors_are_refused_with_their_reason(change, reason, contexts):
    report = report_of([change(context, contexts) for context in contexts])
    assert reason in report.reasons


def test_a_camera_that_sees_nothing_at_all_is_empty():
    spec = make_spec(ground=False, cameras=[make_camera(size=(16, 16), target=(0.0, -8.0, 2.0))], frame_count=3)
    oracle = Oracle(spec, spec.cameras[0], WorldMotion.closed_form(spec))
    assert report_of(oracle_contexts(oracle, mock_trajectory(spec))).reasons == ("empty_camera",)


def test_a_camera_that_hardly_sees_what_moves_is_refused():
    spec = make_spec(
        bodies=[
            make_body("wall", Box(size=(3.0, 0.2, 1.5)), position=(0.0, 0.0, 0.8), mobility="static"),
            make_body("ball", Sphere(radius=0.04), position=(0.0, -0.5, 1.0)),
        ],
        cameras=[make_camera(size=(64, 64))],
        frame_count=4,
    )
    oracle = Oracle(spec, spec.cameras[0], WorldMotion.closed_form(spec))
    contexts = oracle_contexts(oracle, mock_trajectory(spec))
    checks = ClipChecks(contexts[0].clip)
    for context in contexts:
        checks.frame(context)
    # It is at rest at the first frame.
    assert checks.moving_area == pytest.approx([(context.surface.instance == 4).mean() for context in contexts[1:]])
    report = report_of(contexts)
    assert report.figures["visible_area"] > 0.1
    assert 0.0 < report.figures["moving_area"] < 2e-3
    assert report.reasons == ("unseen_action",)


def test_a_camera_that_a_body_flies_through_is_refused():
    spec = make_spec(
        bodies=[make_body("box", position=(0.0, -1.0, 1.0), linear_velocity=(4.0, 0.0, 0.0))],
        cameras=[make_camera(size=(16, 16), position=(0.5, -1.0, 0.95), target=(0.0, 0.0, 0.5))],
        gravity=(0.0, 0.0, 0.0),
        frame_count=6,
    )
    trajectory = mock_trajectory(spec)
    report = episode_report(spec, trajectory, scene_surfaces(spec), [])
    half = 0.5 * spec.bodies[0].geometry.size[0]
    inside = np.abs(trajectory.position[:, 0, 0] - 0.5) < half
    assert 0 < report.figures["camera_inside"] == inside.sum() < 6
    assert report.reasons == ("camera_inside",)


def test_a_clip_of_one_frame_passes():
    spec = make_spec(frame_count=1)
    oracle = Oracle(spec, spec.cameras[0], WorldMotion.closed_form(spec))
    assert report_of(oracle_contexts(oracle, mock_trajectory(spec))).passed


def test_the_worst_camera_counts(contexts):
    clip = contexts[0].clip
    good, bad = ClipChecks(clip), ClipChecks(clip)
    for context in contexts:
        good.frame(context)
        bad.frame(with_surface(context, depth=context.surface.depth * np.float32(1.01)))
    report = episode_report(clip.spec, clip.trajectory, scene_surfaces(clip.spec), [good, bad, good])
    assert "reprojection" in report.reasons
    assert report.figures["depth_residual"] == pytest.approx(0.01, rel=0.01)


def test_a_face_that_comes_to_lie_in_the_camera_plane_is_no_missing_flow():
    """A block of this episode flies past its camera: two pixels of a face end 0.01 and 0.07 mm before the plane."""
    spec = sample("rigid", seed=1, index=7, frame_count=12, fps=24.0, size=(64, 64), views=2)
    (outcome,) = Engine(backend="newton").run([spec], open_recorder=MemoryRecorder)
    assert outcome.reasons == ()

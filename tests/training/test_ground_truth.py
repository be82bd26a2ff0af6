"""Losses, points and regions on clips of the factory, read back from a dataset: the truth is what they call true."""

from functools import partial

import numpy as np
import pytest
import torch

from simfactory import open_dataset
from simfactory.engine import Engine
from simfactory.episode import FIRST_BODY
from simfactory.recording import open_writer
from simfactory.signals import HIT, OCCLUDED_AFTER, OUTSIDE_AFTER
from simfactory.spec import Box, MotionLinear, Sensors, Sphere
from simfactory.store import create_dataset
from simfactory.testing.specs import make_body, make_camera, make_spec
from training.losses import flow_loss, rgb_warp_loss, trajectory_alignment_loss, warp_loss
from training.points4d import depth_change, motion_from_scene_flow, moving_mask, moving_points
from training.regions import physics_informative_mask, tracks_in_view
from training.teachers import contact_graph, sim_state_relations
from training.warping import same_instance

PLATE, BALL = FIRST_BODY, FIRST_BODY + 1
SPEED, FPS = 2.0, 24.0  # of the plate, towards the fixed camera, along its axis [m/s]; [1/s]
RECORDED = ("depth", "flow_forward", "scene_flow", "mask", "instance", "camera", "points", "tracks", "rgb", "contacts")


def approaching_plate():
    """A plate comes at a camera, turned a little; a ball falls beside it. A second camera goes round both."""
    return make_spec(
        bodies=[
            make_body(
                "plate",
                Box(size=(1.0, 0.1, 1.0)),
                position=(0.0, 0.0, 1.2),
                orientation=(0.0, 0.0, 0.2, 0.9797958971132712),
                mobility="kinematic",
            ),
            make_body("ball", Sphere(radius=0.3), position=(0.9, 0.2, 1.5)),
        ],
        motions=[MotionLinear(body="plate", velocity=(0.0, -SPEED, 0.0))],
        cameras=[
            make_camera("fixed", size=(96, 80), position=(0.0, -4.0, 1.2), target=(0.0, 0.0, 1.2)),
            make_camera("orbit", size=(96, 80), orbit_rate=0.8),
        ],
        frame_count=6,
        fps=FPS,
        sensors=Sensors(modalities=RECORDED),
    )


class Truth:
    """One clip as tensors, with what the losses need besides."""

    def __init__(self, clip):
        arrays = clip.window(0, clip.frame_count)
        self.arrays = {name: torch.tensor(values) for name, values in arrays.items()}
        self.camera = self.arrays["camera/K"], self.arrays["camera/camera_to_world"]
        self.depth, self.flow = self.arrays["depth"], self.arrays["flow_forward"]
        self.scene_flow, self.instance = self.arrays["scene_flow"], self.arrays["instance"]
        bits = self.arrays["mask"]
        self.visible = ((bits & HIT) > 0) & ((bits & (OCCLUDED_AFTER | OUTSIDE_AFTER)) == 0)
        self.visible[:-1] &= same_instance(self.flow[:-1], self.instance[:-1], self.instance[1:])

    def warp_loss(self, *, only=None, fair=False, **options):
        visible = self.visible if only is None else self.visible & (self.instance == only)
        return warp_loss(
            self.depth[:-1],
            self.depth[1:],
            self.flow[:-1],
            depth_change=depth_change(self.depth, self.scene_flow, *self.camera)[:-1],
            visible=visible[:-1],
            instance=self.instance[:-1] if fair else None,
            **options,
        ).item()


@pytest.fixture(scope="module", params=["archive", "portable"])
def profile(request):
    return request.param


@pytest.fixture(scope="module")
def truths(profile, tmp_path_factory):
    """The clips of both cameras, by name."""
    folder = create_dataset(tmp_path_factory.mktemp(profile) / "data", profile=profile).path
    engine = Engine(backend="mock", profile=profile)
    (outcome,) = engine.run([approaching_plate()], open_recorder=partial(open_writer, folder), gate=False)
    assert len(outcome.committed) == 2
    return {clip.attributes["camera_name"]: Truth(clip) for clip in open_dataset(folder)}


# What the truth itself pays [m], measured, with a margin of a third: in the archive the floor is the curvature of a
# ball 20 px wide, and the plate's edges, where a pixel mixes two faces; in the portable profile float16 depth, whose
# steps at 2 to 4 m are 2 mm.
FLOOR = {"archive": 1.6e-4, "portable": 1.05e-3}
FAIR_FLOOR = {"archive": 1.0e-3, "portable": 1.65e-3}  # averaged per instance


@pytest.mark.parametrize("camera", ["fixed", "orbit"])
def test_truth_pays_next_to_nothing_for_the_corrected_warp(truths, profile, camera):
    assert truths[camera].warp_loss() < FLOOR[profile]
    assert truths[camera].warp_loss(fair=True) < FAIR_FLOOR[profile]


def test_truth_pays_for_what_moves_along_the_axis_in_the_papers_form(truths, profile):
    plate, step = truths["fixed"], SPEED / FPS
    paper = plate.warp_loss(only=PLATE, mode="paper")
    # All of the plate moves by 83 mm a frame; what the truth pays besides is its floor.
    assert paper == pytest.approx(step, abs=2 * FAIR_FLOOR[profile])
    assert paper > 40 * plate.warp_loss(only=PLATE)


def test_truth_pays_for_the_camera_in_the_papers_form(truths):
    ground = 1
    standing, moving = truths["fixed"], truths["orbit"]
    assert standing.warp_loss(only=ground, mode="paper") < 1e-3
    assert moving.warp_loss(only=ground, mode="paper") > 0.02
    assert moving.warp_loss(only=ground) < 1e-3


@pytest.mark.parametrize("camera", ["fixed", "orbit"])
def test_scene_flow_seen_by_the_camera_is_the_stored_flow(truths, profile, camera):
    truth = truths[camera]
    motion = motion_from_scene_flow(truth.depth, truth.scene_flow, *truth.camera)
    defined = torch.isfinite(truth.flow)
    error = (motion[:, :2] - truth.flow)[defined].abs().max().item()
    # Float32 pixels; or flow in steps of 1/64 px and scene flow in steps of 0.1 mm, 0.005 px at 2 m, half of each.
    assert error < {"archive": 1e-4, "portable": 0.015}[profile]
    assert flow_loss(motion[:, :2], truth.flow) < {"archive": 1e-4, "portable": 0.015}[profile]


@pytest.mark.parametrize("camera", ["fixed", "orbit"])
@pytest.mark.parametrize("source", ["scene_flow", "motion"])
def test_moving_points_are_those_of_the_store(truths, profile, camera, source):
    truth = truths[camera]
    given = {"scene_flow": truth.scene_flow}
    if source == "motion":
        given = {"motion": motion_from_scene_flow(truth.depth, truth.scene_flow, *truth.camera)}
    points, times = moving_points(truth.depth, *truth.camera, fps=FPS, stride=2, **given)
    stored = truth.arrays["points/position"][: int(truth.arrays["points/offsets"][-2])]
    assert len(stored) > 1000
    assert points.shape == (len(stored), 3)
    # Float32 at a few metres; or depth at most 5 m along rays of at most 1.3, to 2^-12 of it.
    assert (points - stored[:, :3]).abs().max() < {"archive": 2e-6, "portable": 2e-3}[profile]
    torch.testing.assert_close(times, stored[:, 3], rtol=0.0, atol=1e-7)
    moving = moving_mask(truth.scene_flow, fps=FPS)[:, 1::2, 1::2]
    ids = truth.arrays["points/instance"][: len(stored)]
    assert torch.equal(truth.instance[:, 1::2, 1::2].long()[moving], ids.long())


def test_static_colours_warp_onto_themselves(truths):
    truth = truths["fixed"]
    frames = truth.arrays["rgb"].float().movedim(-1, -3) / 255
    ground = truth.visible[:-1] & (truth.instance[:-1] == 1)
    still = rgb_warp_loss(frames[:-1], frames[1:], truth.flow[:-1], visible=ground)
    wrong = rgb_warp_loss(frames[:-1], frames[1:], truth.flow[:-1] + 3.0, visible=ground)
    # Shadows pass over the ground, and draft pictures are noisy: the truth is not free, but cheaper.
    assert still < 0.5 * wrong


def test_tracks_are_seen_where_they_were_picked(truths):
    truth = truths["orbit"]
    position = truth.arrays["tracks/position"].permute(1, 2, 0)
    image, depth = tracks_in_view(position, *truth.camera, height=80, width=96)
    first = truth.arrays["tracks/frame"] == 0
    assert first.sum() > 50
    pixels = image[first, 0] * torch.tensor([96.0, 80.0])
    # Points are picked at pixel centres; float32 positions at 4 m and 103 px of focal length.
    torch.testing.assert_close(pixels, pixels.floor() + 0.5, rtol=0.0, atol=1e-4)
    column, row = pixels.long().unbind(dim=-1)
    # Portable depth has steps of 1/1024 of itself or less.
    torch.testing.assert_close(depth[first, 0], truth.depth[0, row, column], rtol=1 / 1024, atol=0.0)


def test_the_region_is_on_the_bodies_before_a_moving_camera(truths):
    truth = truths["orbit"]
    position, visible = truth.arrays["tracks/position"].permute(1, 2, 0), truth.arrays["tracks/visible"]
    image, depth = tracks_in_view(position, *truth.camera, height=80, width=96)
    region = physics_informative_mask(position, visible, depth[:, 0])
    on_body = truth.arrays["tracks/instance"].long() >= FIRST_BODY
    assert region.sum() >= 4
    assert on_body[region].all()
    naive = physics_informative_mask(image, visible, depth[:, 0])
    assert not on_body[naive].all()
    aligned = trajectory_alignment_loss(torch.ones(6, 4, 5, 6), image, visible, selected=region)
    assert 0.0 < aligned < 1.0


def test_tokens_of_one_body_are_most_alike(truths):
    truth = truths["fixed"]
    ids = truth.instance[0, 4::8, 4::8].flatten()
    velocity = truth.scene_flow[0, :, 4::8, 4::8].flatten(1).T * FPS
    contacts = contact_graph(truth.arrays["contacts/a"], truth.arrays["contacts/b"], count=BALL + 1)
    relations = sim_state_relations(ids, velocity, contacts)
    plate, rest = ids.long() == PLATE, ids.long() != PLATE
    assert plate.sum() > 3
    assert relations[plate][:, plate].min() > 0.99
    # Another object, out of touch, and 2 m/s slower: four times the scale, e^-8.
    assert relations[plate][:, rest & (ids.long() != BALL)].max() < 1e-3


def test_numpy_windows_give_the_same_points(truths):
    truth = truths["orbit"]
    arrays = {name: values.numpy() for name, values in truth.arrays.items()}
    points, times = moving_points(
        arrays["depth"],
        arrays["camera/K"],
        arrays["camera/camera_to_world"],
        scene_flow=arrays["scene_flow"],
        fps=FPS,
        stride=2,
    )
    expected = moving_points(truth.depth, *truth.camera, scene_flow=truth.scene_flow, fps=FPS, stride=2)
    np.testing.assert_array_equal(points, expected[0].numpy())
    np.testing.assert_array_equal(times, expected[1].numpy())

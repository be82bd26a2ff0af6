"""Rewards on clips by newton: the truth is best, an honest imitation is better than what only looks well."""

import pytest
import torch

from simfactory.errors import SpecError
from training.rewards import REWARDS, Scene4D, TotalReward, swap_clips
from training.rewards.track_offset import collision_weight, follow


def blurred(own, seed=0):
    """A scene that is a little wrong everywhere, as all models are."""
    noise = torch.Generator().manual_seed(seed)
    depth = own.depth * (1.0 + 0.01 * torch.randn(own.depth.shape, generator=noise))
    scale = torch.tensor([0.05, 0.05, 0.005])[:, None, None]
    return Scene4D.of(depth, own.motion + scale * torch.randn(own.motion.shape, generator=noise))


def constant(truth):
    own = truth.as_scene()
    motion = torch.zeros_like(own.motion)
    motion[:, :, 0] = 1.0
    return Scene4D.of(torch.full_like(own.depth, 4.0), motion)


def delayed(truth, frames=2):
    own = truth.as_scene()
    late = torch.cat([own.motion[:, :1].expand(-1, frames, -1, -1, -1) * 0.0, own.motion[:, :-frames]], dim=1)
    return Scene4D.of(torch.cat([own.depth[:, :1].expand(-1, frames, -1, -1), own.depth[:, :-frames]], dim=1), late)


def moving_ids(truth):
    return set(truth.instance[:, :-1][truth.moving].tolist())


def swapped(truth):
    """Each ball goes as the other one does; both are where they are."""
    own, (a, b) = truth.as_scene(), sorted(moving_ids(truth))
    motion = own.motion.clone()
    for clip in range(len(truth)):
        for frame in range(motion.shape[1]):
            masks = [truth.instance[clip, frame] == identity for identity in (a, b)]
            if all(mask.any() for mask in masks):
                means = [own.motion[clip, frame][:, mask].mean(dim=1, keepdim=True) for mask in masks]
                for mask, mean in zip(masks, means[::-1], strict=True):
                    motion[clip, frame][:, mask] = mean
    return Scene4D.of(own.depth, motion)


def still(truth):
    """Nothing moves in the world."""
    from training.points4d import motion_from_scene_flow

    own = truth.as_scene()
    rest = torch.zeros_like(own.motion)
    return Scene4D.of(own.depth, motion_from_scene_flow(own.depth, rest, truth.intrinsics, truth.camera_to_world))


def drifting(truth):
    """All moves as it should, and a pixel to the right as well."""
    own = truth.as_scene()
    return Scene4D.of(own.depth, own.motion + torch.tensor([1.0, 0.0, 0.0])[:, None, None])


def swelling(truth):
    """Each ball goes where it should, and grows by a fifth from frame to frame."""
    own = truth.as_scene()
    motion = own.motion.clone()
    height, width = motion.shape[-2:]
    rows, columns = torch.meshgrid(torch.arange(height) + 0.5, torch.arange(width) + 0.5, indexing="ij")
    places = torch.stack([columns, rows])
    for clip in range(len(truth)):
        for frame in range(motion.shape[1]):
            for identity in moving_ids(truth):
                mask = truth.instance[clip, frame] == identity
                if mask.any():
                    away = places[:, mask] - places[:, mask].mean(dim=1, keepdim=True)
                    motion[clip, frame][:2, mask] += 0.2 * away
    return Scene4D.of(own.depth, motion)


# What games the reward, and the reward that sees it.
PROBES = {
    "constant": (constant, ("chamfer_4d", "track_offset", "background")),
    "delayed": (delayed, ("track_offset", "kinematic")),
    "swapped": (swapped, ("track_offset",)),
    "still": (still, ("no_motion", "track_offset", "chamfer_4d")),
    "drifting": (drifting, ("background", "chamfer_4d")),
    "swelling": (swelling, ("conservation",)),
}


@pytest.fixture(scope="module")
def best_parts(truth):
    """What the truth itself is worth."""
    return TotalReward().parts(truth.as_scene(), truth)


@pytest.fixture(scope="module")
def fair_parts(truth):
    """What an honest imitation is worth."""
    return TotalReward().parts(blurred(truth.as_scene()), truth)


def joined(one, other):
    return {name: torch.cat([one[name], other[name]]) for name in one}


@pytest.mark.parametrize("name", REWARDS)
def test_truth_is_best_and_an_imitation_near_it(truth, name):
    reward = REWARDS[name]()
    assert reward.name == name
    best, near, wrong = (
        reward(scene, truth) for scene in (truth.as_scene(), blurred(truth.as_scene()), swap_clips(truth.as_scene()))
    )
    assert best.shape == (len(truth),)
    assert (best <= 0.0).all()
    assert (best >= near - 0.02).all()
    assert best.mean() > wrong.mean()


@pytest.mark.parametrize("probe", PROBES)
def test_what_games_the_reward_scores_worse_than_an_honest_imitation(truth, fair_parts, probe):
    make, seen_by = PROBES[probe]
    reward = TotalReward()
    gamed_parts = reward.parts(blurred(make(truth), seed=1), truth)
    fair, gamed = reward.total(joined(fair_parts, gamed_parts)).reshape(2, -1)
    assert (fair > gamed).all(), gamed_parts
    for name in seen_by:
        assert fair_parts[name].mean() > gamed_parts[name].mean() + 0.01, name


@pytest.mark.parametrize("value", [0.0, -1.0, float("inf"), float("nan"), 1e30])
@pytest.mark.parametrize("part", ["depth", "motion"])
def test_rewards_of_degenerate_scenes_are_finite_and_bad(truth, best_parts, part, value):
    own, reward = truth.as_scene(), TotalReward()
    broken = {"depth": own.depth, "motion": own.motion}
    broken[part] = torch.full_like(broken[part], value)
    parts = reward.parts(Scene4D.of(**broken), truth)
    assert all(torch.isfinite(values).all() for values in parts.values())
    best, bad = reward.total(joined(best_parts, parts)).reshape(2, -1)
    assert (best > bad).all()


def test_where_nothing_moves_nothing_is_asked(truth):
    from dataclasses import replace

    calm = replace(
        truth,
        motion=torch.zeros_like(truth.motion),
        scene_flow=torch.zeros_like(truth.scene_flow),
        depth=truth.depth[:, :1].expand_as(truth.depth),
        instance=truth.instance[:, :1].expand_as(truth.instance),
        camera_to_world=truth.camera_to_world[:, :1].expand_as(truth.camera_to_world),
        tracks_image=truth.tracks_image[:, :, :1].expand_as(truth.tracks_image),
    )
    for make in REWARDS.values():
        torch.testing.assert_close(make()(calm.as_scene(), calm), torch.zeros(len(calm)), atol=1e-5, rtol=0.0)
    moved = Scene4D.of(calm.depth, torch.ones_like(calm.motion))
    assert (REWARDS["chamfer_4d"]()(moved, calm) == -5.0).all()


def test_of_a_clip_in_which_nothing_is_hit_nothing_is_said(truth):
    from dataclasses import replace

    sky = replace(
        truth,
        depth=torch.full_like(truth.depth, torch.inf),
        motion=torch.full_like(truth.motion, torch.nan),
        scene_flow=torch.full_like(truth.scene_flow, torch.nan),
        instance=torch.zeros_like(truth.instance),
        tracks_image=truth.tracks_image[:, :0],
        tracks_visible=truth.tracks_visible[:, :0],
        tracks_instance=truth.tracks_instance[:, :0],
        contacts_frame=truth.contacts_frame[:, :0],
        contacts=truth.contacts[:, :0],
    )
    for scene in (sky.as_scene(), truth.as_scene()):
        for name, values in TotalReward().parts(scene, sky).items():
            assert (values == 0.0).all(), name


def test_points_are_followed_through_pixels():
    flow = torch.zeros(1, 3, 2, 4, 6)
    flow[:, 0, 0, 1, 2], flow[:, 1, 1, 1, 3] = 1.0, 2.0
    path = follow(flow, torch.tensor([[[2.5, 1.5], [0.5, 0.5]]]))
    assert path[0].tolist() == [[[2.5, 1.5], [3.5, 1.5], [3.5, 3.5]], [[0.5, 0.5]] * 3]


def test_frames_at_which_a_touch_begins_weigh_more(truth):
    from dataclasses import replace

    frames = torch.tensor([[0, 1, 2, 5, 5, 0]] * len(truth))
    pairs = torch.tensor([[[1, 2], [1, 2], [2, 1], [3, 2], [0, 0], [0, 0]]] * len(truth))
    weight = collision_weight(replace(truth, contacts_frame=frames, contacts=pairs), 4, 2.0)
    assert weight[0, :, 2].tolist() == [1, 1, 1, 1, 3, 3, 3, 1, 1]
    assert weight[0, :, 1].tolist() == [1] * 9


def test_a_wrong_way_weighs_more_in_a_collision(truth):
    """The same offset costs more where a contact begins than elsewhere."""
    from dataclasses import replace

    scene = still(truth)
    reward = REWARDS["track_offset"]()
    ids = sorted(moving_ids(truth))
    pair = torch.tensor([[[ids[0], ids[0] + 100]]] * len(truth))
    late = replace(truth, contacts_frame=torch.full((len(truth), 1), 8), contacts=pair)
    early = replace(truth, contacts_frame=torch.full((len(truth), 1), 1), contacts=pair)
    # Offsets of a still scene grow: a collision at the end is worse than one at the start.
    assert reward(scene, late).mean() < reward(scene, early).mean()


def test_spread_of_one_reward_does_not_drown_the_others():
    reward = TotalReward({"chamfer_4d": 1.0, "background": 1.0})
    small = {"chamfer_4d": torch.tensor([0.0, 1.0, 2.0]), "background": torch.tensor([-3e3, 0.0, -1e3])}
    large = {"chamfer_4d": torch.tensor([0.0, 1e3, 2e3]), "background": torch.tensor([-3.0, 0.0, -1.0])}
    torch.testing.assert_close(reward.total(small), reward.total(large))
    flat = reward.total({"chamfer_4d": torch.tensor([-5.0, -5.0]), "background": torch.tensor([0.0, -1.0])})
    assert flat.tolist() == [1.0, -1.0]


@pytest.mark.parametrize("weights", [{}, {"chamfer_4d": 0.0}, {"chamfer_4d": -1.0}, {"beauty": 1.0}])
def test_wrong_weights_are_refused(weights):
    with pytest.raises(SpecError, match="rewards"):
        TotalReward(weights)

"""Physics-informative points and tokens in closed form."""

import math

import pytest
import torch

from simfactory.errors import SpecError
from simfactory.transforms import look_at
from training.regions import physics_informative_mask, token_mask, tracks_in_view

K = torch.tensor([[50.0, 0.0, 16.0], [0.0, 50.0, 12.0], [0.0, 0.0, 1.0]], dtype=torch.float64)


def walk(lengths, *, steps=3):
    """Points that go along x in equal steps, `(point, time, 3)`; `lengths` is how far in all [m]."""
    shares = torch.linspace(0.0, 1.0, steps + 1, dtype=torch.float64)
    path = torch.tensor(lengths, dtype=torch.float64)[:, None] * shares
    return torch.stack([path, torch.zeros_like(path), torch.zeros_like(path)], dim=-1)


def seen(position):
    return torch.ones(position.shape[:-1], dtype=torch.bool)


def test_what_moves_more_than_the_mean_is_chosen():
    position = walk([0.0, 0.1, 0.2, 0.9])  # the mean is 0.3 at equal depth
    mask = physics_informative_mask(position, seen(position), torch.full((4,), 2.0))
    assert mask.tolist() == [False, False, False, True]


def test_the_score_is_motion_over_depth():
    # q = a / (D + ε): 0.4/2.5, 0.4/4.5 and 0.5/4.5; their mean 0.12 lies between the second and first.
    position = walk([0.4, 0.4, 0.5])
    mask = physics_informative_mask(position, seen(position), torch.tensor([2.0, 4.0, 4.0]), epsilon=0.5)
    assert mask.tolist() == [True, False, False]


def test_motion_is_summed_over_the_path_and_not_from_end_to_end():
    there_and_back = torch.tensor([[0.0, 0.5, 0.0], [0.0, 0.0, 0.1]], dtype=torch.float64)
    position = torch.stack([there_and_back, 0 * there_and_back, 0 * there_and_back], dim=-1)
    assert physics_informative_mask(position, seen(position), torch.ones(2)).tolist() == [True, False]


def test_hidden_steps_do_not_count():
    position = walk([9.0, 0.5])
    visible = seen(position)
    visible[0, 1:3] = False  # each of the three steps begins or ends hidden
    assert physics_informative_mask(position, visible, torch.ones(2)).tolist() == [False, True]


def test_points_that_frame_zero_does_not_see_neither_enter_the_mean_nor_the_mask():
    position = walk([9.0, 0.1, 0.3])
    visible = seen(position)
    visible[0, 0] = False
    assert physics_informative_mask(position, visible, torch.ones(3)).tolist() == [False, False, True]
    sky = torch.tensor([math.inf, 1.0, 1.0])
    assert physics_informative_mask(position, seen(position), sky).tolist() == [False, False, True]


def test_nothing_is_chosen_where_nothing_moves():
    position = walk([0.0, 0.0, 0.0]) + 1e-6 * torch.randn(3, 4, 3, dtype=torch.float64)  # the digits of float32
    assert not physics_informative_mask(position, seen(position), torch.ones(3)).any()


def test_a_moving_camera_does_not_light_up_the_background():
    """A near wall that stands and a far ball that moves, before a camera that goes round: image tracks say the wall."""
    angle = 0.2 * torch.arange(6, dtype=torch.float64)
    eye = torch.stack([4 * angle.sin(), -4 * angle.cos(), 0 * angle], dim=-1)
    pose = torch.tensor(look_at(eye.numpy(), [0.0, 0.0, 0.0]))
    wall = torch.tensor([[0.3, -2.5, 0.1], [-0.2, -2.4, 0.0], [0.1, -2.4, -0.2]], dtype=torch.float64)
    wall = wall[:, None].expand(3, 6, 3)
    ball = walk([0.25], steps=5)
    position = torch.cat([wall, ball])
    image, depth = tracks_in_view(position, K, pose, height=24, width=32)
    world = physics_informative_mask(position, seen(position), depth[:, 0])
    naive = physics_informative_mask(image, seen(position), depth[:, 0])
    assert world.tolist() == [False, False, False, True]
    assert not naive[3]
    assert naive[:3].any()


def test_batches_are_clips_side_by_side():
    position = torch.stack([walk([0.1, 0.9]), walk([0.8, 0.2])])
    mask = physics_informative_mask(position, seen(position), torch.ones(2, 2))
    assert mask.tolist() == [[False, True], [True, False]]


def test_points_are_seen_at_pixel_centres():
    pose = torch.tensor(look_at([0.0, -4.0, 1.0], [0.0, 0.0, 1.0]))
    # 4 m ahead, half a pixel right of and below the axis: 0.5 · 4 / 50.
    position = torch.tensor([0.04, 0.0, 0.96], dtype=torch.float64).expand(1, 1, 2, 3)
    image, depth = tracks_in_view(position, K, pose, height=24, width=32)
    assert image[0, 0, 0].tolist() == pytest.approx([16.5 / 32, 12.5 / 24], abs=1e-14)
    assert depth.tolist() == [[[4.0, 4.0]]]


def test_points_behind_the_camera_are_in_no_image():
    pose = torch.tensor(look_at([0.0, -4.0, 1.0], [0.0, 0.0, 1.0]))
    position = torch.tensor([0.0, -5.0, 1.0], dtype=torch.float64).expand(1, 1, 3)
    image, depth = tracks_in_view(position, K, pose, height=24, width=32)
    assert image.isnan().all()
    assert depth.item() == -1.0


def test_every_frame_has_its_camera():
    poses = torch.tensor(look_at([[0.0, -4.0, 0.0], [0.0, -3.0, 0.0]], [0.0, 0.0, 0.0]))
    _, depth = tracks_in_view(torch.zeros(5, 2, 3, dtype=torch.float64), K.expand(2, 3, 3), poses, height=24, width=32)
    assert depth.tolist() == [[4.0, 3.0]] * 5


def test_cells_with_a_selected_point_are_chosen():
    points = torch.tensor([[0.0, 0.0], [0.99, 0.0], [1.0, 1.0], [0.5, 0.5], [1.2, 0.5], [math.nan, 0.2]])
    selected = torch.tensor([True, False, True, True, True, True])
    mask = token_mask(points, selected, height=2, width=4)
    assert mask.tolist() == [[True, False, False, False], [False, False, True, True]]


def test_cells_of_many_frames_at_once():
    points = torch.rand(2, 3, 7, 2)
    mask = token_mask(points, torch.ones(2, 3, 7, dtype=torch.bool), height=4, width=5)
    assert mask.shape == (2, 3, 4, 5)
    assert torch.equal(mask[1, 2], token_mask(points[1, 2], torch.ones(7, dtype=torch.bool), height=4, width=5))


def test_what_does_not_fit_is_refused():
    position = walk([0.1, 0.2])
    with pytest.raises(SpecError, match="visibility"):
        physics_informative_mask(position, seen(position)[:, :2], torch.ones(2))
    with pytest.raises(SpecError, match="intrinsics"):
        tracks_in_view(position, torch.ones(2, 2), torch.eye(4), height=2, width=2)
    with pytest.raises(SpecError, match="selection"):
        token_mask(torch.ones(3, 2), torch.ones(2, dtype=torch.bool), height=2, width=2)

"""The trajectory alignment loss on features that find their points, and on others."""

import pytest
import torch

from simfactory.errors import SpecError
from training.losses import predicted_tracks, trajectory_alignment_loss

HEIGHT, WIDTH = 6, 8


def one_hot_features(cells, *, strength=40.0, dtype=torch.float64):
    """Features `(time, channel, height, width)`: point k is in cell `cells[k][t]` (row, column), on channel k alone."""
    features = torch.zeros(len(cells[0]), len(cells) + 1, HEIGHT, WIDTH, dtype=dtype)
    features[:, -1] = 1.0  # what every other cell looks like
    for channel, path in enumerate(cells):
        for time, (row, column) in enumerate(path):
            features[time, :, row, column] = 0.0
            features[time, channel, row, column] = strength
    return features


def centers(cells):
    """Shares of the image `(point, time, 2)` (u, v)."""
    return torch.tensor(
        [[((column + 0.5) / WIDTH, (row + 0.5) / HEIGHT) for row, column in path] for path in cells],
        dtype=torch.float64,
    )


CELLS = [[(1, 1), (1, 3), (2, 5)], [(4, 6), (4, 6), (3, 6)]]


def test_soft_argmax_on_a_delta_hits_its_coordinate():
    # A score of 40² / √3 = 924 above all others: e^-924 is 0 in float64.
    found = predicted_tracks(one_hot_features(CELLS), centers(CELLS)[:, 0])
    torch.testing.assert_close(found, centers(CELLS), rtol=0.0, atol=1e-15)


def test_features_that_are_alike_everywhere_point_to_the_centre():
    found = predicted_tracks(torch.ones(3, 5, HEIGHT, WIDTH, dtype=torch.float64), centers(CELLS)[:, 0])
    torch.testing.assert_close(found, torch.full((2, 3, 2), 0.5, dtype=torch.float64), rtol=0.0, atol=1e-15)


def test_the_softmax_is_that_of_the_scaled_scores():
    # Two cells, four channels, scores q · k / √4: the query is (2, 0, 0, 1), the other key (1, 1, 0, 0).
    features = torch.tensor([[2.0, 1.0], [0.0, 1.0], [0.0, 0.0], [1.0, 0.0]], dtype=torch.float64)[None, :, None]
    share = torch.tensor([5.0 / 2, 2.0 / 2], dtype=torch.float64).softmax(0)
    found = predicted_tracks(features, torch.tensor([[0.25, 0.5]], dtype=torch.float64))
    torch.testing.assert_close(found[0, 0, 0], share @ torch.tensor([0.25, 0.75], dtype=torch.float64))


def test_a_query_between_cells_is_a_mixture():
    features = torch.zeros(1, 1, 1, 2, dtype=torch.float64)
    features[0, 0, 0, 1] = 4.0
    found = predicted_tracks(features, torch.tensor([[0.5, 0.5]], dtype=torch.float64))  # the query is 2
    share = torch.tensor([0.0, 8.0], dtype=torch.float64).softmax(0)
    torch.testing.assert_close(found[0, 0, 0], share @ torch.tensor([0.25, 0.75], dtype=torch.float64))


def test_features_that_follow_their_points_cost_nothing():
    visible = torch.ones(2, 3, dtype=torch.bool)
    assert trajectory_alignment_loss(one_hot_features(CELLS), centers(CELLS), visible) < 1e-28


def test_a_point_that_is_missed_costs_the_square_of_the_distance():
    tracks = centers(CELLS)
    tracks[0, 2] += torch.tensor([0.1, -0.2], dtype=torch.float64)
    visible = torch.ones(2, 3, dtype=torch.bool)
    loss = trajectory_alignment_loss(one_hot_features(CELLS), tracks, visible)
    assert loss.item() == pytest.approx((0.1**2 + 0.2**2) / 6, rel=1e-12)


def test_hidden_frames_and_points_outside_the_region_do_not_count():
    features, tracks = one_hot_features(CELLS), centers(CELLS)
    tracks[0, 1:] = 7.0
    tracks[1, 1] = float("nan")
    hidden = torch.tensor([[True, False, False], [True, False, True]])
    assert trajectory_alignment_loss(features, tracks, hidden) < 1e-28
    second_only = torch.tensor([False, True])
    visible = torch.tensor([[True, True, True], [True, False, True]])
    assert trajectory_alignment_loss(features, tracks, visible, selected=second_only) < 1e-28
    assert trajectory_alignment_loss(features, tracks, visible) > 1.0


def test_points_that_frame_zero_does_not_see_have_no_query():
    features, tracks = one_hot_features(CELLS), centers(CELLS) + 0.3
    later = torch.tensor([[False, True, True], [False, True, True]])
    loss = trajectory_alignment_loss(features.requires_grad_(), tracks, later)
    loss.backward()
    assert loss == 0.0
    assert not features.grad.any()


def test_no_points_cost_nothing():
    features = one_hot_features(CELLS).requires_grad_()
    loss = trajectory_alignment_loss(features, torch.zeros(0, 3, 2), torch.zeros(0, 3, dtype=torch.bool))
    loss.backward()
    assert loss == 0.0
    assert not features.grad.any()


def test_gradients_are_those_of_differences():
    generator = torch.Generator().manual_seed(5)
    features = torch.randn(2, 3, 2, 3, 4, generator=generator, dtype=torch.float64, requires_grad=True)
    tracks = torch.rand(2, 4, 3, 2, generator=generator, dtype=torch.float64)
    tracks[0, 1, 2] = float("nan")
    visible = torch.rand(2, 4, 3, generator=generator) < 0.8
    assert torch.autograd.gradcheck(lambda f: trajectory_alignment_loss(f, tracks, visible), (features,))


def test_clips_side_by_side_are_clips_alone():
    features = torch.randn(2, 2, 3, 4, HEIGHT, WIDTH, dtype=torch.float64)
    points = torch.rand(2, 2, 5, 2, dtype=torch.float64)
    together = predicted_tracks(features, points)
    assert together.shape == (2, 2, 5, 3, 2)
    alone = predicted_tracks(features[1, 0], points[1, 0])
    # The same sums, in whatever blocks the matrix product takes them.
    torch.testing.assert_close(together[1, 0], alone, rtol=1e-13, atol=1e-13)


def test_half_precision_and_autocast_are_computed_in_single():
    features, tracks = one_hot_features(CELLS, strength=16.0, dtype=torch.bfloat16), centers(CELLS).float()
    visible = torch.ones(2, 3, dtype=torch.bool)
    # 16² / √3 above the others: e^-147 of their shares.
    assert trajectory_alignment_loss(features, tracks, visible) < 1e-12
    with torch.autocast("cpu", dtype=torch.bfloat16):
        loss = trajectory_alignment_loss(features, tracks, visible)
    assert loss.dtype == torch.float32
    assert loss < 1e-12


def test_what_does_not_fit_is_refused():
    features, tracks = one_hot_features(CELLS), centers(CELLS)
    with pytest.raises(SpecError, match="visibility"):
        trajectory_alignment_loss(features, tracks, torch.ones(2, 2, dtype=torch.bool))
    with pytest.raises(SpecError, match="same batch"):
        predicted_tracks(features, torch.ones(2, 5, 2))

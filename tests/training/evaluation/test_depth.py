"""Depth: figures by hand, alignment as published, objects, and a predictor that knows no objects."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from simfactory.errors import SpecError
from training.evaluation import align_depth, background_depth, depth_metrics, object_depth_metrics


def random_depth(seed, shape=(3, 6, 7)):
    return np.random.default_rng(seed).uniform(1.0, 8.0, shape)


def published(disparity, target, max_depth):
    """The public protocol written down again, slowly: one least-squares fit, then frame by frame, pixel by pixel."""
    pixels = [index for index in np.ndindex(target.shape) if 1e-3 < target[index] < max_depth]
    clipped = np.maximum(disparity, 1e-3)
    system = np.array([[clipped[index], 1.0] for index in pixels])
    scale, shift = np.linalg.lstsq(system, np.array([1.0 / (target[i] + 1e-8) for i in pixels]), rcond=None)[0]
    frames = []
    for time in range(len(target)):
        rows = []
        for index in (index for index in pixels if index[0] == time):
            depth = min(max(1.0 / max(scale * clipped[index] + shift, 1e-3), 1e-3), max_depth)
            ratio = max(depth / target[index], target[index] / depth)
            error = abs(depth - target[index])
            rows.append([error / target[index], error**2, ratio < 1.25, ratio < 1.25**2, ratio < 1.25**3])
        if rows:
            abs_rel, square, *deltas = np.mean(np.array(rows, float), axis=0)
            frames.append([abs_rel, np.sqrt(square), *deltas])
    return np.mean(frames, axis=0)


def figures(metrics):
    return [metrics.abs_rel, metrics.rmse, metrics.delta1, metrics.delta2, metrics.delta3]


def test_errors_are_those_computed_by_hand():
    target = np.array([[[1.0, 2.0, 4.0, 10.0]]])
    predicted = np.array([[[1.0, 3.0, 3.0, 10.0]]])
    # Errors 0, 1, 1, 0; relative 0, 1/2, 1/4, 0; ratios 1, 1.5, 4/3, 1.
    assert figures(depth_metrics(predicted, target)) == pytest.approx([0.1875, np.sqrt(0.5), 0.5, 1.0, 1.0])


def test_a_ratio_of_exactly_the_threshold_is_not_below_it():
    assert depth_metrics(np.full((1, 1, 1), 1.25), np.ones((1, 1, 1))).delta1 == 0.0


def test_frames_count_alike_however_many_pixels_they_have():
    target = np.full((2, 1, 4), 2.0)
    target[1, 0, 1:] = np.inf
    predicted = np.array([[[2.0] * 4], [[4.0] * 4]])
    metrics = depth_metrics(predicted, target)
    assert metrics.abs_rel == pytest.approx(0.5)  # (0 + 1) / 2, where a mean over pixels would give 1/5
    assert (metrics.pixel_count, metrics.frame_count) == (5, 2)


@pytest.mark.parametrize("alignment", ["none", "median"])
def test_perfect_depth_is_perfect(alignment):
    target = random_depth(0)
    assert figures(depth_metrics(target, target, alignment=alignment)) == [0.0, 0.0, 1.0, 1.0, 1.0]


def test_perfect_depth_is_perfect_up_to_the_protocols_offset():
    target = random_depth(0)
    metrics = depth_metrics(target, target, alignment="least_squares")
    # The protocol inverts target + 1e-8 m: relative 1e-8 at 1 m, and less farther away.
    assert metrics.abs_rel < 2e-8
    assert metrics.delta1 == 1.0


@pytest.mark.parametrize("seed", range(5))
def test_least_squares_agrees_with_the_published_protocol(seed):
    generator = np.random.default_rng(seed)
    target = generator.uniform(0.5, 12.0, (4, 5, 6))
    target[generator.random(target.shape) < 0.2] = np.inf
    target[2] = -1.0  # a frame without truth
    disparity = (0.3 / np.abs(target) + 0.1 + generator.normal(0.0, 0.05, target.shape)).clip(-0.05)
    metrics = depth_metrics(disparity, target, alignment="least_squares", quantity="disparity", max_depth=10.0)
    # Both solve the same system in double precision; its condition number is below 1e3.
    assert figures(metrics) == pytest.approx(published(disparity, target, 10.0), rel=1e-10)


def test_depth_and_its_inverse_are_aligned_alike():
    target, predicted = random_depth(1), random_depth(2)
    as_depth = depth_metrics(predicted, target, alignment="least_squares")
    as_disparity = depth_metrics(1.0 / predicted, target, alignment="least_squares", quantity="disparity")
    assert figures(as_depth) == pytest.approx(figures(as_disparity), rel=1e-12)


@given(seed=st.integers(0, 2**32 - 1), scale=st.floats(0.05, 20.0))
def test_the_median_undoes_a_scale(seed, scale):
    target = random_depth(seed)
    # Two multiplications and a division round, each to 2⁻⁵³.
    assert align_depth(scale * target, target, alignment="median") == pytest.approx(target, rel=1e-14)


@given(seed=st.integers(0, 2**32 - 1), scale=st.floats(0.1, 10.0), shift=st.floats(0.0, 5.0))
def test_least_squares_undoes_scale_and_shift(seed, scale, shift):
    target = random_depth(seed)
    aligned = align_depth(scale / target + shift, target, quantity="disparity")
    # The protocol's offset of 1e-8 m takes up to 1e-8 /m off a target's disparity; at 8 m that is 8² times as much
    # depth. Rounding, up to 5 / 0.01 times 2⁻⁵² of disparity, is far below.
    assert aligned == pytest.approx(target, abs=64e-8)


@given(seed=st.integers(0, 2**32 - 1))
def test_figures_stay_within_their_bounds(seed):
    metrics = depth_metrics(random_depth(seed) * 3.0, random_depth(seed + 1))
    assert metrics.abs_rel >= 0.0
    assert metrics.rmse >= 0.0
    assert 0.0 <= metrics.delta1 <= metrics.delta2 <= metrics.delta3 <= 1.0


def test_a_prediction_of_one_number_is_aligned_to_the_mean_disparity():
    target = random_depth(3)
    aligned = align_depth(np.full(target.shape, 0.1 + 0.2), target)
    # 1/(target + 1e-8) instead of 1/target moves the mean by less than 1e-8.
    assert 1.0 / aligned == pytest.approx(np.full(target.shape, (1.0 / target).mean()), rel=1e-7)


def test_pixels_without_truth_do_not_count():
    target = random_depth(4)
    predicted = target * 1.1
    holed, spoiled = target.copy(), predicted.copy()
    holed[0, 0, :3] = (np.inf, np.nan, 0.0)
    spoiled[0, 0, :3] = (np.nan, np.inf, -1.0)
    for alignment in ("none", "median", "least_squares"):
        metrics = depth_metrics(spoiled, holed, alignment=alignment)
        valid = np.ones(target.shape, bool)
        valid[0, 0, :3] = False
        assert figures(metrics) == figures(depth_metrics(predicted, target, valid=valid, alignment=alignment))
        assert metrics.pixel_count == target.size - 3


def test_infinite_predictions_are_clipped_to_the_largest_depth():
    target = np.full((1, 1, 2), 5.0)
    metrics = depth_metrics(np.array([[[5.0, np.inf]]]), target, max_depth=10.0)
    assert metrics.abs_rel == pytest.approx(0.5)  # (0 + 5/5) / 2


def test_targets_from_the_largest_depth_on_do_not_count():
    metrics = depth_metrics(np.full((1, 1, 3), 5.0), np.array([[[5.0, 10.0, 11.0]]]), max_depth=10.0)
    assert (metrics.abs_rel, metrics.pixel_count) == (0.0, 1)


def test_predicted_depth_below_a_millimetre_is_a_millimetre():
    target, predicted = random_depth(7), random_depth(8)
    predicted[0, 0, :3] = (0.0, -2.0, 1e-3)
    aligned = align_depth(predicted, target)
    assert np.array_equal(aligned, align_depth(np.maximum(predicted, 1e-3), target))
    assert len(set(aligned[0, 0, :3])) == 1
    # The fit sees three disparities of 1000 /m, and not of 2 /m as if clipped at half a metre.
    assert not np.array_equal(aligned, align_depth(np.maximum(predicted, 0.5), target))


@pytest.mark.parametrize(
    ("predicted", "target", "options", "message"),
    [
        (np.ones((2, 3, 4)), np.ones((2, 4, 3)), {}, r"\(2, 3, 4\).*\(2, 4, 3\)"),
        (np.ones((3, 4)), np.ones((3, 4)), {}, r"shape \(3, 4\).*time, height, width"),
        (np.ones((1, 2, 2)), np.full((1, 2, 2), np.inf), {}, "nothing valid"),
        (np.ones((1, 2, 2)), np.ones((1, 2, 2)), {"valid": np.zeros((1, 2, 2), bool)}, "nothing valid"),
        (np.ones((1, 2, 2)), np.ones((1, 2, 2)), {"valid": np.ones((2, 2), bool)}, r"valid has shape \(2, 2\)"),
        (np.ones((1, 2, 2)), np.ones((1, 2, 2)), {"valid": np.ones((1, 2, 2))}, "booleans"),
        (np.full((1, 2, 2), np.nan), np.ones((1, 2, 2)), {}, "NaN or inf at 4 of 4"),
        (np.full((1, 2, 2), np.inf), np.ones((1, 2, 2)), {}, "finite max_depth"),
        (np.ones((1, 2, 2)), np.ones((1, 2, 2)), {"alignment": "mean"}, "'median'"),
        (np.ones((1, 2, 2)), np.ones((1, 2, 2)), {"quantity": "disparity"}, "least_squares"),
        (-np.ones((1, 2, 2)), np.ones((1, 2, 2)), {"alignment": "median"}, "median of predicted is -1"),
        (np.full((1, 2, 2), "a"), np.ones((1, 2, 2)), {}, "real numbers"),
    ],
)
def test_what_cannot_be_measured_is_refused(predicted, target, options, message):
    with pytest.raises(SpecError, match=message):
        depth_metrics(predicted, target, **options)


def room_with_ball():
    """Depth 5 m, a ball at 2 m that covers another column of pixels in each of three frames, and sky above."""
    depth, instance = np.full((3, 4, 3), 5.0), np.ones((3, 4, 3), np.uint16)
    for time in range(3):
        depth[time, 2, time], instance[time, 2, time] = 2.0, 7
    depth[:, 0], instance[:, 0] = np.inf, 0
    return depth, instance


def test_the_background_predictor_flatters_the_clip_and_not_the_object():
    depth, instance = room_with_ball()
    background = background_depth(depth, instance, object_ids=[7])
    assert np.array_equal(background, np.full(depth.shape, 5.0))
    clip = depth_metrics(background, depth)
    ball = object_depth_metrics(background, depth, instance, object_ids=[7, 8])
    assert clip.abs_rel == pytest.approx(1.5 / 9)  # one of nine pixels with truth is wrong by 3 m of 2
    assert ball.by_object.keys() == {7}
    assert ball.mean.abs_rel == pytest.approx(1.5)


def test_a_pixel_that_always_shows_an_object_is_filled_from_its_neighbour():
    depth, instance = room_with_ball()
    depth[:, 3, 2], instance[:, 3, 2] = 1.0, 7
    assert np.array_equal(background_depth(depth, instance, object_ids=[7]), np.full(depth.shape, 5.0))


def test_objects_count_alike_however_small_they_are():
    target = np.full((1, 2, 4), 2.0)
    instance = np.array([[[1, 2, 2, 2], [0, 2, 2, 2]]], np.uint16)
    predicted = np.where(instance == 1, 4.0, 2.0)
    metrics = object_depth_metrics(predicted, target, instance, object_ids=[1, 2])
    assert metrics.mean.abs_rel == pytest.approx(0.5)
    assert metrics.by_object[2].abs_rel == 0.0


def test_objects_are_measured_after_the_whole_video_is_aligned():
    target, predicted = random_depth(5), random_depth(6)
    instance = np.arange(target.size).reshape(target.shape) % 3
    objects = object_depth_metrics(predicted, target, instance, object_ids=[2], alignment="least_squares")
    aligned = align_depth(predicted, target)
    assert objects.mean.abs_rel == depth_metrics(aligned, target, valid=instance == 2).abs_rel


def test_objects_that_nothing_shows_are_an_error():
    depth, instance = room_with_ball()
    with pytest.raises(SpecError, match="nothing valid"):
        object_depth_metrics(depth, depth, instance, object_ids=[9])
    with pytest.raises(SpecError, match="nothing valid"):
        background_depth(depth, np.full(depth.shape, 7), object_ids=[7])

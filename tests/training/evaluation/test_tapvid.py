"""TAP-Vid: a case by hand, the published definition counted slowly, query modes."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from simfactory.errors import SpecError
from training.evaluation import sample_queries, tapvid_metrics

SIZE = (256, 256)


def counted(predicted, target, claimed, visible, frames, mode):
    """The definition of the paper, one point at a time: sets of true positives, false positives, false negatives."""
    jaccard, within, right = [], [], []
    for threshold in (1, 2, 4, 8, 16):
        true_positive = false_positive = false_negative = near = total = 0
        right = []
        for query, start in enumerate(frames):
            for time in range(target.shape[1]):
                if time <= start if mode == "first" else time == start:
                    continue
                close = np.hypot(*(predicted[query, time] - target[query, time])) < threshold
                hit = claimed[query, time] and visible[query, time] and close
                true_positive += hit
                false_positive += claimed[query, time] and not hit
                false_negative += visible[query, time] and not hit
                near += visible[query, time] and close
                total += visible[query, time]
                right.append(claimed[query, time] == visible[query, time])
        jaccard.append(true_positive / (true_positive + false_positive + false_negative))
        within.append(near / total)
    return jaccard, within, np.mean(right)


@given(seed=st.integers(0, 2**32 - 1), mode=st.sampled_from(["first", "strided"]))
def test_figures_agree_with_a_slow_count(seed, mode):
    generator = np.random.default_rng(seed)
    target = generator.uniform(0.0, 256.0, (4, 5, 2))
    predicted = target + generator.normal(0.0, 5.0, target.shape)
    visible, claimed = generator.random((2, 4, 5)) < 0.7
    frames = generator.integers(0, 4, 4)
    visible[0, frames[0] + 1] = True
    metrics = tapvid_metrics(
        predicted,
        target,
        predicted_occluded=~claimed,
        target_occluded=~visible,
        query_frames=frames,
        image_size=SIZE,
        query_mode=mode,
    )
    jaccard, within, accuracy = counted(predicted, target, claimed, visible, frames, mode)
    assert metrics.jaccard == pytest.approx(jaccard, rel=1e-12)
    assert metrics.within == pytest.approx(within, rel=1e-12)
    assert metrics.occlusion_accuracy == pytest.approx(accuracy, rel=1e-12)
    assert metrics.average_jaccard == pytest.approx(np.mean(jaccard), rel=1e-12)
    assert metrics.average_within == pytest.approx(np.mean(within), rel=1e-12)
    assert 0.0 <= metrics.average_jaccard <= metrics.average_within <= 1.0


def test_figures_are_those_computed_by_hand():
    target = np.zeros((1, 4, 2))
    predicted = np.array([[[99.0, 0.0], [3.0, 0.0], [0.5, 0.0], [0.0, 0.0]]])
    metrics = tapvid_metrics(
        predicted,
        target,
        predicted_occluded=np.array([[False, False, True, False]]),
        target_occluded=np.array([[False, False, False, True]]),
        query_frames=np.array([0]),
        image_size=SIZE,
    )
    # Frames 1 (visible, claimed, 3 px off), 2 (visible, not claimed, near), 3 (hidden, claimed) count.
    assert metrics.occlusion_accuracy == pytest.approx(1 / 3)
    assert metrics.within == (0.5, 0.5, 1.0, 1.0, 1.0)
    assert metrics.jaccard == (0.0, 0.0, 1 / 3, 1 / 3, 1 / 3)  # of 2 visible: no hit and 2 false; 1 hit and 1 false


def test_perfect_tracks_are_perfect():
    generator = np.random.default_rng(0)
    target, occluded = generator.uniform(0, 64, (6, 9, 2)), generator.random((6, 9)) < 0.3
    for mode in ("first", "strided"):
        queries = sample_queries(occluded, mode=mode)
        metrics = tapvid_metrics(
            target[queries.point],
            target[queries.point],
            predicted_occluded=occluded[queries.point],
            target_occluded=occluded[queries.point],
            query_frames=queries.frame,
            image_size=(64, 64),
            query_mode=mode,
        )
        assert (metrics.average_jaccard, metrics.average_within, metrics.occlusion_accuracy) == (1.0, 1.0, 1.0)


def test_distances_are_measured_at_256_pixels():
    target = np.zeros((1, 2, 2))
    shown = np.zeros((1, 2), bool)
    for offset, within in (((1.0, 0.0), 3 / 5), ((0.0, 1.0), 4 / 5)):  # 2 px across in 128, 1 px down in 256
        metrics = tapvid_metrics(
            target + np.array(offset),
            target,
            predicted_occluded=shown,
            target_occluded=shown,
            query_frames=np.array([0]),
            image_size=(256, 128),
        )
        assert metrics.average_within == pytest.approx(within)


def test_queries_begin_at_the_first_visible_frame_or_at_every_stride():
    occluded = np.array([[1, 0, 0, 0, 0], [1, 1, 1, 1, 1], [0, 1, 1, 1, 0]], bool)
    first = sample_queries(occluded, mode="first")
    assert (first.point.tolist(), first.frame.tolist()) == ([0, 2], [1, 0])
    strided = sample_queries(occluded, mode="strided", stride=2)
    assert (strided.point.tolist(), strided.frame.tolist()) == ([2, 0, 0, 2], [0, 2, 4, 4])


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"predicted": np.zeros((2, 4, 2))}, r"\(2, 4, 2\).*\(2, 3, 2\)"),
        ({"target_occluded": np.zeros((3, 2), bool)}, r"\(3, 2\).*\(2, 3\)"),
        ({"query_frames": np.array([0])}, r"shape \(1,\).*give \(2,\)"),
        ({"query_frames": np.array([0.0, 1.0])}, "integers"),
        ({"query_frames": np.array([0, 3])}, "frames 0 to 2"),
        ({"query_frames": np.array([2, 2])}, "nothing valid"),
        ({"target_occluded": np.ones((2, 3), bool)}, "nothing valid"),
        ({"query_mode": "last"}, "'strided'"),
        ({"image_size": (0, 5)}, "in pixels"),
    ],
)
def test_what_cannot_be_measured_is_refused(changed, message):
    given = {
        "predicted": np.zeros((2, 3, 2)),
        "target": np.zeros((2, 3, 2)),
        "predicted_occluded": np.zeros((2, 3), bool),
        "target_occluded": np.zeros((2, 3), bool),
        "query_frames": np.array([0, 1]),
        "image_size": SIZE,
    } | changed
    with pytest.raises(SpecError, match=message):
        tapvid_metrics(given.pop("predicted"), given.pop("target"), **given)


def test_points_that_are_never_visible_cannot_be_asked_for():
    with pytest.raises(SpecError, match="nothing valid"):
        sample_queries(np.ones((2, 3), bool), mode="first")
    with pytest.raises(SpecError, match="1 or more"):
        sample_queries(np.zeros((2, 3), bool), mode="strided", stride=0)

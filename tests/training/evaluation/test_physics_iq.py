"""Physics-IQ: masks, measures and scores against closed forms and the published definitions written down again."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.ndimage import binary_dilation, binary_erosion

from simfactory.errors import SpecError
from training.evaluation import (
    PhysicsIqClip,
    PhysicsIqMeasures,
    PhysicsIqTake,
    motion_masks,
    physics_iq,
    physics_iq_clip,
    physics_iq_score,
    physics_iq_take,
)


def block_video(columns, *, level=200, height=24, width=40):
    """A bright block of 10×10 pixels on black whose left edge is given for each frame."""
    frames = np.zeros((len(columns), height, width, 3), np.uint8)
    for time, column in enumerate(columns):
        frames[time, 6:16, column : column + 10] = level
    return frames


def take_of(masks, value=0):
    masks = np.asarray(masks, bool)
    return PhysicsIqTake(frames=np.full((*masks.shape, 3), value, np.uint8), masks=masks)


def slow_masks(frames):
    """The published steps with scipy's morphology and sums instead of OpenCV, for grey frames.

    The 5×5 Gaussian of OpenCV's default width is the binomial (1, 4, 6, 4, 1)/16 each way; borders are mirrored
    without the edge pixel.
    """
    binomial = np.array([1, 4, 6, 4, 1]) / 16
    average, masks = None, []
    for frame in frames[..., 0].astype(float):
        padded = np.pad(frame, 2, mode="reflect")
        rows = sum(weight * padded[i : i + frame.shape[0]] for i, weight in enumerate(binomial))
        grey = np.floor(sum(weight * rows[:, i : i + frame.shape[1]] for i, weight in enumerate(binomial)) + 0.5)
        if average is None:
            average = grey
            masks.append(np.zeros(grey.shape, bool))
            continue
        average = 0.7 * average + 0.3 * grey
        moves = np.abs(grey - np.rint(average)) > 10
        square = np.ones((5, 5), bool)
        opened = binary_dilation(binary_erosion(moves, square, border_value=1), square)
        masks.append(binary_erosion(binary_dilation(opened, square), square, border_value=1))
    return np.stack(masks)


def test_masks_are_those_of_the_published_steps():
    videos = [
        block_video([4, 6, 9, 13, 13, 13, 0]),
        block_video([30, 30, 29, 20, 10], level=37),
        np.repeat(np.random.default_rng(0).integers(0, 256, (6, 24, 40, 1), np.uint8), 3, axis=-1),
    ]
    for video in videos:
        masks = np.stack(list(motion_masks(video)))
        assert masks.any()
        assert np.array_equal(masks, slow_masks(video))


def test_nothing_moves_in_a_still_video_and_the_first_frame():
    assert not any(mask.any() for mask in motion_masks(block_video([5, 5, 5])))
    assert not next(motion_masks(block_video([5, 9]))).any()


@pytest.mark.parametrize(("step", "moves"), [(14, False), (16, True)])
def test_a_change_is_seen_when_seven_tenths_of_it_exceed_ten_levels(step, moves):
    frames = np.full((2, 20, 20, 3), 100, np.uint8)
    frames[1] += step  # 0.7 · 14 = 9.8 and 0.7 · 16 = 11.2, of which the mean is rounded
    _, mask = motion_masks(frames)
    assert mask.all() == mask.any() == moves


def test_specks_smaller_than_the_kernel_are_no_motion():
    frames = np.zeros((2, 20, 20, 3), np.uint8)
    frames[1, 8:10, 8:10] = 80
    _, mask = motion_masks(frames)
    assert not mask.any()


def test_measures_are_those_computed_by_hand():
    ours = take_of([[[0, 0, 0]], [[1, 1, 0]], [[1, 0, 0]], [[0, 0, 0]]])
    theirs = take_of([[[0, 0, 0]], [[1, 0, 0]], [[0, 0, 1]], [[0, 0, 0]]], value=51)
    measures = physics_iq_clip(theirs, ours, ours).generated
    assert measures.spatiotemporal_iou == pytest.approx((1 + 0.5 + 0 + 1) / 4)  # both empty counts as 1
    assert measures.spatial_iou == pytest.approx(1 / 3)
    assert measures.weighted_spatial_iou == pytest.approx((1 / 4) / (2 / 4 + 1 / 4 + 1 / 4))
    assert measures.mse == pytest.approx(0.2**2, abs=5e-5)  # each frame is rounded to four decimals


def test_frames_are_rounded_to_four_decimals_as_published():
    ours, theirs = take_of(np.zeros((1, 1, 3))), take_of(np.zeros((1, 1, 3)), value=1)
    assert physics_iq_clip(theirs, ours, ours).generated.mse == 0.0  # 1/255² = 1.5e-5
    third = take_of([[[1, 1, 1]]])
    assert physics_iq_clip(third, take_of([[[1, 0, 0]]]), third).generated.spatiotemporal_iou == 0.3333


def test_a_video_that_is_as_take_two_scores_a_hundred():
    take_1, take_2 = block_video([4, 6, 9, 13, 17]), block_video([4, 7, 10, 13, 16])
    clip = physics_iq(take_2, take_1, take_2)
    assert clip.generated == clip.physical
    # The sample's ratios are m / (m + 1e-8) with m above a tenth.
    assert clip.sample_score == pytest.approx(100.0, abs=1e-5)
    assert physics_iq_score([clip]).score == pytest.approx(100.0, abs=1e-10)
    assert physics_iq_score([clip]).verified_score == clip.sample_score


def test_a_perfect_video_scores_a_hundred_and_a_still_one_little():
    take_1, take_2 = block_video([4, 8, 12, 16, 20]), block_video([4, 7, 11, 16, 21])
    perfect = physics_iq(take_1, take_1, take_2)
    assert perfect.sample_score == pytest.approx(100.0)
    assert physics_iq_score([perfect]).score == 100.0
    still = physics_iq(block_video([4] * 5), take_1, take_2)
    assert still.generated.spatial_iou == 0.0
    assert physics_iq_score([still]).score < 40.0


def test_a_generated_video_of_another_size_is_resized_to_the_takes():
    take_1, take_2 = block_video([4, 8, 12, 16]), block_video([4, 7, 11, 16])
    doubled = take_1.repeat(2, axis=1).repeat(2, axis=2)
    # Bilinear sampling reads the middle 2×2 of 4×4 doubled pixels: the same four that it reads of the take.
    assert physics_iq(doubled, take_1, take_2, reduction=2).generated.mse == 0.0
    taken = physics_iq_take(doubled, size=(12, 20))
    assert (taken.frames.shape, taken.masks.shape) == ((4, 12, 20, 3), (4, 12, 20))


def test_published_masks_stand_for_those_that_would_be_found():
    video = block_video([4, 8, 12])
    masks = np.zeros(video.shape, np.uint8)
    masks[1, :, :20] = 255
    taken = physics_iq_take(video, size=(12, 20), mask_frames=masks)
    assert taken.masks[1, :, :10].all()
    assert taken.masks.sum() == 12 * 10
    for count, message in ((2, "2 masks and more frames"), (4, "3 frames and more masks")):
        with pytest.raises(SpecError, match=message):
            physics_iq_take(video, size=(12, 20), mask_frames=np.zeros((count, 24, 40, 3), np.uint8))


MEASURES = st.builds(
    PhysicsIqMeasures,
    spatiotemporal_iou=st.floats(0.01, 1.0),
    spatial_iou=st.floats(0.01, 1.0),
    weighted_spatial_iou=st.floats(0.01, 1.0),
    mse=st.floats(0.0, 1.0),
)


def clip_of(generated, physical):
    return PhysicsIqClip(generated=generated, physical=physical, sample_score=50.0)


@given(clips=st.lists(st.builds(clip_of, MEASURES, MEASURES), min_size=1, max_size=6))
def test_scores_lie_between_zero_and_a_hundred_whatever_the_order(clips):
    score = physics_iq_score(clips)
    assert 0.0 <= score.score <= 100.0
    assert 0.0 <= score.stable_score <= 100.0
    assert score.clip_count == len(clips)
    assert physics_iq_score(clips[::-1]).score == pytest.approx(score.score, rel=1e-9, abs=1e-9)


def test_the_score_divides_means_and_not_clips():
    def measures(iou, mse=0.0):
        return PhysicsIqMeasures(spatiotemporal_iou=iou, spatial_iou=iou, weighted_spatial_iou=iou, mse=mse)

    clips = [clip_of(measures(0.2, 0.3), measures(0.4, 0.1)), clip_of(measures(0.1, 0.1), measures(0.8, 0.1))]
    score = physics_iq_score(clips)
    assert score.score == pytest.approx(100 * (0.15 / 0.6 - (0.2 - 0.1)))
    assert score.verified_score == 50.0


def test_the_published_example_is_reproduced():
    """Values from the repository's own test of its scores: raw score 1.4611, clipped to 100."""
    generated = PhysicsIqMeasures(spatiotemporal_iou=0.4, spatial_iou=0.5, weighted_spatial_iou=0.6, mse=0.1)
    physical = PhysicsIqMeasures(spatiotemporal_iou=0.3, spatial_iou=0.25, weighted_spatial_iou=0.5, mse=0.05)
    score = physics_iq_score([clip_of(generated, physical)])
    assert score.score == 100.0
    assert score.stable_score == pytest.approx(95.0)  # ratios are clipped to one before the excess MSE is taken off


def test_the_samples_score_is_the_mean_of_four_clipped_parts():
    take_1 = take_of([[[1, 1, 1, 1]]], value=0)
    take_2 = take_of([[[1, 1, 0, 0]]], value=51)
    generated = take_of([[[1, 0, 0, 0]]], value=102)
    clip = physics_iq_clip(generated, take_1, take_2)
    assert clip.sample_score == pytest.approx(100 * (3 * 0.25 / 0.5 + 0.04 / 0.16) / 4, rel=1e-6)  # 1e-8 of 0.04


def test_takes_that_do_not_differ_at_all_still_divide():
    moves = [[[1, 1, 1, 1]]]
    clip = physics_iq_clip(take_of(moves, value=3), take_of(moves), take_of(moves))
    assert clip.generated.mse == 1e-4  # (3/255)², rounded to four decimals
    assert clip.sample_score == pytest.approx(100 * (3 + 1e-8 / 1e-4) / 4, rel=1e-7)  # IoUs: 1 / (1 + 1e-8)


def test_a_published_mask_moves_above_half_of_white():
    masks = np.zeros((1, 24, 40, 3), np.uint8)
    masks[0, :, :3] = np.array([127, 128, 150])[:, None]
    taken = physics_iq_take(block_video([0]), size=(24, 40), mask_frames=masks)
    assert taken.masks[0, 5, :4].tolist() == [False, True, True, False]


@pytest.mark.parametrize(
    ("videos", "message"),
    [
        ((block_video([1, 2]), block_video([1, 2, 3]), block_video([1, 2, 3])), r"\(2, 24, 40, 3\).*\(3, 24, 40, 3\)"),
        ((block_video([1]), block_video([1]), block_video([1], height=30)), r"take_1.*\(1, 24,.*take_2.*\(1, 30,"),
        ((np.zeros((1, 24, 40, 3)), block_video([1]), block_video([1])), "float64"),
        ((block_video([])[:0],) * 3, "no frames"),
    ],
)
def test_what_cannot_be_compared_is_refused(videos, message):
    with pytest.raises(SpecError, match=message):
        physics_iq(*videos)


def test_scores_need_clips_in_which_the_takes_move():
    with pytest.raises(SpecError, match="nothing valid"):
        physics_iq_score([])
    apart = physics_iq_clip(take_of([[[1, 0]]]), take_of([[[1, 0]]]), take_of([[[0, 1]]]))
    with pytest.raises(SpecError, match="share no motion"):
        physics_iq_score([apart])
    with pytest.raises(SpecError, match="one pixel"):
        physics_iq(block_video([1]), block_video([1]), block_video([1]), reduction=50)
    with pytest.raises(SpecError, match="uint8 RGB"):
        list(motion_masks(np.zeros((2, 4, 4), np.uint8)))

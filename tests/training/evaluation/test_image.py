"""Likeness of frames: PSNR by hand, SSIM in closed form and window by window."""

import numpy as np
import pytest

from simfactory.errors import SpecError
from training.evaluation import image_metrics


def clip(seed, shape=(2, 14, 13, 3)):
    return np.random.default_rng(seed).uniform(0.0, 1.0, shape)


def windowed_ssim(a, b):
    """SSIM's definition with sums over each 11×11 window written out."""
    offsets = np.arange(-5, 6)
    weights = np.exp(-(offsets[:, None] ** 2 + offsets**2) / (2 * 1.5**2))
    weights /= weights.sum()
    values = []
    for time, row, column, channel in np.ndindex(a.shape[0], a.shape[1] - 10, a.shape[2] - 10, a.shape[3]):
        x = a[time, row : row + 11, column : column + 11, channel]
        y = b[time, row : row + 11, column : column + 11, channel]
        mean_x, mean_y = (weights * x).sum(), (weights * y).sum()
        spread = (weights * (x - mean_x) ** 2).sum() + (weights * (y - mean_y) ** 2).sum()
        covariance = (weights * (x - mean_x) * (y - mean_y)).sum()
        values.append(
            (2 * mean_x * mean_y + 1e-4) * (2 * covariance + 9e-4) / ((mean_x**2 + mean_y**2 + 1e-4) * (spread + 9e-4))
        )
    return np.mean(values)


def test_the_same_frames_are_perfectly_alike():
    metrics = image_metrics(clip(0), clip(0))
    assert metrics.psnr == metrics.psnr_changing == np.inf
    assert metrics.ssim == pytest.approx(1.0, abs=1e-12)


def test_psnr_of_a_constant_error_is_its_logarithm():
    target = np.full((1, 11, 11, 1), 0.5)
    assert image_metrics(target + 0.1, target).psnr == pytest.approx(20.0)


def test_psnr_counts_the_whole_clip_even_when_one_frame_is_exact():
    target = np.full((2, 11, 11, 1), 0.5)
    predicted = target.copy()
    predicted[1] += 0.1
    assert image_metrics(predicted, target).psnr == pytest.approx(20.0 + 10.0 * np.log10(2.0))


def test_psnr_where_it_changes_looks_there_alone():
    target = np.full((2, 11, 11, 3), 0.5)
    target[1, 0, 0, 2] = 0.551
    target[1, 0, 1] = 0.549
    predicted = target.copy()
    predicted[1, 0, 0] += 0.1  # has changed
    predicted[1, 0, 1] += 0.3  # has not, nor has anything in the first frame
    predicted[0] += 0.2
    assert image_metrics(predicted, target).psnr_changing == pytest.approx(20.0)
    assert np.isnan(image_metrics(predicted, target[:1].repeat(2, axis=0)).psnr_changing)


def test_ssim_of_two_greys_is_in_closed_form():
    a, b = 0.25, 0.75
    expected = (2 * a * b + 1e-4) / (a**2 + b**2 + 1e-4)
    metrics = image_metrics(np.full((1, 12, 12, 3), a), np.full((1, 12, 12, 3), b))
    assert metrics.ssim == pytest.approx(expected, rel=1e-12)


def test_ssim_agrees_with_its_definition_window_by_window():
    # The variances differ by how they are summed: 2⁻⁵² of numbers below one, over constants of 1e-4.
    assert image_metrics(clip(1), clip(2)).ssim == pytest.approx(windowed_ssim(clip(1), clip(2)), abs=1e-11)


def test_bytes_and_shares_of_the_range_are_the_same():
    frames = np.random.default_rng(3).integers(0, 256, (2, 2, 12, 12, 3), np.uint8)
    from_bytes = image_metrics(frames[0], frames[1])
    assert from_bytes == image_metrics(frames[0] / 255.0, frames[1] / 255.0)
    assert -1.0 <= from_bytes.ssim <= 1.0


@pytest.mark.parametrize(
    ("predicted", "target", "message"),
    [
        (np.zeros((1, 12, 12, 3)), np.zeros((1, 12, 13, 3)), r"\(1, 12, 12, 3\).*\(1, 12, 13, 3\)"),
        (np.zeros((1, 10, 12, 3)), np.zeros((1, 10, 12, 3)), "11 pixels"),
        (np.full((1, 12, 12, 3), 200.0), np.zeros((1, 12, 12, 3)), "reaches from 200 to 200"),
        (np.full((1, 12, 12, 3), np.nan), np.zeros((1, 12, 12, 3)), "NaN"),
        (np.zeros((1, 12, 12, 3), np.uint8), np.zeros((1, 12, 12, 3)), "one range"),
    ],
)
def test_what_cannot_be_compared_is_refused(predicted, target, message):
    with pytest.raises(SpecError, match=message):
        image_metrics(predicted, target)

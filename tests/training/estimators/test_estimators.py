"""Estimators are found by their files, say what they lack, and DIS flow sees what moves."""

import cv2
import numpy as np
import pytest

from simfactory.errors import SpecError
from training.estimators import (
    DepthEstimator,
    FlowEstimator,
    depth_estimator_names,
    flow_estimator_names,
    load_depth_estimator,
    load_flow_estimator,
    need_packages,
)


def moving_texture(*, shift, size, frame_count=3):
    """Smooth noise that moves by `shift` (x, y) [px] a frame."""
    height, width = size
    noise = np.random.default_rng(0).uniform(0, 255, (height + 40, width + 40)).astype(np.float32)
    noise = cv2.normalize(cv2.GaussianBlur(noise, (0, 0), 2.0), None, 0, 255, cv2.NORM_MINMAX)
    rows, columns = np.mgrid[0:height, 0:width].astype(np.float32) + 20
    frames = [
        cv2.remap(noise, columns - shift[0] * k, rows - shift[1] * k, cv2.INTER_CUBIC) for k in range(frame_count)
    ]
    return np.repeat(np.stack(frames)[..., None], 3, axis=-1).clip(0, 255).astype(np.uint8)


@pytest.mark.parametrize("size", [(64, 96), (20, 24)])
def test_dis_flow_measures_a_shift(size):
    flow = load_flow_estimator("dis_flow").flow(moving_texture(shift=(1.5, -0.75), size=size))
    assert flow.shape == (3, 2, *size)
    assert np.isnan(flow[-1]).all()
    inner = flow[:-1, :, 4:-4, 4:-4]
    # A tenth of a pixel: DIS refines to about that on smooth texture.
    np.testing.assert_allclose(np.median(inner, axis=(0, 2, 3)), [1.5, -0.75], atol=0.1)


def test_still_frames_have_no_flow():
    flow = load_flow_estimator("dis_flow").flow(moving_texture(shift=(0, 0), size=(40, 40)))
    assert np.abs(flow[:-1]).max() < 0.05


def test_files_are_estimators_of_one_kind():
    assert "dis_flow" in flow_estimator_names()
    assert not {*flow_estimator_names()} & {*depth_estimator_names()}


def test_unknown_names_list_what_there_is():
    with pytest.raises(SpecError, match=r"no FlowEstimator 'magic'.*dis_flow"):
        load_flow_estimator("magic")
    with pytest.raises(SpecError, match="no DepthEstimator 'dis_flow'"):
        load_depth_estimator("dis_flow")


def test_what_is_not_installed_is_named():
    with pytest.raises(SpecError, match="pip install no_such_package"):
        need_packages("magic", "no_such_package")


@pytest.mark.parametrize("frames", [np.zeros((2, 8, 8), np.uint8), np.zeros((2, 8, 8, 3), np.float32)])
def test_what_is_no_video_is_refused(frames):
    with pytest.raises(SpecError, match="uint8"):
        load_flow_estimator("dis_flow").flow(frames)


def test_kinds_are_contracts():
    for kind in (DepthEstimator, FlowEstimator):
        with pytest.raises(TypeError):
            kind()

"""From frames and pixels to latents and tokens."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simfactory.errors import SpecError
from training.model import TokenGrid

WAN = TokenGrid(patch=(1, 2, 2), temporal_stride=4, spatial_stride=16)


def test_the_grid_of_a_large_model_is_as_published():
    # 81 frames of 480×832 px at Wan 2.2 TI2V 5B: 8,190 tokens.
    assert WAN.latent_shape(81, 480, 832) == (21, 30, 52)
    assert WAN.token_shape((21, 30, 52)) == (21, 15, 26)
    assert 21 * 15 * 26 == 8190
    assert (WAN.frames_per_token, WAN.pixels_per_token, WAN.lead_frame_count(21)) == (4, (32, 32), 3)


@given(latents=st.integers(1, 30), patch=st.integers(1, 3), stride=st.sampled_from([1, 4, 8]), front=st.booleans())
def test_tokens_hold_every_frame_once(latents, patch, stride, front):
    grid = TokenGrid(patch=(patch, 1, 1), temporal_stride=stride, fills_front=front)
    frames = grid.frame_count(latents)
    assert grid.latent_shape(frames, 1, 1) == (latents, 1, 1)
    token_frames = grid.token_shape((latents, 1, 1))[0] * grid.frames_per_token
    after = token_frames - grid.lead_frame_count(latents) - frames
    assert after == (0 if front else -latents % patch * stride)


@pytest.mark.parametrize(
    ("frames", "height", "width", "message"),
    [(80, 32, 32, "77 or 81"), (0, 32, 32, "1 or 5"), (5, 40, 32, "multiples of 16"), (5, 0, 32, "multiples of 16")],
)
def test_clips_that_do_not_fit_are_refused(frames, height, width, message):
    with pytest.raises(SpecError, match=message):
        WAN.latent_shape(frames, height, width)


def test_some_models_take_only_every_other_latent():
    grid = TokenGrid(patch=(2, 2, 2), temporal_stride=4, spatial_stride=8, latent_step=2)
    assert grid.latent_shape(9, 16, 16)[0] == 3
    with pytest.raises(SpecError, match="9 or 17"):
        grid.latent_shape(13, 16, 16)

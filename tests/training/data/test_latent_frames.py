import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from simfactory.errors import SpecError
from training.data import (
    Windows,
    frames_of_latent,
    from_latent_groups,
    latent_count,
    latent_of_frame,
    to_latent_groups,
)


def test_a_stride_of_four_aligns_as_the_autoencoders_do():
    assert latent_count(81, stride=4) == 21
    assert list(frames_of_latent(0, stride=4)) == [0]
    assert list(frames_of_latent(1, stride=4)) == [1, 2, 3, 4]  # 4k − 3 … 4k
    assert list(frames_of_latent(20, stride=4)) == [77, 78, 79, 80]
    assert [latent_of_frame(frame, stride=4) for frame in (0, 1, 4, 5, 80)] == [0, 1, 1, 2, 20]


@given(stride=st.integers(1, 8), count=st.integers(1, 6), dim=st.integers(0, 2))
def test_groups_hold_the_frames_of_their_latent_and_go_back(stride, count, dim):
    length = 1 + stride * (count - 1)
    shape = [2, 3, 2]
    shape[dim] = length
    frames = torch.arange(length).view([-1 if axis == dim else 1 for axis in range(3)]).expand(shape)
    groups, own = to_latent_groups(frames, stride=stride, dim=dim)
    line = groups.movedim((dim, dim + 1), (0, 1)).flatten(2)[..., 0]
    for latent in range(count):
        assert line[latent][own[latent]].tolist() == list(frames_of_latent(latent, stride=stride))
        assert {latent_of_frame(int(frame), stride=stride) for frame in line[latent][own[latent]]} == {latent}
    assert torch.equal(from_latent_groups(groups, dim=dim), frames)


def test_a_length_that_does_not_fit_names_the_next_ones():
    with pytest.raises(SpecError, match=r"16 frames do not fit a temporal stride of 4: .* take 13 or 17"):
        Windows(length=16, latent_stride=4)
    with pytest.raises(SpecError, match="both are at least 1"):
        latent_count(5, stride=0)

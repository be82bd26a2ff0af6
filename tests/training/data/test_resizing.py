import torch
from hypothesis import given
from hypothesis import strategies as st

from training.data.resizing import Resampling, resized_color


def plane(height, width, *, a=0.002, b=-0.001, c=0.3):
    """Inverse depth a u + b v + c of a slanted plane at the pixel centres of a 40 x 60 frame, drawn at another size."""
    u = (torch.arange(width, dtype=torch.float64) + 0.5) * 60 / width
    v = (torch.arange(height, dtype=torch.float64) + 0.5) * 40 / height
    return a * u + b * v[:, None] + c


@given(height=st.integers(1, 40), width=st.integers(1, 60))
def test_the_depth_of_a_plane_stays_exact_at_any_size(height, width):
    depth = (1.0 / plane(40, 60)).float()
    small = Resampling(depth, None, size=(height, width)).depth(depth)
    # 1/z is linear on a plane and bilinear interpolation exact for it: float32 rounding only.
    torch.testing.assert_close(small, (1.0 / plane(height, width)).float(), rtol=1e-6, atol=0.0)


@given(height=st.integers(1, 40), width=st.integers(1, 60))
def test_a_linear_field_stays_exact_at_any_size(height, width):
    field = plane(40, 60).float()[None]
    small = Resampling(torch.ones(40, 60), None, size=(height, width)).field(field)
    torch.testing.assert_close(small[0], plane(height, width).float(), rtol=1e-6, atol=1e-7)


def test_surfaces_are_not_mixed_at_an_edge():
    depth = torch.full((8, 8), 2.0)
    depth[:, 3:] = 4.0
    field = torch.where(depth == 2.0, -1.0, 1.0)[None]
    sampled = Resampling(depth, None, size=(4, 4))
    # Output pixel 1 has its centre between source pixels 2 and 3: it takes the one that holds the centre.
    assert sampled.depth(depth)[0].tolist() == [2.0, 4.0, 4.0, 4.0]
    assert sampled.field(field)[0, 0].tolist() == [-1.0, 1.0, 1.0, 1.0]


def test_bodies_at_the_same_depth_are_not_mixed():
    depth = torch.full((8, 8), 2.0)
    instance = torch.full((8, 8), 3)
    instance[:, 3:] = 4
    field = (instance * 10.0)[None]
    assert set(Resampling(depth, instance, size=(4, 4)).field(field).unique().tolist()) == {30.0, 40.0}
    assert 35.0 in Resampling(depth, None, size=(4, 4)).field(field).unique()  # without ids they would be


def test_the_sky_stays_infinite_and_gaps_stay_gaps():
    depth = torch.full((6, 6), 5.0)
    depth[:2] = torch.inf
    field = torch.zeros(2, 6, 6)
    field[:, :2] = torch.nan
    sampled = Resampling(depth, None, size=(3, 3))
    assert sampled.depth(depth)[:, 0].tolist() == [torch.inf, 5.0, 5.0]
    assert sampled.field(field)[0, :, 0].isnan().tolist() == [True, False, False]


def test_colours_are_means_of_the_pixels_they_cover():
    color = torch.arange(2 * 3 * 4 * 6, dtype=torch.float32).view(2, 3, 4, 6)
    expected = color.view(2, 3, 2, 2, 3, 2).mean(dim=(3, 5))
    torch.testing.assert_close(resized_color(color, (2, 3)), expected)

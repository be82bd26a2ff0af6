"""Backward warping in closed form, and beside torch's own sampler."""

import pytest
import torch

from simfactory.errors import SpecError
from training.warping import backward_warp, same_instance


def constant_flow(du, dv, *, size=(6, 7), dtype=torch.float64):
    return torch.stack([torch.full(size, du, dtype=dtype), torch.full(size, dv, dtype=dtype)])


def test_no_flow_gives_the_values_themselves():
    values = torch.randn(2, 3, 6, 7)
    warped, known = backward_warp(values, torch.zeros(2, 2, 6, 7))
    assert torch.equal(warped, values)
    assert known.all()


def test_flow_points_right_and_down():
    values = torch.arange(42, dtype=torch.float64).reshape(1, 6, 7)
    warped, known = backward_warp(values, constant_flow(2.0, 1.0))
    assert torch.equal(warped[0, :5, :5], values[0, 1:, 2:])
    assert known[:5, :5].all()
    assert not known[5:].any()
    assert not known[:, 5:].any()
    assert not warped[0][~known].any()


def test_half_a_pixel_mixes_neighbours_equally():
    values = torch.randn(1, 6, 7, dtype=torch.float64)
    warped, known = backward_warp(values, constant_flow(0.5, 0.0))
    torch.testing.assert_close(warped[0, :, :6], (values[0, :, :6] + values[0, :, 1:]) / 2)
    assert known[:, :6].all()
    assert not known[:, 6].any()


def test_it_agrees_with_torchs_sampler_inside_the_frame():
    generator = torch.Generator().manual_seed(0)
    values = torch.randn(2, 3, 9, 11, generator=generator, dtype=torch.float64)
    flow = 3.0 * torch.randn(2, 2, 9, 11, generator=generator, dtype=torch.float64)
    row, column = torch.meshgrid(torch.arange(9) + 0.5, torch.arange(11) + 0.5, indexing="ij")
    grid = torch.stack([(column + flow[:, 0]) / 11, (row + flow[:, 1]) / 9], dim=-1) * 2 - 1
    expected = torch.nn.functional.grid_sample(values, grid, align_corners=False)
    warped, known = backward_warp(values, flow)
    assert 0.4 < known.double().mean() < 0.95
    inside = known[:, None].expand_as(values)
    torch.testing.assert_close(warped[inside], expected[inside])


def test_invalid_values_spoil_what_they_take_part_in_and_nothing_else():
    values = torch.ones(1, 6, 7, dtype=torch.float64)
    values[0, 3, 3] = float("inf")
    known = backward_warp(values, constant_flow(0.0, 0.0))[1]
    assert (~known).nonzero().tolist() == [[3, 3]]
    known = backward_warp(values, constant_flow(0.5, 0.0))[1]
    assert (~known[:, :6]).nonzero().tolist() == [[3, 2], [3, 3]]
    valid = torch.isfinite(values[0])
    valid[0, 0] = False
    known = backward_warp(values, constant_flow(0.0, 0.0), valid=valid)[1]
    assert (~known).nonzero().tolist() == [[0, 0], [3, 3]]


@pytest.mark.parametrize("bad", [float("nan"), float("inf"), -float("inf"), 1e30])
def test_flow_to_nowhere_is_unknown_and_has_finite_gradients(bad):
    values = torch.randn(1, 6, 7, requires_grad=True)
    flow = torch.zeros(2, 6, 7)
    flow[1, 2, 2] = bad
    flow.requires_grad_()
    warped, known = backward_warp(values, flow)
    warped.square().sum().backward()
    assert (~known).nonzero().tolist() == [[2, 2]]
    assert torch.isfinite(values.grad).all()
    assert torch.isfinite(flow.grad).all()


def test_pixels_beside_an_outline_mix_two_objects():
    ids = torch.ones(6, 7, dtype=torch.uint16)
    ids[:, 4:] = 65535
    still, half = constant_flow(0.0, 0.0), constant_flow(0.5, 0.0)
    assert same_instance(still, ids, ids).all()
    assert (~same_instance(half, ids, ids)[:, :6]).all(dim=0).nonzero().flatten().tolist() == [3]
    other = torch.full_like(ids, 2)
    assert not same_instance(still, other, ids).any()


def test_shapes_that_do_not_fit_are_refused():
    with pytest.raises(SpecError, match="flow"):
        backward_warp(torch.ones(6, 7), torch.ones(2, 6, 7))
    with pytest.raises(SpecError, match="mask"):
        backward_warp(torch.ones(1, 6, 7), torch.ones(2, 6, 7), valid=torch.ones(7, 6, dtype=torch.bool))

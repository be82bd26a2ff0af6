"""The sampler against fields whose paths are known."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from simfactory.errors import SpecError
from training.model import (
    TinyBackbone,
    TinyConfig,
    euler_integrate,
    guided_velocity,
    hold_first_frame,
    sample_latents,
    time_grid,
)
from training.testing.backbone import randomise

SHIFTS = st.floats(0.2, 8.0)


@given(steps=st.integers(1, 40), shift=SHIFTS)
def test_times_fall_from_noise_to_data(steps, shift):
    times = time_grid(steps, shift=shift)
    assert times[0] == 1
    assert times[-1] == 0
    assert (times.diff() < 0).all()


def test_shifted_times_are_as_the_equation_says():
    # σ = 3 at τ = ½: 1.5 / 2 = ¾.
    assert time_grid(2, shift=3.0).tolist() == [1.0, 0.75, 0.0]


@given(steps=st.integers(1, 20), shift=SHIFTS, seed=st.integers(0, 2**16))
def test_a_field_that_is_the_same_at_all_times_is_integrated_exactly(steps, shift, seed):
    start, field = torch.randn(2, 3, 4, generator=torch.Generator().manual_seed(seed))
    end = euler_integrate(lambda x, t: field, start, time_grid(steps, shift=shift))
    # The steps add up to −1; float32, at most 20 sums of numbers below 10.
    torch.testing.assert_close(end, start - field, rtol=1e-5, atol=1e-5)


@given(steps=st.integers(1, 20), shift=SHIFTS, seed=st.integers(0, 2**16))
def test_the_field_of_a_point_leads_to_that_point(steps, shift, seed):
    """u = (x − x₀)/t is linear in x, and its paths are straight."""
    start, point = torch.randn(2, 3, 4, generator=torch.Generator().manual_seed(seed))
    end = euler_integrate(lambda x, t: (x - point) / t.reshape(-1, 1), start, time_grid(steps, shift=shift))
    torch.testing.assert_close(end, point, rtol=1e-5, atol=1e-5)


def test_a_linear_field_is_integrated_by_its_product():
    # x' = x: Euler's steps multiply by 1 − h each.
    end = euler_integrate(lambda x, t: x, torch.ones(1, 1, dtype=torch.float64), time_grid(10))
    assert float(end) == pytest.approx(0.9**10, rel=1e-6)  # times are float32


def test_a_held_frame_has_the_true_velocity():
    generator = torch.Generator().manual_seed(0)
    data, noise, velocity = torch.randn(3, 2, 3, 4, 2, 2, generator=generator)
    t = torch.tensor([0.25, 1.0])
    times = t.reshape(-1, 1, 1, 1, 1)
    held = hold_first_frame(velocity, (1 - times) * data + times * noise, t, data[:, :, :1])
    # x_t − x₀ loses digits by 1/t = 4.
    torch.testing.assert_close(held[:, :, :1], (noise - data)[:, :, :1], rtol=1e-5, atol=1e-5)
    assert torch.equal(held[:, :, 1:], velocity[:, :, 1:])
    assert torch.isfinite(hold_first_frame(velocity, data, torch.zeros(2), data[:, :, :1])).all()


@pytest.fixture(scope="module")
def backbone():
    model = TinyBackbone(TinyConfig(width=96, block_count=1, head_count=4, patch=(1, 4, 4), word_bins=32))
    randomise(model)
    return model


def test_guidance_goes_from_no_prompt_through_the_prompt(backbone):
    x, t = torch.randn(1, 3, 2, 8, 8, generator=torch.Generator().manual_seed(0)), torch.ones(1)
    text, null_text = backbone.encode_text(["ball"]), backbone.encode_text([""])

    def at(guidance):
        return guided_velocity(
            backbone, x, t, first_frame=None, text=text, null_text=null_text, guidance=guidance
        ).detach()

    assert torch.equal(at(0), backbone(x, t, first_frame=None, text=null_text))
    assert torch.equal(at(1), backbone(x, t, first_frame=None, text=text))
    assert not torch.equal(at(0), at(1))
    # float32 numbers of order 1.
    torch.testing.assert_close(at(3), at(0) + 3 * (at(1) - at(0)), rtol=1e-5, atol=1e-5)


def test_samples_are_their_noises_own(backbone):
    noise = torch.randn(2, 3, 2, 8, 8, generator=torch.Generator().manual_seed(0))
    text = backbone.encode_text(["ball", "cloth"])
    both = sample_latents(backbone, noise, first_frame=None, text=text, step_count=2)
    alone = sample_latents(backbone, noise[1:], first_frame=None, text=text[1:], step_count=2)
    # Batched matrix products sum in another order.
    torch.testing.assert_close(both[1:], alone, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize(("steps", "shift"), [(0, 1.0), (3, 0.0), (3, float("nan"))])
def test_impossible_grids_are_refused(steps, shift):
    with pytest.raises(SpecError, match="positive shift"):
        time_grid(steps, shift=shift)

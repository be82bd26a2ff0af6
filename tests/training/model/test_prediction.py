"""Velocities from v-predictions, against the definitions."""

import torch
from hypothesis import given
from hypothesis import strategies as st

from training.model.prediction import schedule_positions, variance_preserving, velocity_from_v_prediction


@given(
    t=st.floats(0, 1, allow_subnormal=False),
    data=st.floats(-4, 4, allow_subnormal=False),
    noise=st.floats(-4, 4, allow_subnormal=False),
)
def test_a_perfect_v_prediction_is_the_perfect_velocity(t, data, noise):
    times = torch.tensor([t])
    state = variance_preserving(torch.tensor([[(1 - t) * data + t * noise]]), times)
    assert abs(float(state.signal**2 + state.noise**2) - 1) < 1e-6
    v = state.signal * noise - state.noise * data
    # float32: about ten operations on numbers up to 8.
    assert abs(float(velocity_from_v_prediction(v, state)) - (noise - data)) < 1e-5


def test_times_are_found_in_the_schedule():
    # √ᾱ = cos φ, √(1 − ᾱ) = sin φ: flow time t = sin φ/(cos φ + sin φ), so at φ = 45° it is ½.
    angles = torch.tensor([9.0, 27.0, 45.0, 63.0, 81.0], dtype=torch.float64).deg2rad()
    alphas = torch.cos(angles) ** 2
    t = torch.sin(angles) / (torch.cos(angles) + torch.sin(angles))
    # float64 throughout, but for the result.
    torch.testing.assert_close(schedule_positions(t, alphas), torch.arange(5.0), rtol=0, atol=1e-5)
    between = (t[1:] + t[:-1]) / 2
    torch.testing.assert_close(schedule_positions(between, alphas), torch.arange(4.0) + 0.5, rtol=0, atol=1e-5)
    # Before the first step and after the last one there is only the nearest.
    assert schedule_positions(torch.tensor([0.0, 1.0]), alphas).tolist() == [0.0, 4.0]

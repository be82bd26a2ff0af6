"""The straight path, its conversions, v-predictions and times."""

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from simfactory.errors import SpecError
from training.noising import (
    clean_from_velocity,
    noise_from_velocity,
    noised,
    preserving_sample,
    preserving_step,
    sample_times,
    standardised,
    velocity_from_residual,
    velocity_from_v_prediction,
    velocity_target,
)


def clean_and_noise(seed=0, shape=(3, 4, 5)):
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(2, *shape, generator=generator, dtype=torch.float64)


def test_the_path_begins_at_the_data_and_ends_at_the_noise():
    clean, noise = clean_and_noise()
    assert torch.equal(noised(clean, noise, 0.0), clean)
    assert torch.equal(noised(clean, noise, 1.0), noise)
    torch.testing.assert_close(noised(clean, noise, 0.25), 0.75 * clean + 0.25 * noise)


def test_times_go_with_the_batch():
    clean, noise = clean_and_noise()
    time = torch.tensor([0.0, 0.5, 1.0])
    noisy = noised(clean, noise, time)
    assert torch.equal(noisy[0], clean[0])
    assert torch.equal(noisy[2], noise[2])
    by_frame = torch.tensor([[0.0, 1.0, 1.0, 1.0]]).expand(3, 4)
    assert torch.equal(noised(clean, noise, by_frame)[:, 0], clean[:, 0])


@given(st.integers(0, 2**31), st.floats(0.0, 1.0))
def test_the_true_velocity_leads_back_to_both_ends(seed, time):
    clean, noise = clean_and_noise(seed)
    noisy, velocity = noised(clean, noise, time), velocity_target(clean, noise)
    # Two multiplications and two additions of numbers below 10.
    torch.testing.assert_close(clean_from_velocity(noisy, velocity, time), clean, rtol=0.0, atol=1e-14)
    torch.testing.assert_close(noise_from_velocity(noisy, velocity, time), noise, rtol=0.0, atol=1e-14)


def test_the_velocity_is_the_derivative_of_the_path():
    clean, noise = clean_and_noise()
    # The path is straight, so that any quotient of differences is the derivative.
    quotient = (noised(clean, noise, 0.75) - noised(clean, noise, 0.25)) / 0.5
    torch.testing.assert_close(quotient, velocity_target(clean, noise))


@given(st.integers(0, 2**31), st.floats(0.0, 1.0))
def test_a_perfect_v_prediction_is_the_true_velocity(seed, time):
    clean, noise = clean_and_noise(seed)
    noisy = noised(clean, noise, time)
    length = math.hypot(1.0 - time, time)
    alpha, sigma = (1.0 - time) / length, time / length
    torch.testing.assert_close(preserving_sample(noisy, time), alpha * clean + sigma * noise, rtol=0.0, atol=1e-13)
    prediction = alpha * noise - sigma * clean
    converted = velocity_from_v_prediction(noisy, prediction, time)
    torch.testing.assert_close(converted, noise - clean, rtol=0.0, atol=1e-13)


@given(st.integers(0, 2**31), st.floats(0.01, 1.0), st.floats(0.05, 2.0))
def test_a_perfect_residual_is_the_true_velocity(seed, time, deviation):
    clean, noise = clean_and_noise(seed)
    mean = clean.mean(dim=-1, keepdim=True)
    noisy = noised(clean, noise, time)
    variance = (1.0 - time) ** 2 * deviation**2 + time**2
    seen = standardised(noisy, time, mean=mean, deviation=deviation)
    torch.testing.assert_close(seen * math.sqrt(variance), (1.0 - time) * (clean - mean) + time * noise)
    estimate = mean + (1.0 - time) * deviation**2 / variance * (noisy - (1.0 - time) * mean)
    residual = (clean - estimate) * math.sqrt(variance) / (deviation * time)
    converted = velocity_from_residual(noisy, residual, time, mean=mean, deviation=deviation)
    torch.testing.assert_close(converted, noise - clean, rtol=1e-9, atol=1e-9)


def test_no_residual_is_the_best_linear_estimate():
    """Of data that is normal about the mean nothing is left to say: F is normal, and x_t tells nothing of it."""
    generator = torch.Generator().manual_seed(1)
    draws = torch.randn(2, 100_000, generator=generator, dtype=torch.float64)
    clean, noise = 0.3 + 0.2 * draws[0], draws[1]
    noisy = noised(clean, noise, 0.4)
    wanted = {"mean": 0.3, "deviation": 0.2}
    assert standardised(noisy, 0.4, **wanted).std() == pytest.approx(1.0, abs=0.01)
    error = velocity_from_residual(noisy, torch.zeros_like(noisy), 0.4, **wanted) - (noise - clean)
    # √(1 − ρ²) of the velocity's deviation remains, and has nothing to do with x_t: 4 deviations of a correlation.
    assert error.std() == pytest.approx(0.2 / math.hypot(0.6 * 0.2, 0.4), rel=0.01)
    assert abs(torch.corrcoef(torch.stack([error, noisy]))[0, 1]) < 4 / math.sqrt(100_000)


def test_the_velocity_of_a_residual_is_finite_at_the_data():
    clean, noise = clean_and_noise()
    velocity = velocity_from_residual(clean, noise, 0.0, mean=0.3, deviation=0.2)
    torch.testing.assert_close(velocity, -clean - noise)


def test_a_step_mixes_as_its_time_does():
    # A cosine schedule: ᾱ = cos²φ, so t = sin φ / (cos φ + sin φ) at φ = k · 0.1.
    angle = torch.arange(1, 16, dtype=torch.float64) * 0.1
    time = angle.sin() / (angle.cos() + angle.sin())
    # Neighbouring times differ by 0.05 or more; ᾱ and its roots are known to 1e-15.
    torch.testing.assert_close(
        preserving_step(time, angle.cos() ** 2), torch.arange(15, dtype=torch.float64), rtol=0.0, atol=1e-12
    )
    between = preserving_step((time[3:4] + time[4:5]) / 2, angle.cos() ** 2)
    assert between.item() == pytest.approx(3.5, abs=1e-12)
    assert preserving_step(torch.tensor([0.0, 1.0]), angle.cos() ** 2).tolist() == [0.0, 14.0]


def test_a_schedule_that_ends_in_pure_noise_has_a_step_for_it():
    schedule = torch.tensor([0.99, 0.5, 0.0])  # zero terminal signal, as CogVideoX's
    assert preserving_step(torch.tensor(1.0), schedule) == 2.0
    assert preserving_step(torch.tensor([0.5]), schedule) == 1.0  # α = σ


@pytest.mark.parametrize("schedule", [[0.5], [0.1, 0.5], [0.5, 0.5, 0.1]])
def test_schedules_that_do_not_fall_are_refused(schedule):
    with pytest.raises(SpecError, match="falling"):
        preserving_step(torch.tensor(0.5), torch.tensor(schedule))


@given(st.floats(0.0, 0.99), st.floats(0.1, 10.0), st.integers(0, 2**31))
def test_times_lie_in_the_window(lowest, shift, seed):
    times = sample_times(50, lowest=lowest, shift=shift, generator=torch.Generator().manual_seed(seed))
    # Times are float32; the window's edge is rounded to it, too.
    edge = torch.tensor(lowest).item()
    assert times.shape == (50,)
    assert edge <= times.min() <= times.max() <= 1.0


def test_times_are_uniform_in_the_window():
    times = sample_times((200, 100), lowest=0.5, generator=torch.Generator().manual_seed(0)).flatten().sort().values
    ideal = 0.5 + 0.5 * (torch.arange(20_000) + 0.5) / 20_000
    # The largest deviation of 20 000 uniform draws exceeds 1.95/√n with probability 1e-3; this seed is fixed.
    assert (times - ideal).abs().max() < 0.5 * 1.95 / 20_000**0.5


def test_a_window_cuts_the_shifted_law_and_piles_nothing_up():
    # P(t > x | t ≥ 0.6) with t = s u / (1 + (s − 1) u): u(x) = x / (s − (s − 1) x).
    times = sample_times(20_000, lowest=0.6, shift=3.0, generator=torch.Generator().manual_seed(1))

    def uniform(x):
        return x / (3.0 - 2.0 * x)

    for x in (0.65, 0.8, 0.95):
        expected = (1.0 - uniform(x)) / (1.0 - uniform(0.6))
        # Four standard deviations of a share of 20 000.
        assert (times > x).float().mean().item() == pytest.approx(expected, abs=4 * 0.5 / 20_000**0.5)
    assert (times == times.min()).sum() < 5


@pytest.mark.parametrize(("lowest", "power"), [(0.0, 3.0), (0.5, 2.0), (0.0, 0.5)])
def test_times_have_the_density_of_their_power(lowest, power):
    times = sample_times(20_000, lowest=lowest, power=power, generator=torch.Generator().manual_seed(2))
    for x in (0.55, 0.7, 0.9):  # P(t > x | t ≥ t_hi) = (1 − x^k)/(1 − t_hi^k); four standard deviations
        expected = (1.0 - x**power) / (1.0 - lowest**power)
        assert (times > x).float().mean().item() == pytest.approx(expected, abs=4 * 0.5 / 20_000**0.5)


def test_the_same_generator_gives_the_same_times():
    first, second = (sample_times(5, generator=torch.Generator().manual_seed(7)) for _ in range(2))
    assert torch.equal(first, second)


@pytest.mark.parametrize(
    "options", [{"lowest": -0.1}, {"lowest": 1.0}, {"shift": 0.0}, {"shift": math.nan}, {"power": 0.0}]
)
def test_windows_outside_their_range_are_refused(options):
    with pytest.raises(SpecError, match="allowed"):
        sample_times(3, **options)


def test_half_precision_keeps_its_type_and_is_rounded_once():
    clean, noise = (values.bfloat16() for values in clean_and_noise())
    time = torch.tensor([0.501, 0.3, 0.9])
    noisy = noised(clean, noise, time)
    expected = torch.lerp(clean.float(), noise.float(), time[:, None, None]).bfloat16()
    assert noisy.dtype == torch.bfloat16
    assert torch.equal(noisy, expected)


def test_what_does_not_fit_is_refused():
    clean, noise = clean_and_noise()
    with pytest.raises(SpecError, match="differ"):
        noised(clean, noise[:1], 0.5)
    with pytest.raises(SpecError, match="leading axes"):
        noised(clean, noise, torch.zeros(4))
    with pytest.raises(SpecError, match="differ"):
        clean_from_velocity(clean, noise[..., :1], 0.5)

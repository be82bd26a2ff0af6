"""Steps with a probability, on Gaussians, whose every marginal is known in closed form."""

import itertools
import math

import pytest
import torch

from simfactory.errors import SpecError
from training.model.sampling import euler_integrate, time_grid
from training.noising import noised
from training.sde import SAMPLERS, cps, dance, exact, flow_grpo, log_probability, step_of_sample

LEVEL = 0.7
MEAN = 0.8  # of the data


def true_velocity(x, t, deviation):
    """E[ε − x₀ | x_t] of data N(MEAN, deviation²)."""
    variance = (1 - t) ** 2 * deviation**2 + t**2
    centred = x - (1 - t) * MEAN
    return t * centred / variance - (MEAN + (1 - t) * deviation**2 * centred / variance)


def moments_after(step, times, deviation, *, level=LEVEL):
    """Mean and variance of x at the last time, without a sample drawn: each step's mean is affine in x."""
    mean, variance = 0.0, 1.0
    ends = torch.tensor([[0.0], [1.0]], dtype=torch.float64)
    for t, t_next in itertools.pairwise(times):
        taken = step(ends, true_velocity(ends, t, deviation), t, t_next, noise_level=level)
        start, end = taken.mean.flatten().tolist()
        mean = start + (end - start) * mean
        variance = (end - start) ** 2 * variance + float(taken.deviation) ** 2
    return mean, variance


def even(count, last=0.0):
    return torch.linspace(1.0, last, count + 1, dtype=torch.float64).tolist()


def true_variance(t, deviation):
    return (1 - t) ** 2 * deviation**2 + t**2


@pytest.mark.parametrize("count", [1, 2, 7])
@pytest.mark.parametrize("level", [0.0, 0.7, 1.5])
def test_the_exact_step_is_exact_for_data_that_is_one_point(count, level):
    times = even(count, last=0.3)
    mean, variance = moments_after(exact, times, 0.0, level=level)
    assert mean == pytest.approx(0.7 * MEAN, rel=1e-12)
    assert variance == pytest.approx(0.3**2, rel=1e-12)


def test_the_exact_step_converges_at_first_order_for_other_data():
    errors = [abs(moments_after(exact, even(count), 0.5)[1] - 0.25) for count in (16, 32, 64, 128, 256)]
    orders = [math.log2(coarse / fine) for coarse, fine in itertools.pairwise(errors)]
    assert errors[-1] < 5e-3
    assert orders[-1] == pytest.approx(1.0, abs=0.1)
    assert all(order > 0.7 for order in orders)


def test_the_exact_process_has_the_marginals_of_the_path_on_the_way():
    for t in (0.75, 0.5, 0.25):
        mean, variance = moments_after(exact, even(4000, last=t), 0.5)
        assert mean == pytest.approx((1 - t) * MEAN, rel=1e-3)
        assert variance == pytest.approx(true_variance(t, 0.5), rel=2e-3)


def test_the_euler_maruyama_step_keeps_its_excess_at_the_first_step_however_many_there_are():
    excess = []
    for count in (10, 100, 10_000):
        times = [1.0, 1.0 - 1.0 / count]
        excess.append(moments_after(flow_grpo, times, 0.0)[1] - times[1] ** 2)
        assert excess[-1] == pytest.approx(LEVEL**4 / 4 + LEVEL**2 / count, rel=1e-6)
    assert excess[-1] == pytest.approx(LEVEL**4 / 4, rel=1e-2)
    assert moments_after(exact, [1.0, 0.9999], 0.0)[1] == pytest.approx(0.9999**2, rel=1e-12)


def test_constant_noise_converges_too():
    # η²/(2t) is integrable down to any t > 0, so that the process has the path's marginals there.
    errors = [
        abs(moments_after(dance, even(count, last=0.2), 0.5, level=0.3)[1] - true_variance(0.2, 0.5))
        for count in (50, 100, 200, 400)
    ]
    assert errors[-1] < 1e-3
    assert math.log2(errors[-2] / errors[-1]) == pytest.approx(1.0, abs=0.15)


@pytest.mark.parametrize("level", [0.2, 0.7, 1.0])
def test_cps_preserves_the_shares_of_data_and_noise(level):
    times = even(5, last=0.4)
    mean, variance = moments_after(cps, times, 0.0, level=level)
    assert mean == pytest.approx(0.6 * MEAN, rel=1e-12)
    assert variance == pytest.approx(0.4**2, rel=1e-12)
    x, velocity = torch.zeros(1, 1), torch.ones(1, 1)
    step = cps(x, velocity, 0.8, 0.5, noise_level=level)
    assert float(step.deviation) == pytest.approx(0.5 * math.sin(level * math.pi / 2), rel=1e-6)


def test_constant_noise_has_its_level_as_the_deviation_per_root_of_time():
    step = dance(torch.zeros(2, 3), torch.zeros(2, 3), 0.8, 0.55, noise_level=0.4)
    assert float(step.deviation) == pytest.approx(0.4 * 0.5)


@pytest.mark.parametrize("name", SAMPLERS)
def test_without_noise_each_sampler_is_that_of_euler(name):
    noise = torch.randn(4, 3, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    times = time_grid(6, shift=2.0)
    wanted = euler_integrate(lambda x, t: true_velocity(x, t[:, None].double(), 0.5), noise, times)
    x = noise
    for t, t_next in zip(times[:-1].tolist(), times[1:].tolist(), strict=True):
        taken = SAMPLERS[name](x, true_velocity(x, t, 0.5), t, t_next, noise_level=0.0)
        assert taken.log_probability is None
        x = taken.sample
    # The clock of the Euler sampler is float32.
    torch.testing.assert_close(x, wanted, rtol=0.0, atol=1e-6)


@pytest.mark.parametrize("name", SAMPLERS)
def test_samples_follow_the_probability_that_is_told(name):
    generator = torch.Generator().manual_seed(1)
    x = torch.full((20_000, 2), 0.4, dtype=torch.float64)
    step = SAMPLERS[name](x, 0.5 * x, 0.8, 0.6, noise_level=0.6, generator=generator)
    drawn, mean, deviation = step.sample, step.mean[0], float(step.deviation)
    # Five standard errors of 20,000 draws.
    assert torch.allclose(drawn.mean(0), mean, atol=5 * deviation / 20_000**0.5, rtol=0)
    assert torch.allclose(drawn.std(0), torch.tensor(deviation).double(), rtol=5 / 40_000**0.5, atol=0)
    told = torch.distributions.Normal(mean, deviation).log_prob(drawn)
    torch.testing.assert_close(step.log_probability, told.mean(1))
    asked = step_of_sample(drawn, x, 0.5 * x, 0.8, 0.6, sampler=name, noise_level=0.6, reduction="sum")
    torch.testing.assert_close(asked.log_probability, told.sum(1))


@pytest.mark.parametrize("name", SAMPLERS)
def test_the_last_step_ends_at_the_estimate_and_has_no_probability(name):
    x, velocity = torch.randn(3, 2, generator=torch.Generator().manual_seed(0)), torch.ones(3, 2)
    step = SAMPLERS[name](x, velocity, 0.3, 0.0, noise_level=0.7)
    assert step.log_probability is None
    assert float(step.deviation) == 0.0
    torch.testing.assert_close(step.sample, x - 0.3)


def test_a_step_from_the_first_to_the_last_time_is_possible():
    clean, noise = torch.full((2, 2), 0.5), torch.ones(2, 2)
    assert torch.equal(exact(noise, noise - clean, 1.0, 0.0, noise_level=0.7).sample, clean)


def test_another_velocity_makes_a_step_less_probable():
    generator = torch.Generator().manual_seed(2)
    x = torch.randn(2000, 4, generator=generator)
    step = exact(x, x, 0.9, 0.7, noise_level=0.7, generator=generator)
    velocity = (x + 0.3).requires_grad_()
    other = step_of_sample(step.sample, x, velocity, 0.9, 0.7, sampler="exact", noise_level=0.7)
    # The mean of log p − log q over draws from p is the divergence of the normal distributions.
    gap = (step.mean - other.mean).detach()
    wanted = (gap / step.deviation).square().mean() / 2
    found = (step.log_probability - other.log_probability).mean().detach()
    assert float(found) == pytest.approx(float(wanted), rel=0.1)
    other.log_probability.sum().backward()
    assert bool((velocity.grad != 0).any())
    assert not step.sample.requires_grad


def test_samples_of_a_batch_may_be_at_times_of_their_own():
    clean, noise = torch.rand(3, 2, 4), torch.randn(3, 2, 4, generator=torch.Generator().manual_seed(3))
    t, t_next = torch.tensor([1.0, 0.8, 0.4]), torch.tensor([0.8, 0.4, 0.1])
    x = noised(clean, noise, t)
    for name, sampler in SAMPLERS.items():
        together = sampler(x, noise - clean, t, t_next, noise_level=0.5, generator=torch.Generator().manual_seed(4))
        for index in range(3):
            one = step_of_sample(
                together.sample[index : index + 1],
                x[index : index + 1],
                (noise - clean)[index : index + 1],
                float(t[index]),
                float(t_next[index]),
                sampler=name,
                noise_level=0.5,
            )
            torch.testing.assert_close(one.log_probability[0], together.log_probability[index])


def test_half_precision_keeps_its_probability_in_single():
    x = torch.randn(2, 3, generator=torch.Generator().manual_seed(5)).bfloat16()
    step = exact(x, x, 0.9, 0.5, noise_level=0.7, generator=torch.Generator().manual_seed(6))
    assert step.sample.dtype == torch.bfloat16
    assert step.log_probability.dtype == torch.float32
    asked = step_of_sample(step.sample, x, x, 0.9, 0.5, sampler="exact", noise_level=0.7)
    assert torch.equal(asked.log_probability, step.log_probability)  # of the rounded sample


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"t": 0.3, "t_next": 0.5}, "1 ≥ t > t′ ≥ 0"),
        ({"t": 1.5}, "1 ≥ t > t′ ≥ 0"),
        ({"t": torch.tensor([0.9, 0.9]), "t_next": torch.tensor([0.5, 0.0])}, "take them apart"),
        ({"t": torch.tensor([0.9, 0.9, 0.9])}, "one for each"),
        ({"noise_level": -1.0}, "0 or more"),
        ({"noise_level": 2.0}, "0 … 1"),
        ({"velocity": torch.zeros(2, 2)}, "differ"),
    ],
)
def test_what_is_wrong_is_named(change, told):
    given = {"x": torch.zeros(2, 3), "velocity": torch.zeros(2, 3), "t": 0.9, "t_next": 0.5, "noise_level": 0.7}
    with pytest.raises(SpecError, match=told):
        cps(**{**given, **change})


def test_samplers_and_reductions_have_names():
    x = torch.zeros(2, 3)
    with pytest.raises(SpecError, match="choose one of exact, flow_grpo, dance, cps"):
        step_of_sample(x, x, x, 0.9, 0.5, sampler="heun", noise_level=0.7)
    with pytest.raises(SpecError, match="choose mean or sum"):
        log_probability(x, x, torch.ones(()), reduction="median")

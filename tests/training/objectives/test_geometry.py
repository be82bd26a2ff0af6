"""Losses of the heads: the truth costs nothing, what is unknown costs nothing, what is off is not computed."""

from dataclasses import replace

import pytest
import torch

from training.config import LossConfig
from training.model import Geometry
from training.objectives.geometry import geometry_losses
from training.targets import needed_outputs, targets_of

EVERYTHING = LossConfig(depth=1, flow=1, depth_change=1, visibility=1, warp=1, rgb=1)
NAMES = ("depth", "flow", "depth_change", "visibility", "warp", "rgb")


def truth(batch):
    """What heads would say that know the truth; finite everywhere."""
    targets = targets_of(batch)
    return Geometry(
        depth=torch.where(targets.depth_valid, targets.depth, 50.0).requires_grad_(),
        flow=targets.flow.nan_to_num(0.0).requires_grad_(),
        depth_change=targets.depth_change.nan_to_num(0.0).requires_grad_(),
        visibility=torch.where(targets.visible, 20.0, -20.0).requires_grad_(),
    )


def losses_of(batch, geometry=None, **changes):
    losses = replace(EVERYTHING, **changes)
    return geometry_losses(geometry or truth(batch), targets_of(batch), batch["rgb"], losses)


def test_the_truth_costs_nothing(make_batch):
    found = {name: value.item() for name, value in losses_of(make_batch(EVERYTHING)).items()}
    assert set(found) == set(NAMES)
    assert max(found[name] for name in ("depth", "flow", "depth_change", "visibility")) < 1e-6
    assert found["warp"] < 0.02  # [m]: between pixels the ball, 4 of them wide, is no plane
    assert found["rgb"] < 0.05


def test_the_naive_warp_asks_the_truth_to_pay(make_batch):
    batch = make_batch(EVERYTHING)
    assert losses_of(batch, warp_mode="paper")["warp"] > 1.8 * losses_of(batch)["warp"]


def test_the_warp_is_corrected_by_the_change_that_is_chosen(make_batch):
    batch = make_batch(EVERYTHING)
    still = replace(truth(batch), depth_change=torch.zeros_like(batch["depth"]))
    predicted, true = (losses_of(batch, still, warp_change=whose)["warp"] for whose in ("predicted", "truth"))
    assert predicted > 1.8 * true


@pytest.mark.parametrize("name", NAMES)
def test_errors_cost_something_and_reach_the_heads(make_batch, name):
    batch = make_batch(EVERYTHING)
    exact = truth(batch)
    generator = torch.Generator().manual_seed(0)
    noisy = Geometry(
        **{
            field: (getattr(exact, field) + 0.5 * torch.rand(getattr(exact, field).shape, generator=generator))
            .detach()
            .requires_grad_()
            for field in ("depth", "flow", "depth_change")
        },
        visibility=(-exact.visibility).detach().requires_grad_(),
    )
    found = losses_of(batch, noisy)[name]
    assert found > losses_of(batch)[name] + 1e-3
    found.backward()
    reached = [value.grad for value in (noisy.depth, noisy.flow, noisy.depth_change, noisy.visibility)]
    assert any(gradient is not None and gradient.abs().sum() > 0 for gradient in reached)
    assert all(gradient is None or torch.isfinite(gradient).all() for gradient in reached)


@pytest.mark.parametrize("name", NAMES)
def test_what_is_off_is_not_computed(make_batch, name):
    off = {name: 0.0} | ({"warp": 0.0} if name in ("depth", "flow") else {})
    losses = replace(EVERYTHING, **off)
    found = geometry_losses(
        truth(make_batch(EVERYTHING)), targets_of(make_batch(EVERYTHING)), make_batch(EVERYTHING)["rgb"], losses
    )
    assert set(found) == set(NAMES) - off.keys()


def test_outputs_follow_from_losses():
    off = dict.fromkeys(("depth", "flow", "depth_change", "visibility", "warp", "rgb"), 0.0)
    assert needed_outputs(LossConfig(**off)) == ("rgb",)
    assert needed_outputs(LossConfig(**{**off, "depth": 1.0})) == ("rgb", "depth", "instance")
    assert "tracks" in needed_outputs(LossConfig(**off, pixel=1.0))
    assert {"contacts", "scene_flow"} <= set(needed_outputs(LossConfig(**off, semantic=1.0)))


def test_videos_take_part_in_depth_and_flow_alone(make_batch):
    video = make_batch(EVERYTHING, simulated=0, videos=1)
    wrong = replace(
        truth(video),
        depth=torch.full_like(video["depth"], 9.0, requires_grad=True),
        flow=torch.full_like(video["motion"][:, :, :2], 2.0, requires_grad=True),
        depth_change=torch.ones_like(video["depth"], requires_grad=True),
        visibility=torch.full_like(video["depth"], -9.0, requires_grad=True),
    )
    found = losses_of(video, wrong)
    assert min(found["depth"], found["flow"]) > 0.5
    assert [found[name].item() for name in ("depth_change", "visibility", "warp", "rgb")] == [0.0] * 4
    torch.stack(list(found.values())).sum().backward()
    assert wrong.depth_change.grad.abs().max() == 0
    assert wrong.visibility.grad.abs().max() == 0


def test_a_video_beside_simulation_changes_no_term_that_it_has_not(make_batch):
    alone, mixed = make_batch(EVERYTHING), make_batch(EVERYTHING, videos=1)
    geometry = {
        name: getattr(truth(mixed), name).detach() + 0.25 for name in ("depth", "flow", "depth_change", "visibility")
    }
    together = losses_of(mixed, Geometry(**geometry))
    apart = losses_of(alone, Geometry(**{name: value[:2] for name, value in geometry.items()}))
    for name in ("depth_change", "visibility", "warp", "rgb"):
        assert torch.allclose(together[name], apart[name], rtol=1e-5), name

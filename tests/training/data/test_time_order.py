"""Colours of windows backwards, or standing still."""

import pickle

import pytest
import torch

from simfactory.errors import SpecError
from training.data import TimeOrders, WindowDataset, WindowKey, Windows, open_source


def window(balls, order, outputs=("rgb",)):
    source = open_source(balls, name="balls")
    transform = None if order is None else pickle.loads(pickle.dumps(TimeOrders(by_source={"balls": order})))
    dataset = WindowDataset([source], windows=Windows(length=5), outputs=outputs, transform=transform)
    return dataset[WindowKey(source=0, clip_id=source.dataset.ids[0], start=2)]


def test_a_reversed_window_ends_where_it_began(balls):
    forward, backward = window(balls, None), window(balls, "reversed")
    assert not torch.equal(forward["rgb"][0], forward["rgb"][-1])
    assert torch.equal(backward["rgb"], forward["rgb"].flip(0))


def test_a_frozen_window_shows_its_first_frame(balls):
    forward, still = window(balls, None), window(balls, "frozen")
    assert torch.equal(still["rgb"], forward["rgb"][:1].repeat(5, 1, 1, 1))


def test_other_sources_stay_as_they_are(balls):
    sample = window(balls, None)
    assert TimeOrders(by_source={"another": "reversed"})(sample, torch.Generator()) is sample


def test_truth_of_motion_is_refused_in_another_order(balls):
    with pytest.raises(SpecError, match="order reversed with depth, depth_valid"):
        window(balls, "reversed", outputs=("rgb", "depth"))

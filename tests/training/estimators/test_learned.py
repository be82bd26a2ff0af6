"""Learned estimators say what they lack, and hand over pictures and flow in the right form (with stand-ins)."""

import sys
from types import ModuleType

import numpy as np
import pytest
import torch

from simfactory.errors import SpecError
from training.estimators import depth_estimator_names, flow_estimator_names, load_depth_estimator, load_flow_estimator


@pytest.fixture
def cache(monkeypatch, tmp_path):
    monkeypatch.setattr(torch.hub, "get_dir", lambda: str(tmp_path))
    (tmp_path / "checkpoints").mkdir()
    return tmp_path / "checkpoints"


def stand_in(monkeypatch, name, **members):
    parts = name.split(".")
    for depth in range(1, len(parts) + 1):
        monkeypatch.setitem(sys.modules, ".".join(parts[:depth]), ModuleType(".".join(parts[:depth])))
    for member, value in members.items():
        setattr(sys.modules[name], member, value)


def test_they_are_found_and_say_what_they_lack(cache):
    assert "raft" in flow_estimator_names()
    assert "video_depth_anything" in depth_estimator_names()
    with pytest.raises(SpecError, match="raft needs torchvision"):
        load_flow_estimator("raft")
    with pytest.raises(SpecError, match=r"video_depth_anything needs video_depth_anything .*checkout"):
        load_depth_estimator("video_depth_anything")


class Network(torch.nn.Module):
    """A network of one weight that sees (du, dv) = (weight, height of its input)."""

    def __init__(self):
        super().__init__()
        self.weight = torch.nn.Parameter(torch.zeros(()))

    def forward(self, one, two):
        assert one.shape == two.shape
        assert one.shape[2] % 8 == one.shape[3] % 8 == 0
        assert min(one.shape[2:]) >= 128
        assert one.min() >= -1.0
        assert one.max() <= 1.0
        flow = torch.ones(1, 2, *one.shape[2:])
        flow[:, 0] = self.weight
        flow[:, 1] = one.shape[2]
        return [torch.zeros_like(flow), flow]


def test_raft_gets_padded_pictures_and_its_last_answer_counts(monkeypatch, cache):
    stand_in(monkeypatch, "torchvision.models.optical_flow", raft_large=Network)
    with pytest.raises(SpecError, match="put raft_large_C_T_SKHT_V2"):
        load_flow_estimator("raft")
    torch.save({"weight": torch.tensor(1.25)}, cache / "raft_large_C_T_SKHT_V2-ff5fadd5.pth")
    frames = np.random.default_rng(0).integers(0, 255, (3, 130, 50, 3)).astype(np.uint8)
    flow = load_flow_estimator("raft").flow(frames)
    assert flow.shape == (3, 2, 130, 50)
    assert np.isnan(flow[-1]).all()
    assert (flow[:-1, 0] == 1.25).all()
    assert (flow[:-1, 1] == 136.0).all()


def test_video_depth_anything_is_asked_for_metres(monkeypatch, cache):
    class Model(torch.nn.Module):
        def __init__(self, *, encoder, features, out_channels, metric):
            super().__init__()
            assert metric
            self.weight = torch.nn.Parameter(torch.zeros(()))

        def infer_video_depth(self, frames, fps, *, device, fp32):
            assert (device, fp32) == ("cpu", True)
            return np.full(frames.shape[:3], self.weight.item(), np.float64), fps

    stand_in(monkeypatch, "video_depth_anything.video_depth", VideoDepthAnything=Model)
    torch.save({"weight": torch.tensor(3.0)}, cache / "metric_video_depth_anything_vits.pth")
    estimator = load_depth_estimator("video_depth_anything")
    depth = estimator.depth(np.zeros((2, 8, 10, 3), np.uint8))
    assert (depth.dtype, depth.shape, depth[0, 0, 0]) == (np.float32, (2, 8, 10), 3.0)
    assert estimator.metric

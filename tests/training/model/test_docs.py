"""The backbone that the documentation adds keeps the contract, on a network with the interface of Open-Sora's."""

import re
import sys
from types import ModuleType, SimpleNamespace

import pytest
import torch
from torch import nn
from torch.utils.checkpoint import checkpoint

from training.model import registry
from training.testing.backbone import BackboneContract

FILE_BLOCK = re.compile(r"^<!-- file: (\S+) -->\n```python\n(.*?)^```$", re.MULTILINE | re.DOTALL)
SIZES = SimpleNamespace(
    patch_size=2, in_channels=16, hidden_size=32, depth=3, context_in_dim=12, vec_in_dim=6, mlp_ratio=4.0
)


class Block(nn.Module):
    def __init__(self):
        super().__init__()
        self.to_q = nn.Linear(32, 32)
        self.img_attn = nn.ModuleDict({"qkv": nn.Linear(32, 32), "proj": nn.Linear(32, 32)})
        self.img_mlp = nn.Sequential(nn.Linear(32, 64), nn.GELU(), nn.Linear(64, 32))

    def forward(self, img, txt, vec):
        mixed = self.img_attn["qkv"](img + vec.unsqueeze(1)) * txt.mean(dim=(1, 2), keepdim=True)
        return img + self.img_mlp(self.img_attn["proj"](mixed + mixed.mean(dim=1, keepdim=True))), txt


class Network(nn.Module):
    def __init__(self):
        super().__init__()
        self.config = SIZES
        self.img_in, self.cond_in = nn.Linear(16, 32), nn.Linear(20, 32)
        self.vector_in, self.time_in, self.place_in = nn.Linear(6, 32), nn.Linear(1, 32), nn.Linear(3, 32)
        self.double_blocks = nn.ModuleList(Block() for _ in range(3))
        self.single_blocks = nn.ModuleList()
        self.final_layer = nn.Linear(32, 16)

    def forward(self, img, img_ids, txt, txt_ids, timesteps, y_vec, cond, guidance, *, recomputes=False):
        assert txt_ids.shape == (*txt.shape[:2], 3)
        img = self.img_in(img) + self.cond_in(cond) + self.place_in(img_ids)
        vec = self.time_in(timesteps.unsqueeze(1)) + self.vector_in(y_vec)
        for block in self.double_blocks:
            img, txt = checkpoint(block, img, txt, vec, use_reentrant=False) if recomputes else block(img, txt, vec)
        return self.final_layer(img)

    def forward_selective_ckpt(self, **inputs):
        return Network.forward(self, **inputs, recomputes=True)


class Codec:
    """Averages over 8×8 pixels of every fourth frame, in four channels."""

    def encode(self, video):
        small = nn.functional.avg_pool3d(video[:, :, ::4], (1, 8, 8))
        return torch.cat([small, small[:, :1]], dim=1)

    def decode(self, latents):
        frames = latents.repeat_interleave(4, dim=2)[:, :3, 3:]
        return frames.repeat_interleave(8, dim=3).repeat_interleave(8, dim=4)


def text_encoder(width, *, pooled):
    def encode(prompts):
        values = torch.tensor([float(len(prompt) + 1) for prompt in prompts])
        return values.reshape(-1, *([1] if pooled else [1, 1])).expand(-1, *([width] if pooled else [5, width])) / 10

    return encode


def build_module(config, registered, *, device_map, torch_dtype):
    assert (registered, device_map) == ("models", "cpu")
    with torch.random.fork_rng():
        torch.manual_seed(0)
        return {
            "flux": Network,
            "codec": Codec,
            "t5": lambda: text_encoder(12, pooled=False),
            "clip": lambda: text_encoder(6, pooled=True),
        }[config["type"]]()


@pytest.fixture(scope="module")
def backbone_class(repository_root, tmp_path_factory):
    """The documentation's file, found among the others."""
    ((path, code),) = FILE_BLOCK.findall((repository_root / "docs" / "backbones.md").read_text(encoding="utf-8"))
    folder = tmp_path_factory.mktemp("backbones")
    (folder / path.rsplit("/", 1)[-1]).write_text(code, encoding="utf-8")
    package = ModuleType("opensora.registry")
    package.MODELS, package.build_module = "models", build_module
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(sys.modules, "opensora", ModuleType("opensora"))
        patch.setitem(sys.modules, "opensora.registry", package)
        patch.setattr(registry.backbones, "__path__", [*registry.backbones.__path__, str(folder)])
        assert "open_sora" in registry.backbone_kinds()
        yield registry.backbone_class("open_sora")
        sys.modules.pop("training.model.backbones.open_sora")


class TestOpenSora(BackboneContract):
    frame_count, size = 5, (32, 16)

    @pytest.fixture(autouse=True)
    def _class(self, backbone_class):
        self.backbone_class = backbone_class

    def make(self):
        parts = {"model": "flux", "ae": "codec", "t5": "t5", "clip": "clip"}
        return self.backbone_class({part: {"type": name} for part, name in parts.items()}, dtype=torch.float32)

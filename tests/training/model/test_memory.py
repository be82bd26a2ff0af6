"""The estimate of memory, by hand and as measured."""

import json
import subprocess
import sys
from dataclasses import replace

from training.model import AdapterConfig, TinyBackbone, TinyConfig, TrainingLoad, estimate_memory, training_load

# What a step of training adds to the process at its peak: the kernel's own figure, set back before the step.
MEASURED_STEP = """
import json, pathlib, torch
from training.model import TinyBackbone, TinyConfig, estimate_memory, training_load

def peak():
    lines = pathlib.Path("/proc/self/status").read_text().splitlines()
    return 1024 * int(next(line for line in lines if line.startswith("VmHWM")).split()[1])

def train(batch):
    backbone = TinyBackbone(TinyConfig(width=96, block_count=3, head_count=4, patch=(1, 4, 4)))
    optimiser = torch.optim.Adam(backbone.parameters())
    text = backbone.encode_text([""] * batch)
    x = torch.randn(batch, 3, 8, 64, 64)
    backbone(x, torch.ones(batch), first_frame=None, text=text).square().mean().backward()
    optimiser.step()
    return backbone

torch.set_num_threads(1)
train(1)
pathlib.Path("/proc/self/clear_refs").write_text("5")
before = peak()
backbone = train(4)
load = training_load(backbone, batch_size=4, frame_count=8, size=(64, 64))
print(json.dumps({"measured": peak() - before, "estimated": estimate_memory(load).total}))
"""


def test_the_estimate_is_near_what_a_step_takes():
    process = subprocess.run([sys.executable, "-c", MEASURED_STEP], capture_output=True, text=True, check=False)
    assert process.returncode == 0, process.stderr
    figures = json.loads(process.stdout)
    ratio = figures["estimated"] / figures["measured"]
    # The factor that estimate_memory promises.
    assert 1 / 1.5 < ratio < 1.5, figures


LOAD = TrainingLoad(
    parameter_count=1000, trainable_count=100, token_count=10, inner_width=8, block_count=3, attention_count=2,
    expansion=4.0,
)  # fmt: skip


def test_the_sums_are_as_by_hand():
    estimate = estimate_memory(LOAD)
    assert estimate.weights == 4000
    assert estimate.gradients == 400
    assert estimate.optimiser == 800
    # 3 blocks of 2·8 + 4 + 2·4 = 28 values, and 12 around them, for 80 values of tokens, 4 B each.
    assert estimate.activations == (3 * 28 + 12) * 80 * 4
    assert estimate.total == 4000 + 400 + 800 + estimate.activations


def test_half_precision_keeps_a_full_copy_of_what_is_trained():
    estimate = estimate_memory(replace(LOAD, value_bytes=2))
    assert (estimate.weights, estimate.gradients, estimate.optimiser) == (2000, 200, 1200)


def test_recomputing_keeps_one_block_and_what_enters_the_others():
    estimate = estimate_memory(replace(LOAD, recomputes=True))
    assert estimate.activations == (3 + 28 + 12) * 80 * 4


def test_devices_share_weights_and_not_activations():
    alone, shared = estimate_memory(LOAD), estimate_memory(replace(LOAD, shard_count=8))
    assert shared.weights == alone.weights / 8
    assert shared.optimiser == alone.optimiser / 8
    assert shared.activations == alone.activations


def test_an_adapter_leaves_little_to_the_optimiser():
    backbone = TinyBackbone(TinyConfig(width=96, block_count=2, head_count=4, patch=(1, 4, 4)))
    full = training_load(backbone, batch_size=2, frame_count=3, size=(16, 10))
    assert full.trainable_count == full.parameter_count
    assert full.token_count == 2 * 3 * 4 * 3
    backbone.add_adapter(AdapterConfig(rank=2))
    adapted = training_load(backbone, batch_size=2, frame_count=3, size=(16, 10))
    # Two blocks of 8 attention layers with 2·(96 + 96) values, and two feed-forward layers with 2·(96 + 384).
    assert adapted.trainable_count == 2 * (8 * 2 * 192 + 2 * 2 * 480)
    assert "MB a device" in str(estimate_memory(adapted))
    assert "GB a device" in str(estimate_memory(replace(adapted, parameter_count=10**9)))

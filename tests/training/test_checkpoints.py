"""Checkpoints are whole or not there, few, and hold all that the next step depends on."""

import random

import pytest
import torch

from simfactory.errors import RunError
from training.checkpoints import (
    latest_checkpoint,
    random_state,
    read_checkpoint,
    restore,
    set_random_state,
    snapshot,
    write_checkpoint,
)


@pytest.fixture
def trained():
    """A module of which a part is frozen, and a part gets no gradient; and its optimiser after two steps."""
    return make_trained()


def make_trained(steps=2):
    torch.manual_seed(0)
    module = torch.nn.ModuleDict({name: torch.nn.Linear(3, 3) for name in ("used", "idle", "frozen")})
    module["frozen"].requires_grad_(False)
    optimizer = torch.optim.AdamW([p for p in module.parameters() if p.requires_grad], lr=0.1)
    for _ in range(steps):
        step(module, optimizer)
    return module, optimizer


def step(module, optimizer):
    optimizer.zero_grad(set_to_none=True)
    module["used"](torch.ones(2, 3)).square().sum().backward()
    optimizer.step()


def test_the_next_step_is_the_same_bit_for_bit(trained, tmp_path):
    write_checkpoint(tmp_path, 2, snapshot(*trained), kept=1)
    step(*trained)
    other = make_trained(steps=0)
    restore(*other, read_checkpoint(latest_checkpoint(tmp_path)))
    step(*other)
    for name, value in trained[0].state_dict().items():
        assert torch.equal(value, other[0].state_dict()[name]), name


def test_frozen_weights_are_left_out(trained):
    assert set(snapshot(*trained)["weights"]) == {
        f"{part}.{leaf}" for part in ("used", "idle") for leaf in ("weight", "bias")
    }


def test_the_last_ones_are_kept(tmp_path):
    for number in (1, 2, 10, 3):
        write_checkpoint(tmp_path, number, {}, kept=2)
    assert sorted(path.name for path in (tmp_path / "checkpoints").iterdir()) == ["step-00000003", "step-00000010"]
    assert read_checkpoint(latest_checkpoint(tmp_path))["step"] == 10


def test_unfinished_ones_do_not_count(tmp_path):
    write_checkpoint(tmp_path, 1, {}, kept=2)
    (tmp_path / "checkpoints" / ".step-00000002.part").mkdir()
    assert latest_checkpoint(tmp_path).name == "step-00000001"
    write_checkpoint(tmp_path, 2, {}, kept=2)  # over what was left behind
    assert latest_checkpoint(tmp_path).name == "step-00000002"


def test_there_may_be_none(tmp_path):
    assert latest_checkpoint(tmp_path) is None


def test_damaged_ones_are_named(tmp_path):
    folder = write_checkpoint(tmp_path, 1, {"weights": torch.zeros(100)}, kept=1)
    file = folder / "state.pt"
    file.write_bytes(file.read_bytes()[:200])
    with pytest.raises(RunError, match=r"step-00000001 cannot be read.*remove it"):
        read_checkpoint(folder)


def test_those_of_another_model_are_refused(trained):
    with pytest.raises(RunError, match="of another model"):
        restore(*trained, {"weights": {}, "optimizer": {}})


def test_random_numbers_go_on(tmp_path):
    write_checkpoint(tmp_path, 1, {"random": random_state()}, kept=1)
    drawn = random.random(), torch.rand(3)
    set_random_state(read_checkpoint(latest_checkpoint(tmp_path))["random"])
    assert random.random() == drawn[0]
    assert torch.equal(torch.rand(3), drawn[1])

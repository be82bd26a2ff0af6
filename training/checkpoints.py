"""Checkpoints of a run: whole or not at all, the last few, and all that the next step depends on."""

import os
import random
import shutil
from pathlib import Path
from typing import Any, TypeAlias

import torch
from torch import nn

from simfactory.errors import RunError

__all__ = [
    "State",
    "latest_checkpoint",
    "random_state",
    "read_checkpoint",
    "restore",
    "set_random_state",
    "snapshot",
    "write_checkpoint",
]

FOLDER = "checkpoints"
STATE_FILE = "state.pt"

State: TypeAlias = dict[str, Any]  # Any: what torch.save takes


def snapshot(module: nn.Module, optimizer: torch.optim.Optimizer) -> State:
    """Return the trained weights and the optimiser's state, on the CPU; whole in the main process.

    All processes take part, for weights may be spread over them (FSDP).
    """
    from torch.distributed.checkpoint.state_dict import StateDictOptions, get_state_dict

    options = StateDictOptions(full_state_dict=True, cpu_offload=True, ignore_frozen_params=True)
    weights, state = get_state_dict(module, optimizer, options=options)
    return {"weights": weights, "optimizer": state}


def restore(module: nn.Module, optimizer: torch.optim.Optimizer, state: State) -> None:
    """Put back what `snapshot` returned.

    Raises:
        RunError: It belongs to another model.
    """
    from torch.distributed.checkpoint.state_dict import StateDictOptions, set_state_dict

    options = StateDictOptions(full_state_dict=True, cpu_offload=True, strict=False)
    wanted = {name for name, parameter in module.named_parameters() if parameter.requires_grad}
    missing = {name.removeprefix("module.") for name in wanted} - state["weights"].keys()
    if missing:
        raise RunError(f"the checkpoint lacks {len(missing)} weights, first {min(missing)}: it is of another model")
    set_state_dict(
        module,
        optimizer,
        model_state_dict=state["weights"],
        optim_state_dict=state["optimizer"],
        options=options,
    )


def random_state() -> State:
    """Return the states of the global generators that a step may draw from."""
    return {
        "python": random.getstate(),
        "torch": torch.get_rng_state(),
        "cuda": torch.cuda.get_rng_state_all() if torch.cuda.is_available() else [],
    }


def set_random_state(state: State) -> None:
    """Set the global generators to what `random_state` returned."""
    version, words, gauss = state["python"]
    random.setstate((version, tuple(words), gauss))
    torch.set_rng_state(state["torch"])
    if state["cuda"] and len(state["cuda"]) == torch.cuda.device_count():
        torch.cuda.set_rng_state_all(state["cuda"])


def write_checkpoint(run: str | os.PathLike[str], step: int, state: State, *, kept: int) -> Path:
    """Write the checkpoint of a step and remove all but the last ones.

    Args:
        run: Folder of the run.
        step: Steps that are done.
        state: What is kept.
        kept: How many checkpoints stay.
    """
    folder = Path(run) / FOLDER
    final, part = folder / _name(step), folder / f".{_name(step)}.part"
    shutil.rmtree(part, ignore_errors=True)
    part.mkdir(parents=True)
    with (part / STATE_FILE).open("wb") as file:
        torch.save({**state, "step": step}, file)
        file.flush()
        os.fsync(file.fileno())
    shutil.rmtree(final, ignore_errors=True)
    part.replace(final)
    for old in _checkpoints(folder)[:-kept]:
        shutil.rmtree(old)
    return final


def latest_checkpoint(run: str | os.PathLike[str]) -> Path | None:
    """Return the folder of the last whole checkpoint of a run; None if there is none."""
    found = _checkpoints(Path(run) / FOLDER)
    return found[-1] if found else None


def read_checkpoint(checkpoint: Path) -> State:
    """Return what `write_checkpoint` wrote, on the CPU.

    Raises:
        RunError: It cannot be read.
    """
    try:
        state: State = torch.load(checkpoint / STATE_FILE, map_location="cpu", weights_only=True)
    except (OSError, RuntimeError, EOFError) as error:
        raise RunError(f"{checkpoint} cannot be read ({error}): remove it to go on from the one before") from error
    return state


def _name(step: int) -> str:
    return f"step-{step:08d}"


def _checkpoints(folder: Path) -> list[Path]:
    return sorted(folder.glob("step-" + "[0-9]" * 8))

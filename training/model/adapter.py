"""Low-rank adapters (LoRA) in any network, by peft: added, switched off, saved, merged."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from simfactory.errors import SpecError

__all__ = [
    "AdapterConfig",
    "adapter_state",
    "add_adapter",
    "disabled_adapter",
    "has_adapter",
    "load_adapter_state",
    "plain_state",
]


@dataclass(frozen=True, kw_only=True, slots=True)
class AdapterConfig:
    """What an adapter looks like.

    Attributes:
        rank: r: each adapted weight W becomes W + (α/r) B A, with B `(out, r)` zero at first.
        alpha: α; None = r.
        targets: Ends of the names of the linear layers that get one; empty = the backbone's own list (attention and
            feed-forward layers).
        seed: Of A's first values.

    **Source**: E. Hu et al., "LoRA: Low-Rank Adaptation of Large Language Models" (2021), §4.1.
    """

    rank: int = 32
    alpha: float | None = None
    targets: tuple[str, ...] = ()
    seed: int = 0


def add_adapter(network: nn.Module, config: AdapterConfig) -> None:
    """Give a network an adapter, freeze everything else.

    Args:
        network: Changed in place.
        config: With targets.

    Raises:
        SpecError: It has one already, the rank is not positive, or a target matches no linear layer.
    """
    from peft import LoraConfig, inject_adapter_in_model

    if has_adapter(network):
        raise SpecError("the model has an adapter already: load the model anew for another one")
    if config.rank < 1:
        raise SpecError(f"an adapter of rank {config.rank}; allowed is 1 or more")
    check_targets(network, config.targets)
    alpha = config.rank if config.alpha is None else config.alpha
    lora = LoraConfig(
        r=config.rank,
        # peft divides by the rank; its type says int, its arithmetic takes any number.
        lora_alpha=alpha,  # type: ignore[arg-type]  # see above
        target_modules=list(config.targets),
    )
    with torch.random.fork_rng():
        torch.manual_seed(config.seed)
        inject_adapter_in_model(lora, network)
    # In half precision the small steps of training would be rounded away; peft computes in the adapter's precision.
    for parameter in network.parameters():
        if parameter.requires_grad:
            parameter.data = parameter.data.float()


def check_targets(network: nn.Module, targets: Sequence[str]) -> None:
    """Refuse targets that match no linear layer.

    Raises:
        SpecError: One matches none, or there is none; the message names what there is.
    """
    names = [name for name, module in network.named_modules() if isinstance(module, nn.Linear)]
    unmatched = [
        target for target in targets if not any(name == target or name.endswith(f".{target}") for name in names)
    ]
    if unmatched or not targets:
        raise SpecError(
            f"adapter targets {unmatched or 'none'} match no linear layer; the model has "
            f"{', '.join(sorted({_ending(name) for name in names}))}"
        )


def _ending(name: str) -> str:
    """Return what follows the last number that counts a block: `blocks.3.attn1.to_out.0` → `attn1.to_out.0`."""
    parts = name.split(".")
    return ".".join(parts[2:]) if len(parts) > 2 and parts[1].isdigit() else name


def _layers(network: nn.Module) -> list[tuple[str, nn.Module]]:
    # What has an adapter is told by its parts, so that a network without one needs no import of peft.
    return [(name, module) for name, module in network.named_modules() if hasattr(module, "lora_A")]


def has_adapter(network: nn.Module) -> bool:
    """Say whether a network has an adapter."""
    return bool(_layers(network))


@contextmanager
def disabled_adapter(network: nn.Module) -> Iterator[None]:
    """Make a network compute what it did before it got its adapter, bit for bit, while the context lasts."""
    from peft.tuners.tuners_utils import BaseTunerLayer

    # peft stops gradients to an adapter that it switches off; those that were frozen before stay frozen after.
    trained = [parameter for parameter in network.parameters() if parameter.requires_grad]
    layers = [layer for _, layer in _layers(network) if isinstance(layer, BaseTunerLayer)]
    for layer in layers:
        layer.enable_adapters(enabled=False)
    try:
        yield
    finally:
        for layer in layers:
            layer.enable_adapters(enabled=True)
        for parameter in network.parameters():
            parameter.requires_grad_(False)
        for parameter in trained:
            parameter.requires_grad_(True)


def adapter_state(network: nn.Module) -> dict[str, Tensor]:
    """Return an adapter's weights, named as diffusers names those of a model (without the model's own name)."""
    from peft import get_peft_model_state_dict

    state: dict[str, Tensor] = get_peft_model_state_dict(network)
    return state


def load_adapter_state(network: nn.Module, state: dict[str, Tensor]) -> None:
    """Set an adapter's weights.

    Args:
        network: With an adapter.
        state: What `adapter_state` returned.

    Raises:
        SpecError: They belong to an adapter of other layers or sizes.
    """
    from peft import set_peft_model_state_dict

    own = adapter_state(network)
    wrong = sorted(
        name
        for name in own.keys() | state.keys()
        if name not in own or name not in state or own[name].shape != state[name].shape
    )
    if wrong:
        raise SpecError(
            f"{len(wrong)} weights of the adapter do not fit the model, first {wrong[0]}: it was made for another "
            "model, rank or targets"
        )
    set_peft_model_state_dict(network, state)


def plain_state(network: nn.Module, *, merges: bool) -> dict[str, Tensor]:
    """Return the weights of a network, named as if it had no adapter.

    Args:
        network: With or without an adapter.
        merges: W + (α/r) B A, so that a plain network computes what the adapted one does; else W, the base.
    """
    layers = dict(_layers(network))
    plain = {}
    for name, value in network.state_dict().items():
        owner, _, leaf = name.rpartition(".")
        if ".lora_" in name:
            continue
        layer, _, base = owner.rpartition(".")
        if base == "base_layer" and layer in layers:
            if leaf == "weight" and merges:
                # peft's layers are not typed.
                delta: Tensor = layers[layer].get_delta_weight("default")  # type: ignore[operator]  # see above
                value = (value + delta).to(value.dtype)
            plain[f"{layer}.{leaf}"] = value
        else:
            plain[name] = value
    return plain

"""The objective of preferences: less error on the intact clip than on the broken one, each against a reference."""

import copy
from typing import final

import torch
from torch import Tensor, nn

from training.config import Config
from training.data import Batch
from training.dpo.pairs import LOSER
from training.losses import dpo_loss, flow_matching_errors
from training.model import Backbone, TrainedModel
from training.noising import clean_from_velocity, noised
from training.objectives import Draws, Encoded, StepResult

__all__ = ["PreferenceObjective", "pair_errors"]


@final
class PreferenceObjective(nn.Module):
    """L_DPO of a backbone on pairs of clips, and L_FM of the winners if it has a weight.

    The reference is the model that training began with: the backbone with its adapter switched off if the adapter is
    new, else a frozen copy, which takes as much memory as the network.

    Args:
        model: The model; the backbone's parameters that ask for gradients are trained.
        config: Stage dpo.
    """

    def __init__(self, model: TrainedModel, config: Config) -> None:
        super().__init__()
        self.config = config
        self.backbone: Backbone = model.backbone
        self._no_split_modules = [type(model.backbone.blocks[0]).__name__]
        # In a tuple, so that it is no part of the module: nobody trains it, shards it or puts it into a checkpoint.
        self._reference: tuple[Backbone, ...] = ()
        if not model.backbone.has_new_adapter:
            frozen = copy.deepcopy(model.backbone)
            frozen.freeze()
            self._reference = (frozen.eval(),)

    @property
    def network_parameters(self) -> list[nn.Parameter]:
        """The backbone's parameters that are trained."""
        return list(self.backbone.trainable.values())

    @property
    def other_parameters(self) -> list[nn.Parameter]:
        """None: there are no heads."""
        return []

    def forward(self, batch: Batch, given: Encoded, draws: Draws) -> StepResult:
        """Return the losses of a batch of pairs.

        Args:
            batch: Of a `PairDataset`.
            given: Its winners, encoded.
            draws: Noise and times; winner and loser of a pair have the same.
        """
        with torch.no_grad():
            video = batch[LOSER].transpose(1, 2).to(given.latents)
            losing = self.backbone.encode(video)
            if self._reference:
                reference, _ = pair_errors(self._reference[0], given, losing, draws)
            else:
                with self.backbone.without_adapter():
                    reference, _ = pair_errors(self.backbone, given, losing, draws)
        errors, clean = pair_errors(self.backbone, given, losing, draws)
        (winner, loser), (reference_winner, reference_loser) = errors, reference
        loss = dpo_loss(
            winner,
            loser,
            reference_winner=reference_winner,
            reference_loser=reference_loser,
            beta=self.config.dpo.beta,
        )
        weight, total = self.config.losses.flow_matching, loss
        found = {"dpo": loss.detach()}
        if weight:
            found["flow_matching"] = winner.detach().mean()
            total = loss + weight * winner.mean()
        gained = (loser - reference_loser - winner + reference_winner).detach()
        figures = {
            "dpo/accuracy": _preferred(gained),
            "dpo/margin": gained.mean(),
            "dpo/prefers_intact": _preferred((loser - winner).detach()),
            "dpo/winner_error": winner.detach().mean(),
            "dpo/loser_error": loser.detach().mean(),
            "dpo/reference_winner_error": reference_winner.mean(),
            "dpo/reference_loser_error": reference_loser.mean(),
        }
        return StepResult(total=total, losses=found, geometry=None, clean=clean, figures=figures)


def pair_errors(
    backbone: Backbone, given: Encoded, losing: Tensor, draws: Draws
) -> tuple[tuple[Tensor, Tensor], Tensor]:
    """Return e(w) and e(l), each `(pair,)`, and x̂₀ of the winners without a graph.

    Both clips of a pair get the same noise, time, caption and, if it is given, first frame: the winner's. A given first
    frame is held exactly, so it is left out of the errors.

    Args:
        backbone: Whose errors.
        given: The winners.
        losing: x₀ of the losers, of the same shape.
        draws: Noise and times.
    """
    count = len(losing)
    noise = draws.noise.to(losing).repeat(2, 1, 1, 1, 1)
    times = draws.times.to(device=losing.device, dtype=torch.float32).repeat(2)
    both = torch.cat([given.latents, losing])
    x_t = noised(both, noise, times)
    weight, first_frame = torch.ones_like(both[:1, :1, :, :1, :1]), None
    if draws.gives_first_frame:
        weight[:, :, 0] = 0.0
        first_frame = torch.cat([given.first_frame, given.first_frame])
    velocity: Tensor = backbone(x_t, times, first_frame=first_frame, text=torch.cat([given.text, given.text]))
    errors = flow_matching_errors(velocity, both, noise, weight=weight)
    clean = clean_from_velocity(x_t, velocity.detach().to(x_t.dtype), times)
    return (errors[:count], errors[count:]), clean[:count]


def _preferred(difference: Tensor) -> Tensor:
    """Return the share of positive differences; one of exactly 0 counts half."""
    return ((difference > 0).float() + 0.5 * (difference == 0).float()).mean()

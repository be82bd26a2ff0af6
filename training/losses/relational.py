"""The relational alignment loss: whether tokens resemble each other as a teacher's do."""

import torch
from torch import Tensor

from simfactory.errors import SpecError
from training.precision import at_least_single

__all__ = ["cosine_gram", "relational_alignment_loss"]


def relational_alignment_loss(features: Tensor, relations: Tensor, *, selected: Tensor | None = None) -> Tensor:
    """Return L_sem = mean_ij |R̂(i, j) − R(i, j)| over pairs of selected tokens, R̂ = `cosine_gram(features)`.

    With several clips it is the mean over those with a selected token. The teacher gets no gradient.

    **Source**: PhysisForcing, semantic-level physics alignment.

    Args:
        features: `(…, token, channel)` of the model, projected by a small network.
        relations: R `(…, token, token)` of the teacher: `cosine_gram` of an encoder's features, or
            `training.teachers.sim_state_relations`.
        selected: `(…, token)` bool, e.g. `training.regions.token_mask`; None = all tokens.

    Returns:
        A scalar in [0, 2] in at least float32; 0 if no token is selected.

    Raises:
        SpecError: The shapes do not fit.
    """
    tokens = features.shape[:-1]
    if relations.shape != (*tokens, tokens[-1]) or (selected is not None and selected.shape != tokens):
        raise SpecError(
            f"features of shape {tuple(features.shape)} came with relations {tuple(relations.shape)} and a selection "
            f"{None if selected is None else tuple(selected.shape)}; allowed are (…, token, channel), "
            "(…, token, token) and (…, token)"
        )
    error = (cosine_gram(features) - at_least_single(relations).detach()).abs()
    chosen = torch.ones(tokens, dtype=torch.bool, device=error.device) if selected is None else selected
    pairs = chosen.unsqueeze(-1) & chosen.unsqueeze(-2)
    counts = pairs.sum(dim=(-2, -1))
    means = torch.where(pairs, error, 0.0).sum(dim=(-2, -1)) / counts.clamp(min=1)
    return means.sum() / (counts > 0).sum().clamp(min=1)


def cosine_gram(features: Tensor) -> Tensor:
    """Return R(i, j) = f_i · f_j / (‖f_i‖ ‖f_j‖), which no rotation or scale of the features changes.

    **Source**: PhysisForcing, semantic-level physics alignment.

    Args:
        features: `(…, token, channel)`; a token of length 0 resembles none, itself included.

    Returns:
        `(…, token, token)` in [−1, 1], in at least float32.
    """
    with torch.autocast(features.device.type, enabled=False):  # it would halve the precision of the product
        unit = torch.nn.functional.normalize(at_least_single(features), dim=-1)
        return unit @ unit.transpose(-2, -1)

"""Teachers of the relational alignment loss: the simulator's own state, and the shape of encoders that replace it."""

from typing import Protocol

import torch
from torch import Tensor

from simfactory.episode import GROUND, ROOM, SKY
from simfactory.errors import SpecError
from training.precision import at_least_single

__all__ = ["Encoder", "contact_graph", "contact_kernel", "sim_state_relations"]


class Encoder(Protocol):
    """A frozen video encoder; `cosine_gram` of its tokens is a teacher's relations.

    Attributes:
        name: What reports call it, e.g. `vjepa2` or `dinov2`.
    """

    name: str

    def encode(self, video: Tensor) -> Tensor:
        """Return features of a video's tokens, without gradients.

        Args:
            video: `(batch, time, 3, height, width)`, sRGB in [0, 1].

        Returns:
            `(batch, time', height', width', channel)` on the encoder's own grid; the caller resizes the grid.
        """
        ...


def sim_state_relations(
    instance: Tensor,
    velocity: Tensor,
    contacts: Tensor,
    *,
    velocity_scale: float = 0.5,
    weights: tuple[float, float, float] = (1.0, 1.0, 1.0),
) -> Tensor:
    """Return R = Σ w_k S_k / Σ w_k: how alike tokens are to one who knows the simulator's state.

    S_instance(i, j) = [same object]; S_velocity(i, j) = exp(−‖v_i − v_j‖² / (2 s²)), with the velocity of the surface
    point, which on a rigid body is v + ω × r; S_contact(i, j) = `contact_kernel` of the tokens' objects. Each is
    positive semidefinite with a diagonal of 1, so R is, too: there are features whose cosine Gram matrix it is, and a
    relational loss of 0 can be reached. It stands where the paper has a frozen encoder's Gram matrix, and needs no
    weights.

    **Source**: PhysisForcing, semantic-level physics alignment, for the role; the three kernels are ours.

    Args:
        instance: `(…, token)` ids at the tokens' centres; less than `contacts` has rows.
        velocity: `(…, token, 3)` [m/s], world frame: scene flow × fps; what is not finite (sky) stands still.
        contacts: `(…, id, id)` bool or weights, symmetric: who touches whom, e.g. of `contact_graph`. Tokens of several
            frames share it; or the frames are a leading axis, and each has its own.
        velocity_scale: s [m/s].
        weights: w of instance, velocity and contact.

    Returns:
        R `(…, token, token)` in [0, 1], symmetric, with a diagonal of 1, in at least float32.

    Raises:
        SpecError: The shapes do not fit, the scale is not positive, or no weight is.
    """
    if velocity.shape != (*instance.shape, 3) or contacts.shape[:-2] != instance.shape[:-1]:
        raise SpecError(
            f"instances {tuple(instance.shape)} came with velocities {tuple(velocity.shape)} and contacts "
            f"{tuple(contacts.shape)}; allowed are (…, token), (…, token, 3) and (…, id, id)"
        )
    if velocity_scale <= 0.0 or min(weights) < 0.0 or sum(weights) <= 0.0:
        raise SpecError(
            f"velocity_scale is {velocity_scale} and weights are {weights}; allowed are a positive scale, and weights "
            "of 0 or more that are not all 0"
        )
    wide = at_least_single(velocity)
    wide = torch.where(torch.isfinite(wide).all(dim=-1, keepdim=True), wide, 0.0)
    apart = (wide.unsqueeze(-2) - wide.unsqueeze(-3)).square().sum(dim=-1)
    ids = instance.long()
    kernels = (
        (ids.unsqueeze(-1) == ids.unsqueeze(-2)).to(wide.dtype),
        torch.exp(-0.5 * apart / velocity_scale**2),
        _between_tokens(contact_kernel(contacts).to(wide.dtype), ids),
    )
    total = torch.stack([weight * kernel for weight, kernel in zip(weights, kernels, strict=True)]).sum(dim=0)
    return total / sum(weights)


def contact_graph(a: Tensor, b: Tensor, *, count: int, ignored: tuple[int, ...] = (SKY, GROUND, ROOM)) -> Tensor:
    """Return who touches whom from a list of contacts, such as the store's over one frame or a window.

    Args:
        a: `(contact,)` ids of the first sides.
        b: `(contact,)` ids of the second sides.
        count: Number of ids: one more than the largest.
        ignored: Ids whose contacts are left out. Ground and room are by default: everything stands on them, and would
            be related through them.

    Returns:
        `(id, id)` bool, symmetric, False on the diagonal.

    Raises:
        SpecError: The shapes differ, or an id is not below the count.
    """
    pairs = torch.stack([a.long(), b.long()]) if a.shape == b.shape else None
    if pairs is None or pairs.ndim != 2 or (pairs.numel() and not 0 <= int(pairs.min()) <= int(pairs.max()) < count):
        raise SpecError(
            f"contacts between {tuple(a.shape)} and {tuple(b.shape)} sides; allowed are two rows of ids of one length, "
            f"from 0 to below count, which is {count}"
        )
    kept = pairs[:, ~torch.isin(pairs, pairs.new_tensor(ignored)).any(dim=0)]
    graph = torch.zeros(count, count, dtype=torch.bool, device=pairs.device)
    graph[kept[0], kept[1]] = True
    return (graph | graph.T).fill_diagonal_(False)


def contact_kernel(contacts: Tensor, *, reach: float = 0.5) -> Tensor:
    """Return K(i, j) = H(i, j) / √(H(i, i) H(j, j)), H = exp(−β L), L = the graph's Laplacian.

    H says how much heat flows from i to j along contacts: over several bodies too, less the farther. Two that touch
    each other alone get tanh β; bodies that no chain of contacts joins get 0.

    **Source**: R. Kondor, J. Lafferty, "Diffusion kernels on graphs and other discrete structures" (2002).

    Args:
        contacts: `(…, id, id)` bool or weights ≥ 0, symmetric; its diagonal does not matter.
        reach: β.

    Returns:
        `(…, id, id)` in [0, 1], positive semidefinite, with a diagonal of 1, in at least float32.
    """
    weights = at_least_single(contacts)
    degrees = weights.sum(dim=-1)
    heat: Tensor = torch.linalg.matrix_exp(reach * (weights - torch.diag_embed(degrees)))
    own = torch.diagonal(heat, dim1=-2, dim2=-1).sqrt()
    return heat / (own.unsqueeze(-1) * own.unsqueeze(-2))


def _between_tokens(kernel: Tensor, ids: Tensor) -> Tensor:
    """Return a kernel between ids `(…, id, id)` as one between tokens `(…, token, token)`."""
    token_count, id_count = ids.shape[-1], kernel.shape[-1]
    rows = kernel.gather(-2, ids.unsqueeze(-1).expand(*ids.shape, id_count))
    return rows.gather(-1, ids.unsqueeze(-2).expand(*ids.shape[:-1], token_count, token_count))

"""Energy, momentum and contacts of a clip's bodies over time, and what of these the clip does not tell."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from simfactory.dataset import Clip
from simfactory.transforms import quat_to_matrix

__all__ = ["BODIES_MAX", "TIMES_MAX", "mechanics"]

BODIES_MAX = 40  # curves of their own; totals are of all
TIMES_MAX = 2000
DIGITS = 7
PARTICLES = {"granular", "fluid"}
DEFORMING = {"soft", "cloth", "rope", "inflatable", "sheet", "solid"}
BENDING = "a rigid motion's alone: what it stores by bending and stretching, and its inner motion, is not recorded"
GRAINS = "of its particles, each with an equal share of the mass; their spin is not recorded"
NO_MASS = "it does not react to forces, so it has no energy of its own"

Float = NDArray[np.float64]
Json = dict[str, Any]  # Any: JSON


def mechanics(clip: Clip) -> Json:
    """Return kinetic and potential energy [J], momentum [kg m/s] and impulses [N s] at each frame.

    The potential is −m g·r, r that of the body's origin from the world's. At most 2,000 frames, evenly taken.

    Raises:
        CorruptClip: Stored bytes are damaged.
    """
    step = -(-clip.frame_count // TIMES_MAX)
    frames = np.arange(0, clip.frame_count, step)
    found: Json = {"clip": clip.id, "frame": frames.tolist(), "time": _numbers(frames / clip.fps), "unknown": []}
    gravity = _gravity(clip.spec)
    if gravity is None:
        found["unknown"].append("gravity: the clip holds no spec, so potential energy is left out")
    found["gravity"] = None if gravity is None else gravity.tolist()
    if "bodies/mass" in clip.signals:
        found["bodies"], found["total"] = _bodies(clip, frames, gravity)
    else:
        found["bodies"], found["total"] = [], None
        found["unknown"].append("bodies: their states were not recorded")
    found["contacts"] = _contacts(clip, frames, step)
    if found["contacts"] is None:
        found["unknown"].append("contacts: they were not recorded")
    elif found["contacts"]["unknown"]:
        found["unknown"].append(f"impulses of {found['contacts']['unknown']} contacts: the solver cannot tell them")
    return found


def _bodies(clip: Clip, frames: NDArray[np.int64], gravity: Float | None) -> tuple[list[Json], Json]:
    state = {
        name.partition("/")[2]: values
        for name, values in clip.window(0, clip.frame_count, modalities=["bodies"]).items()
    }
    mass = state["mass"].astype(np.float64)
    kinetic, momentum = _rigid(state, frames)
    potential = np.zeros_like(kinetic)
    if gravity is not None:
        height = -state["position"][frames].astype(np.float64) @ gravity
        potential = np.where(np.isfinite(mass), mass, 0.0) * height
    kinds, names = _listed(clip, len(mass))
    _of_particles(clip, state["instance"], mass, frames, gravity, (kinetic, potential, momentum))
    reacts = np.isfinite(mass)
    strongest = np.argsort(-np.where(reacts, np.ptp(kinetic, axis=0), -1.0), kind="stable")[:BODIES_MAX]
    bodies = []
    for index in sorted(int(each) for each in strongest):
        about = {"name": names[index], "kind": kinds[index], "instance": int(state["instance"][index])}
        if not reacts[index]:
            bodies.append({**about, "mass": None, "note": NO_MASS})
            continue
        note = GRAINS if kinds[index] in PARTICLES else BENDING if kinds[index] in DEFORMING else ""
        bodies.append(
            {
                **about,
                "mass": float(mass[index]),
                "note": note,
                "kinetic": _numbers(kinetic[:, index]),
                "potential": _numbers(potential[:, index]) if gravity is not None else None,
                "momentum": _numbers(np.linalg.norm(momentum[:, index], axis=-1)),
            }
        )
    total = {
        "bodies": int(np.count_nonzero(reacts)),
        "kinetic": _numbers(kinetic.sum(axis=1)),
        "potential": _numbers(potential.sum(axis=1)) if gravity is not None else None,
        "momentum": _numbers(np.linalg.norm(momentum.sum(axis=1), axis=-1)),
        "momentum_xyz": [_numbers(each) for each in momentum.sum(axis=1).T],
    }
    return bodies, total


def _rigid(state: Mapping[str, NDArray[np.generic]], frames: NDArray[np.int64]) -> tuple[Float, Float]:
    """Return kinetic energy `(time, body)` and momentum `(time, body, 3)` of rigid motions; 0 without a finite mass."""
    mass = np.where(np.isfinite(state["mass"].astype(np.float64)), state["mass"], 0.0).astype(np.float64)
    inertia = np.nan_to_num(state["inertia"].astype(np.float64))
    linear = state["linear_velocity"][frames].astype(np.float64)
    rotation = quat_to_matrix(state["quat_xyzw"][frames])
    angular = np.einsum("tbji,tbj->tbi", rotation, state["angular_velocity"][frames].astype(np.float64))
    kinetic = 0.5 * mass * np.einsum("tbi,tbi->tb", linear, linear)
    kinetic = kinetic + 0.5 * np.einsum("tbi,bij,tbj->tb", angular, inertia, angular) * (mass > 0.0)
    return kinetic, mass[:, None] * linear


def _of_particles(
    clip: Clip,
    ids: NDArray[np.generic],
    mass: Float,
    frames: NDArray[np.int64],
    gravity: Float | None,
    curves: tuple[Float, Float, Float],
) -> None:
    """Put the sums over particles in place of what a rigid motion would have."""
    if "particles/position" not in clip.signals:
        return
    kinetic, potential, momentum = curves
    owner = clip.read("particles/instance")
    own = {index: which for index, identity in enumerate(ids) if (which := owner == identity).any()}
    for row, frame in enumerate(frames):
        window = clip.window(int(frame), 1, modalities=["particles/position", "particles/velocity"])
        for index, which in own.items():
            each = mass[index] / np.count_nonzero(which)
            velocity = window["particles/velocity"][0][which].astype(np.float64)
            kinetic[row, index] = 0.5 * each * np.einsum("pi,pi->", velocity, velocity)
            momentum[row, index] = each * velocity.sum(axis=0)
            if gravity is not None:
                place = window["particles/position"][0][which].astype(np.float64)
                potential[row, index] = -each * (place @ gravity).sum()


def _contacts(clip: Clip, frames: NDArray[np.int64], step: int) -> Json | None:
    """Return how many contacts there are and the sum of their impulses, over each step of frames."""
    if "contacts/impulse" not in clip.signals:
        return None
    window = clip.window(0, clip.frame_count, modalities=["contacts/impulse"])
    impulse, offsets = window["contacts/impulse"].astype(np.float64), window["contacts/offsets"].astype(np.int64)
    known = np.isfinite(impulse)
    edges = offsets[np.minimum(np.append(frames, frames[-1] + step), clip.frame_count)]
    sums = np.concatenate([[0.0], np.cumsum(np.where(known, impulse, 0.0))])
    counts = np.concatenate([[0], np.cumsum(known)])
    told = counts[edges[1:]] - counts[edges[:-1]]
    all_of = np.diff(edges)
    total = sums[edges[1:]] - sums[edges[:-1]]
    shown = [
        value if some or not every else None for value, some, every in zip(_numbers(total), told, all_of, strict=True)
    ]
    return {
        "count": (all_of / step).round(2).tolist(),
        "impulse": shown,
        "unknown": int(np.count_nonzero(~known)),
        "unit": "N s",
    }


def _gravity(spec: Mapping[str, Any]) -> Float | None:  # Any: JSON
    environment = spec.get("environment")
    found = environment.get("gravity") if isinstance(environment, dict) else None
    return np.asarray(found, np.float64) if isinstance(found, list) and len(found) == 3 else None


def _listed(clip: Clip, count: int) -> tuple[list[str], list[str]]:
    """Return the kinds and names of bodies by the spec; of bodies it does not list, only numbers."""
    listed = clip.spec.get("bodies")
    found = [each for each in listed if isinstance(each, dict)] if isinstance(listed, list) else []
    found = found if len(found) == count else [{}] * count
    kinds = [str(each.get("kind", "")) for each in found]
    return kinds, [str(each.get("name") or f"body {index}") for index, each in enumerate(found)]


def _numbers(values: NDArray[np.floating]) -> list[float]:
    return [float(f"{value:.{DIGITS}g}") for value in values.tolist()]

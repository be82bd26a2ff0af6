"""Camera rigs: each file places one family of cameras that keep the action in view."""

import sys
from collections.abc import Sequence
from functools import cache

from layouts.cameras.base import Rig, farthest
from layouts.discovery import discover
from layouts.region import Region
from layouts.streams import Streams
from simfactory.errors import SpecError
from simfactory.spec import CameraSpec

__all__ = ["MOST_VIEWS", "Rig", "farthest", "place_cameras", "rigs"]

MOST_VIEWS = 64
EDGES = (16, 8192)  # [px]


@cache
def rigs() -> dict[str, Rig]:
    """Return the rigs by name."""
    return discover(sys.modules[__name__], "RIG", Rig)  # type: ignore[type-abstract]  # only used with isinstance


def place_cameras(
    names: Sequence[str], *, views: int | None, region: Region, size: tuple[int, int], streams: Streams
) -> tuple[CameraSpec, ...]:
    """Return cameras of the named rigs, taking turns: the first of each, then the second of each.

    Beyond their usual number rigs go on taking turns with further cameras.

    Args:
        names: Names of rigs, without repetition.
        views: How many cameras; None = the usual number of each rig.
        region: What they must see.
        size: Image width and height [px].
        streams: Randomness; each camera draws from its own.

    Raises:
        SpecError: A rig is unknown or named twice, or `views` or `size` is out of range.
    """
    known = rigs()
    for name in names:
        if name not in known:
            raise SpecError(f"camera rig {name!r} is unknown; allowed are {sorted(known)}: name one of them")
    if not names or len(set(names)) < len(names):
        raise SpecError(f"rigs {list(names)} must name each rig once, out of {sorted(known)}: drop the repetitions")
    if views is not None and not 1 <= views <= MOST_VIEWS:
        raise SpecError(f"views is {views}; allowed are 1 to {MOST_VIEWS}: ask for fewer cameras or more episodes")
    if not all(EDGES[0] <= edge <= EDGES[1] for edge in size):
        raise SpecError(f"image size {size[0]}x{size[1]} px; allowed are edges of {EDGES[0]} to {EDGES[1]}: change it")
    usual = [(turn, name) for turn in range(MOST_VIEWS) for name in names if turn < known[name].usual]
    further = [(turn, name) for turn in range(MOST_VIEWS) for name in names if turn >= known[name].usual]
    seats = usual if views is None else [*usual, *further][:views]
    return tuple(known[name].camera(turn, region, size=size, streams=streams) for turn, name in seats)

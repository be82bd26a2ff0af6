"""The contract of placements."""

from abc import ABC, abstractmethod
from collections.abc import Callable

from layouts.stage import Stage, is_free
from layouts.streams import Streams
from simfactory.errors import SpecError
from simfactory.rng import Stream
from simfactory.spec import BodySolid

__all__ = ["TRIES", "Placement", "Range", "first_free", "initial"]

Range = tuple[float, float]

TRIES = 60  # candidates for one body before a layout is given up


class Placement(ABC):
    """Puts the bodies of one role onto a stage; parameters are the fields of the subclass.

    A placement draws only from streams named after the role and the body, so that adding a body or
    another placement shifts nothing.
    """

    @abstractmethod
    def place(self, role: str, bodies: tuple[BodySolid, ...], stage: Stage, *, streams: Streams) -> Stage:
        """Return the stage with the bodies on it, `layouts.clearance.MINIMUM` or more from everything else.

        Args:
            role: Name of the group that the bodies form.
            bodies: Bodies with shape and material; their poses and velocities are replaced.
            stage: What is already in place.
            streams: Randomness of the layout.

        Raises:
            SpecError: No free place was found.
        """


def initial(draw: Stream, name: str, wanted: Range) -> float:
    """Draw an initial speed [m/s] or rate [rad/s], named as a parameter; 0 where a placement gives none."""
    value = draw.uniform(*wanted)
    return draw.within(name, value) if wanted[1] > 0.0 else value


def first_free(
    name: str, candidate: Callable[[], BodySolid], others: tuple[BodySolid, ...], *, gap: float
) -> BodySolid:
    """Return the first candidate that keeps a distance from others.

    Args:
        name: Name of the body, for the message.
        candidate: Draws a pose anew with every call.
        others: Bodies to stay clear of.
        gap: Distance to keep [m].

    Raises:
        SpecError: None of `TRIES` candidates is free.
    """
    for _ in range(TRIES):
        body = candidate()
        if is_free(body, others, gap=gap):
            return body
    raise SpecError(
        f"no place for body {name!r} among {len(others)} others in {TRIES} tries: "
        f"allowed is a distance of at least {gap:.3g} m; use fewer or smaller bodies or a wider area"
    )

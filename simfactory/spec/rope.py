"""Ropes: round cords that stretch and bend."""

import math
from itertools import pairwise
from typing import Literal, Self

from pydantic import Field, model_validator

from simfactory.spec.geometry import Cord
from simfactory.spec.solid import BodySolid

__all__ = ["BodyRope"]

SEGMENTS = 160  # at most
COARSE = 8.0  # radii that a segment may be long: surfaces touch at every radius, sharper bends become corners
FINE = 0.5  # radii that a segment is long at least


class BodyRope(BodySolid):
    """A rope, cord, hose or heavy chain: a line of mass that resists stretching and bending, but not twisting.

    Its twist is none at all times, as that of a cord whose ends may turn. Its orientation is the rotation that fits
    the bent rope best.
    """

    kind: Literal["rope"] = "rope"
    geometry: Cord = Field(description="Shape at t = 0, unstretched; straight is how it bends back to")
    mobility: Literal["dynamic"] = Field(default="dynamic", description="A rope always obeys physics")
    stretch_stiffness: float | None = Field(
        default=None, ge=1.0, le=1e8, description="Force over strain, EA [N], 1–1e8; default: of the solid material"
    )
    bending_stiffness: float | None = Field(
        default=None, ge=0.0, le=1e4, description="Moment over curvature, EI [N·m²], 0–1e4; default: of the solid one"
    )
    relaxation: float = Field(
        default=0.0,
        ge=0.0,
        le=1.0,
        description="Viscous over elastic stiffness of stretching, and of bending [s], 0–1",
    )
    held: tuple[Literal["start", "end"], ...] = Field(
        default=(), max_length=2, description="Ends that do not move: that of the first point, that of the last"
    )
    clamped: bool = Field(default=False, description="Whether held ends keep their direction, too")
    segments: int | None = Field(
        default=None, ge=4, le=SEGMENTS, description="Parts of the simulated line, 4–160; default: two radii long each"
    )

    @property
    def chord(self) -> float:
        """Length of the way along the points [m], slack included; the smooth line is a little longer."""
        way = sum(math.dist(first, second) for first, second in pairwise(self.geometry.points))
        return way * (1.0 + self.geometry.slack)

    @property
    def segment_count(self) -> int:
        """Parts of the simulated line."""
        if self.segments is not None:
            return self.segments
        return min(max(round(self.chord / (2.0 * self.geometry.radius)), 8), SEGMENTS)

    @property
    def stretch(self) -> float:
        """Stretch stiffness EA [N]."""
        if self.stretch_stiffness is not None:
            return self.stretch_stiffness
        return self.physical.young_modulus * math.pi * self.geometry.radius**2

    @property
    def bend(self) -> float:
        """Bending stiffness EI [N·m²]."""
        if self.bending_stiffness is not None:
            return self.bending_stiffness
        return self.physical.young_modulus * math.pi * self.geometry.radius**4 / 4.0

    @property
    def line_density(self) -> float:
        """Mass over length [kg/m]."""
        return self.physical.density * math.pi * self.geometry.radius**2

    @model_validator(mode="after")
    def _unscaled(self) -> Self:
        if self.factors != (1.0, 1.0, 1.0):
            raise ValueError(f"rope {self.name!r} has scale or aspect; allowed is 1: move its points instead")
        return self

    @model_validator(mode="after")
    def _resolved(self) -> Self:
        radii = self.chord / self.segment_count / self.geometry.radius
        if not FINE <= radii <= COARSE:
            low = max(4, math.ceil(self.chord / (COARSE * self.geometry.radius)))
            high = min(SEGMENTS, int(self.chord / (FINE * self.geometry.radius)))
            raise ValueError(
                f"rope {self.name!r} of {self.chord:.4g} m and radius {self.geometry.radius:g} m has segments of "
                f"{radii:.3g} radii; allowed are {FINE:g} to {COARSE:g}, "
                + (f"that is {low} to {high} segments: " if low <= high else "which no number of segments gives: ")
                + "change segments, radius or length"
            )
        if len(set(self.held)) < len(self.held):
            raise ValueError(f"rope {self.name!r} holds {self.held}: name each end once")
        if self.clamped and not self.held:
            raise ValueError(f"rope {self.name!r} is clamped but nowhere held: name an end in held")
        if self.held and any((*self.linear_velocity, *self.angular_velocity)) and len(self.held) == 2:
            raise ValueError(f"rope {self.name!r} is held at both ends: its initial velocities must be 0")
        if not math.isfinite(self.stretch) or self.stretch > 1e8:
            raise ValueError(
                f"rope {self.name!r} has a stretch stiffness of {self.stretch:.3g} N (young_modulus × section); "
                "allowed is up to 1e8 N: thin it, or give stretch_stiffness"
            )
        return self

"""The words in which base scenes are written: categories, base scenes, roles."""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from layouts import Streams
from layouts.placements import Placement
from scenes.invariants import Invariant
from simfactory.spec import BodySolid, Split, Tier

__all__ = ["AirChoice", "BaseScene", "Category", "GravityChoice", "Member", "Role"]

AirChoice = Literal["any", "still", "wind"]
GravityChoice = Literal["any", "vertical"]


@dataclass(frozen=True, kw_only=True, slots=True)
class Member:
    """A body that was cast, without its place, and the words for it.

    Attributes:
        body: Shape and material are final, pose and velocities are not.
        noun: What it is, e.g. "ball".
        material: What it is made of, e.g. "cast iron".
        colour: Its paint; empty = bare.
    """

    body: BodySolid
    noun: str
    material: str
    colour: str


@dataclass(frozen=True, kw_only=True)
class Role(ABC):
    """A part in a base scene, played by one or more bodies.

    Attributes:
        name: Name of the part; bodies are called after it.
        count: How many bodies play it, lowest and highest, in tiers that `counts` leaves out.
        counts: The same by tier.
    """

    name: str
    count: tuple[int, int] = (1, 1)
    counts: Mapping[Tier, tuple[int, int]] = field(default_factory=dict)

    def body_names(self, tier: Tier, *, streams: Streams) -> list[str]:
        """Draw how many bodies play the part, and return their names."""
        low, high = self.counts.get(tier, self.count)
        total = streams("role", self.name, "count").integer(low, high)
        return [self.name] if high == 1 else [f"{self.name}_{k}" for k in range(total)]

    @abstractmethod
    def cast(self, name: str, *, rank: int, streams: Streams) -> Member:
        """Draw one body.

        Args:
            name: Name of the body.
            rank: Its number among all bodies of the scene.
            streams: Randomness; every draw is named after the body.
        """


@dataclass(frozen=True, kw_only=True, slots=True)
class BaseScene:
    """One row of a category: what can happen, as data.

    Attributes:
        name: Name of the scene, unique over all categories.
        tiers: Curriculum tiers that it serves: by the number of bodies that move freely, 1, 2 or more.
        description: One sentence for the catalogue.
        roles: Who takes part.
        layout: Placements in the order in which they are applied, each with the roles whose bodies it places; the last
            of these names the group.
        caption: Sentence with the names of roles in braces.
        phenomena: What is to be seen.
        gravity: "any" lets gravity tilt, "vertical" varies its strength only.
        air: "any" is mostly none, "still" air without wind, "wind" air that blows.
        wind: Speed of the wind where air is "wind" [m/s].
        floor: How much warmer than the room the floor is kept [K]; None = it takes and gives no heat.
        oven: How much warmer than the room the air is [K].
        plume: Role above whose first body warm air rises, role whose first body it carries, and how high above [m].
        jet: Role of the fan whose air it is, and how fast that leaves it [m/s].
        vortex: Role about whose bodies air turns, how fast at most [m/s], and how far from its axis that is [m].
        profile: Power with which the wind grows over the ground [1]; None = it is the same everywhere.
        invariants: What must be seen in each of its episodes, and what it is due to.
        held_out: Whether it is kept for testing: none of its episodes is ever in another split.
    """

    name: str
    tiers: tuple[Tier, ...]
    description: str
    roles: tuple[Role, ...]
    layout: tuple[tuple[tuple[str, ...], Placement], ...]
    caption: str
    phenomena: tuple[str, ...]
    gravity: GravityChoice = "vertical"
    air: AirChoice = "any"
    wind: tuple[float, float] = (2.0, 6.0)
    floor: tuple[float, float] | None = None
    oven: tuple[float, float] | None = None
    plume: tuple[str, str, tuple[float, float]] | None = None
    jet: tuple[str, tuple[float, float]] | None = None
    vortex: tuple[str, tuple[float, float], tuple[float, float]] | None = None
    profile: tuple[float, float] | None = None
    invariants: tuple[Invariant, ...] = ()
    held_out: bool = False

    @property
    def split(self) -> Split:
        """The split that its episodes may be trained in: "train" = they are shared out, "test" = held out."""
        return "test" if self.held_out else "train"


@dataclass(frozen=True, kw_only=True, slots=True)
class Category:
    """A kind of physics and its base scenes."""

    name: str
    description: str
    scenes: tuple[BaseScene, ...]

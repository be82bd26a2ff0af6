"""Benchmark scenes of dominoes, stacks, weights and ducks."""

from collections.abc import Callable, Sequence

from scenes.benchmark.scenario import (
    RELEASE,
    Scenario,
    Set,
    block,
    disc,
    domino,
    figure,
    let_go,
    open_box,
    paint,
    rigid,
)
from simfactory.spec import BodyRigid, Box, MotionLinear

__all__ = ["SCENARIOS"]

BLUE, GREEN, YELLOW, RED = (0.13, 0.28, 0.62), (0.18, 0.5, 0.24), (0.92, 0.72, 0.16), (0.78, 0.16, 0.13)
SPACING = 0.1  # of dominoes [m]


def _dominoes(*others: BodyRigid, places: Sequence[float]) -> Set:
    """Return dominoes at places along x with a rod that pushes the first one, and others."""
    row = [domino(f"domino_{k}", x) for k, x in enumerate(places)]
    rod = rigid(
        "rod", Box(size=(0.2, 0.015, 0.015)), (places[0] - 0.17, 0.0, 0.19), material="steel", mobility="kinematic"
    )
    push = MotionLinear(body="rod", start=RELEASE, stop=RELEASE + 0.5, velocity=(0.2, 0.0, 0.0))
    return Set(bodies=(*row, rod, *others), motions=(push,), target=(-0.05, 0.0, 0.12), distance=1.7)


def _block_domino() -> Set:
    obstacle = block("block", (0.16, 0.2, 0.16), (0.1, 0.0), material="cast_iron")
    behind = [domino(f"behind_{k}", 0.28 + SPACING * k, color=GREEN) for k in range(3)]
    return _dominoes(obstacle, *behind, places=[-0.5 + SPACING * k for k in range(5)])


def _domino_with_space() -> Set:
    return _dominoes(places=[*(-0.5 + SPACING * k for k in range(5)), 0.25, 0.35, 0.45])


def _duck(at: tuple[float, float] = (0.0, 0.0), *, height: float = 0.0, yaw: float = 215.0) -> BodyRigid:
    look = paint(YELLOW, roughness=0.3)
    return figure("duck", "duck", at, height=height, yaw=yaw, material="foam", look=look)


def _duck_and_domino() -> Set:
    return _dominoes(_duck((0.32, 0.0), yaw=180.0), places=[-0.45 + SPACING * k for k in range(6)])


def _duck_falls_in_box() -> Set:
    tray, motion = let_go("tray", (0.4, 0.3, 0.02), (0.0, 0.0, 0.7))
    box = open_box("box", (0.0, 0.0), side=0.5, height=0.2)
    bodies = (*box, tray, _duck(height=0.7105))
    return Set(bodies=bodies, motions=(motion,), target=(0.0, 0.0, 0.4), distance=2.2)


def _duck_static() -> Set:
    return Set(bodies=(_duck(),), distance=1.2)


def _stable_blocks() -> Set:
    looks = (RED, BLUE, GREEN, YELLOW)
    stack = [
        block(f"block_{k}", (0.22 - 0.02 * k, 0.2 - 0.02 * k, 0.1), (0.0, 0.0), height=0.1005 * k, look=paint(color))
        for k, color in enumerate(looks)
    ]
    return Set(bodies=tuple(stack), target=(0.0, 0.0, 0.2), distance=1.4)


def _unstable_block_stack() -> Set:
    shifts = (0.0, 0.055, 0.11, 0.165)
    stack = [
        block(f"block_{k}", (0.2, 0.16, 0.1), (x, 0.0), height=0.1005 * k, look=paint(color))
        for k, (x, color) in enumerate(zip(shifts, (RED, BLUE, GREEN, YELLOW), strict=True))
    ]
    prop, motion = let_go("prop", (0.03, 0.12, 0.3), (0.24, 0.0, 0.1505))
    return Set(bodies=(*stack, prop), motions=(motion,), target=(0.08, 0.0, 0.18), distance=1.6)


def _weight_on_ceramic() -> Set:
    weight = block("weight", (0.12, 0.12, 0.14), (0.0, 0.0), height=0.5105, material="cast_iron")
    tray, motion = let_go("tray", (0.2, 0.2, 0.02), (0.0, 0.0, 0.5))
    plate = disc("plate", 0.18, 0.03, (0.0, 0.0))
    return Set(bodies=(plate, weight, tray), motions=(motion,), target=(0.0, 0.0, 0.3), distance=1.7)


def _scenario(name: str, caption: str, phenomena: tuple[str, ...], build: Callable[[], Set]) -> Scenario:
    return Scenario(name=name, category="rigid", caption=caption, phenomena=phenomena, build=build)


SCENARIOS = (
    _scenario(
        "block_domino", "Dominoes fall in a row until a heavy block stops them.", ("chain_reaction",), _block_domino
    ),
    _scenario(
        "domino_with_space", "Dominoes fall in a row until a gap stops them.", ("chain_reaction",), _domino_with_space
    ),
    _scenario(
        "duck_and_domino", "Dominoes fall in a row; the last meets a duck.", ("chain_reaction",), _duck_and_domino
    ),
    _scenario("duck_falls_in_box", "A duck falls into an open box.", ("free_fall", "containment"), _duck_falls_in_box),
    _scenario("duck_static", "A duck stands on a table, and nothing happens.", ("rest",), _duck_static),
    _scenario("stable_blocks", "Blocks stand on each other, and stay.", ("rest",), _stable_blocks),
    _scenario("unstable_block_stack", "Blocks stacked with an overhang topple.", ("toppling",), _unstable_block_stack),
    _scenario(
        "weight_on_ceramic", "A weight falls onto a ceramic plate.", ("free_fall", "collision"), _weight_on_ceramic
    ),
)

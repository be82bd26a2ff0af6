"""Benchmark scenes of balls that roll and collide."""

import math
from collections.abc import Callable

from scenes.benchmark.ramps import gate, on_ramp, ramp
from scenes.benchmark.scenario import Scenario, Set, ball, block, cardboard, figure, open_box, paint
from simfactory.spec import BodyRigid, MotionLinear, VisualMaterial

__all__ = ["SCENARIOS"]

BLUE, GREEN, YELLOW = (0.13, 0.28, 0.62), (0.18, 0.5, 0.24), (0.92, 0.72, 0.16)


def _from_ramp(*others: BodyRigid) -> Set:
    """Return a ball that rolls down a ramp towards others on the table."""
    plank, post = ramp("ramp", (-0.25, 0.0))
    rider = on_ramp("ball", plank)
    plate, motion = gate(rider, plank)
    return Set(bodies=(plank, post, rider, plate, *others), motions=(motion,), target=(-0.05, 0.0, 0.12), distance=1.7)


def _ball_and_block() -> Set:
    return _from_ramp(block("block", (0.1, 0.16, 0.16), (0.1, 0.0), look=paint(BLUE)))


def _ball_collide() -> Set:
    first = ball("first", (-0.8, 0.0), speed=0.26)
    second = ball("second", (0.8, 0.012), speed=0.26, heading=180.0, look=paint(BLUE, roughness=0.35))
    return Set(bodies=(first, second), distance=2.0)


def _ball_hits_duck() -> Set:
    return _from_ramp(figure("duck", "duck", (0.15, 0.0), yaw=200.0, material="foam", look=paint(YELLOW)))


def _ball_hits_nothing() -> Set:
    return _from_ramp(figure("duck", "duck", (0.2, 0.3), yaw=200.0, material="foam", look=paint(YELLOW)))


def _ball_in_basket() -> Set:
    plank, post = ramp("ramp", (-0.2, 0.0), height=0.34)
    stand = block("stand", (0.55, 0.22, 0.338), (-0.475, 0.0), mobility="static")
    rider = on_ramp("ball", plank, material="oak", look=paint(BLUE, roughness=0.35))
    plate, motion = gate(rider, plank)
    basket = open_box("basket", (0.2, 0.0), side=0.5, height=0.15)
    return Set(
        bodies=(stand, plank, post, rider, plate, *basket),
        motions=(motion,),
        target=(-0.15, 0.0, 0.28),
        distance=1.9,
    )


def _ball_ramp() -> Set:
    return _from_ramp()


def _ball_rolls_off() -> Set:
    table = block("shelf", (1.0, 0.5, 0.4), (-0.4, 0.0), mobility="static", look=cardboard())
    return Set(
        bodies=(table, ball("ball", (-0.75, 0.0), height=0.402, speed=0.24)), target=(0.05, 0.0, 0.25), distance=2.1
    )


def _ball_rolls_on_glass() -> Set:
    glass = VisualMaterial(base_color=(0.92, 0.97, 0.95), roughness=0.02, transmission=0.95, refractive_index=1.5)
    feet = [
        block(f"foot_{k}", (0.05, 0.05, 0.2), (x, y), mobility="static")
        for k, (x, y) in enumerate(((-0.55, -0.2), (-0.55, 0.2), (0.55, -0.2), (0.55, 0.2)))
    ]
    pane = block("pane", (1.3, 0.5, 0.015), (0.0, 0.0), height=0.202, material="glass", look=glass, mobility="static")
    return Set(bodies=(*feet, pane, ball("ball", (-0.5, 0.0), height=0.22, speed=0.2)), target=(0.0, 0.0, 0.2))


def _ball_train() -> Set:
    wagons = [
        block(f"wagon_{k}", (0.14, 0.09, 0.09), (-0.75 - 0.16 * k, 0.0), mobility="kinematic", look=paint(color))
        for k, color in enumerate((GREEN, BLUE, YELLOW))
    ]
    motions = tuple(MotionLinear(body=wagon.name, start=0.5, stop=6.5, velocity=(0.22, 0.0, 0.0)) for wagon in wagons)
    return Set(bodies=(*wagons, ball("ball", (0.05, 0.0), radius=0.055)), motions=motions, distance=2.0)


def _marble_run(yaw: float) -> Set:
    """Two planks, one below the other and back; the run leads across the picture (0) or into it (90)."""
    turn = math.radians(yaw)

    def place(along: float, across: float = 0.0) -> tuple[float, float]:
        return (along * math.cos(turn) - across * math.sin(turn), along * math.sin(turn) + across * math.cos(turn))

    upper, _ = ramp("upper", place(0.25), slope=9.0, yaw=yaw, height=0.3)
    lower, post = ramp("lower", place(-0.3), slope=9.0, yaw=yaw + 180.0, height=0.04, length=0.75)
    poles = (
        block(f"pole_{k}", (0.03, 0.03, 0.36), place(-0.05, side), yaw=yaw, mobility="static")
        for k, side in enumerate((-0.118, 0.118))
    )
    stop = block("stop", (0.02, 0.2, 0.42), place(0.475), yaw=yaw, mobility="static")
    marble = on_ramp(
        "marble", upper, slope=9.0, yaw=yaw, radius=0.03, material="glass", look=paint(BLUE, roughness=0.1)
    )
    plate, motion = gate(marble, upper, slope=9.0, yaw=yaw)
    bodies = (upper, *poles, lower, post, stop, marble, plate)
    return Set(bodies=bodies, motions=(motion,), target=(0.0, 0.0, 0.2), distance=1.8)


def _roll(y: float) -> Set:
    """A ball passes a box, behind it or in front: the cameras stand towards -y."""
    box = block("box", (0.45, 0.3, 0.3), (0.0, 0.0), mobility="static", look=cardboard())
    return Set(bodies=(box, ball("ball", (-0.85, y), speed=0.3)), distance=2.1)


def _roll_in_box() -> Set:
    rolling = ball("ball", (-0.8, 0.0), speed=0.3)
    walls = open_box("box", (0.25, 0.0), side=0.36, height=0.3, open_towards="-x")
    return Set(bodies=(rolling, *walls), distance=2.1)


def _two_balls_pass() -> Set:
    first = ball("first", (-0.8, -0.12), speed=0.26)
    second = ball("second", (0.8, 0.12), speed=0.26, heading=180.0, look=paint(BLUE, roughness=0.35))
    return Set(bodies=(first, second), distance=2.0)


def _weight_protects_duck() -> Set:
    weight = block("weight", (0.12, 0.16, 0.14), (0.0, 0.0), material="cast_iron")
    duck = figure("duck", "duck", (0.32, 0.0), yaw=180.0, material="foam", look=paint(YELLOW))
    return _from_ramp(weight, duck)


def _scenario(name: str, caption: str, phenomena: tuple[str, ...], build: Callable[[], Set]) -> Scenario:
    return Scenario(name=name, category="rigid", caption=caption, phenomena=phenomena, build=build)


SCENARIOS = (
    _scenario("ball_and_block", "A ball rolls down a ramp into a block.", ("rolling", "collision"), _ball_and_block),
    _scenario(
        "ball_collide", "Two balls roll towards each other and collide.", ("rolling", "collision"), _ball_collide
    ),
    _scenario("ball_hits_duck", "A ball rolls down a ramp and hits a duck.", ("rolling", "collision"), _ball_hits_duck),
    _scenario("ball_hits_nothing", "A ball rolls down a ramp and past a duck.", ("rolling",), _ball_hits_nothing),
    _scenario(
        "ball_in_basket", "A ball leaves a ramp and falls into a box.", ("rolling", "free_fall"), _ball_in_basket
    ),
    _scenario("ball_ramp", "A ball rolls down a ramp and over the table.", ("rolling",), _ball_ramp),
    _scenario("ball_rolls_off", "A ball rolls over the edge of a shelf.", ("rolling", "free_fall"), _ball_rolls_off),
    _scenario(
        "ball_rolls_on_glass", "A ball rolls over a pane of glass.", ("rolling", "refraction"), _ball_rolls_on_glass
    ),
    _scenario("ball_train", "A train of wagons pushes a ball along.", ("pushing", "rolling"), _ball_train),
    _scenario(
        "marble_run_x", "A marble runs down two planks, across the view.", ("rolling",), lambda: _marble_run(0.0)
    ),
    _scenario("marble_run_y", "A marble runs down two planks, into the view.", ("rolling",), lambda: _marble_run(90.0)),
    _scenario(
        "roll_behind_box", "A ball rolls behind a box and comes out.", ("rolling", "occlusion"), lambda: _roll(0.32)
    ),
    _scenario("roll_front_box", "A ball rolls past a box, in front of it.", ("rolling",), lambda: _roll(-0.32)),
    _scenario("roll_in_box", "A ball rolls into a box that lies open.", ("rolling", "containment"), _roll_in_box),
    _scenario("two_balls_pass", "Two balls roll past each other.", ("rolling",), _two_balls_pass),
    _scenario(
        "weight_protects_duck", "A weight stops a ball before a duck.", ("rolling", "collision"), _weight_protects_duck
    ),
)

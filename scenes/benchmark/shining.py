"""Benchmark scenes of light and mirrors: what turns, what is reflected, what shadows fall."""

from collections.abc import Callable

from scenes.benchmark.scenario import Scenario, Set, ball, block, figure, let_go, paint, rigid
from simfactory.spec import BodyRigid, Checker, Cylinder, MotionLinear, MotionRotation, Sphere

__all__ = ["SCENARIOS"]

BLUE, CREAM, RED = (0.13, 0.28, 0.62), (0.9, 0.86, 0.76), (0.78, 0.16, 0.13)
SILVER = paint((0.95, 0.95, 0.95), roughness=0.02, metallic=1.0)
TURN = 1.2  # of what turns [rad/s]


def _turning(body: BodyRigid, *others: BodyRigid, moving_camera: bool = False, distance: float = 1.2) -> Set:
    """Return a set whose first body turns about the vertical."""
    motion = MotionRotation(body=body.name, angular_velocity=(0.0, 0.0, TURN))
    return Set(
        bodies=(body, *others),
        motions=(motion,),
        target=(0.0, 0.0, body.position[2]),
        distance=distance,
        moving_camera=moving_camera,
    )


def _mirror(x: float = 0.0) -> BodyRigid:
    """Return a mirror that stands behind the middle of the table."""
    return block("mirror", (0.9, 0.03, 0.6), (x, 0.4), material="aluminium", look=SILVER, mobility="static")


def _turntable() -> BodyRigid:
    return rigid("stand", Cylinder(radius=0.16, height=0.05), (0.0, 0.0, 0.026), material="oak", mobility="static")


def _smiley_ball() -> BodyRigid:
    spots = Checker(color=(0.1, 0.1, 0.12), scale=0.11)
    look = paint((0.95, 0.78, 0.12), roughness=0.4, texture=spots)
    return rigid("ball", Sphere(radius=0.12), (0.0, 0.0, 0.172), look=look, mobility="kinematic")


def _teapot() -> BodyRigid:
    look = paint(CREAM, roughness=0.2)
    return figure("teapot", "teapot", (0.0, 0.0), height=0.0515, material="ceramic", look=look, mobility="kinematic")


def _rotor(*, moving_camera: bool) -> Set:
    pole = rigid("pole", Cylinder(radius=0.02, height=0.2), (0.0, 0.0, 0.101), material="steel", mobility="static")
    rotor = figure("rotor", "rotor", (0.0, 0.0), height=0.203, material="nylon", look=paint(BLUE), mobility="kinematic")
    return _turning(rotor, pole, moving_camera=moving_camera, distance=1.4)


def _mirror_ball_fall() -> Set:
    tray, motion = let_go("tray", (0.2, 0.2, 0.02), (0.0, 0.0, 0.7))
    falling = ball("ball", (0.0, 0.0), radius=0.08, height=0.7105)
    return Set(bodies=(_mirror(), falling, tray), motions=(motion,), target=(0.0, 0.1, 0.4), distance=2.0)


def _rolling_reflection() -> Set:
    return Set(bodies=(_mirror(), ball("ball", (-0.85, 0.1), speed=0.3)), target=(0.0, 0.15, 0.2), distance=2.1)


def _lit(*lit: BodyRigid) -> Set:
    """Return bodies in the shade of a screen that slides aside, so that a lamp's light reaches them."""
    screen = block(
        "screen", (0.03, 0.9, 1.1), (-0.55, 0.0), material="pine", look=paint((0.1, 0.1, 0.1)), mobility="kinematic"
    )
    motion = MotionLinear(body="screen", start=2.0, stop=6.0, velocity=(0.0, 0.3, 0.0))
    return Set(bodies=(screen, *lit), motions=(motion,), target=(0.1, 0.0, 0.15), distance=1.4, evening=True)


def _mug(at: tuple[float, float] = (0.0, 0.0)) -> BodyRigid:
    return figure("mug", "mug", at, yaw=250.0, material="ceramic", look=paint(RED, roughness=0.25))


def _block(at: tuple[float, float] = (0.0, 0.0)) -> BodyRigid:
    return block("block", (0.14, 0.14, 0.2), at, yaw=30.0, look=paint(BLUE))


def _sculpture() -> BodyRigid:
    return figure("sculpture", "sculpture", (0.0, 0.0), yaw=70.0, material="marble")


def _scenario(name: str, caption: str, phenomena: tuple[str, ...], build: Callable[[], Set]) -> Scenario:
    return Scenario(name=name, category="rigid", caption=caption, phenomena=phenomena, build=build)


LIGHT = ("shadow", "lighting_change")

SCENARIOS = (
    _scenario("light_on_block", "A screen slides aside, and a lamp lights a block.", LIGHT, lambda: _lit(_block())),
    _scenario("light_on_mug", "A screen slides aside, and a lamp lights a mug.", LIGHT, lambda: _lit(_mug())),
    _scenario(
        "light_on_mug_block",
        "A screen slides aside, and a lamp lights a mug before a block.",
        LIGHT,
        lambda: _lit(_mug((-0.1, -0.05)), _block((0.16, 0.06))),
    ),
    _scenario(
        "light_on_sculpture", "A screen slides aside, and a lamp lights a sculpture.", LIGHT, lambda: _lit(_sculpture())
    ),
    _scenario("mirror_ball_fall", "A ball falls in front of a mirror.", ("free_fall", "reflection"), _mirror_ball_fall),
    _scenario(
        "mirror_ball_rotate",
        "A ball turns on a stand in front of a mirror.",
        ("rotation", "reflection"),
        lambda: _turning(_smiley_ball(), _turntable(), _mirror()),
    ),
    _scenario(
        "mirror_teapot_rotate",
        "A teapot turns on a stand in front of a mirror.",
        ("rotation", "reflection"),
        lambda: _turning(_teapot(), _turntable(), _mirror()),
    ),
    _scenario("rolling_reflection", "A ball rolls along a mirror.", ("rolling", "reflection"), _rolling_reflection),
    _scenario("rotor_gs", "A rotor turns.", ("rotation",), lambda: _rotor(moving_camera=False)),
    _scenario(
        "rotor_gs_move_camera",
        "A rotor turns while the camera drives past.",
        ("rotation", "camera_motion"),
        lambda: _rotor(moving_camera=True),
    ),
    _scenario(
        "smiley_ball_rotates",
        "A spotted ball turns on a stand.",
        ("rotation",),
        lambda: _turning(_smiley_ball(), _turntable()),
    ),
    _scenario("teapot_rotates", "A teapot turns on a stand.", ("rotation",), lambda: _turning(_teapot(), _turntable())),
)

"""Recordings of benchmark scenes: three fixed views, two takes, and the frame at which a model has to foresee."""

import math
from dataclasses import replace

from layouts.stage import moved
from scenes.benchmark.scenario import Scenario, Set, paint, physical_of
from simfactory.errors import SpecError
from simfactory.rng import Stream, stream
from simfactory.spec import (
    BenchmarkLabel,
    BodyRigid,
    CameraDolly,
    CameraFixed,
    CameraSpec,
    Environment,
    Ground,
    Light,
    LightArea,
    LightSun,
    SceneSpec,
    Sensors,
    Sky,
    Tier,
    Wood,
)

__all__ = ["SECONDS", "SWITCH", "VIEWS", "recorded"]

# As in Physics-IQ: a model is shown 3 s and foresees 5 s.
# Source: S. Motamed et al., "Do generative video models understand physical principles?" (2025).
SECONDS = 8.0
SWITCH = 3.0
VIEWS = {"left": -125.0, "center": -90.0, "right": -55.0}  # bearing of the camera from what it looks at [deg]

SHIFT = 1.5e-3  # how far bodies are from their place in take 2 [m]: as well as hands set a scene up again
CHANGE = 0.01  # by how much velocities and pushes differ in take 2 [1]
DRIVE = 1.0  # how far a moving camera drives [m]


def recorded(
    scenario: Scenario, *, take: int, fps: float = 24.0, size: tuple[int, int] = (256, 256), seconds: float = SECONDS
) -> SceneSpec:
    """Return the spec of one take of a scene, with its three views.

    Args:
        scenario: The scene.
        take: 1 = as it is written down, 2 = set up again: everything loose is a little aside.
        fps: Frames per second [Hz]; Physics-IQ knows 8, 16, 24 and 30.
        size: Image width and height [px].
        seconds: Length [s]; shorter than the usual 8 s leaves less to foresee.

    Raises:
        SpecError: There is no such take, or nothing is left to foresee.
    """
    if take not in (1, 2):
        raise SpecError(f"take is {take}; there are takes 1 and 2")
    if seconds <= SWITCH:
        raise SpecError(f"{seconds:g} s end before the switch at {SWITCH:g} s: record more")
    given = scenario.build()
    laid = _set_up_again(scenario.name, given) if take == 2 else given
    lamps: tuple[Light, ...] = (LightSun(direction=(0.45, 0.6, -1.0), irradiance=1.8, angular_diameter=2.0),)
    if laid.evening:
        lamps = (LightArea(position=(-1.6, -0.35, 1.0), direction=(1.6, 0.35, -0.9), size=(0.3, 0.3), radiance=110.0),)
    return SceneSpec(
        scene=scenario.name,
        category=scenario.category,
        tier=_tier(laid),
        split="benchmark",
        benchmark=BenchmarkLabel(take=2 if take == 2 else 1, switch_frame=round(SWITCH * fps)),
        seed=0,
        frame_count=round(seconds * fps),
        fps=fps,
        environment=Environment(air_density=laid.air_density),
        ground=_table(),
        sky=Sky(intensity=0.15 if laid.evening else 1.0),
        lights=lamps,
        bodies=laid.bodies,
        motions=laid.motions,
        joints=laid.joints,
        triggers=laid.triggers,
        cameras=tuple(_camera(name, bearing, laid, size, seconds) for name, bearing in VIEWS.items()),
        sensors=Sensors(),
        caption=scenario.caption,
        phenomena=scenario.phenomena,
    )


def _tier(laid: Set) -> Tier:
    free = sum(getattr(body, "mobility", "dynamic") == "dynamic" for body in laid.bodies)
    return "single" if free <= 1 else "two_body" if free == 2 else "multi_object"


def _table() -> Ground:
    wood = Wood(color=(0.62, 0.46, 0.31), scale=0.3)
    return Ground(
        size=20.0, physical=physical_of("oak"), visual=paint((0.78, 0.64, 0.47), roughness=0.45, texture=wood)
    )


def _camera(name: str, bearing: float, laid: Set, size: tuple[int, int], seconds: float) -> CameraSpec:
    angle, pitch = math.radians(bearing), math.radians(20.0)
    target = laid.target
    place = (
        target[0] + laid.distance * math.cos(pitch) * math.cos(angle),
        target[1] + laid.distance * math.cos(pitch) * math.sin(angle),
        target[2] + laid.distance * math.sin(pitch),
    )
    path: CameraFixed | CameraDolly = CameraFixed(position=place, target=target)
    if laid.moving_camera:
        begin, end = ((place[0] + side * DRIVE, place[1], place[2]) for side in (-0.5, 0.5))
        path = CameraDolly(position=begin, position_end=end, target=target, target_end=target, duration=seconds)
    return CameraSpec(name=name, rig="benchmark", width=size[0], height=size[1], field_of_view=50.0, path=path)


def _set_up_again(name: str, given: Set) -> Set:
    """Return a set as it stands after it was cleared away and built up once more."""

    def draw(what: str) -> Stream:
        return stream(0, "benchmark", name, what)

    def factor(what: str) -> float:
        return draw(what).uniform(1.0 - CHANGE, 1.0 + CHANGE)

    bodies = []
    for body in given.bodies:
        aside, rate = draw(f"{body.name}/place"), factor(f"{body.name}/velocity")
        if isinstance(body, BodyRigid) and body.mobility == "static":
            bodies.append(body)
            continue
        x, y, z = body.position
        changes = {"position": (x + aside.uniform(-SHIFT, SHIFT), y + aside.uniform(-SHIFT, SHIFT), z)}
        if isinstance(body, BodyRigid):
            for field in ("linear_velocity", "angular_velocity"):
                u, v, w = getattr(body, field)
                changes[field] = (rate * u, rate * v, rate * w)
        bodies.append(moved(body, **changes))  # type: ignore[arg-type]  # every kind of body has a position
    pushes = []
    for push in given.triggers:
        share = factor(f"{push.body}/push")
        x, y, z = push.impulse
        pushes.append(type(push)(body=push.body, time=push.time, impulse=(share * x, share * y, share * z)))
    return replace(given, bodies=tuple(bodies), triggers=tuple(pushes))

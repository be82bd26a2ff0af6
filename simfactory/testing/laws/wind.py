"""Laws of moving air on what has a speed of fall: grains, drops, clumps of them, and a ball over a jet."""

import math
from collections.abc import Sequence

from simfactory.spec import (
    Body,
    BodyFluid,
    BodyGranular,
    Box,
    Environment,
    Flow,
    Jet,
    SceneSpec,
    Sphere,
    Wind,
)
from simfactory.testing.laws.law import GRAVITY, Law
from simfactory.testing.specs import make_body, make_fluid, make_granular, make_ground, make_material, make_spec

__all__ = ["wind_laws"]

FPS = 60.0
DRAG = 0.47  # of a ball
CLUMP = 0.11  # [m] radius
LIGHT = make_material(density=20.0, friction=0.5)


def wind_laws(*, substeps: int = 4) -> list[Law]:
    """Return the laws of wind, in steps of 1/60 s / substeps (particles: at most 0.01 s)."""
    grains = make_granular(
        geometry=Box(size=(0.3, 0.3, 0.025)), position=(0.0, 0.0, 12.0), physical=LIGHT, grain_radius=0.0105
    )
    drops = make_fluid(geometry=Box(size=(0.3, 0.3, 0.02)), position=(0.0, 0.0, 12.0), spacing=0.02, viscosity=0.0)
    clump = make_granular(geometry=Sphere(radius=CLUMP), position=(0.0, 0.0, 2.0), physical=LIGHT, grain_radius=0.0115)
    blob = make_fluid(geometry=Sphere(radius=CLUMP), position=(0.0, 0.0, 2.0), spacing=0.02)
    return [
        _fall_law(grains, radius=0.0105, mass=20.0 * grains.spacing**3, air=1.2, substeps=substeps),
        _fall_law(drops, radius=_drop(0.02), mass=1000.0 * 0.02**3, air=10.0, substeps=substeps),
        _clump_law(clump, speed=6.0, substeps=substeps),
        _clump_law(blob, speed=15.0, substeps=substeps),
        _hover_law(substeps=substeps),
    ]


def _drop(spacing: float) -> float:
    """Return the radius [m] of the drop of a liquid's particle."""
    return float(spacing * (3.0 / (4.0 * math.pi)) ** (1.0 / 3.0))


def _fall_law(body: BodyGranular | BodyFluid, *, radius: float, mass: float, air: float, substeps: int) -> Law:
    steady = math.sqrt(2.0 * mass * GRAVITY / (air * DRAG * math.pi * radius**2))
    seconds = 1.0
    exact = steady * math.tanh(GRAVITY * seconds / steady)
    return Law(
        name=f"layer of single {'grains' if body.kind == 'granular' else 'drops'} falls flat: speed after 1 s",
        spec=_scene([body], air=air, seconds=seconds, substeps=substeps),
        figure=lambda path: -float(path.linear_velocity[-1, 0, 2]),
        exact=exact,
        tolerance=0.04 * exact,
        reason="v = w tanh(gt/w), w² = 2 m g/ρ C_d A of each ball on its own; where the layer thins and folds, some "
        "shelter others, and a step of 1/120 s is 1 % of the time w/g in which the speed settles",
        unit="m/s",
        needs=("air", body.kind),
    )


def _clump_law(body: BodyGranular | BodyFluid, *, speed: float, substeps: int) -> Law:
    mass = body.physical.density * 4.0 / 3.0 * math.pi * CLUMP**3
    seconds, rate = 0.2, 0.5 * 1.2 * DRAG * math.pi * CLUMP**2 / mass
    exact = speed - speed / (1.0 + rate * speed * seconds)
    return Law(
        name=f"weightless {'clump of grains' if body.kind == 'granular' else 'blob of liquid'} in a wind of "
        f"{speed:g} m/s: speed over that of a ball of its size",
        spec=_scene([body], air=1.2, seconds=seconds, substeps=substeps, gravity=0.0, wind=(speed, 0.0, 0.0)),
        figure=lambda path: float(path.linear_velocity[-1, 0, 0]) / exact,
        exact=1.0,
        tolerance=0.15,
        reason="those in front shelter the others, so that a clump has the drag of its own outline, 5 % less in the "
        "first steps; it is blown flat meanwhile, by which its outline grows by a tenth to a fifth",
        unit="1",
        needs=("air", body.kind),
    )


def _hover_law(*, substeps: int) -> Law:
    radius, density, speed = 0.05, 30.0, 14.0
    ball = make_body("ball", Sphere(radius=radius), position=(0.0, 0.0, 1.5), physical=make_material(density=density))
    jet = Jet(position=(0.0, 0.0, 0.1), direction=(0.0, 0.0, 1.0), radius=0.06, speed=speed)
    fall = math.sqrt(8.0 * radius * density * GRAVITY / (3.0 * 1.2 * DRAG))
    return Law(
        name="ball of 30 kg/m³ over an upward jet: height at which it hovers",
        spec=_scene([ball], air=1.2, seconds=4.0, substeps=substeps, flows=(jet,)),
        figure=lambda path: float(path.position[-60:, 0, 2].mean()),
        exact=0.1 + 0.06 * math.sqrt(2.0 * math.log(2.0)) / 0.1 * speed / fall,
        tolerance=0.01,
        reason="the jet's middle, U R √(2 ln 2)/(0.1 x), is as fast there as the ball falls through still air; what it "
        "still bobs after three seconds is allowed",
        unit="m",
        needs=("air", "contact"),
    )


def _scene(
    bodies: Sequence[Body],
    *,
    air: float,
    seconds: float,
    substeps: int,
    gravity: float = GRAVITY,
    wind: tuple[float, float, float] = (0.0, 0.0, 0.0),
    flows: tuple[Flow, ...] = (),
) -> SceneSpec:
    spec = make_spec(
        bodies=bodies,
        fps=FPS,
        frame_count=1 + round(seconds * FPS),
        substeps=substeps,
        ground=make_ground(physical=make_material(friction=0.3)),
    )
    environment = Environment(gravity=(0.0, 0.0, -gravity), air_density=air, wind=Wind(velocity=wind), flows=flows)
    return SceneSpec.model_validate({**dict(spec), "environment": environment})

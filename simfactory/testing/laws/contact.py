"""Laws of bodies that touch: slopes, rolling, bounces, collisions, towers, pushers."""

import math
from functools import partial

import numpy as np
import numpy.typing as npt

from simfactory.episode import Trajectory
from simfactory.spec import Box, Cylinder, MotionLinear, SceneSpec, Sphere
from simfactory.testing.laws.law import FPS, GRAVITY, ROUNDING, Law, scene
from simfactory.testing.specs import make_body, make_ground, make_material

__all__ = ["contact_laws"]

Array = npt.NDArray[np.float64]

SLOPE = math.radians(30.0)
UPRIGHT = (0.0, math.sin(SLOPE / 2), 0.0, math.cos(SLOPE / 2))  # local z along the slope's normal
ACROSS = (math.sqrt(0.5), 0.0, 0.0, math.sqrt(0.5))  # local z along the world's -y


def contact_laws(*, substeps: int) -> list[Law]:
    """Return the laws of bodies in contact, in steps of 1/60 s / substeps."""
    dt = 1.0 / (60.0 * substeps)
    return [
        *_slope(substeps, dt),
        *_rolling(substeps, dt),
        *_bounce(substeps),
        *_collision(substeps),
        *_support(substeps),
    ]


def _slope(substeps: int, dt: float) -> list[Law]:
    sine, cosine, tangent = math.sin(SLOPE), math.cos(SLOPE), math.tan(SLOPE)
    box = Box(size=(0.4, 0.4, 0.4))
    slides = [
        Law(
            name=f"slope of 30°, μ = {friction:.3f}: acceleration",
            spec=_on_slope(substeps, box, friction),
            figure=_acceleration_down,
            exact=GRAVITY * (sine - friction * cosine),
            tolerance=1e-3,
            reason="Coulomb's cone is exact for a sliding box: float32 differences of speeds over 1.3 s",
            unit="m/s²",
            needs=("contact",),
        )
        for friction in (0.0, 0.2, 0.4, 0.95 * tangent)
    ]
    sticks = [
        Law(
            name=f"slope of 30°, μ = {friction:.3f}: way in 2 s",
            spec=_on_slope(substeps, box, friction),
            figure=_way_down,
            exact=0.0,
            tolerance=0.6 * GRAVITY * sine * dt * 2.0,
            reason="sticks, but XPBD friction undoes a step's slip only in part: it creeps at a share of the speed "
            "g sin θ dt that one step gains, first order in dt",
            unit="m",
            needs=("contact",),
        )
        for friction in (1.05 * tangent, 0.9)
    ]
    return slides + sticks


def _rolling(substeps: int, dt: float) -> list[Law]:
    sine = math.sin(SLOPE)
    slider = make_body("ball", Sphere(radius=0.2), position=(0.0, 0.0, 0.2), linear_velocity=(2.0, 0.0, 0.0))
    return [
        Law(
            name="ball rolls down 30°, μ = 0.9: acceleration",
            spec=_on_slope(substeps, Sphere(radius=0.2), 0.9),
            figure=_acceleration_down,
            exact=5.0 / 7.0 * GRAVITY * sine,
            tolerance=1e-3,
            reason="contact acts at the lever arm of the step's start: float32 differences of speeds over 1.3 s",
            unit="m/s²",
            needs=("contact",),
        ),
        Law(
            name="cylinder rolls down 30°, μ = 0.9: acceleration",
            spec=_on_slope(substeps, Cylinder(radius=0.2, height=0.3), 0.9, turn=ACROSS),
            figure=_acceleration_down,
            exact=2.0 / 3.0 * GRAVITY * sine,
            tolerance=2.0 / 3.0 * GRAVITY * sine * (25.0 * dt) ** 2 / 12.0 + 1e-3,
            reason="as for the ball, but corrections turn the contact point: (ω dt)², second order, ω = 25 rad/s",
            unit="m/s²",
            needs=("contact",),
        ),
        Law(
            name="sliding ball ends rolling: speed over first speed",
            spec=scene(substeps, [slider], ground=True),
            figure=lambda path: float(path.linear_velocity[-1, 0, 0]) / 2.0,
            exact=5.0 / 7.0,
            tolerance=5e-4,
            reason="angular momentum about the contact is kept; XPBD cuts speed changes below 1e-4 m/s",
            unit="1",
            needs=("contact",),
        ),
    ]


def _bounce(substeps: int) -> list[Law]:
    laws = []
    for restitution in (0.2, 0.5, 0.8, 1.0):
        material = make_material(restitution=restitution)
        ball = make_body("ball", Sphere(radius=0.2), position=(0.0, 0.0, 1.2), physical=material)
        laws.append(
            Law(
                name=f"bounce, e = {restitution}: apex over drop height",
                spec=scene(substeps, [ball], ground=make_ground(physical=material)),
                figure=_apex,
                exact=restitution**2,
                tolerance=0.5 * GRAVITY * (0.5 / FPS) ** 2 + ROUNDING,
                reason="the impact speed is that at the surface; the apex is seen at frames: g (1/60 s / 2)²/2",
                unit="1",
                needs=("contact",),
            )
        )
    return laws


def _collision(substeps: int) -> list[Law]:
    laws = []
    for restitution in (0.0, 0.5, 1.0):
        spec = _head_on(substeps, restitution)
        reduced = 2.0 / 3.0  # mass of the pair 1 kg, 2 kg; the lighter ball comes at 2 m/s
        energy = (2.0 - 0.5 * reduced * (1.0 - restitution**2) * 4.0) / 2.0
        laws += [
            Law(
                name=f"collision 1:2, e = {restitution}: momentum after over before",
                spec=spec,
                figure=partial(_momentum_ratio, frame=-1),
                exact=1.0,
                tolerance=1e-4,
                reason="equal and opposite impulses: float32 rounding, speeds below 1e-4 m/s cut to 0",
                unit="1",
                needs=("contact",),
            ),
            Law(
                name=f"collision 1:2, e = {restitution}: energy after over before",
                spec=spec,
                figure=lambda path: _energy(path) / 2.0,
                exact=energy,
                tolerance=ROUNDING,
                reason="restitution is solved in velocities: float32 only",
                unit="1",
                needs=("contact",),
            ),
        ]
    slick = make_material(friction=0.0, restitution=0.5)
    pair = [
        make_body("box", position=(0.0, 0.0, 0.2), physical=slick),
        make_body(
            "ball", Sphere(radius=0.2), position=(1.0, 0.0, 0.2), linear_velocity=(-2.0, 0.0, 0.0), physical=slick
        ),
    ]
    laws.append(
        Law(
            name="ball hits a box that stands on ice: momentum after over before",
            spec=scene(substeps, pair, ground=make_ground(physical=slick)),
            figure=partial(_momentum_ratio, frame=60),
            exact=1.0,
            tolerance=ROUNDING,
            reason="impulses are equal and opposite, never averaged over a body's contacts",
            unit="1",
            needs=("contact",),
        )
    )
    return laws


def _support(substeps: int) -> list[Law]:
    tower = [make_body(f"box_{k}", position=(0.02 * k, 0.0, 0.2 + 0.4 * k)) for k in range(3)]
    slick = make_material(friction=0.0)
    pushed = [
        make_body("box", position=(0.0, 0.0, 0.2), physical=slick),
        make_body("pusher", position=(-0.6, 0.0, 0.25), mobility="kinematic", physical=slick),
    ]
    motion = MotionLinear(body="pusher", velocity=(0.8, 0.0, 0.0))
    return [
        Law(
            name="tower of three: largest way in 2 s",
            spec=scene(substeps, tower, ground=True),
            figure=lambda path: float(np.linalg.norm(path.position[-1] - path.position[0], axis=-1).max()),
            exact=0.0,
            tolerance=3e-3,
            reason="sinks by what 32 iterations leave of the weight's g dt² per step",
            unit="m",
            needs=("contact",),
        ),
        Law(
            name="pusher at 0.8 m/s: speed of the box",
            spec=scene(substeps, pushed, ground=make_ground(physical=slick), motions=[motion]),
            figure=lambda path: float(path.linear_velocity[-1, 0, 0]),
            exact=0.8,
            tolerance=ROUNDING,
            reason="inelastic contact with a body of infinite mass",
            unit="m/s",
            needs=("contact",),
        ),
        Law(
            name="pusher: where it is after 2 s",
            spec=scene(substeps, pushed, motions=[motion]),
            figure=lambda path: float(path.position[-1, 1, 0]),
            exact=1.0,
            tolerance=1e-6,
            reason="closed form, float32",
            unit="m",
        ),
    ]


def _on_slope(
    substeps: int,
    geometry: Box | Cylinder | Sphere,
    friction: float,
    *,
    turn: tuple[float, float, float, float] = UPRIGHT,
) -> SceneSpec:
    """A body at rest, 0.2 m above a plank that descends along +x by 30°."""
    normal = np.array([math.sin(SLOPE), 0.0, math.cos(SLOPE)])
    material = make_material(friction=friction)
    plank = make_body("plank", Box(size=(40.0, 4.0, 0.4)), orientation=UPRIGHT, position=(0.0, 0.0, 0.0),
                      mobility="static", physical=material)  # fmt: skip
    x, y, z = 0.4 * normal
    rider = make_body("rider", geometry, position=(float(x), float(y), float(z)), orientation=turn, physical=material)
    return scene(substeps, [plank, rider])


def _head_on(substeps: int, restitution: float) -> SceneSpec:
    volume = 4.0 / 3.0 * math.pi * 0.2**3
    light = make_material(density=1.0 / volume, restitution=restitution, friction=0.0)
    heavy = make_material(density=2.0 / volume, restitution=restitution, friction=0.0)
    balls = [
        make_body(
            "light", Sphere(radius=0.2), position=(-1.0, 0.0, 1.0), linear_velocity=(2.0, 0.0, 0.0), physical=light
        ),
        make_body("heavy", Sphere(radius=0.2), position=(0.0, 0.0, 1.0), physical=heavy),
    ]
    return scene(substeps, balls, gravity=(0.0, 0.0, 0.0))


def _down(path: Trajectory) -> Array:
    return np.asarray(path.linear_velocity[:, 1] @ np.array([math.cos(SLOPE), 0.0, -math.sin(SLOPE)]), np.float64)


def _acceleration_down(path: Trajectory) -> float:
    speed = _down(path)
    return float((speed[90] - speed[12]) / (path.time[90] - path.time[12]))


def _way_down(path: Trajectory) -> float:
    return float(np.linalg.norm(path.position[-1, 1] - path.position[0, 1]))


def _apex(path: Trajectory) -> float:
    height = path.position[:, 0, 2] - 0.2
    rising = int(np.argmax(path.linear_velocity[:, 0, 2] > 0.0))
    falling = rising + int(np.argmax(path.linear_velocity[rising:, 0, 2] < 0.0))
    return float(height[rising : falling + 1].max())


def _momentum_ratio(path: Trajectory, *, frame: int) -> float:
    momentum = path.properties.mass @ path.linear_velocity[:, :, 0].T
    return float(momentum[frame] / momentum[0])


def _energy(path: Trajectory) -> float:
    return float(0.5 * (path.properties.mass * (path.linear_velocity[-1] ** 2).sum(axis=-1)).sum())

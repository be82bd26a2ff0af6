"""Laws of bodies that touch nothing: flight, pushes, air, spin."""

import math

import numpy as np
import numpy.typing as npt

from simfactory.episode import Trajectory
from simfactory.spec import Box, Push, Sphere
from simfactory.testing.laws.law import GRAVITY, ROUNDING, Law, scene
from simfactory.testing.specs import make_body, make_material
from simfactory.transforms import quat_to_matrix

__all__ = ["free_laws"]

Array = npt.NDArray[np.float64]


def free_laws(*, substeps: int) -> list[Law]:
    """Return the laws of bodies without contact, in steps of 1/60 s / substeps."""
    dt = 1.0 / (60.0 * substeps)
    return [*_flight(substeps), *_pushes(substeps, dt), *_air(substeps, dt), *_spin(substeps, dt)]


def _flight(substeps: int) -> list[Law]:
    parabola = "every step follows the parabola exactly: float32 sums only"
    throw = (3.0, -1.0, 4.0)
    tilt = (2.0, -1.0, -9.0)
    return [
        Law(
            name="free fall: depth after 1 s",
            spec=scene(substeps, [make_body()]),
            figure=lambda path: 1.0 - float(path.position[60, 0, 2]),
            exact=0.5 * GRAVITY,
            tolerance=ROUNDING,
            reason=parabola,
            unit="m",
        ),
        Law(
            name="projectile: height after 0.8 s",
            spec=scene(substeps, [make_body(linear_velocity=throw)]),
            figure=lambda path: float(path.position[48, 0, 2]),
            exact=1.0 + 4.0 * 0.8 - 0.5 * GRAVITY * 0.64,
            tolerance=ROUNDING,
            reason=parabola,
            unit="m",
        ),
        Law(
            name="projectile: way after 0.8 s",
            spec=scene(substeps, [make_body(linear_velocity=throw)]),
            figure=lambda path: float(np.linalg.norm(path.position[48, 0, :2])),
            exact=0.8 * math.hypot(3.0, 1.0),
            tolerance=ROUNDING,
            reason=parabola,
            unit="m",
        ),
        Law(
            name="tilted gravity: speed after 1 s",
            spec=scene(substeps, [make_body()], gravity=tilt),
            figure=lambda path: float(path.linear_velocity[60, 0] @ np.asarray(tilt)) / math.hypot(*tilt),
            exact=math.hypot(*tilt),
            tolerance=ROUNDING,
            reason="every step adds g dt: float32 sums only",
            unit="m/s",
        ),
    ]


def _pushes(substeps: int, dt: float) -> list[Law]:
    light = make_material(density=1000.0)  # 64 kg
    shot = Push(body="box", time=0.5, impulse=(64.0, -32.0, 128.0))
    return [
        Law(
            name="push: Δv = J/m",
            spec=scene(substeps, [make_body(physical=light)], gravity=(0.0, 0.0, 0.0), triggers=[shot]),
            figure=lambda path: float(np.linalg.norm(path.linear_velocity[-1, 0])),
            exact=math.hypot(1.0, 0.5, 2.0),
            tolerance=1e-5,
            reason="one addition",
            unit="m/s",
        ),
        Law(
            name="push: when",
            spec=scene(substeps, [make_body(physical=light)], gravity=(0.0, 0.0, 0.0), triggers=[shot]),
            figure=lambda path: float(path.position[60, 0, 0]),
            exact=0.5,
            tolerance=1e-4 + dt,
            reason="takes effect at the first step not before it",
            unit="m",
        ),
    ]


def _air(substeps: int, dt: float) -> list[Law]:
    radius, density, air, still = 0.1, 20.0, 1.2, (0.0, 0.0, 0.0)
    ball = make_body("ball", Sphere(radius=radius), physical=make_material(density=density))
    rate = 0.5 * air * 0.47 * math.pi * radius**2 / (density * 4.0 / 3.0 * math.pi * radius**3)  # k/m [1/m]
    terminal = math.sqrt(GRAVITY / rate)
    thrown = ball.model_copy(update={"linear_velocity": (8.0, 0.0, 0.0)})
    damped = make_body(linear_velocity=(2.0, 0.0, 0.0), physical=make_material(damping=0.7))
    flow = "exact flow of the drag law in each step: float32 sums only"
    return [
        Law(
            name="fall in air: speed after 2 s",
            spec=scene(substeps, [ball], air_density=air),
            figure=lambda path: -float(path.linear_velocity[-1, 0, 2]),
            exact=terminal * math.tanh(GRAVITY * 2.0 / terminal),
            tolerance=0.55 * GRAVITY * dt,
            reason="gravity and drag split: bias at most g dt/2, first order, +10 % for its second order",
            unit="m/s",
            needs=("air",),
        ),
        Law(
            name="throw in air: speed after 1 s",
            spec=scene(substeps, [thrown], gravity=still, air_density=air),
            figure=lambda path: float(path.linear_velocity[60, 0, 0]),
            exact=8.0 / (1.0 + rate * 8.0 * 1.0),
            tolerance=ROUNDING,
            reason=flow,
            unit="m/s",
            needs=("air",),
        ),
        Law(
            name="wind 10 m/s: speed after 2 s",
            spec=scene(substeps, [ball], gravity=still, air_density=air, wind=(0.0, 10.0, 0.0)),
            figure=lambda path: float(path.linear_velocity[-1, 0, 1]),
            exact=10.0 - 10.0 / (1.0 + rate * 10.0 * 2.0),
            tolerance=ROUNDING,
            reason=flow,
            unit="m/s",
            needs=("air",),
        ),
        Law(
            name="damping: speed after 1 s",
            spec=scene(substeps, [damped], gravity=still),
            figure=lambda path: float(path.linear_velocity[60, 0, 0]),
            exact=2.0 * math.exp(-0.7),
            tolerance=ROUNDING,
            reason="exact flow: float32 products only",
            unit="m/s",
            needs=("air",),
        ),
    ]


def _spin(substeps: int, dt: float) -> list[Law]:
    still = (0.0, 0.0, 0.0)
    plain = make_body(angular_velocity=(0.0, 0.0, 3.0))
    tumbling = make_body("brick", Box(size=(0.2, 0.4, 0.6)), angular_velocity=(0.5, 3.0, 1.0))
    speed = math.hypot(0.5, 3.0, 1.0)
    return [
        Law(
            name="spin about an axis: angle after 1 s",
            spec=scene(substeps, [plain], gravity=still),
            figure=lambda path: 2.0 * math.atan2(float(path.quat_xyzw[60, 0, 2]), float(path.quat_xyzw[60, 0, 3])),
            exact=3.0,
            tolerance=2.0 * ROUNDING,
            reason="every step turns by ω dt exactly: float32 products only, as vector and as scalar part",
            unit="rad",
        ),
        Law(
            name="torque-free tumbling: angular momentum after 2 s over before",
            spec=scene(substeps, [tumbling], gravity=still),
            figure=_momentum_ratio,
            exact=1.0,
            tolerance=ROUNDING,
            reason="kept by construction: float32 only",
            unit="1",
            needs=("torque",),
        ),
        Law(
            name="torque-free tumbling: energy after 2 s over before",
            spec=scene(substeps, [tumbling], gravity=still),
            figure=lambda path: _spin_energy(path, -1) / _spin_energy(path, 0),
            exact=1.0,
            tolerance=(speed * dt) ** 2 + ROUNDING,
            reason="midpoint rule: (ω dt)², second order",
            unit="1",
            needs=("torque",),
        ),
    ]


def _spin_momentum(path: Trajectory, frame: int) -> Array:
    rotation = quat_to_matrix(path.quat_xyzw[frame, 0])
    return np.asarray(rotation @ path.properties.inertia[0] @ rotation.T @ path.angular_velocity[frame, 0])


def _spin_energy(path: Trajectory, frame: int) -> float:
    return 0.5 * float(_spin_momentum(path, frame) @ path.angular_velocity[frame, 0])


def _momentum_ratio(path: Trajectory) -> float:
    return float(np.linalg.norm(_spin_momentum(path, -1)) / np.linalg.norm(_spin_momentum(path, 0)))

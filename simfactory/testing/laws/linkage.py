"""Laws of jointed bodies: pendulums, slides, friction, damping, drives, limits, welds, closed loops."""

import math
from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType

import numpy as np
import numpy.typing as npt

from simfactory.episode import Trajectory
from simfactory.joints import JointStates, joint_states
from simfactory.quality.energy import mechanical_energy
from simfactory.spec import (
    BodyRigid,
    Box,
    Drive,
    Joint,
    JointBall,
    JointHinge,
    JointSlider,
    JointWeld,
    SceneSpec,
    Vec3,
    Waypoint,
)
from simfactory.testing.laws.law import GRAVITY, ROUNDING, Law, scene
from simfactory.testing.specs import make_body, make_material

__all__ = ["joint_laws"]

Array = npt.NDArray[np.float64]

STILL = (0.0, 0.0, 0.0)
LENGTH, THICK = 0.5, 0.04  # [m] of rods
MASS = 500.0 * LENGTH * THICK**2  # [kg]
PIVOT_INERTIA = MASS * ((LENGTH**2 + THICK**2) / 12.0 + LENGTH**2 / 4.0)  # about an end, across [kg·m²]
QUARTER = 1.8540746773013719  # K(sin 45°): quarter of a swing from the horizontal, in units of √(I/(m g d))


def joint_laws(*, substeps: int) -> list[Law]:
    """Return the laws of jointed bodies, in steps of 1/60 s / substeps."""
    dt = 1.0 / (60.0 * substeps)
    return [
        *_pendulums(substeps, dt),
        *_slides(substeps, dt),
        *_free_directions(substeps, dt),
        *_structures(substeps, dt),
    ]


def _rod(index: int = 0, *, velocity: Vec3 = STILL, spin: Vec3 = STILL) -> BodyRigid:
    """A level rod along x, the k-th of a chain that begins 2 m above the origin."""
    return make_body(
        f"rod_{index}",
        Box(size=(LENGTH, THICK, THICK)),
        position=((index + 0.5) * LENGTH, 0.0, 2.0),
        linear_velocity=velocity,
        angular_velocity=spin,
    )


def _hinge(index: int = 0, options: Mapping[str, object] = MappingProxyType({})) -> JointHinge:
    """The hinge at the beginning of the k-th rod."""
    return JointHinge.model_validate(
        {
            "name": f"hinge_{index}",
            "parent": f"rod_{index - 1}" if index else None,
            "child": f"rod_{index}",
            "anchor": (index * LENGTH, 0.0, 2.0),
            "axis": (0.0, 1.0, 0.0),
            **options,
        }
    )


def _jointed(substeps: int, bodies: Sequence[BodyRigid], joints: Sequence[Joint], **options: object) -> SceneSpec:
    return scene(substeps, bodies, joints=joints, **options)


def _states(spec: SceneSpec, path: Trajectory) -> JointStates:
    return joint_states(spec, **path.motion())


def _of_joint(spec: SceneSpec, read: Callable[[JointStates], float]) -> Callable[[Trajectory], float]:
    return lambda path: read(_states(spec, path))


def _energy_range(spec: SceneSpec, path: Trajectory) -> float:
    """Largest change of energy over the largest kinetic energy."""
    energy = mechanical_energy(spec, path).sum(axis=1)
    height = path.position[..., 2].astype(np.float64) @ path.properties.mass * GRAVITY
    return float(np.abs(energy - energy[0]).max() / (energy - height).max())


def _crossing(place: Array, level: float) -> float:
    """Time [s] at which a curve sampled at 60 Hz first passes a level, by a parabola through three samples."""
    after = int(np.argmax((place[:-1] < level) & (place[1:] >= level)))
    rows = slice(max(after - 1, 0), after + 3)
    curve = np.polyfit(np.arange(len(place))[rows], place[rows] - level, 3)
    roots = np.roots(curve)
    real = roots[np.abs(roots.imag) < 1e-6].real
    return float(real[np.argmin(np.abs(real - after - 0.5))] / 60.0)


def _pendulums(substeps: int, dt: float) -> list[Law]:
    one = _jointed(substeps, [_rod()], [_hinge()])
    two = _jointed(substeps, [_rod(0), _rod(1)], [_hinge(0), _hinge(1)])
    exact = QUARTER * math.sqrt(PIVOT_INERTIA / (MASS * GRAVITY * LENGTH / 2.0))
    peak = math.sqrt(MASS * GRAVITY * LENGTH / PIVOT_INERTIA)  # [rad/s] of a rod that fell from the horizontal
    half_step = "velocities are those of half a step earlier, g dt/2 of a fall: first order in dt, and bounded"
    return [
        Law(
            name="pendulum from the horizontal: quarter of a swing",
            spec=one,
            figure=_of_joint(one, lambda states: _crossing(states.position[:, 0], math.pi / 2)),
            exact=exact,
            tolerance=(peak * dt) ** 2 * exact / 12.0 + ROUNDING,
            reason="leapfrog: the phase errs by (ω dt)²/24, twice that for ω of the lowest point; float32",
            unit="s",
            needs=("joints",),
        ),
        Law(
            name="pendulum: change of energy in 2 s, over the kinetic energy",
            spec=one,
            figure=lambda path: _energy_range(one, path),
            exact=0.0,
            tolerance=1.1 * GRAVITY * dt / math.sqrt(GRAVITY * LENGTH / 2.0),
            reason=half_step,
            unit="1",
            needs=("joints",),
        ),
        Law(
            name="double pendulum: change of energy in 2 s, over the kinetic energy",
            spec=two,
            figure=lambda path: _energy_range(two, path),
            exact=0.0,
            tolerance=1.1 * GRAVITY * dt / math.sqrt(GRAVITY * LENGTH / 2.0),
            reason=half_step,
            unit="1",
            needs=("joints",),
        ),
        _conical(substeps, dt),
    ]


def _conical(substeps: int, dt: float) -> Law:
    """A rod on a ball joint that goes round at a constant angle to the vertical."""
    angle = math.radians(40.0)
    axial = MASS * THICK**2 / 6.0
    rate = math.sqrt(MASS * GRAVITY * LENGTH / 2.0 / ((PIVOT_INERTIA - axial) * math.cos(angle)))
    tilt = math.pi / 2 - angle
    middle = 0.5 * LENGTH * np.array([math.cos(tilt), 0.0, -math.sin(tilt)])
    spin = np.array([0.0, 0.0, rate])
    velocity = np.cross(spin, middle)
    rod = make_body(
        "rod_0",
        Box(size=(LENGTH, THICK, THICK)),
        position=(middle[0], 0.0, 2.0 + middle[2]),
        orientation=(0.0, math.sin(tilt / 2), 0.0, math.cos(tilt / 2)),
        linear_velocity=(0.0, float(velocity[1]), 0.0),
        angular_velocity=(0.0, 0.0, rate),
    )
    spec = _jointed(substeps, [rod], [JointBall(name="ball", child="rod_0", anchor=(0.0, 0.0, 2.0))])
    return Law(
        name="conical pendulum on a ball joint: largest change of height in 2 s, over its height",
        spec=spec,
        figure=lambda path: float(np.ptp(path.position[:, 0, 2]) / (0.5 * LENGTH * math.sin(tilt))),
        exact=0.0,
        tolerance=2.0 * rate * dt,
        reason="the start is off the steady motion by half a step of its turn: first order in dt",
        unit="1",
        needs=("joints",),
    )


def _slides(substeps: int, dt: float) -> list[Law]:
    slope = math.radians(30.0)
    down = (math.cos(slope), 0.0, -math.sin(slope))
    carriage = make_body(
        "box", Box(size=(0.2, 0.2, 0.2)), orientation=(0.0, math.sin(slope / 2), 0.0, math.cos(slope / 2))
    )
    mass = 500.0 * 0.2**3
    friction = 0.3 * mass * GRAVITY * math.sin(slope)

    def rail(**options: object) -> SceneSpec:
        joint = JointSlider.model_validate(
            {"name": "rail", "child": "box", "anchor": (0.0, 0.0, 1.0), "axis": down, **options}
        )
        return _jointed(substeps, [carriage], [joint])

    plain, rough, held = rail(), rail(friction=friction), rail(friction=4.0 * friction)
    return [
        Law(
            name="carriage on a slope of 30°: way after 1 s",
            spec=plain,
            figure=_of_joint(plain, lambda states: float(states.position[60, 0])),
            exact=0.5 * GRAVITY * math.sin(slope),
            tolerance=5.0 * ROUNDING,
            reason="leapfrog follows a parabola exactly: float32 sums of world coordinates only",
            unit="m",
            needs=("joints",),
        ),
        Law(
            name="carriage with dry friction: way after 1 s",
            spec=rough,
            figure=_of_joint(rough, lambda states: float(states.position[60, 0])),
            exact=0.5 * 0.7 * GRAVITY * math.sin(slope),
            tolerance=0.3 * GRAVITY * math.sin(slope) * dt + 5.0 * ROUNDING,
            reason="friction acts for whole steps, the first included, in which gravity counts half: first order",
            unit="m",
            needs=("joints",),
        ),
        Law(
            name="carriage held by dry friction: way in 2 s",
            spec=held,
            figure=_of_joint(held, lambda states: float(states.position[-1, 0])),
            exact=0.0,
            tolerance=2.0 * ROUNDING,
            reason="friction is a constraint with a bound: it holds without creeping; float32",
            unit="m",
            needs=("joints",),
        ),
    ]


def _free_directions(substeps: int, dt: float) -> list[Law]:
    """Hinges about the vertical without gravity: what friction, dampers, drives and limits do."""
    rate = 4.0
    turning = _rod(velocity=(0.0, rate * LENGTH / 2.0, 0.0), spin=(0.0, 0.0, rate))
    up = (0.0, 0.0, 1.0)

    def about_up(**options: object) -> SceneSpec:
        return _jointed(substeps, [turning], [_hinge(options={"axis": up, **options})], gravity=STILL)

    damping, torque = PIVOT_INERTIA * 0.8, PIVOT_INERTIA * 2.5
    damped, dry, limited = about_up(damping=damping), about_up(friction=torque), about_up(lower=-0.5, upper=1.0)
    stiffness = 4.0 * MASS * GRAVITY * LENGTH / 2.0
    holder = Drive(
        waypoints=(Waypoint(time=0.0, position=0.0),), stiffness=stiffness, damping=0.1 * stiffness, strength=1e3
    )
    sagging = _jointed(substeps, [_rod()], [_hinge(options={"drive": holder})])
    motor = Drive(
        waypoints=(Waypoint(time=0.0, position=0.0), Waypoint(time=4.0, position=12.0)),
        stiffness=0.0,
        damping=50.0 * PIVOT_INERTIA,
        strength=1e3,
    )
    spun = _jointed(substeps, [_rod()], [_hinge(options={"axis": up, "drive": motor})], gravity=STILL)
    return [
        Law(
            name="damped hinge: angle after 1 s",
            spec=damped,
            figure=_of_joint(damped, lambda states: float(states.position[60, 0])),
            exact=rate / 0.8 * (1.0 - math.exp(-0.8)),
            tolerance=rate * 0.8 * dt,
            reason="backward Euler of the damper: first order, c/I · ω dt",
            unit="rad",
            needs=("joints",),
        ),
        Law(
            name="hinge with dry friction: angle at which it stops",
            spec=dry,
            figure=_of_joint(dry, lambda states: float(states.position[-1, 0])),
            exact=0.5 * rate**2 / 2.5,
            tolerance=rate * dt,
            reason="friction acts for whole steps: one step's way",
            unit="rad",
            needs=("joints",),
        ),
        Law(
            name="hinge with a limit: largest angle",
            spec=limited,
            figure=_of_joint(limited, lambda states: float(states.position[:, 0].max())),
            exact=1.0,
            tolerance=1e-3,
            reason="the limit is one of the constraints that are swept: what 32 × 2 sweeps leave of a step",
            unit="rad",
            needs=("joints",),
        ),
        Law(
            name="drive against gravity: sag after 2 s",
            spec=sagging,
            figure=_of_joint(sagging, lambda states: float(states.position[-1, 0])),
            exact=_sag(stiffness / (MASS * GRAVITY * LENGTH / 2.0)),
            tolerance=1e-3,
            reason="exp(-10 · 2) of the way is left after 2 s: the sweeps' error and float32",
            unit="rad",
            needs=("joints",),
        ),
        Law(
            name="motor: rate after 2 s",
            spec=spun,
            figure=_of_joint(spun, lambda states: float(states.rate[-1, 0])),
            exact=3.0,
            tolerance=1e-3,
            reason="exp(-50 · 2) of the start is left; float32",
            unit="rad/s",
            needs=("joints",),
        ),
    ]


def _sag(ratio: float) -> float:
    """Angle x with ratio · x = cos x."""
    angle = 0.0
    for _ in range(50):
        angle -= (ratio * angle - math.cos(angle)) / (ratio + math.sin(angle))
    return angle


def _structures(substeps: int, dt: float) -> list[Law]:
    """Two welded boxes that tumble, and a crank that drives a slider through a rod: a closed loop."""
    halves = [
        make_body(
            name,
            Box(size=(0.2, 0.3, 0.1)),
            position=(x, 0.0, 1.0),
            linear_velocity=(0.0, 2.0 * x, 0.0),
            angular_velocity=(0.0, 0.0, 2.0),
        )
        for name, x in (("left", -0.1), ("right", 0.1))
    ]
    weld = JointWeld(name="weld", parent="left", child="right", anchor=(0.0, 0.0, 1.0))
    welded = _jointed(substeps, halves, [weld], gravity=STILL)
    crank, rod = 0.2, 0.5
    loop = _slider_crank(substeps, crank=crank, rod=rod)

    def off_line(path: Trajectory) -> float:
        states = _states(loop, path)
        angle = states.position[:, 0]
        along = crank * np.cos(angle) + np.sqrt(rod**2 - (crank * np.sin(angle)) ** 2) - crank - rod
        return float(np.abs(states.position[:, 2] - along).max())

    return [
        Law(
            name="welded halves: spin after 2 s",
            spec=welded,
            figure=lambda path: float(np.linalg.norm(path.angular_velocity[-1].mean(axis=0))),
            exact=2.0,
            tolerance=5.0 * ROUNDING,
            reason="momentum is kept by equal and opposite impulses: float32 only",
            unit="rad/s",
            needs=("joints",),
        ),
        Law(
            name="welded halves: how far apart after 2 s",
            spec=welded,
            figure=lambda path: float(np.linalg.norm(path.position[-1, 0] - path.position[-1, 1])),
            exact=0.2,
            tolerance=2.0 * ROUNDING,
            reason="a constraint of positions: float32 only",
            unit="m",
            needs=("joints",),
        ),
        Law(
            name="crank, rod and slider: largest distance from the closed form",
            spec=loop,
            figure=off_line,
            exact=0.0,
            tolerance=5e-4,
            reason="a loop of four joints: what 32 × 2 sweeps leave of a step, 1 mm/s at 240 Hz",
            unit="m",
            needs=("joints",),
        ),
    ]


def _slider_crank(substeps: int, *, crank: float, rod: float) -> SceneSpec:
    motor = Drive(
        waypoints=(Waypoint(time=0.0, position=0.0), Waypoint(time=4.0, position=16.0)),
        stiffness=0.0,
        damping=1.0,
        strength=50.0,
    )
    light = make_material(density=200.0)
    bodies = [
        make_body("crank", Box(size=(crank, 0.04, 0.04)), position=(0.5 * crank, 0.0, 1.0), physical=light),
        make_body("rod", Box(size=(rod, 0.04, 0.04)), position=(crank + 0.5 * rod, 0.0, 1.0), physical=light),
        make_body("slider", Box(size=(0.1, 0.1, 0.1)), position=(crank + rod, 0.0, 1.0), physical=light),
    ]
    across, here = (0.0, 1.0, 0.0), (0.0, 0.0, 1.0)
    joints: list[Joint] = [
        JointHinge(name="motor", child="crank", anchor=here, axis=across, drive=motor),
        JointHinge(name="pin", parent="crank", child="rod", anchor=(crank, 0.0, 1.0), axis=across),
        JointSlider(name="rail", child="slider", anchor=(crank + rod, 0.0, 1.0), axis=(1.0, 0.0, 0.0)),
        JointHinge(name="end", parent="slider", child="rod", anchor=(crank + rod, 0.0, 1.0), axis=across),
    ]
    return _jointed(substeps, bodies, joints, gravity=STILL)

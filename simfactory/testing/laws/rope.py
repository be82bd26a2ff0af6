"""Laws of ropes: how they hang, stretch, bend, swing, slide, fall through air, and share momentum."""

import math

import numpy as np
import numpy.typing as npt

from simfactory.cords import tube_line
from simfactory.episode import Trajectory
from simfactory.spec import Body, SceneSpec, Sphere, Vec3
from simfactory.testing.laws.law import FPS, GRAVITY, Law
from simfactory.testing.specs import make_body, make_material, make_rope, make_spec

__all__ = ["beam_law", "rope_laws"]

Array = npt.NDArray[np.float64]

LENGTH, RADIUS, DENSITY = 1.0, 0.01, 1000.0
LINE = DENSITY * math.pi * RADIUS**2  # mass over length [kg/m]
MATERIAL = make_material(density=DENSITY)
AIR = 1.2  # [kg/m³]
FIRST_ZERO = 2.404825557695773  # of the Bessel function J₀


def rope_laws(*, substeps: int = 4) -> list[Law]:
    """Return the laws of ropes, in at most 1/60 s / substeps a solver step."""
    return [
        _fall_law(substeps=substeps),
        *(_stretch_law(stiffness, substeps=substeps) for stiffness in (1e2, 1e4, 1e6)),
        *_catenary_laws(substeps=substeps),
        *(beam_law(segments, substeps=substeps) for segments in (8, 16, 32)),
        _chain_law(substeps=substeps),
        _slide_law(substeps=substeps),
        _terminal_law(substeps=substeps),
        *_blow_laws(substeps=substeps),
    ]


def beam_law(segments: int, *, substeps: int) -> Law:
    """Return the law of a stiff rope clamped at one end that bends under its own weight: the tip sinks by w L⁴/8EI.

    Source: S. P. Timoshenko, J. N. Goodier, "Theory of Elasticity" (1970), §21.

    Args:
        segments: Of the rope; the first one is clamped.
        substeps: Solver steps per frame.
    """
    bend = 1.0
    free = LENGTH * (segments - 1) / segments
    sag = 0.02 * LENGTH
    gravity = sag * 8.0 * bend / (LINE * free**4)
    rate = 1.875**2 * math.sqrt(bend / LINE) / free**2
    damped = make_material(density=DENSITY, damping=2.0 * rate)
    body = make_rope(
        radius=0.02 if segments < 16 else RADIUS,
        held=("start",),
        clamped=True,
        segments=segments,
        bending_stiffness=bend,
        physical=damped.model_copy(update={"density": LINE / (math.pi * 0.02**2)}) if segments < 16 else damped,
    )
    return Law(
        name=f"clamped rope of {segments} segments bends: sag of the tip over wL⁴/8EI",
        spec=_scene([body], gravity=(0.0, 0.0, -gravity), seconds=12.0 / rate, substeps=substeps),
        figure=lambda path: float(1.0 - _line(path)[-10:, -1, 2].mean()) / sag,
        exact=1.0,
        tolerance=1.4 / segments**2 + 5e-4,
        reason="curvature is sampled at nodes: of second order in segments; sag of 2 %, nearly at rest",
        unit="1",
        needs=("rope",),
    )


def _fall_law(*, substeps: int) -> Law:
    body = make_rope(points=((-0.3, 0.0, 0.0), (0.0, 0.2, 0.1), (0.4, 0.0, 0.0)), physical=MATERIAL, radius=RADIUS)
    return Law(
        name="rope falls freely: way over gt²/2",
        spec=_scene([body], gravity=(0.0, 0.0, -GRAVITY), seconds=1.0, substeps=substeps),
        figure=lambda path: (
            float(_line(path)[-1, :, 2].mean() - _line(path)[0, :, 2].mean()) / (-0.5 * GRAVITY * path.time[-1] ** 2)
        ),
        exact=1.0,
        tolerance=1e-4,
        reason="velocities half a step back make flight exact; float32 velocities",
        unit="1",
        needs=("rope",),
    )


def _stretch_law(stiffness: float, *, substeps: int) -> Law:
    """A rope that hangs from one end under its own weight lengthens by λ g L²/2EA."""
    gravity = GRAVITY if stiffness > 1e3 else 0.02 * 2.0 * stiffness / (LINE * LENGTH)
    rate = 0.5 * math.pi * math.sqrt(stiffness / LINE) / LENGTH
    physical = make_material(density=DENSITY, damping=min(2.0 * rate, 50.0))
    body = make_rope(
        points=((0.0, 0.0, 0.0), (0.0, 0.0, -LENGTH)),
        radius=RADIUS,
        position=(0.0, 0.0, LENGTH),
        held=("start",),
        stretch_stiffness=stiffness,
        physical=physical,
    )
    longer = 0.5 * LINE * gravity * LENGTH**2 / stiffness
    return Law(
        name=f"rope of EA = {stiffness:.0e} N hangs: lengthening over λgL²/2EA",
        spec=_scene([body], gravity=(0.0, 0.0, -gravity), seconds=2.0, substeps=substeps),
        figure=lambda path: float(_line(path)[0, -1, 2] - _line(path)[-10:, -1, 2].mean()) / longer,
        exact=1.0,
        tolerance=0.01 + 1.2e-7 / longer,
        reason="lumped masses are exact here; states are float32, 1.2e-7 m at a height of 1 m",
        unit="1",
        needs=("rope",),
    )


def _catenary_laws(*, substeps: int) -> list[Law]:
    """A rope of twice the span of its ends, let go from a corner, comes to rest as a catenary.

    z = a cosh(x/a), with a from sinh(x)/x = L/D at x = D/2a; the force in it is λ g z, z from the directrix.

    Source: E. H. Lockwood, "A Book of Curves" (1961), ch. 13.
    """
    span, length, stiffness = 0.6, 1.2, 500.0
    depth = math.sqrt(0.25 * length**2 - 0.25 * span**2)
    physical = make_material(density=DENSITY, damping=8.0)
    corner = ((-0.5 * span, 0.0, 0.0), (0.02, 0.0, -depth + 0.04), (0.06, 0.0, -depth + 0.05), (0.5 * span, 0.0, 0.0))
    body = make_rope(
        points=corner,
        radius=RADIUS,
        held=("start", "end"),
        stretch_stiffness=stiffness,
        bending_stiffness=0.0,
        physical=physical,
    )
    spec = _scene([body], gravity=(0.0, 0.0, -GRAVITY), seconds=4.0, substeps=substeps)

    def hung(path: Trajectory) -> tuple[Array, float, Array]:
        """Nodes at rest, the parameter a [m] for their own length, and the strains of segments."""
        first, last = _line(path)[0], _line(path)[-1]
        rest = np.linalg.norm(np.diff(first, axis=0), axis=-1)
        now = np.linalg.norm(np.diff(last, axis=0), axis=-1)
        low, high = 1e-3, 20.0
        for _ in range(100):
            middle = 0.5 * (low + high)
            low, high = (middle, high) if math.sinh(middle) / middle < now.sum() / span else (low, middle)
        return last, 0.5 * span / low, now / rest - 1.0

    def sag(path: Trajectory) -> float:
        nodes, a, _ = hung(path)
        return float(nodes[0, 2] - nodes[:, 2].min()) / (a * (math.cosh(0.5 * span / a) - 1.0))

    def shape(path: Trajectory) -> float:
        nodes, a, _ = hung(path)
        exact = nodes[0, 2] - a * (math.cosh(0.5 * span / a) - np.cosh(nodes[:, 0] / a))
        return float(np.abs(nodes[:, 2] - exact).max()) / span

    def tension(path: Trajectory) -> float:
        nodes, a, strain = hung(path)
        height = a * math.cosh(0.5 * float(nodes[0, 0] + nodes[1, 0]) / a)  # of the first segment's middle
        return float(stiffness * strain[0]) / (LINE * GRAVITY * height)

    reason = "60 straight segments: the sag of each over its chord, (h/a)²/8, is 0.1 % of a; damped for 4 s"
    return [
        Law(
            name="rope hung by both ends: sag over the catenary's",
            spec=spec,
            figure=sag,
            exact=1.0,
            tolerance=0.01,
            reason=reason,
            unit="1",
            needs=("rope",),
        ),
        Law(
            name="rope hung by both ends: farthest from the catenary, over the span",
            spec=spec,
            figure=shape,
            exact=0.0,
            tolerance=0.01,
            reason=reason + "; the strain of 1 % at the ends is not the catenary's",
            unit="1",
            needs=("rope",),
        ),
        Law(
            name="rope hung by both ends: force near an end over λgz",
            spec=spec,
            figure=tension,
            exact=1.0,
            tolerance=0.01,
            reason="read from the strain of the first segment, at its middle; the strain of 1 % is not the catenary's",
            unit="1",
            needs=("rope",),
        ),
    ]


def _chain_law(*, substeps: int) -> Law:
    """A chain that hangs from one end swings in its first mode J₀(j √(z/L)) with the period 4π/j √(L/g).

    z is the height above the free end, j the first zero of J₀.

    Source: H. Lamb, "Higher Mechanics" (1929), §90.
    """
    height = np.linspace(LENGTH, 0.0, 41)
    mode = 0.03 * _bessel(FIRST_ZERO * np.sqrt(height / LENGTH))
    points = tuple((float(x), 0.0, float(z - LENGTH)) for x, z in zip(mode, height, strict=True))
    body = make_rope(points=points, radius=RADIUS, held=("start",), bending_stiffness=0.0, physical=MATERIAL)
    period = 4.0 * math.pi / FIRST_ZERO * math.sqrt(LENGTH / GRAVITY)

    def figure(path: Trajectory) -> float:
        aside = _line(path)[:, -1, 0]
        rising = np.flatnonzero((aside[:-1] < 0.0) & (aside[1:] >= 0.0))
        crossing = path.time[rising] - aside[rising] / (aside[rising + 1] - aside[rising]) / FPS
        return float(np.diff(crossing).mean()) / period

    return Law(
        name="hanging chain swings: period over 4π/j √(L/g)",
        spec=_scene([body], gravity=(0.0, 0.0, -GRAVITY), seconds=3.6 * period, substeps=substeps),
        figure=figure,
        exact=1.0,
        tolerance=5e-3,
        reason="50 lumped masses: of second order in 1/50; amplitudes of 3 %: 0.02 %; implicit Euler only damps",
        unit="1",
        needs=("rope",),
    )


def _slide_law(*, substeps: int) -> Law:
    """A rope laid along a slope (gravity is tilted instead) slides with g (sin θ - μ cos θ)."""
    slope, friction = math.radians(35.0), 0.3
    physical = make_material(density=DENSITY, friction=friction)
    body = make_rope(radius=RADIUS, position=(0.0, 0.0, RADIUS + 1e-4), physical=physical)
    gravity = (GRAVITY * math.sin(slope), 0.0, -GRAVITY * math.cos(slope))
    spec = make_spec(bodies=[body], gravity=gravity, fps=FPS, frame_count=61, substeps=substeps, ground=True)
    ground = spec.ground
    assert ground is not None
    spec = spec.model_copy(update={"ground": ground.model_copy(update={"physical": physical})})
    rate = GRAVITY * (math.sin(slope) - friction * math.cos(slope))
    return Law(
        name="rope slides down a slope of 35°, μ = 0.3: way over that of g(sin θ - μ cos θ)",
        spec=spec,
        figure=lambda path: (
            float(_line(path)[-1, :, 0].mean() - _line(path)[0, :, 0].mean()) / (0.5 * rate * path.time[-1] ** 2)
        ),
        exact=1.0,
        tolerance=5e-3,
        reason="friction is less than Coulomb's below 2 mm/s; dropped by 0.1 mm",
        unit="1",
        needs=("rope", "contact"),
    )


def _terminal_law(*, substeps: int) -> Law:
    """A level rope falls through air at √(λ g / ½ ρ C_d d) in the end."""
    light = make_material(density=40.0)
    body = make_rope(radius=RADIUS, position=(0.0, 0.0, 50.0), physical=light)
    speed = math.sqrt(40.0 * math.pi * RADIUS**2 * GRAVITY / (0.5 * AIR * 1.2 * 2.0 * RADIUS))
    spec = make_spec(bodies=[body], fps=FPS, frame_count=181, substeps=substeps, ground=False, air_density=AIR)
    return Law(
        name="level rope falls through air: speed over the terminal one",
        spec=spec,
        figure=lambda path: float(_line(path)[-2, :, 2].mean() - _line(path)[-1, :, 2].mean()) * FPS / speed,
        exact=1.0,
        tolerance=5e-3,
        reason="drag and gravity act one after the other: g dt of some 3 m/s; after 3 s within 1e-4 of the end",
        unit="1",
        needs=("rope", "air"),
    )


def _blow_laws(*, substeps: int) -> list[Law]:
    """A ball flies into a free rope, without gravity: the sum of momenta stays, and so does its moment."""
    density = 400.0
    ball = make_body(
        "ball",
        Sphere(radius=0.08),
        position=(-0.2, 0.0, 1.0),
        linear_velocity=(3.0, 0.0, 0.0),
        physical=make_material(density=density),
    )
    rope = make_rope(points=((0.0, 0.0, -0.5), (0.0, 0.0, 0.5)), radius=0.015, physical=MATERIAL)
    mass = density * 4.0 / 3.0 * math.pi * 0.08**3
    weight = DENSITY * math.pi * 0.015**2
    spec = _scene([rope, ball], gravity=(0.0, 0.0, 0.0), seconds=0.6, substeps=substeps)
    first = make_rope("one", ((0.0, -0.4, 0.0), (0.0, 0.4, 0.0)), radius=0.015, physical=MATERIAL)
    second = make_rope(
        "two",
        ((-0.4, 0.05, 0.0), (0.4, 0.05, 0.0)),
        radius=0.015,
        position=(0.0, 0.0, 1.1),
        linear_velocity=(0.0, 0.0, -2.0),
        physical=MATERIAL,
    )
    crossing = _scene([first, second], gravity=(0.0, 0.0, 0.0), seconds=0.4, substeps=substeps)

    def momentum(path: Trajectory) -> float:
        speed = path.linear_velocity[-1, :, 0].astype(np.float64)
        return float(weight * speed[0] + mass * speed[1]) / (3.0 * mass)

    return [
        Law(
            name="ball hits a free rope: momentum after over before",
            spec=spec,
            figure=momentum,
            exact=1.0,
            tolerance=1e-3,
            reason="the ball gets the opposite of what the rope got, to the digit; float32 velocities",
            unit="1",
            needs=("rope", "contact"),
        ),
        Law(
            name="a rope falls across another: momentum after over before",
            spec=crossing,
            figure=lambda path: float(path.linear_velocity[-1, :, 2].astype(np.float64).sum()) / -2.0,
            exact=1.0,
            tolerance=1e-3,
            reason="what the two sides of a contact differ by is shared by mass; float32 velocities",
            unit="1",
            needs=("rope", "contact"),
        ),
    ]


def _bessel(x: Array) -> Array:
    """Return J₀ by its series Σ (-x²/4)ᵏ/k!², exact to rounding for x below 4."""
    term, total = np.ones_like(x), np.ones_like(x)
    for k in range(1, 30):
        term = term * (-0.25 * x * x) / k**2
        total = total + term
    return np.asarray(total)


def _line(path: Trajectory) -> Array:
    """Return the nodes `(time, node, 3)` [m] of the scene's first body."""
    return tube_line(path.vertices[0])


def _scene(bodies: list[Body], *, gravity: Vec3, seconds: float, substeps: int) -> SceneSpec:
    frames = math.ceil(seconds * FPS) + 1
    return make_spec(bodies=bodies, gravity=gravity, fps=FPS, frame_count=frames, substeps=substeps, ground=False)

"""Laws of liquids: fall, depth, dams that break, what floats, and how fast thick liquids spread."""

import math
from collections.abc import Callable, Sequence

import numpy as np

from simfactory.episode import Trajectory
from simfactory.spec import Body, Box, Cylinder, SceneSpec, Sphere
from simfactory.testing.laws.law import GRAVITY, Law
from simfactory.testing.specs import make_body, make_fluid, make_ground, make_material, make_spec

__all__ = ["fluid_laws"]

Figure = Callable[[Trajectory], float]

FPS = 30.0
WALL = 0.06  # [m]
SPACING = 0.022  # [m]
VISCOSITIES = (20.0, 60.0)  # [Pa·s]: inertia is small; at 2 Pa·s the column spreads 19 % further


def fluid_laws(*, substeps: int = 8) -> list[Law]:
    """Return the laws of liquids, in steps of 1/30 s / substeps (liquids: at most 0.01 s)."""
    return [
        _fall_law(substeps=substeps),
        _depth_law(substeps=substeps),
        _front_law(substeps=substeps),
        *(_float_law(density, substeps=substeps) for density in (300.0, 600.0)),
        _sink_law(substeps=substeps),
        *(_spread_law(viscosity, substeps=substeps) for viscosity in VISCOSITIES),
        _blow_law(substeps=substeps),
    ]


def _tank(length: float, width: float, height: float) -> list[Body]:
    """Four static walls around a rectangle about the origin."""
    wood = make_material(density=700.0, friction=0.3)
    far_x, far_y = 0.5 * (length + WALL), 0.5 * (width + WALL)
    return [
        make_body(
            f"wall_{k}",
            Box(size=(WALL, width + 2.0 * WALL, height) if k < 2 else (length, WALL, height)),
            position=((-far_x, far_x)[k] if k < 2 else 0.0, (-far_y, far_y)[k - 2] if k >= 2 else 0.0, 0.5 * height),
            mobility="static",
            physical=wood,
        )
        for k in range(4)
    ]


def _fall_law(*, substeps: int) -> Law:
    blob = make_fluid(geometry=Sphere(radius=0.12), position=(0.0, 0.0, 4.0))
    return Law(
        name="blob of liquid falls freely: way over gt²/2",
        spec=_scene([blob], seconds=0.5, substeps=substeps),
        figure=lambda path: float(path.position[-1, 0, 2] - 4.0) / (-0.5 * GRAVITY * float(path.time[-1]) ** 2),
        exact=1.0,
        tolerance=1.5 * (2.0 / (FPS * substeps)) / 0.5,
        reason="semi-implicit Euler: first order, dt/t, with liquids at two solver steps of 1/240 s",
        unit="1",
        needs=("fluid",),
    )


def _depth_law(*, substeps: int) -> Law:
    length, width, depth = 0.5, 0.4, 0.15
    pool = make_fluid(
        geometry=Box(size=(0.5 * length, width - 2e-3, 2.0 * depth)),
        position=(-0.25 * length + 1e-3, 0.0, depth + 5e-4),
        spacing=SPACING,
    )
    level = 0.5 * length * (width - 2e-3) * 2.0 * depth / (length * width)
    return Law(
        name="liquid let go in a tank comes to rest: twice the height of its centre over its depth",
        spec=_scene([pool, *_tank(length, width, 0.5)], seconds=4.0, substeps=substeps),
        figure=lambda path: float(path.position[-45:, 0, 2].mean()) * 2.0 / level,
        exact=1.0,
        tolerance=0.08,
        reason="volume is kept and the surface is level: the centre is at half the depth; half a particle's spacing of "
        "the depth of seven, and what still sloshes, are allowed",
        unit="1",
        needs=("contact", "fluid"),
    )


def _front_law(*, substeps: int) -> Law:
    height = 0.24
    dam = make_fluid(geometry=Box(size=(0.4, 0.3, height)), position=(-0.6, 0.0, 0.5 * height + 5e-4), spacing=SPACING)
    walls = _tank(1.604, 0.304, 0.4)
    bound = 2.0 * math.sqrt(GRAVITY * height)

    def figure(path: Trajectory) -> float:
        front = np.quantile(path.particles[0][:, :, 0].astype(np.float64), 0.99, axis=1)
        return float((front[12] - front[6]) / (path.time[12] - path.time[6])) / bound

    return Law(
        name="dam breaks on a smooth floor: speed of the front over 2√(gh)",
        spec=_scene([dam, *walls], seconds=0.45, substeps=substeps),
        figure=figure,
        exact=0.8,
        tolerance=0.2,
        reason="2√(gh) is the shallow-water bound (Ritter, 1892); the dam that starts from rest reaches 0.6-1 of it in "
        "its first half second (Martin & Moyce, Philosophical Transactions A 244, 1952: 1.6-1.9 √(gh))",
        unit="1",
        needs=("contact", "fluid"),
    )


def _float_law(density: float, *, substeps: int) -> Law:
    length, width, depth, size = 0.5, 0.4, 0.18, (0.14, 0.14, 0.1)
    pool = make_fluid(
        geometry=Box(size=(length - 2e-3, width - 2e-3, depth)),
        position=(0.0, 0.0, 0.5 * depth + 5e-4),
        spacing=SPACING,
    )
    block = make_body(
        "block", Box(size=size), position=(0.0, 0.0, depth + 0.05), physical=make_material(density=density)
    )
    volume = (length - 2e-3) * (width - 2e-3) * depth
    share = density / 1000.0
    level = (volume + share * math.prod(size)) / (length * width)
    center = level + (0.5 - share) * size[2]
    return Law(
        name=f"block of {density:g} kg/m³ floats on water: height of its centre",
        spec=_scene([pool, block, *_tank(length, width, 0.35)], seconds=4.0, substeps=substeps),
        figure=lambda path: float(path.position[-60:, 1, 2].mean()),
        exact=center,
        tolerance=0.5 * SPACING + 0.05 * level,
        reason="Archimedes: it displaces its weight; pressures are known to a quarter of a cell, and the level as in "
        "the law of depth; mean over the last two seconds, as it bobs",
        unit="m",
        needs=("contact", "fluid"),
    )


def _sink_law(*, substeps: int) -> Law:
    pool = make_fluid(geometry=Box(size=(0.498, 0.398, 0.18)), position=(0.0, 0.0, 0.0905), spacing=SPACING)
    ball = make_body("ball", Sphere(radius=0.05), position=(0.0, 0.0, 0.3), physical=make_material(density=2700.0))
    return Law(
        name="ball of 2,700 kg/m³ sinks in water: height of its centre over its radius",
        spec=_scene([pool, ball, *_tank(0.5, 0.4, 0.35)], seconds=1.5, substeps=substeps),
        figure=lambda path: float(path.position[-5:, 1, 2].mean()) / 0.05,
        exact=1.0,
        tolerance=0.05,
        reason="it comes to rest on the floor; contact is exact to millimetres",
        unit="1",
        needs=("contact", "fluid"),
    )


def _spread_law(viscosity: float, *, substeps: int) -> Law:
    radius, height, density = 0.16, 0.16, 1200.0
    column = make_fluid(
        geometry=Cylinder(radius=radius, height=height),
        position=(0.0, 0.0, 0.5 * height + 5e-4),
        spacing=0.016,
        viscosity=viscosity,
        density=density,
    )
    seconds = 1.5
    volume = math.pi * radius**2 * height
    start = 0.5  # [s] from when the spreading is like that of a thin layer

    def reach(path: Trajectory, frame: int) -> float:
        places = path.particles[0][frame].astype(np.float64)
        ring = np.hypot(*(places[:, :2] - places[:, :2].mean(axis=0)).T)
        return float(np.quantile(ring, 0.98))

    scale = 0.894 * (GRAVITY * volume**3 / (3.0 * viscosity / density)) ** 0.125

    return Law(
        name=f"column of viscosity {viscosity:g} Pa·s spreads on a floor: radius over that of a thin layer",
        spec=_scene([column], seconds=seconds, substeps=substeps),
        figure=lambda path: reach(path, -1) / (scale * (seconds + start) ** 0.125),
        exact=1.0,
        tolerance=0.15,
        reason="R = 0.894 (g V³ / 3ν)^⅛ t^⅛ of a thin layer that sticks to the floor (Huppert, Journal of Fluid "
        "Mechanics 121, 1982); the column is no thin layer at first, which shifts the time by about half a second, "
        "6 % of R, and its edge is known to half a cell, 4 %",
        unit="1",
        needs=("contact", "fluid"),
    )


def _blow_law(*, substeps: int) -> Law:
    blob = make_fluid(geometry=Sphere(radius=0.11), position=(-0.3, 0.0, 2.0), linear_velocity=(2.0, 0.0, 0.0))
    block = make_body(
        "block", Box(size=(0.2, 0.3, 0.3)), position=(0.0, 0.0, 2.0), physical=make_material(density=300.0)
    )

    def figure(path: Trajectory) -> float:
        mass = path.properties.mass
        before, after = (path.linear_velocity[k, :, 0].astype(np.float64) @ mass for k in (0, -1))
        return float(after / before)

    return Law(
        name="blob of liquid hits a free block: momentum after over before",
        spec=_scene([blob, block], gravity=0.0, seconds=0.5, substeps=substeps),
        figure=figure,
        exact=1.0,
        tolerance=0.1,
        reason="pressure acts on both alike, but particles that come within 0.15 spacings of the block are stopped "
        "without a share for it",
        unit="1",
        needs=("contact", "fluid"),
    )


def _scene(bodies: Sequence[Body], *, seconds: float, substeps: int, gravity: float = GRAVITY) -> SceneSpec:
    return make_spec(
        bodies=bodies,
        gravity=(0.0, 0.0, -gravity),
        fps=FPS,
        frame_count=1 + round(seconds * FPS),
        substeps=substeps,
        ground=make_ground(physical=make_material(friction=0.3)),
    )

"""Laws of inflatables: gas and tension at rest, a ball that carries a weight, a bounce, flight through air, a blow."""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from simfactory.episode import Trajectory
from simfactory.shells import enclosed_volume, shell, shell_area
from simfactory.spec import Body, BodyInflatable, Box, SceneSpec, Sphere
from simfactory.testing.laws.law import GRAVITY, Law
from simfactory.testing.specs import make_body, make_inflatable, make_material, make_spec

__all__ = ["gauge_pressure", "inflatable_laws", "tension"]

FPS = 60.0
ATMOSPHERE = 101325.0  # [Pa]
RADIUS = 0.2  # [m]
SKIN = {"area_density": 0.3, "membrane_stiffness": 300.0, "resolution": 8}
POISSON = 0.4


def inflatable_laws(*, substeps: int = 4) -> list[Law]:
    """Return the laws of inflatables, in at most 1/60 s / substeps a solver step."""
    return [
        *(_laplace_law(pressure, substeps=substeps) for pressure in (100.0, 800.0)),
        _amount_law(substeps=substeps),
        _weight_law(substeps=substeps),
        *_flight_laws(substeps=substeps),
        _blow_law(substeps=substeps),
    ]


def gauge_pressure(body: BodyInflatable, volume: float) -> float:
    """Return what p V = n R T says about a gas that fills a volume [m³]: its pressure above the atmosphere's [Pa]."""
    made = shell(body.geometry, body.factors, body.resolution)
    return (ATMOSPHERE + body.gauge_pressure) * float(
        enclosed_volume(made.vertices, made.triangles)
    ) / volume - ATMOSPHERE


def tension(body: BodyInflatable, area: float, *, unstretched: float) -> float:
    """Return the tension [N/m] of a membrane that is stretched alike in all directions, to an area from another [m²].

    Source: of a neo-Hookean membrane, K/2(1 - ν) times the growth of the area.
    """
    return body.membrane_stiffness / (2.0 * (1.0 - body.physical.poisson_ratio)) * (area / unstretched - 1.0)


def _laplace_law(pressure: float, *, substeps: int) -> Law:
    """A ball that is dented at first comes to rest with p = 2 T/r."""
    ball = _ball(gauge_pressure=pressure, aspect=(1.0, 1.0, 0.9), physical=_material(damping=10.0))
    made = shell(ball.geometry, ball.factors, ball.resolution)
    area, volume = (
        float(shell_area(made.vertices, made.triangles)),
        float(enclosed_volume(made.vertices, made.triangles)),
    )
    grown = 1.0 + 0.5 * pressure * 3.0 * volume / area / (ball.membrane_stiffness / (2.0 * (1.0 - POISSON)))

    def figure(path: Trajectory) -> float:
        last = path.vertices[0][-1]
        now = float(enclosed_volume(last, made.triangles))
        pulled = tension(ball, float(shell_area(last, made.triangles)), unstretched=area / grown)
        return float(gauge_pressure(ball, now) / (2.0 * pulled / (3.0 * now / (4.0 * math.pi)) ** (1.0 / 3.0)))

    return Law(
        name=f"ball blown up to {pressure:.0f} Pa, flattened by a tenth at first: pressure by pV = nRT over 2T/r",
        spec=_scene([ball], seconds=0.6, substeps=substeps, gravity=(0.0, 0.0, 0.0)),
        figure=figure,
        exact=1.0,
        tolerance=0.015,
        reason="its shell is cut to an ellipsoid: where its curvature and stretch differ by 10 %, mean tension and "
        "mean radius err by the square of that, 1 %; a polyhedron's mean radius and area by less than that",
        unit="1",
        needs=("inflatable",),
    )


def _amount_law(*, substeps: int) -> Law:
    """A limp cube slumps on the floor: its gas has nowhere to go and keeps its volume."""
    cube = _ball(
        geometry=Box(size=(0.3, 0.3, 0.3)), gauge_pressure=0.0, position=(0.0, 0.0, 0.16),
        physical=_material(damping=3.0),
    )  # fmt: skip
    made = shell(cube.geometry, cube.factors, cube.resolution)
    start = float(enclosed_volume(made.vertices, made.triangles))

    def figure(path: Trajectory) -> float:
        return float(enclosed_volume(path.vertices[0], made.triangles).min()) / start

    return Law(
        name="limp cube slumps on the floor: least volume over that at first",
        spec=_scene([cube], seconds=0.6, substeps=substeps, ground=True),
        figure=figure,
        exact=1.0,
        tolerance=0.002,
        reason="p V is kept: pressures up to 200 Pa, of a weight of 1.6 N on a few square centimetres at first, are "
        "0.2 % of the atmosphere's",
        unit="1",
        needs=("inflatable",),
    )


def _weight_law(*, substeps: int) -> Law:
    """A ball that lies on the floor bears its weight by its pressure over the area that it touches."""
    gravity = 30.0
    ball = _ball(
        gauge_pressure=100.0, position=(0.0, 0.0, RADIUS + 0.003), resolution=12, physical=_material(damping=6.0)
    )
    made = shell(ball.geometry, ball.factors, ball.resolution)
    weight = ball.area_density * float(shell_area(made.vertices, made.triangles)) * gravity

    def figure(path: Trajectory) -> float:
        last = path.vertices[0][-1].astype(np.float64)
        corners = last[made.triangles]
        low = corners[..., 2].mean(axis=1) < 0.005
        areas = 0.5 * np.linalg.norm(np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]), axis=-1)
        return gauge_pressure(ball, float(enclosed_volume(last, made.triangles))) * float(areas[low].sum()) / weight

    return Law(
        name="limp ball lies on the floor: pressure times area of contact over its weight",
        spec=_scene([ball], seconds=1.0, substeps=substeps, gravity=(0.0, 0.0, -gravity), ground=True),
        figure=figure,
        exact=1.0,
        tolerance=0.2,
        reason="a disc of contact of about 12 cm radius is known to a third of an edge of 3.3 cm all around: 18 %; "
        "what is left of swings, 2 %",
        unit="1",
        needs=("contact", "inflatable"),
    )


def _flight_laws(*, substeps: int) -> list[Law]:
    air, seconds = 1.2, 0.3
    dt = 1.0 / (FPS * substeps)
    made = shell(Sphere(radius=RADIUS), (1.0, 1.0, 1.0), 8)
    area = float(shell_area(made.vertices, made.triangles))
    terminal = math.sqrt(2.0 * SKIN["area_density"] * area * GRAVITY / (air * 0.47 * math.pi * RADIUS**2))
    sinking = _scene([_ball()], seconds=seconds, substeps=substeps, air_density=air)
    bouncing = _scene(
        [_ball(position=(0.0, 0.0, RADIUS + 0.5), gauge_pressure=800.0)], seconds=0.85, substeps=substeps, ground=True
    )

    def apex(path: Trajectory) -> float:
        height = path.position[:, 0, 2].astype(np.float64) - RADIUS
        low = int(np.argmax(np.diff(height) > 0.0))
        return float(height[low:].max()) / float(height[0])

    return [
        Law(
            name="ball sinks in air: speed over its terminal speed, C_d = 0.47",
            spec=sinking,
            figure=lambda path: -float(path.linear_velocity[-1, 0, 2]) / terminal,
            exact=math.tanh(GRAVITY * seconds / terminal),
            tolerance=0.015,
            reason="v = v_t tanh(gt/v_t); facets and skin friction give 1 % of the drag; first order in dt",
            unit="1",
            needs=("air", "inflatable"),
        ),
        Law(
            name="ball dropped by 50 cm bounces: height of its apex over that of the drop",
            spec=bouncing,
            figure=apex,
            exact=0.725,
            tolerance=0.275 + 2.0 * dt,
            reason="a band: gas and membrane give back what they store, but for what is left in waves of the shell; "
            "0.45 is the least of a soft toy, and never more than all",
            unit="1",
            needs=("contact", "inflatable"),
        ),
    ]


def _blow_law(*, substeps: int) -> Law:
    ball = make_body(
        "stone", Sphere(radius=0.06), position=(0.0, 0.0, 1.3), linear_velocity=(0.0, 0.0, -2.0),
        physical=make_material(density=300.0),
    )  # fmt: skip
    target = _ball(position=(0.0, 0.0, 1.0))
    made = shell(target.geometry, target.factors, target.resolution)
    masses = (0.3 * float(shell_area(made.vertices, made.triangles)), 300.0 * 4.0 / 3.0 * math.pi * 0.06**3)

    def momentum(path: Trajectory) -> float:
        return float(path.linear_velocity[-1, :, 2].astype(np.float64) @ np.array(masses)) / (-2.0 * masses[1])

    return Law(
        name="ball hits a free inflated one: momentum after over before",
        spec=_scene([target, ball], seconds=0.3, substeps=substeps, gravity=(0.0, 0.0, 0.0)),
        figure=momentum,
        exact=1.0,
        tolerance=0.02,
        reason="what iterations leave open is shared out by mass; rounding of the velocities of nodes",
        unit="1",
        needs=("contact", "inflatable"),
    )


def _material(*, damping: float) -> Any:  # Any: fields of a body are of any type
    return make_material(damping=damping, poisson_ratio=POISSON)


def _ball(**options: Any) -> BodyInflatable:  # Any: fields of an inflatable
    return make_inflatable(**{"geometry": Sphere(radius=RADIUS), **SKIN, "physical": _material(damping=0.0), **options})


def _scene(
    bodies: Sequence[Body],
    *,
    seconds: float,
    substeps: int,
    gravity: tuple[float, float, float] = (0.0, 0.0, -GRAVITY),
    air_density: float = 0.0,
    ground: bool = False,
) -> SceneSpec:
    return make_spec(
        bodies=bodies,
        gravity=gravity,
        air_density=air_density,
        fps=FPS,
        frame_count=math.ceil(seconds * FPS) + 1,
        substeps=substeps,
        ground=ground,
    )

"""Laws of cloth: strips that hang and bend under their weight, air, free fall, balls that hit and lie on sheets."""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from simfactory.episode import Trajectory
from simfactory.quality.cloth import edge_strain
from simfactory.spec import Body, Rectangle, SceneSpec, Sphere
from simfactory.tailoring import cut
from simfactory.testing.laws.law import GRAVITY, Law
from simfactory.testing.specs import make_body, make_cloth, make_material, make_spec

__all__ = ["bending_strip_law", "cloth_laws", "heavy_elastica"]

FPS = 60.0
AREA_DENSITY = 0.2  # [kg/m²]
POISSON = 0.3
PRESSURE = 1.2  # drag coefficient of a plate across the flow
UPRIGHT = (math.sqrt(0.5), 0.0, 0.0, math.sqrt(0.5))  # local y upwards


def cloth_laws(*, substeps: int = 4) -> list[Law]:
    """Return the laws of cloth, in at most 1/60 s / substeps a solver step."""
    return [
        *(_stretch_law(stiffness, substeps=substeps) for stiffness in (50.0, 200.0, 800.0)),
        *(bending_strip_law(load, substeps=substeps) for load in (0.4, 2.0, 8.0)),
        *_hanging_laws(substeps=substeps),
        *_flight_laws(substeps=substeps),
        *_contact_laws(substeps=substeps),
    ]


def heavy_elastica(load: float) -> tuple[float, float]:
    """Return how far (along, down) the tip of a heavy elastica of length 1 is from its clamped, level end.

    Solves θ'' = -w (1 - s) cos θ, θ(0) = 0, θ'(1) = 0 by shooting on θ'(0), θ measured downwards.

    Source: R. Frisch-Fay, "Flexible Bars" (1962), §2; F. T. Peirce, "The handle of cloth as a measurable quantity",
    Journal of the Textile Institute 21 (1930).

    Args:
        load: w = weight per length · length³ / bending stiffness [1], up to 100.

    Raises:
        ValueError: The load is larger: shooting then loses all digits.
    """
    if load > 100.0:
        raise ValueError(f"a load of {load:g} cannot be shot at; allowed is up to 100: lighten or shorten the strip")
    count = 2000
    step = 1.0 / count

    def shot(slope: float) -> tuple[float, float, float]:
        theta, rate, along, down = 0.0, slope, 0.0, 0.0
        for k in range(count):  # midpoint rule
            s = k * step
            middle = theta + 0.5 * step * rate
            half = rate - 0.5 * step * load * (1.0 - s) * math.cos(theta)
            along, down = along + step * math.cos(middle), down + step * math.sin(middle)
            rate -= step * load * (1.0 - s - 0.5 * step) * math.cos(middle)
            theta += step * half
        return rate, along, down

    low, high = 0.0, load
    for _ in range(60):
        middle = 0.5 * (low + high)
        low, high = (middle, high) if shot(middle)[0] < 0.0 else (low, middle)
    _, along, down = shot(0.5 * (low + high))
    return along, down


def bending_strip_law(load: float, *, substeps: int) -> Law:
    """Return the law of a strip that is clamped level at one end and bends under its weight: a heavy elastica.

    Args:
        load: Weight per length · length³ / bending stiffness [1].
        substeps: Solver steps per frame.
    """
    size, cells = (0.5, 0.1), 20
    length = size[0] - cut(Rectangle(size=size), cells).edge
    bending = AREA_DENSITY * GRAVITY * length**3 / load
    rate = 1.875**2 * math.sqrt(bending / AREA_DENSITY) / length**2  # of the first mode [rad/s]
    strip = make_cloth(
        geometry=Rectangle(size=size),
        resolution=cells,
        area_density=AREA_DENSITY,
        membrane_stiffness=400.0,
        bending_stiffness=bending,
        held=("-x",),
        clamped=True,
        physical=make_material(damping=min(2.0 * rate, 20.0), poisson_ratio=POISSON),
    )
    _, down = heavy_elastica(load)

    def figure(path: Trajectory) -> float:
        end = cut(Rectangle(size=size), cells).vertices[:, 0] > 0.5 * size[0] - 1e-6
        return float(1.0 - path.vertices[0][-5:, end, 2].mean()) / length / down

    return Law(
        name=f"strip bends under its weight, wL³/B = {load}: sag of its tip over that of the heavy elastica",
        spec=_scene([strip], seconds=2.5, substeps=substeps),
        figure=figure,
        exact=1.0,
        tolerance=0.125,
        reason="a narrow strip of a plate whose Poisson's ratio is -1/3 (see bodies.cloth) is softer by 1/(1 - 1/9) = "
        "9/8 than one bent to a cylinder under small loads, by less under large ones",
        unit="1",
        needs=("cloth",),
    )


def _stretch_law(stiffness: float, *, substeps: int) -> Law:
    """A strip that hangs from one end lengthens by ρ g L²/2K: tension ρ g (L - x) over K."""
    size = (0.5, 0.1)
    strain = 0.02
    gravity = strain * 2.0 * stiffness / (AREA_DENSITY * size[0])
    rate = 0.5 * math.pi * math.sqrt(stiffness / AREA_DENSITY) / size[0]
    strip = make_cloth(
        geometry=Rectangle(size=size),
        resolution=20,
        area_density=AREA_DENSITY,
        membrane_stiffness=stiffness,
        held=("-x",),
        physical=make_material(damping=min(2.0 * rate, 60.0), poisson_ratio=POISSON),
    )

    def figure(path: Trajectory) -> float:
        end = cut(Rectangle(size=size), 20).vertices[:, 0] > 0.5 * size[0] - 1e-6
        return float(path.vertices[0][-5:, end, 0].mean() - 0.5 * size[0]) / (strain * size[0])

    return Law(
        name=f"strip of K = {stiffness:.0f} N/m hangs: lengthening over ρgL²/2K",
        spec=_scene([strip], seconds=1.0, substeps=substeps, gravity=(min(gravity, 50.0), 0.0, 0.0)),
        figure=lambda path: figure(path) * gravity / min(gravity, 50.0),
        exact=1.0,
        tolerance=0.04,
        reason="the held end cannot narrow: stiffer by about ν² width/2 length = 1 %; strains of 2 %, at which the "
        "membrane's law is not linear any more: 2 %",
        unit="1",
        needs=("cloth",),
    )


def _hanging_laws(*, substeps: int) -> list[Law]:
    stiffness, size = 200.0, (0.8, 0.6)
    damped = make_material(damping=2.0, poisson_ratio=POISSON)
    sheet: dict[str, Any] = {  # Any: fields of a cloth
        "geometry": Rectangle(size=size),
        "orientation": UPRIGHT,
        "resolution": 20,
        "area_density": AREA_DENSITY,
        "membrane_stiffness": stiffness,
        "physical": damped,
    }
    hung = _scene([make_cloth(**sheet, held=("+y",))], seconds=2.0, substeps=substeps)
    cornered = _scene([make_cloth(**sheet, held=("-x+y", "+x+y"))], seconds=4.0, substeps=substeps)
    top = AREA_DENSITY * GRAVITY * size[1] / stiffness

    def largest(path: Trajectory) -> float:
        made = cut(Rectangle(size=size), 20)
        corners = path.vertices[0][-1].astype(np.float64)[made.triangles]
        rest = made.vertices[made.triangles]
        areas = [
            np.linalg.norm(np.cross(part[:, 1] - part[:, 0], part[:, 2] - part[:, 0]), axis=-1)
            for part in (corners, rest)
        ]
        inner = np.abs(rest[..., 0]).max(axis=1) < 0.3 * size[0]
        return float((areas[0] / areas[1])[inner].max() - 1.0) / top

    return [
        Law(
            name="sheet hangs from its upper side: largest area strain over ρgL/K",
            spec=hung,
            figure=largest,
            exact=0.5 * ((1.0 - POISSON) + (1.0 - POISSON**2)),
            tolerance=0.5 * (POISSON - POISSON**2) + 0.05,
            reason="1 - ν where it may narrow, 1 - ν² where the held side keeps it from that, nothing beyond: a band; "
            "5 % for the mesh",
            unit="1",
            needs=("cloth",),
        ),
        Law(
            name="sheet hangs from two corners: speed of its mass after 4 s",
            spec=cornered,
            figure=lambda path: float(np.linalg.norm(path.linear_velocity[-10:, 0], axis=-1).max()),
            exact=0.0,
            tolerance=0.02,
            reason="damped at 2/s from swings below 1 m/s: e⁻⁴ = 0.02 of that",
            unit="m/s",
            needs=("cloth",),
        ),
        Law(
            name="sheet hangs from two corners: strain that 99 % of its edges stay below",
            spec=cornered,
            figure=lambda path: edge_strain(
                cut(Rectangle(size=size), 20).vertices, cut(Rectangle(size=size), 20).triangles, path.vertices[0][-10:]
            ),
            exact=0.0,
            tolerance=6.0 * AREA_DENSITY * size[0] * size[1] * GRAVITY / (2.0 * stiffness * 0.25 * size[0]),
            reason="each corner carries half the weight, which spreads over a quarter of the width within two edges; "
            "six times that strain where it has not yet",
            unit="1",
            needs=("cloth",),
        ),
    ]


def _flight_laws(*, substeps: int) -> list[Law]:
    dt = 1.0 / (FPS * substeps)
    # Any: fields of a cloth
    sheet: dict[str, Any] = {"geometry": Rectangle(size=(0.6, 0.6)), "resolution": 12, "area_density": AREA_DENSITY}
    free = _scene(
        [make_cloth(**sheet, angular_velocity=(0.0, 0.0, 2.0))],
        seconds=0.5,
        substeps=substeps,
        gravity=(1.0, 0.0, -9.0),
    )
    air = 1.2
    terminal = math.sqrt(2.0 * AREA_DENSITY * GRAVITY / (air * PRESSURE))
    sinking = make_cloth(**sheet, bending_stiffness=0.01, linear_velocity=(0.0, 0.0, -0.5), position=(0.0, 0.0, 5.0))
    wind = _scene([sinking], seconds=0.4, substeps=substeps, air_density=air)
    return [
        Law(
            name="spinning sheet falls freely in tilted gravity: way over gt²/2",
            spec=free,
            figure=lambda path: (
                float(np.linalg.norm(path.vertices[0][-1].mean(axis=0) - path.vertices[0][0].mean(axis=0)))
                / (0.5 * math.hypot(1.0, 9.0) * 0.25)
            ),
            exact=1.0,
            tolerance=1.5 * dt / 0.5,
            reason="semi-implicit Euler: first order, dt/t",
            unit="1",
            needs=("cloth",),
        ),
        Law(
            name="level sheet sinks in air: speed over √(2ρg/ρ_air C_p)",
            spec=wind,
            figure=lambda path: -float(path.linear_velocity[-1, 0, 2]) / terminal,
            exact=math.tanh(GRAVITY * 0.4 / terminal + math.atanh(0.5 / terminal)),
            tolerance=0.01,
            reason="v = v_t tanh(gt/v_t + …); every triangle is level and feels the same: first order in dt; too stiff "
            "and brief to flutter",
            unit="1",
            needs=("air", "cloth"),
        ),
    ]


def _contact_laws(*, substeps: int) -> list[Law]:
    density = 0.25 / (4.0 / 3.0 * math.pi * 0.1**3)
    ball = make_body(
        "ball", Sphere(radius=0.1), position=(0.0, 0.0, 0.85), linear_velocity=(0.0, 0.0, 2.0),
        physical=make_material(density=density),
    )  # fmt: skip
    sheet = make_cloth(geometry=Rectangle(size=(0.8, 0.8)), resolution=16, area_density=0.4, membrane_stiffness=400.0)
    blow = _scene([sheet, ball], seconds=0.5, substeps=substeps, gravity=(0.0, 0.0, 0.0))
    masses = (0.4 * 0.64, 0.25)

    def momentum(path: Trajectory) -> float:
        return float(path.linear_velocity[-1, :, 2].astype(np.float64) @ np.array(masses)) / (2.0 * masses[1])

    net = make_cloth(
        geometry=Rectangle(size=(0.8, 0.8)), resolution=16, area_density=0.4, membrane_stiffness=400.0,
        held=("-x", "+x", "-y", "+y"),
    )  # fmt: skip
    thrown = make_body(
        "ball", Sphere(radius=0.1), position=(0.03, 0.02, 1.2), linear_velocity=(0.0, 0.0, -4.0),
        physical=make_material(density=4.0 * density, damping=1.0),
    )  # fmt: skip
    caught = _scene([net, thrown], seconds=1.5, substeps=substeps)
    return [
        Law(
            name="ball hits a free sheet: momentum after over before",
            spec=blow,
            figure=momentum,
            exact=1.0,
            tolerance=0.05,
            reason="equal and opposite, but each side moves in its own part of an iteration; what that leaves open is "
            "shared out by mass, but for nodes that part within the last one: 4.6 % with three iterations, 0.7 % with "
            "twenty",
            unit="1",
            needs=("contact", "cloth"),
        ),
        Law(
            name="ball of 1 kg at 4 m/s onto a held sheet: least way of its centre above the deepest node",
            spec=caught,
            figure=lambda path: float((path.position[:, 1, 2] - path.vertices[0][:, :, 2].min(axis=1)).min() > 0.08),
            exact=1.0,
            tolerance=0.0,
            reason="it never gets through: its centre stays a radius above the sheet's deepest point, 2 cm for a sheet "
            "that is flat between nodes",
            unit="1",
            needs=("contact", "cloth"),
        ),
    ]


def _scene(
    bodies: Sequence[Body],
    *,
    seconds: float,
    substeps: int,
    gravity: tuple[float, float, float] = (0.0, 0.0, -GRAVITY),
    air_density: float = 0.0,
) -> SceneSpec:
    return make_spec(
        bodies=bodies,
        gravity=gravity,
        air_density=air_density,
        fps=FPS,
        frame_count=math.ceil(seconds * FPS) + 1,
        substeps=substeps,
        ground=False,
    )

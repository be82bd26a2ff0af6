"""Laws of grains: fall, slopes that hold and slopes that do not, columns that collapse, blows on rigid bodies."""

import itertools
import math
from collections.abc import Callable

import numpy as np

from simfactory.episode import Trajectory, scene_surfaces
from simfactory.quality.particles import lost_grains
from simfactory.spec import BodyGranular, Box, Cone, Cylinder, SceneSpec, Sphere
from simfactory.testing.laws.law import GRAVITY, Law
from simfactory.testing.specs import make_body, make_granular, make_ground, make_material, make_spec

__all__ = ["grain_laws", "repose_angle"]

Figure = Callable[[Trajectory], float]

FPS = 60.0
ROUGH = 1.8  # friction of a floor on which grains do not slide: with theirs it averages to more than their own
FRICTIONS = (0.3, 0.5, 0.7)
SLIPPERY = FRICTIONS[:2]  # heaps a few grid cells high of rougher grains stand steeper than they should


def grain_laws(*, substeps: int = 4) -> list[Law]:
    """Return the laws of grains, in steps of 1/60 s / substeps (grains: at most 0.01 s)."""
    return [
        _fall_law(substeps=substeps),
        *(_slope_law(friction, 0.7, substeps=substeps) for friction in FRICTIONS),
        *(_slope_law(friction, 1.6, substeps=substeps) for friction in SLIPPERY),
        *(_repose_law(friction, substeps=substeps) for friction in FRICTIONS),
        _runout_law(substeps=substeps),
        _containment_law(substeps=substeps),
        _blow_law(substeps=substeps),
        _weight_law(substeps=substeps),
    ]


def repose_angle(path: Trajectory, frame: int = -1) -> float:
    """Return the slope [deg] of the first body's heap: of the line through the upper rim at each distance.

    The heap is cut into twelve rings; in each, the highest grain is on the surface. The tip, which is rounded by a
    grid cell, and the foot, which is a single layer of grains, are left out.
    """
    places = path.particles[0][frame].astype(np.float64)
    ring = np.hypot(*(places[:, :2] - places[:, :2].mean(axis=0)).T)
    edges = np.linspace(0.0, float(np.quantile(ring, 0.99)), 13)
    top = np.array([places[(ring >= a) & (ring < b), 2].max(initial=0.0) for a, b in itertools.pairwise(edges)])
    middle = 0.5 * (edges[1:] + edges[:-1])
    return math.degrees(math.atan(-float(np.polyfit(middle[3:10], top[3:10], 1)[0])))


def _fall_law(*, substeps: int) -> Law:
    clump = make_granular(geometry=Sphere(radius=0.12), position=(0.0, 0.0, 4.0))
    return Law(
        name="clump of grains falls freely: way over gt²/2",
        spec=_scene([clump], seconds=0.5, substeps=substeps),
        figure=lambda path: float(path.position[-1, 0, 2] - 4.0) / (-0.5 * GRAVITY * float(path.time[-1]) ** 2),
        exact=1.0,
        tolerance=1.5 * (2.0 / (FPS * substeps)) / 0.5,
        reason="semi-implicit Euler: first order, dt/t, with grains at two solver steps of 1/240 s",
        unit="1",
        needs=("granular",),
    )


def _heap(friction: float, slope: float) -> BodyGranular:
    """A cone of a given slope [1] on the floor, with about as many grains at any slope."""
    radius = (0.0155 / slope) ** (1.0 / 3.0)
    height = slope * radius
    material = make_material(density=1600.0, friction=friction)
    return make_granular(
        geometry=Cone(radius=radius, height=height),
        position=(0.0, 0.0, 0.25 * height + 5e-4),
        physical=material,
        grain_radius=0.0115,
    )


def _slope_law(friction: float, share: float, *, substeps: int) -> Law:
    heap = _heap(friction, share * friction)
    holds = share < 1.0

    def figure(path: Trajectory) -> float:
        height = path.particles[0][:, :, 2].astype(np.float64)
        return float(height[-1].mean() / height[0].mean())

    return Law(
        name=f"cone of slope {share:g} μ, μ = {friction:g}, {'holds' if holds else 'slumps'}: height, end over start",
        spec=_scene([heap], seconds=0.75, substeps=substeps),
        figure=figure,
        exact=1.0 if holds else 0.72,
        tolerance=0.1 if holds else 0.2,
        reason="a slope is stable iff tan θ < μ: below, only the lattice of the start settles, a tenth of the height; "
        "above, a cone that keeps its volume and comes to rest at slope μ has (1/1.6)^(2/3) = 0.73 of its height, "
        "at two thirds of μ, which it reaches by its momentum, 0.56",
        unit="1",
        needs=("contact", "granular"),
    )


def _repose_law(friction: float, *, substeps: int) -> Law:
    exact = math.degrees(math.atan(friction))
    return Law(
        name=f"heap of μ = {friction:g} slumps: slope at rest",
        spec=_scene([_heap(friction, 1.3 * friction)], seconds=1.0, substeps=substeps),
        figure=repose_angle,
        exact=exact,
        tolerance=0.3 * exact,
        reason="a slope of atan μ is the steepest that stands; a heap that slumps comes to rest below it by its "
        "momentum, and one of a few grid cells is rounded at its tip",
        unit="deg",
        needs=("contact", "granular"),
    )


def _runout_law(*, substeps: int) -> Law:
    radius, height = 0.16, 0.16
    column = make_granular(
        geometry=Cylinder(radius=radius, height=height), position=(0.0, 0.0, 0.5 * height + 5e-4), grain_radius=0.0105
    )

    def figure(path: Trajectory) -> float:
        places = path.particles[0][-1].astype(np.float64)
        reach = float(np.quantile(np.hypot(places[:, 0], places[:, 1]), 0.99))
        return (reach - radius) / height

    return Law(
        name="column of aspect 1 collapses: run-out over its height",
        spec=_scene([column], seconds=1.0, substeps=substeps),
        figure=figure,
        exact=1.0,
        tolerance=0.35,
        reason="measured run-out of low columns is 1.0 (Lajeunesse, Mangeney-Castelnau, Vilotte, Physics of Fluids 16, "
        "2004) to 1.24 (Lube, Huppert, Sparks, Hallworth, Journal of Fluid Mechanics 508, 2004) times their height, "
        "whatever their grains; single grains at the rim, 1 %, are not counted, and the radius is that of centres",
        unit="1",
        needs=("contact", "granular"),
    )


def _containment_law(*, substeps: int) -> Law:
    wood = make_material(density=700.0, friction=0.4)
    inner, wall, height = 0.36, 0.06, 0.2
    far = 0.5 * (inner + wall)
    sides = [
        make_body(
            f"side_{k}",
            Box(size=(wall, inner + 2 * wall, height) if k < 2 else (inner, wall, height)),
            position=((-far, far)[k] if k < 2 else 0.0, (-far, far)[k - 2] if k >= 2 else 0.0, 0.5 * height + 5e-4),
            mobility="static",
            physical=wood,
        )
        for k in range(4)
    ]
    clump = make_granular(geometry=Sphere(radius=0.14), position=(0.0, 0.0, 0.45))
    spec = _scene([clump, *sides], seconds=1.0, substeps=substeps)
    surfaces = scene_surfaces(spec)

    def figure(path: Trajectory) -> float:
        places = path.particles[0][-1].astype(np.float64)
        outside = (np.abs(places[:, :2]) > 0.5 * inner).any(axis=1) & (places[:, 2] < height)
        return max(lost_grains(spec, path, surfaces), float(outside.mean()))

    return Law(
        name="clump falls into a box: share of grains in walls, in the floor or beside the box",
        spec=spec,
        figure=figure,
        exact=0.0,
        tolerance=0.005,
        reason="the number of grains is fixed, so mass is kept; walls hold but for grains that jump over them",
        unit="1",
        needs=("contact", "granular"),
    )


def _blow_law(*, substeps: int) -> Law:
    clump = make_granular(geometry=Sphere(radius=0.11), position=(-0.3, 0.0, 2.0), linear_velocity=(2.0, 0.0, 0.0))
    block = make_body(
        "block", Box(size=(0.2, 0.3, 0.3)), position=(0.0, 0.0, 2.0), physical=make_material(density=300.0)
    )

    def figure(path: Trajectory) -> float:
        mass = path.properties.mass
        before, after = (path.linear_velocity[k, :, 0].astype(np.float64) @ mass for k in (0, -1))
        return float(after / before)

    return Law(
        name="clump of grains hits a free block: momentum after over before",
        spec=_scene([clump, block], gravity=0.0, seconds=0.5, substeps=substeps),
        figure=figure,
        exact=1.0,
        tolerance=0.02,
        reason="grains and block are solved together; what is projected out of the block afterwards takes its speed "
        "across the surface from the grains alone",
        unit="1",
        needs=("contact", "granular"),
    )


def _weight_law(*, substeps: int) -> Law:
    bed = make_granular(geometry=Cylinder(radius=0.24, height=0.14), position=(0.0, 0.0, 0.0705), grain_radius=0.0115)
    block = make_body(
        "block", Box(size=(0.16, 0.16, 0.08)), position=(0.0, 0.0, 0.182), physical=make_material(density=800.0)
    )
    return Law(
        name="block lies on grains: its speed after a second",
        spec=_scene([bed, block], seconds=1.25, substeps=substeps),
        figure=lambda path: float(np.linalg.norm(path.linear_velocity[-15:, 1], axis=-1).max()),
        exact=0.0,
        tolerance=0.02,
        reason="grains bear it: no more is left than the creep of grains under its edges, millimetres a second",
        unit="m/s",
        needs=("contact", "granular"),
    )


def _scene(bodies: list[object], *, seconds: float, substeps: int, gravity: float = GRAVITY) -> SceneSpec:
    return make_spec(
        bodies=bodies,  # type: ignore[arg-type]  # forwarded as given
        gravity=(0.0, 0.0, -gravity),
        fps=FPS,
        frame_count=1 + round(seconds * FPS),
        substeps=substeps,
        ground=make_ground(physical=make_material(friction=ROUGH)),
    )

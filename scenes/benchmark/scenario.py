"""What a benchmark scene is made of, and the props that all of them share."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np

from layouts.stage import rested
from scenes.materials import materials
from simfactory.assets import shipped_meshes
from simfactory.spec import (
    Body,
    BodyRigid,
    Box,
    Cylinder,
    Geometry,
    Joint,
    MeshAsset,
    Motion,
    MotionLinear,
    PhysicalMaterial,
    Push,
    Sphere,
    Texture,
    VisualMaterial,
)

__all__ = [
    "AWAY",
    "RELEASE",
    "Rgb",
    "Scenario",
    "Set",
    "ball",
    "block",
    "cardboard",
    "disc",
    "domino",
    "figure",
    "let_go",
    "open_box",
    "paint",
    "physical_of",
    "rigid",
    "tilt",
]

Rgb = tuple[float, float, float]
Vec3 = tuple[float, float, float]
Mobility = Literal["dynamic", "static", "kinematic"]

RED: Rgb = (0.78, 0.16, 0.13)
RELEASE = 2.8  # when what is held is let go [s]: what follows lies beyond what a model is shown
AWAY = 1.2  # how long what held it moves: out of the picture [s]


@dataclass(frozen=True, kw_only=True, slots=True)
class Set:
    """What stands on the table, and what moves it.

    Attributes:
        bodies: All bodies, in place.
        motions: Prescribed motions.
        joints: What holds bodies together.
        triggers: Pushes.
        target: Point that the cameras look at [m].
        distance: Of the cameras from it [m].
        moving_camera: Whether the cameras drive towards it and past.
        evening: Whether lamps light it instead of the sky.
        air_density: Density of the air [kg/m³].
    """

    bodies: tuple[Body, ...]
    motions: tuple[Motion, ...] = ()
    joints: tuple[Joint, ...] = ()
    triggers: tuple[Push, ...] = ()
    target: Vec3 = (0.0, 0.0, 0.12)
    distance: float = 1.7
    moving_camera: bool = False
    evening: bool = False
    air_density: float = 0.0


@dataclass(frozen=True, kw_only=True, slots=True)
class Scenario:
    """One benchmark scene.

    Attributes:
        name: As Physics-IQ calls it.
        category: Physics category.
        caption: What happens, in one sentence.
        phenomena: What is to be seen.
        build: Returns the set.
    """

    name: str
    category: str
    caption: str
    phenomena: tuple[str, ...]
    build: Callable[[], Set]


def physical_of(name: str) -> PhysicalMaterial:
    """Return a named material with the means of its ranges: geometric of density, stiffness and damping."""
    row = materials()[name]
    static = 0.5 * sum(row.friction)
    return PhysicalMaterial(
        name=name,
        density=math.sqrt(row.density[0] * row.density[1]),
        young_modulus=math.sqrt(row.young[0] * row.young[1]),
        poisson_ratio=0.5 * sum(row.poisson),
        static_friction=static,
        dynamic_friction=static * 0.5 * sum(row.slip),
        restitution=0.5 * sum(row.restitution),
        damping=math.sqrt(row.damping[0] * row.damping[1]),
    )


def paint(
    color: Rgb, *, roughness: float = 0.5, metallic: float = 0.0, texture: Texture | None = None
) -> VisualMaterial:
    """Return an opaque look."""
    return VisualMaterial(base_color=color, roughness=roughness, metallic=metallic, texture=texture)


def tilt(*, pitch: float = 0.0, yaw: float = 0.0) -> tuple[float, float, float, float]:
    """Return the rotation xyzw by a pitch [deg] about y and then a yaw [deg] about z."""
    p, y = math.radians(pitch) / 2.0, math.radians(yaw) / 2.0
    return (
        -math.sin(p) * math.sin(y),
        math.sin(p) * math.cos(y),
        math.cos(p) * math.sin(y),
        math.cos(p) * math.cos(y),
    )


def rigid(
    name: str,
    geometry: Geometry,
    at: Vec3,
    *,
    material: str = "pine",
    look: VisualMaterial | None = None,
    turn: tuple[float, float, float, float] = (0.0, 0.0, 0.0, 1.0),
    mobility: Mobility = "dynamic",
    velocity: Vec3 = (0.0, 0.0, 0.0),
    spin: Vec3 = (0.0, 0.0, 0.0),
    scale: float = 1.0,
) -> BodyRigid:
    """Return a rigid body of a named material; without a look it has the first colour of that."""
    if look is None:
        hexes = materials()[material].look
        red, green, blue = (int(hexes.colors[0][k : k + 2], 16) / 255.0 for k in (1, 3, 5))
        look = VisualMaterial(
            base_color=(round(red, 4), round(green, 4), round(blue, 4)),
            roughness=0.5 * sum(hexes.roughness),
            metallic=hexes.metallic,
            transmission=hexes.transmission,
            refractive_index=hexes.refractive_index,
        )
    return BodyRigid(
        name=name,
        geometry=geometry,
        scale=scale,
        position=at,
        orientation=turn,
        physical=physical_of(material),
        visual=look,
        mobility=mobility,
        linear_velocity=velocity,
        angular_velocity=spin,
    )


def ball(
    name: str,
    at: tuple[float, float],
    *,
    radius: float = 0.06,
    height: float = 0.0,
    speed: float = 0.0,
    heading: float = 0.0,
    material: str = "rubber",
    look: VisualMaterial | None = None,
) -> BodyRigid:
    """Return a ball whose lowest point is at a height [m] and that rolls at a speed [m/s] towards a heading [deg]."""
    way = math.cos(math.radians(heading)), math.sin(math.radians(heading))
    return rigid(
        name,
        Sphere(radius=radius),
        (at[0], at[1], height + radius + 5e-4),
        material=material,
        look=look or paint(RED, roughness=0.35),
        velocity=(speed * way[0], speed * way[1], 0.0),
        spin=(-speed / radius * way[1], speed / radius * way[0], 0.0),
    )


def block(
    name: str,
    size: Vec3,
    at: tuple[float, float],
    *,
    height: float = 0.0,
    yaw: float = 0.0,
    material: str = "pine",
    look: VisualMaterial | None = None,
    mobility: Mobility = "dynamic",
) -> BodyRigid:
    """Return an upright box that stands at a height [m], turned by a yaw [deg]."""
    place = (at[0], at[1], height + 0.5 * size[2] + 5e-4)
    return rigid(name, Box(size=size), place, material=material, look=look, turn=tilt(yaw=yaw), mobility=mobility)


def disc(
    name: str,
    radius: float,
    thickness: float,
    at: tuple[float, float],
    *,
    height: float = 0.0,
    material: str = "ceramic",
) -> BodyRigid:
    """Return a flat cylinder that lies at a height [m]."""
    place = (at[0], at[1], height + 0.5 * thickness + 5e-4)
    return rigid(name, Cylinder(radius=radius, height=thickness), place, material=material)


def domino(name: str, x: float, y: float = 0.0, *, color: Rgb = (0.16, 0.3, 0.62)) -> BodyRigid:
    """Return a domino that stands across the x axis."""
    return block(name, (0.03, 0.11, 0.22), (x, y), look=paint(color), material="acrylic")


def figure(
    name: str,
    mesh: str,
    at: tuple[float, float],
    *,
    height: float = 0.0,
    yaw: float = 0.0,
    material: str = "rubber",
    look: VisualMaterial | None = None,
    mobility: Mobility = "dynamic",
) -> BodyRigid:
    """Return one of the package's meshes, standing at a height [m]."""
    shape = MeshAsset(digest=shipped_meshes()[mesh])
    body = rigid(name, shape, (0.0, 0.0, 0.0), material=material, look=look, turn=tilt(yaw=yaw), mobility=mobility)
    standing = rested(body, np.array(at), floor=height)
    assert isinstance(standing, BodyRigid)
    return standing


def cardboard() -> VisualMaterial:
    """Return the look of boxes and walls."""
    return paint((0.72, 0.58, 0.4), roughness=0.9)


def open_box(
    name: str, at: tuple[float, float], *, side: float, height: float, open_towards: str = ""
) -> list[BodyRigid]:
    """Return the walls of a box without lid; one that is open towards "-x" lacks that wall."""
    wall, half = 0.02, 0.5 * side
    inner = side - wall - 4e-3
    plates = {
        "+y": ("left", (side, wall, height), (at[0], at[1] + half)),
        "-y": ("right", (side, wall, height), (at[0], at[1] - half)),
        "+x": ("far", (wall, inner, height), (at[0] + half, at[1])),
        "-x": ("near", (wall, inner, height), (at[0] - half, at[1])),
    }
    return [
        block(f"{name}_{word}", size, place, look=cardboard(), mobility="static")
        for towards, (word, size, place) in plates.items()
        if towards != open_towards
    ]


def let_go(
    name: str, size: tuple[float, float, float], at: Vec3, *, velocity: Vec3 = (8.0, 0.0, 0.0)
) -> tuple[BodyRigid, MotionLinear]:
    """Return a plate that holds something up, centred at a point, and its quick motion aside at `RELEASE`."""
    plate = rigid(name, Box(size=size), at, material="teflon", mobility="kinematic")
    return plate, MotionLinear(body=name, start=RELEASE, stop=RELEASE + AWAY, velocity=velocity)

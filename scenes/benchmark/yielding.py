"""Benchmark scenes of what yields: liquids, silk, a pillow."""

from scenes.benchmark.scenario import (
    RELEASE,
    Scenario,
    Set,
    block,
    let_go,
    paint,
    physical_of,
    rigid,
)
from scenes.materials import materials
from simfactory.spec import (
    BodyCloth,
    BodyFluid,
    BodyRigid,
    BodySoft,
    Box,
    MotionLinear,
    Rectangle,
    Sphere,
    Superellipsoid,
    VisualMaterial,
)

__all__ = ["SCENARIOS"]

CREAM, CRIMSON, ORANGE, BLUE = (0.9, 0.86, 0.78), (0.62, 0.08, 0.16), (0.95, 0.55, 0.1), (0.13, 0.28, 0.62)
WATER = (0.75, 0.88, 0.93)
GLASS = VisualMaterial(base_color=(0.94, 0.97, 0.97), roughness=0.02, transmission=0.95, refractive_index=1.1)

LENGTH, WIDTH, WALL = 0.46, 0.32, 0.05  # of the tank: inside, and its walls [m]
HEIGHT = 2.6  # from which silk floats down into the picture about the switch [m]
SPACING = 0.016  # of the particles of a liquid [m]


def _tank(at: float, *, height: float, depth: float, color: tuple[float, float, float]) -> list[BodyRigid | BodyFluid]:
    """Return a tank of clear walls about a place on the x axis, filled to a depth."""
    side = WIDTH + 2.0 * WALL
    sizes = {
        "near": ((WALL, side, height), (at - 0.5 * (LENGTH + WALL), 0.0)),
        "far": ((WALL, side, height), (at + 0.5 * (LENGTH + WALL), 0.0)),
        "left": ((LENGTH - 2e-3, WALL, height), (at, 0.5 * (WIDTH + WALL))),
        "right": ((LENGTH - 2e-3, WALL, height), (at, -0.5 * (WIDTH + WALL))),
    }
    walls = [
        block(f"tank_{name}", size, place, material="acrylic", look=GLASS, mobility="static")
        for name, (size, place) in sizes.items()
    ]
    liquid = BodyFluid(
        name="liquid",
        geometry=Box(size=(LENGTH - 3e-3, WIDTH - 3e-3, depth)),
        position=(at, 0.0, 0.5 * depth + 1e-3),
        physical=physical_of("water"),
        visual=VisualMaterial(base_color=color, roughness=0.05, transmission=0.9, refractive_index=1.33),
        spacing=SPACING,
    )
    return [*walls, liquid]


def _potato_in_water() -> Set:
    tray, motion = let_go("tray", (0.3, 0.24, 0.02), (0.0, 0.0, 0.5))
    look = paint((0.62, 0.47, 0.28), roughness=0.8)
    shape = Superellipsoid(radii=(0.1, 0.07, 0.065), exponents=(1.0, 0.9))
    potato = rigid("potato", shape, (0.0, 0.0, 0.5765), material="nylon", look=look)
    bodies = (*_tank(0.0, height=0.24, depth=0.16, color=WATER), tray, potato)
    return Set(bodies=bodies, motions=(motion,), target=(0.0, 0.0, 0.22), distance=1.7)


def _domino_in_juice() -> Set:
    shelf, top = 0.26, 0.262
    stand = block("stand", (0.44, 0.2, shelf), (-0.52, 0.0), mobility="static")
    row = [
        block(
            f"domino_{k}", (0.03, 0.11, 0.2), (-0.66 + 0.1 * k, 0.0), height=top, look=paint(BLUE), material="acrylic"
        )
        for k in range(4)
    ]
    rod = rigid("rod", Box(size=(0.2, 0.015, 0.015)), (-0.83, 0.0, top + 0.17), material="steel", mobility="kinematic")
    push = MotionLinear(body="rod", start=RELEASE, stop=RELEASE + 0.5, velocity=(0.2, 0.0, 0.0))
    bodies = (stand, *row, rod, *_tank(0.0, height=0.24, depth=0.16, color=ORANGE))
    return Set(bodies=bodies, motions=(push,), target=(-0.2, 0.0, 0.22), distance=1.9)


def _silk_cover() -> Set:
    textile = materials()["silk"].textile
    assert textile is not None
    thickness, area_density, membrane, bend = (
        (low * high) ** 0.5 for low, high in (textile.thickness, textile.area_density, textile.membrane, textile.bend)
    )
    silk = BodyCloth(
        name="silk",
        geometry=Rectangle(size=(0.7, 0.7)),
        position=(0.0, 0.0, HEIGHT),
        physical=physical_of("silk"),
        visual=paint(CRIMSON, roughness=0.35),
        resolution=18,
        thickness=thickness,
        area_density=area_density,
        membrane_stiffness=membrane,
        bending_stiffness=bend,
        viscosity=0.002,
    )
    ball = rigid(
        "ball", Sphere(radius=0.14), (0.0, 0.0, 0.1405), material="marble", look=paint(CREAM), mobility="static"
    )
    return Set(bodies=(ball, silk), target=(0.0, 0.0, 0.2), distance=1.5, air_density=1.2)


def _weight_on_pillow() -> Set:
    pillow = BodySoft(
        name="pillow",
        geometry=Superellipsoid(radii=(0.24, 0.2, 0.1), exponents=(0.8, 0.5)),
        position=(0.0, 0.0, 0.1005),
        physical=physical_of("soft_foam"),
        visual=paint(CREAM, roughness=0.85),
        resolution=6,
        viscosity=20.0,
    )
    weight = block("weight", (0.14, 0.14, 0.1), (0.0, 0.0), height=0.2605, material="concrete")
    tray, motion = let_go("tray", (0.2, 0.2, 0.02), (0.0, 0.0, 0.25))
    return Set(bodies=(pillow, weight, tray), motions=(motion,), target=(0.0, 0.0, 0.25), distance=1.6)


SCENARIOS = (
    Scenario(
        name="domino_in_juice",
        category="fluid",
        caption="Dominoes fall in a row; the last one falls into juice.",
        phenomena=("chain_reaction", "splash"),
        build=_domino_in_juice,
    ),
    Scenario(
        name="potato_in_water",
        category="fluid",
        caption="A potato falls into water.",
        phenomena=("free_fall", "splash", "buoyancy"),
        build=_potato_in_water,
    ),
    Scenario(
        name="silk_cover",
        category="cloth",
        caption="Silk floats down and covers a ball.",
        phenomena=("air_drag", "draping"),
        build=_silk_cover,
    ),
    Scenario(
        name="weight_on_pillow",
        category="soft_body",
        caption="A weight falls onto a pillow and sinks in.",
        phenomena=("free_fall", "compression"),
        build=_weight_on_pillow,
    ),
)

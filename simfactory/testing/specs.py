"""Builders of small valid scene specs for tests: one call a scene, everything overridable."""

from collections.abc import Sequence
from typing import Any

from simfactory.spec import (
    Body,
    BodyCloth,
    BodyFluid,
    BodyGranular,
    BodyInflatable,
    BodyRigid,
    BodyRope,
    BodySheet,
    BodySoft,
    Box,
    CameraFixed,
    CameraOrbit,
    CameraSpec,
    Cord,
    Cylinder,
    Drive,
    Environment,
    Geometry,
    Ground,
    Heat,
    Joint,
    JointHinge,
    Light,
    LightSun,
    Motion,
    MotionLinear,
    Pattern,
    PhysicalMaterial,
    Push,
    Rectangle,
    Room,
    SceneSpec,
    Sensors,
    Shell,
    Sphere,
    Tier,
    Vec3,
    VisualMaterial,
    Waypoint,
    Wind,
)
from simfactory.spec.granular import GrainRegion

__all__ = [
    "make_body",
    "make_camera",
    "make_cloth",
    "make_driven_spec",
    "make_fluid",
    "make_granular",
    "make_granular_spec",
    "make_ground",
    "make_inflatable",
    "make_material",
    "make_room",
    "make_rope",
    "make_rope_spec",
    "make_sheet",
    "make_soft",
    "make_soft_spec",
    "make_spec",
]

COLORS = ((0.80, 0.25, 0.20), (0.20, 0.45, 0.80), (0.25, 0.65, 0.30), (0.85, 0.70, 0.20), (0.55, 0.30, 0.70))


def make_material(
    *,
    density: float = 500.0,
    friction: float = 0.5,
    static_friction: float | None = None,
    restitution: float = 0.0,
    damping: float = 0.0,
    young_modulus: float = 1e7,
    poisson_ratio: float = 0.3,
) -> PhysicalMaterial:
    """Return a physical material; `friction` is the dynamic coefficient and, unless given, the static one."""
    return PhysicalMaterial(
        density=density,
        static_friction=friction if static_friction is None else static_friction,
        dynamic_friction=friction,
        restitution=restitution,
        damping=damping,
        young_modulus=young_modulus,
        poisson_ratio=poisson_ratio,
    )


def make_body(
    name: str = "box",
    geometry: Geometry | None = None,
    *,
    position: Vec3 = (0.0, 0.0, 1.0),
    orientation: tuple[float, float, float, float] = (0.0, 0.0, 0.0, 1.0),
    scale: float = 1.0,
    aspect: Vec3 = (1.0, 1.0, 1.0),
    mobility: str = "dynamic",
    linear_velocity: Vec3 = (0.0, 0.0, 0.0),
    angular_velocity: Vec3 = (0.0, 0.0, 0.0),
    physical: PhysicalMaterial | None = None,
    visual: VisualMaterial | None = None,
    temperature: float | None = None,
) -> BodyRigid:
    """Return a rigid body, by default a box with edges of 0.4 m that starts 1 m above the origin."""
    return BodyRigid.model_validate(
        {
            "name": name,
            "geometry": geometry or Box(size=(0.4, 0.4, 0.4)),
            "position": position,
            "orientation": orientation,
            "scale": scale,
            "aspect": aspect,
            "mobility": mobility,
            "linear_velocity": linear_velocity,
            "angular_velocity": angular_velocity,
            "physical": physical or make_material(),
            "visual": visual or VisualMaterial(),
            "temperature": temperature,
        }
    )


def make_soft(
    name: str = "jelly",
    geometry: Geometry | None = None,
    *,
    position: Vec3 = (0.0, 0.0, 1.0),
    orientation: tuple[float, float, float, float] = (0.0, 0.0, 0.0, 1.0),
    linear_velocity: Vec3 = (0.0, 0.0, 0.0),
    angular_velocity: Vec3 = (0.0, 0.0, 0.0),
    resolution: int = 6,
    held: tuple[str, ...] = (),
    physical: PhysicalMaterial | None = None,
    visual: VisualMaterial | None = None,
    heat: Heat | None = None,
) -> BodySoft:
    """Return a soft body, by default a jelly cube of 0.3 m and 1e5 Pa that starts 1 m above the origin."""
    return BodySoft.model_validate(
        {
            "name": name,
            "geometry": geometry or Box(size=(0.3, 0.3, 0.3)),
            "position": position,
            "orientation": orientation,
            "linear_velocity": linear_velocity,
            "angular_velocity": angular_velocity,
            "resolution": resolution,
            "held": held,
            "physical": physical or make_material(density=1000.0, young_modulus=1e5),
            "visual": visual or VisualMaterial(base_color=(0.85, 0.35, 0.45)),
            "heat": heat,
        }
    )


def make_granular(
    name: str = "sand",
    geometry: GrainRegion | None = None,
    *,
    position: Vec3 = (0.0, 0.0, 0.1),
    orientation: tuple[float, float, float, float] = (0.0, 0.0, 0.0, 1.0),
    linear_velocity: Vec3 = (0.0, 0.0, 0.0),
    angular_velocity: Vec3 = (0.0, 0.0, 0.0),
    grain_radius: float = 0.012,
    cohesion: float = 0.0,
    physical: PhysicalMaterial | None = None,
    visual: VisualMaterial | None = None,
) -> BodyGranular:
    """Return a granular body, by default a column of dry sand, 20 cm wide and high, on the floor."""
    return BodyGranular(
        name=name,
        geometry=geometry or Cylinder(radius=0.1, height=0.199),
        position=position,
        orientation=orientation,
        linear_velocity=linear_velocity,
        angular_velocity=angular_velocity,
        grain_radius=grain_radius,
        cohesion=cohesion,
        physical=physical or make_material(density=1600.0, friction=0.6),
        visual=visual or VisualMaterial(base_color=(0.8, 0.7, 0.45)),
    )


def make_fluid(
    name: str = "water",
    geometry: GrainRegion | None = None,
    *,
    position: Vec3 = (0.0, 0.0, 0.1),
    orientation: tuple[float, float, float, float] = (0.0, 0.0, 0.0, 1.0),
    linear_velocity: Vec3 = (0.0, 0.0, 0.0),
    angular_velocity: Vec3 = (0.0, 0.0, 0.0),
    spacing: float = 0.02,
    viscosity: float = 1e-3,
    density: float = 1000.0,
    visual: VisualMaterial | None = None,
) -> BodyFluid:
    """Return a liquid, by default a column of water, 20 cm wide and high, on the floor."""
    return BodyFluid(
        name=name,
        geometry=geometry or Cylinder(radius=0.1, height=0.199),
        position=position,
        orientation=orientation,
        linear_velocity=linear_velocity,
        angular_velocity=angular_velocity,
        spacing=spacing,
        viscosity=viscosity,
        physical=make_material(density=density, friction=0.1),
        visual=visual or VisualMaterial(base_color=(0.55, 0.75, 0.9), roughness=0.1),
    )


def make_rope(
    name: str = "rope",
    points: Sequence[Vec3] = ((-0.5, 0.0, 0.0), (0.5, 0.0, 0.0)),
    *,
    radius: float = 0.015,
    slack: float = 0.0,
    position: Vec3 = (0.0, 0.0, 1.0),
    orientation: tuple[float, float, float, float] = (0.0, 0.0, 0.0, 1.0),
    linear_velocity: Vec3 = (0.0, 0.0, 0.0),
    angular_velocity: Vec3 = (0.0, 0.0, 0.0),
    held: tuple[str, ...] = (),
    clamped: bool = False,
    segments: int | None = None,
    stretch_stiffness: float | None = 1e4,
    bending_stiffness: float | None = 1e-4,
    relaxation: float = 0.0,
    physical: PhysicalMaterial | None = None,
    visual: VisualMaterial | None = None,
) -> BodyRope:
    """Return a rope, by default a limp one of 1 m along x that starts 1 m above the origin."""
    return BodyRope.model_validate(
        {
            "name": name,
            "geometry": Cord(radius=radius, points=tuple(points), slack=slack),
            "position": position,
            "orientation": orientation,
            "linear_velocity": linear_velocity,
            "angular_velocity": angular_velocity,
            "held": held,
            "clamped": clamped,
            "segments": segments,
            "stretch_stiffness": stretch_stiffness,
            "bending_stiffness": bending_stiffness,
            "relaxation": relaxation,
            "physical": physical or make_material(density=800.0),
            "visual": visual or VisualMaterial(base_color=(0.75, 0.6, 0.35)),
        }
    )


def make_rope_spec(*, shift: float = 0.0, gravity: Vec3 = (0.0, 0.0, -9.81)) -> SceneSpec:
    """Return a scene in which one rope falls over a box, one swings into it, and a ball hits them, moved by `shift`."""
    return make_spec(
        bodies=[
            make_rope("falling", ((-0.4, 0.0, 0.0), (0.0, 0.1, 0.0), (0.4, 0.0, 0.0)), position=(shift, 0.0, 0.35)),
            make_rope(
                "swinging",
                ((0.0, 0.0, 0.0), (0.5, 0.0, 0.0)),
                position=(-0.5, 0.05, 0.6),
                held=("start",),
                bending_stiffness=0.01,
            ),
            make_body("box", Box(size=(0.2, 0.2, 0.2)), position=(shift, 0.0, 0.1005)),
            make_body("ball", Sphere(radius=0.1), position=(shift, 0.0, 0.6), linear_velocity=(0.0, 0.0, -1.0)),
        ],
        gravity=gravity,
        air_density=1.2,
        wind=(2.0, 0.0, 0.0),
    )


def make_sheet(
    name: str = "sheet",
    *,
    position: Vec3 = (0.0, 0.0, 1.0),
    orientation: tuple[float, float, float, float] = (0.0, 0.0, 0.0, 1.0),
    size: tuple[float, float] = (1.0, 1.0),
    cells: int = 8,
    amplitude: float = 0.1,
    frequency: float = 1.0,
    modes: tuple[int, int] = (1, 2),
) -> BodySheet:
    """Return a vibrating sheet, by default 1 m × 1 m at a height of 1 m."""
    return BodySheet(
        name=name,
        position=position,
        orientation=orientation,
        size=size,
        cells=cells,
        amplitude=amplitude,
        frequency=frequency,
        modes=modes,
        physical=make_material(),
        visual=VisualMaterial(base_color=(0.9, 0.9, 0.3)),
    )


def make_cloth(
    name: str = "cloth",
    geometry: Pattern | None = None,
    *,
    position: Vec3 = (0.0, 0.0, 1.0),
    physical: PhysicalMaterial | None = None,
    visual: VisualMaterial | None = None,
    **options: Any,  # Any: further fields, of any type
) -> BodyCloth:
    """Return a cloth, by default a sheet of 1 m × 1 m at a height of 1 m; options are further fields of `BodyCloth`."""
    return BodyCloth.model_validate(
        {
            "name": name,
            "geometry": geometry or Rectangle(size=(1.0, 1.0)),
            "position": position,
            "physical": physical or make_material(),
            "visual": visual or VisualMaterial(base_color=(0.8, 0.3, 0.3)),
            **options,
        }
    )


def make_inflatable(
    name: str = "balloon",
    geometry: Shell | None = None,
    *,
    position: Vec3 = (0.0, 0.0, 1.0),
    physical: PhysicalMaterial | None = None,
    visual: VisualMaterial | None = None,
    **options: Any,  # Any: further fields, of any type
) -> BodyInflatable:
    """Return an inflatable, by default a ball of 20 cm radius at a height of 1 m; options are further fields of it."""
    return BodyInflatable.model_validate(
        {
            "name": name,
            "geometry": geometry or Sphere(radius=0.2),
            "position": position,
            "physical": physical or make_material(),
            "visual": visual or VisualMaterial(base_color=(0.3, 0.4, 0.8)),
            **options,
        }
    )


def make_ground(
    *, size: float = 20.0, physical: PhysicalMaterial | None = None, temperature: float | None = None
) -> Ground:
    """Return a grey floor."""
    visual = VisualMaterial(base_color=(0.5, 0.5, 0.5))
    return Ground(size=size, physical=physical or make_material(), visual=visual, temperature=temperature)


def make_room(*, size: Vec3 = (6.0, 6.0, 3.0), ceiling: bool = False, physical: PhysicalMaterial | None = None) -> Room:
    """Return white walls."""
    return Room(
        size=size,
        ceiling=ceiling,
        physical=physical or make_material(),
        visual=VisualMaterial(base_color=(0.9, 0.9, 0.9)),
    )


def make_camera(
    name: str = "front",
    *,
    size: tuple[int, int] = (64, 64),
    position: Vec3 = (0.0, -4.0, 2.0),
    target: Vec3 = (0.0, 0.0, 0.5),
    field_of_view: float = 50.0,
    orbit_rate: float | None = None,
) -> CameraSpec:
    """Return a camera of `size` (width, height) [px].

    Args:
        name: Name of the camera.
        size: Width and height [px].
        position: Where it stands [m] (fixed camera only).
        target: Point it looks at [m].
        field_of_view: Angle over the longer image side [deg].
        orbit_rate: If given, the camera circles its target at this rate [rad/s], 4 m away and 1.5 m above it.
    """
    path: CameraFixed | CameraOrbit = CameraFixed(position=position, target=target)
    if orbit_rate is not None:
        path = CameraOrbit(target=target, radius=4.0, height=1.5, azimuth=-1.5, azimuth_rate=orbit_rate)
    return CameraSpec(name=name, rig="test", width=size[0], height=size[1], field_of_view=field_of_view, path=path)


def make_spec(
    *,
    bodies: Sequence[Body] | None = None,
    gravity: Vec3 = (0.0, 0.0, -9.81),
    air_density: float = 0.0,
    wind: Vec3 = (0.0, 0.0, 0.0),
    frame_count: int = 8,
    fps: float = 24.0,
    substeps: int | None = None,
    size: tuple[int, int] = (64, 64),
    ground: Ground | bool = True,
    room: Room | None = None,
    cameras: Sequence[CameraSpec] | None = None,
    lights: Sequence[Light] | None = None,
    motions: Sequence[Motion] = (),
    joints: Sequence[Joint] = (),
    triggers: Sequence[Push] = (),
    sensors: Sensors | None = None,
    scene: str = "test",
    tier: Tier = "single",
    seed: int = 0,
    index: int = 0,
    attempt: int = 0,
) -> SceneSpec:
    """Return a small valid scene.

    Without arguments: a box and a ball fall onto a floor, seen by one fixed camera of 64 × 64 px for 8 frames at
    24 Hz, lit by one sun.

    Args:
        bodies: The bodies; default a box at 1 m and a ball at 1.5 m.
        gravity: Gravitational acceleration [m/s²].
        air_density: Density of the air [kg/m³].
        wind: Velocity of the wind [m/s].
        frame_count: Recorded frames.
        fps: Frames per second [Hz].
        substeps: Simulation steps per frame; None = the spec's default.
        size: Width and height of the default camera's image [px].
        ground: A floor, True for the default floor, False for none.
        room: Walls, if any.
        cameras: The cameras; default one fixed camera.
        lights: The lights; default one sun.
        motions: Motions of kinematic bodies.
        joints: Joints.
        triggers: Pushes.
        sensors: What is recorded; default everything.
        scene: Name of the base scene.
        tier: Curriculum tier.
        seed: Seed of the job.
        index: Number of the episode.
        attempt: Number of the replacement.
    """
    if bodies is None:
        bodies = _box_and_ball()
    if lights is None:
        lights = (LightSun(direction=(0.3, 0.5, -1.0), irradiance=3.0),)
    return SceneSpec(
        scene=scene,
        category="rigid",
        tier=tier,
        seed=seed,
        index=index,
        attempt=attempt,
        frame_count=frame_count,
        fps=fps,
        substeps=substeps,
        environment=Environment(gravity=gravity, air_density=air_density, wind=Wind(velocity=wind)),
        ground=ground if isinstance(ground, Ground) else (make_ground() if ground else None),
        room=room,
        lights=tuple(lights),
        bodies=tuple(bodies),
        motions=tuple(motions),
        joints=tuple(joints),
        triggers=tuple(triggers),
        cameras=tuple(cameras) if cameras is not None else (make_camera(size=size),),
        sensors=sensors or Sensors(),
    )


def _box_and_ball() -> tuple[BodyRigid, BodyRigid]:
    first, second = (VisualMaterial(base_color=color) for color in COLORS[:2])
    return make_body("box", visual=first), make_body(
        "ball", Sphere(radius=0.2), position=(0.5, 0.3, 1.5), visual=second
    )


def make_soft_spec(*, shift: float = 0.0, gravity: Vec3 = (0.0, 0.0, -9.81)) -> SceneSpec:
    """Return a scene of two soft bodies and a rigid one that meet, and a plate that moves against them."""
    return make_spec(
        bodies=[
            make_soft("cube", position=(0.0, 0.0, 0.16), resolution=4),
            make_soft(
                "pebble",
                Sphere(radius=0.12),
                position=(shift, 0.0, 0.46),
                linear_velocity=(0.0, 0.0, -1.0),
                angular_velocity=(0.0, 2.0, 0.0),
                resolution=5,
            ),
            make_body("ball", Sphere(radius=0.1), position=(0.35, 0.0, 0.15), linear_velocity=(-2.0, 0.0, 0.0)),
            make_body("plate", Box(size=(0.02, 0.4, 0.4)), position=(-0.2, 0.0, 0.25), mobility="kinematic"),
        ],
        gravity=gravity,
        motions=[MotionLinear(body="plate", velocity=(0.3, 0.0, 0.0))],
        triggers=[Push(body="pebble", time=0.05, impulse=(1.0, 0.0, 0.0))],
        frame_count=24,
    )


def make_granular_spec(*, shift: float = 0.0, gravity: Vec3 = (0.0, 0.0, -9.81)) -> SceneSpec:
    """Return a scene of a coarse heap, a ball that falls into it, a plate that moves against it, and a push."""
    return make_spec(
        bodies=[
            make_granular("heap", Cylinder(radius=0.14, height=0.16), position=(0.0, 0.0, 0.081), grain_radius=0.02),
            make_body("ball", Sphere(radius=0.07), position=(shift, 0.0, 0.25), linear_velocity=(0.0, 0.0, -1.0)),
            make_body("plate", Box(size=(0.04, 0.3, 0.2)), position=(-0.2, 0.0, 0.105), mobility="kinematic"),
        ],
        gravity=gravity,
        motions=[MotionLinear(body="plate", velocity=(0.4, 0.0, 0.0))],
        triggers=[Push(body="heap", time=0.05, impulse=(2.0, 0.0, 0.0))],
        frame_count=24,
    )


def make_driven_spec(waypoints: Sequence[tuple[float, float]] = ((0.0, 0.0), (0.1, 0.3), (2.0, 9.5))) -> SceneSpec:
    """Return a scene of a bar that a motor turns about the vertical, and a lighter one that hangs from its end.

    Args:
        waypoints: Times [s] and positions [rad] of joint `motor`; joint `free` has no drive.
    """
    drive = Drive(
        waypoints=tuple(Waypoint(time=time, position=position) for time, position in waypoints),
        stiffness=20.0,
        damping=2.0,
        strength=50.0,
    )
    return make_spec(
        bodies=[
            make_body("bar", Box(size=(0.6, 0.06, 0.06)), position=(0.2, 0.0, 1.0)),
            make_body("bob", Box(size=(0.06, 0.06, 0.3)), position=(0.45, 0.0, 0.8)),
        ],
        joints=[
            JointHinge(name="motor", child="bar", anchor=(0.0, 0.0, 1.0), axis=(0.0, 0.0, 1.0), drive=drive),
            JointHinge(name="free", parent="bar", child="bob", anchor=(0.45, 0.0, 1.0), axis=(0.0, 1.0, 0.0)),
        ],
        frame_count=20,
    )

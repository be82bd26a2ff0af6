"""Random small scenes that are hard on ground truth: thin, hidden, turning, deforming bodies before moving cameras."""

import math

import numpy as np

from simfactory.arms import Arm, equipped
from simfactory.rng import Stream, stream
from simfactory.robots import robot_model
from simfactory.spec import (
    Body,
    BodyRigid,
    Box,
    CameraFixed,
    CameraOrbit,
    CameraSpec,
    Capsule,
    Cone,
    Cylinder,
    Environment,
    Geometry,
    Ground,
    Heat,
    LightSun,
    Motion,
    MotionLinear,
    MotionOscillation,
    MotionRotation,
    Prism,
    Rectangle,
    SceneSpec,
    Sensors,
    Sphere,
    Superellipsoid,
    Torus,
    Vec3,
    Vessel,
    Wind,
)
from simfactory.testing.specs import (
    make_body,
    make_cloth,
    make_granular,
    make_ground,
    make_inflatable,
    make_material,
    make_rope,
    make_sheet,
    make_soft,
)
from simfactory.transforms import quat_from_axis_angle, quat_to_matrix

__all__ = ["sample_scene"]


def sample_scene(
    index: int,
    *,
    deforming: bool,
    soft: bool = False,
    granular: bool = False,
    rope: bool = False,
    cloth: bool = False,
    robot: bool = False,
    inflatable: bool = False,
    thermal: bool = False,
    size: int = 256,
    frame_count: int = 4,
    seed: int = 0,
    camera_count: int = 2,
) -> SceneSpec:
    """Return a random scene; the same arguments give the same scene.

    Three to six bodies of all shapes on a loose grid, one of them thin, one driven, a narrow wall that hides some of
    them, and cameras of which every second one circles the scene.

    Args:
        index: Number of the scene.
        deforming: Whether a vibrating sheet takes part.
        soft: Whether two soft bodies take part: one that hits the floor, one that is held, bends and swings.
        granular: Whether two heaps of grains take part: one that falls, one that flies.
        rope: Whether two ropes take part: one that whirls and hits the floor, one that is held and swings.
        robot: Whether a robot arm takes part that swings beside a cup.
        thermal: Whether two soft bodies melt on a hot floor.
        cloth: Whether two cloths take part: one that falls over a ball, one that is held and waves in the wind.
        inflatable: Whether two inflatables take part: a fast ball that flattens on the floor, a flying ring.
        size: Image width and height [px].
        frame_count: Frames.
        seed: Seed.
        camera_count: Cameras.
    """
    draws = stream(seed, "ground_truth", index)
    bodies: list[Body] = [_body(draws, number) for number in range(draws.integer(3, 6))]
    bodies.append(_thin_body(draws))
    bodies.append(_driven_body(draws))
    wall = Box(size=(draws.uniform(0.15, 0.5), 0.05, draws.uniform(0.6, 1.2)))
    aside = (draws.uniform(-0.6, 0.6), draws.uniform(-1.6, -1.3), wall.size[2] / 2 + 0.01)
    bodies.append(make_body("wall", wall, position=aside, mobility="static"))
    if deforming:
        bodies.append(_sheet(draws))
    if soft:
        bodies += _soft_bodies(draws)
    if thermal:
        bodies += _melting_bodies(draws)
    if granular:
        bodies += _granular_bodies(draws)
    if rope:
        bodies += _ropes(draws)
    if cloth:
        bodies += _cloths(draws)
    arm = _arm(draws) if robot else None
    if arm is not None:
        bodies += [*arm.bodies, _cup(draws)]
    if inflatable:
        bodies += _inflatables(draws)
    cameras = [_camera(draws, number, size=size, moving=number % 2 == 0) for number in range(camera_count)]
    return SceneSpec(
        scene="ground_truth",
        category="rigid",
        tier="multi_object",
        seed=seed,
        index=index,
        frame_count=frame_count,
        fps=draws.choice((12.0, 24.0, 30.0)),
        environment=Environment(air_density=1.2, wind=Wind(velocity=(4.0, 1.0, 0.0))) if cloth else Environment(),
        ground=_ground(draws, needed=granular or thermal, temperature=370.0 if thermal else None),
        lights=(LightSun(direction=(0.3, 0.5, -1.0), irradiance=3.0),),
        bodies=tuple(bodies),
        motions=(_motion(draws),),
        joints=arm.joints if arm is not None else (),
        robot=arm.robot if arm is not None else None,
        cameras=tuple(cameras),
        sensors=Sensors(track_spacing=draws.choice((6, 8, 16)), point_stride=draws.choice((1, 2, 3))),
    )


def _arm(draws: Stream) -> Arm:
    """A robot arm at the edge of the scene whose joints all turn from the first frame on."""
    base = np.eye(4)
    base[:3, :3] = quat_to_matrix(quat_from_axis_angle((0.0, 0.0, 1.0), draws.uniform(0.0, 2.0 * math.pi)))
    base[:3, 3] = (draws.uniform(-0.4, 0.4), draws.uniform(2.0, 2.4), 0.001)
    start = np.array([0.0, -0.4, 0.0, -2.2, 0.0, 1.8, 0.785, 0.01, 0.01])
    turn = np.array([draws.uniform(-0.4, 0.4) for _ in range(7)] + [0.02, 0.02])
    times = np.linspace(0.0, 0.5, 6)
    return equipped(robot_model("panda"), base, times, start + np.outer(times / 0.5, turn), grip=20.0)


def _cup(draws: Stream) -> BodyRigid:
    shape = Vessel(radius=0.2, base_radius=draws.uniform(0.1, 0.19), height=draws.uniform(0.2, 0.35), wall=0.02)
    at = (draws.uniform(0.9, 1.1), draws.uniform(1.6, 1.9), 0.6)
    return make_body("cup", shape, position=at, angular_velocity=(1.0, 0.5, 2.0))


def _ground(draws: Stream, *, needed: bool, temperature: float | None) -> Ground | None:
    there = draws.chance(0.8)
    return make_ground(size=draws.choice((12.0, 40.0)), temperature=temperature) if there or needed else None


def _geometry(draws: Stream) -> Geometry:
    a, b, c = (draws.uniform(0.12, 0.35) for _ in range(3))
    options: tuple[Geometry, ...] = (
        Box(size=(2 * a, 2 * b, 2 * c)),
        Sphere(radius=a),
        Cylinder(radius=a, height=2 * b),
        Capsule(radius=a / 2, height=b),
        Cone(radius=a, height=2 * b),
        Prism(sides=draws.integer(3, 8), radius=a, height=b, taper=draws.uniform(0.3, 1.0)),
        Superellipsoid(radii=(a, b, c), exponents=(draws.uniform(0.3, 1.8), draws.uniform(0.3, 1.8))),
    )
    return draws.choice(options)


def _vector(draws: Stream, reach: float) -> Vec3:
    return draws.uniform(-reach, reach), draws.uniform(-reach, reach), draws.uniform(-reach, reach)


def _body(draws: Stream, number: int) -> BodyRigid:
    cell = (0.9 * (number % 3 - 1), 0.9 * (number // 3))
    position = (cell[0] + draws.uniform(-0.1, 0.1), cell[1] + draws.uniform(-0.1, 0.1), draws.uniform(0.75, 1.3))
    return make_body(
        f"body_{number}",
        _geometry(draws),
        position=position,
        orientation=draws.quat_xyzw(),
        linear_velocity=_vector(draws, 1.5),
        angular_velocity=_vector(draws, 8.0),
    )


def _thin_body(draws: Stream) -> BodyRigid:
    width = draws.log_uniform(0.008, 0.03)
    options: tuple[Geometry, ...] = (
        Box(size=(1.4, width, width)),
        Cylinder(radius=width / 2, height=1.4),
        Box(size=(0.7, 0.7, width)),
    )
    geometry = draws.choice(options)
    return make_body(
        "thin",
        geometry,
        position=(0.0, -0.9, draws.uniform(1.7, 2.0)),
        orientation=draws.quat_xyzw(),
        linear_velocity=_vector(draws, 1.0),
        angular_velocity=_vector(draws, 6.0),
    )


def _driven_body(draws: Stream) -> BodyRigid:
    return make_body("driven", _geometry(draws), position=(draws.uniform(-1.5, -1.0), 2.0, 0.8), mobility="kinematic")


def _motion(draws: Stream) -> Motion:
    options: tuple[Motion, ...] = (
        MotionLinear(body="driven", velocity=(draws.uniform(0.5, 3.0), 0.0, 0.0)),
        MotionOscillation(body="driven", amplitude=(0.5, 0.0, 0.2), frequency=draws.uniform(0.5, 3.0)),
        MotionRotation(body="driven", angular_velocity=_vector(draws, 6.0)),
    )
    return draws.choice(options)


def _sheet(draws: Stream) -> Body:
    return make_sheet(
        position=(draws.uniform(1.2, 1.6), 0.3, draws.uniform(0.4, 1.0)),
        orientation=draws.quat_xyzw(),
        size=(draws.uniform(0.6, 1.2), draws.uniform(0.6, 1.2)),
        cells=24,
        amplitude=draws.uniform(0.05, 0.2),
        frequency=draws.uniform(0.5, 4.0),
        modes=(draws.integer(1, 3), draws.integer(1, 3)),
    )


def _soft_bodies(draws: Stream) -> list[Body]:
    """A fast jelly just above the floor, and a swinging bar that is held at one end."""
    jelly = make_material(density=1000.0, young_modulus=draws.log_uniform(1e4, 4e4), poisson_ratio=0.4)
    radius = draws.uniform(0.14, 0.2)
    shapes: tuple[Geometry, ...] = (Box(size=(0.3, 0.25, 0.3)), Sphere(radius=radius))
    shape = draws.choice(shapes)
    dropped = make_soft(
        "jelly",
        shape,
        position=(draws.uniform(-0.2, 0.2), -0.5, 0.27),
        orientation=draws.quat_xyzw() if isinstance(shape, Sphere) else (0.0, 0.0, 0.0, 1.0),
        linear_velocity=(draws.uniform(-1.0, 1.0), 0.0, -3.0),
        physical=jelly,
    )
    bar = make_soft(
        "bar",
        Box(size=(0.8, 0.15, 0.15)),
        position=(draws.uniform(1.2, 1.6), 0.3, draws.uniform(0.6, 1.0)),
        linear_velocity=(0.0, draws.uniform(-3.0, 3.0), 2.0),
        physical=jelly,
        resolution=8,
        held=("-x",),
    )
    return [dropped, bar]


def _melting_bodies(draws: Stream) -> list[Body]:
    """A ball that hits the hot floor and a block that stands on it: both soften and are warmer from frame to frame."""
    butter = make_material(density=1000.0, young_modulus=4e4, poisson_ratio=0.4)
    heat = Heat(
        temperature=draws.uniform(270.0, 290.0),
        conductivity=2e4,
        heat_capacity=1000.0,
        contact_conductance=1e7,
        softening=(300.0, 320.0),
        molten_shear=0.1,
        flow_time=0.2,
    )
    ball = make_soft(
        "ball",
        Sphere(radius=draws.uniform(0.12, 0.18)),
        position=(draws.uniform(-0.2, 0.2), -0.5, 0.24),
        linear_velocity=(0.0, 0.0, -3.0),
        physical=butter,
        heat=heat,
    )
    block = make_soft(
        "block",
        Box(size=(0.3, 0.25, 0.3)),
        position=(1.4, draws.uniform(-0.4, 0.0), 0.1505),
        physical=butter,
        heat=heat,
    )
    return [ball, block]


def _granular_bodies(draws: Stream) -> list[Body]:
    """A fast clump of coarse grains just above the floor, and one of fine ones that flies and turns."""
    coarse = make_granular(
        "gravel",
        Sphere(radius=draws.uniform(0.16, 0.22)),
        position=(draws.uniform(-0.2, 0.2), -0.5, 0.26),
        linear_velocity=(draws.uniform(-1.0, 1.0), 0.0, -3.0),
        grain_radius=0.025,
    )
    fine = make_granular(
        "sand",
        Cylinder(radius=0.16, height=0.3),
        position=(draws.uniform(-0.4, 0.4), 0.3, draws.uniform(1.9, 2.1)),  # above all others
        orientation=draws.quat_xyzw(),
        linear_velocity=(draws.uniform(-2.0, 2.0), 0.0, 2.0),
        angular_velocity=(0.0, draws.uniform(-6.0, 6.0), 3.0),
        grain_radius=0.015,
    )
    return [coarse, fine]


def _ropes(draws: Stream) -> list[Body]:
    """A thick whirling rope just above the floor, and a thin one that swings from one end."""
    wave = tuple((0.25 * k - 0.5, draws.uniform(-0.08, 0.08), draws.uniform(-0.05, 0.05)) for k in range(5))
    whirling = make_rope(
        "whirling",
        wave,
        radius=draws.uniform(0.02, 0.05),
        position=(draws.uniform(-0.2, 0.2), -0.5, 0.2),
        linear_velocity=(draws.uniform(-1.0, 1.0), 0.0, -3.0),
        angular_velocity=(0.0, 0.0, draws.uniform(-8.0, 8.0)),
        bending_stiffness=draws.log_uniform(1e-3, 1e-1),
    )
    swinging = make_rope(
        "swinging",
        ((0.0, 0.0, 0.0), (0.5, 0.0, 0.1), (0.9, 0.0, -0.1)),
        radius=draws.uniform(0.006, 0.02),
        position=(draws.uniform(1.2, 1.6), 0.3, draws.uniform(1.0, 1.4)),
        orientation=draws.quat_xyzw(),
        held=("start",),
        segments=40,
    )
    return [whirling, swinging]


def _cloths(draws: Stream) -> list[Body]:
    """A fast sheet just above a fixed ball, folding over it, and a flag that is held at one side."""
    half = math.sqrt(0.5)
    ball = make_body("dome", Sphere(radius=0.2), position=(0.0, -0.5, 0.201), mobility="static")
    sheet = make_cloth(
        "sheet",
        Rectangle(size=(draws.uniform(0.6, 0.8), 0.6)),
        position=(draws.uniform(-0.1, 0.1), -0.5, 0.42),
        orientation=(0.0, 0.0, math.sin(0.5), math.cos(0.5)),
        linear_velocity=(0.0, 0.0, -3.0),
        resolution=16,
    )
    flag = make_cloth(
        "flag",
        Rectangle(size=(0.8, 0.5)),
        position=(draws.uniform(1.2, 1.6), 0.3, draws.uniform(0.6, 1.0)),
        orientation=(half, 0.0, 0.0, half),
        area_density=0.1,
        resolution=18,
        held=("-x",),
    )
    return [ball, sheet, flag]


def _inflatables(draws: Stream) -> list[Body]:
    """A ball that hits the floor fast, and a ring that whirls through the air."""
    ball = make_inflatable(
        "balloon",
        Sphere(radius=draws.uniform(0.15, 0.2)),
        position=(draws.uniform(-0.2, 0.2), -0.5, 0.26),
        linear_velocity=(draws.uniform(-1.0, 1.0), 0.0, -4.0),
        gauge_pressure=draws.uniform(50.0, 400.0),
        resolution=8,
    )
    ring = make_inflatable(
        "ring",
        Torus(radius=0.2, tube=draws.uniform(0.06, 0.08)),
        position=(draws.uniform(1.2, 1.6), 0.3, draws.uniform(0.8, 1.2)),
        orientation=draws.quat_xyzw(),
        angular_velocity=(0.0, draws.uniform(-6.0, 6.0), 3.0),
    )
    return [ball, ring]


def _camera(draws: Stream, number: int, *, size: int, moving: bool) -> CameraSpec:
    target = (draws.uniform(-0.3, 0.3), draws.uniform(-0.3, 0.3), draws.uniform(0.4, 0.8))
    radius, height, azimuth = draws.uniform(3.0, 4.5), draws.uniform(0.3, 2.5), draws.uniform(-2.6, -0.6)
    path: CameraFixed | CameraOrbit = CameraOrbit(
        target=target, radius=radius, height=height, azimuth=azimuth, azimuth_rate=draws.uniform(-2.0, 2.0)
    )
    if not moving:
        path = CameraFixed(position=(draws.uniform(-2.0, 2.0), -radius, 0.5 + height), target=target)
    return CameraSpec(
        name=f"camera_{number}",
        rig="test",
        width=size,
        height=size,
        field_of_view=draws.uniform(35.0, 70.0),
        path=path,
    )

"""Laws of heat and of moving air: conduction, exchange, softening, flow, plumes and gusts."""

import math

import numpy as np
import numpy.typing as npt

from simfactory.air import plume_flow
from simfactory.episode import Trajectory
from simfactory.meshes import body_mesh
from simfactory.spec import BodySoft, Box, Environment, Heat, Plume, SceneSpec, Sphere, Wind
from simfactory.testing.laws.law import GRAVITY, Law
from simfactory.testing.specs import make_body, make_ground, make_material, make_soft, make_spec

__all__ = ["air_laws", "heat_laws"]

Array = npt.NDArray[np.float64]

FPS = 60.0
DENSITY, CAPACITY = 1000.0, 1000.0  # [kg/m³], [J/(kg·K)]
CONDUCTIVITY = 2e4  # [W/(m·K)]: far beyond any solid's, so that heat crosses a bar within a second
COLD, HOT = 300.0, 380.0  # [K]
NONE = (0.0, 0.0, 0.0)


def heat_laws(*, substeps: int = 4) -> list[Law]:
    """Return the laws of heat in soft bodies."""
    return [
        _transient_law(substeps=substeps),
        _steady_law(substeps=substeps),
        _balance_law(substeps=substeps),
        _cooling_law(substeps=substeps),
        _softening_law(substeps=substeps),
        _creep_law(substeps=substeps),
    ]


def air_laws(*, substeps: int = 4) -> list[Law]:
    """Return the laws of moving air."""
    return [_hover_law(substeps=substeps), _gust_law(substeps=substeps)]


def _bar(length: float, width: float, cells: int, **heat: float) -> BodySoft:
    """A bar that stands on z = 0, cold, half a millimetre above it."""
    return make_soft(
        "bar",
        Box(size=(width, width, length)),
        position=(0.0, 0.0, 0.5 * length + 5e-4),
        physical=make_material(density=DENSITY, young_modulus=1e5),
        resolution=cells,
        heat=Heat.model_validate(
            {"temperature": COLD, "conductivity": CONDUCTIVITY, "heat_capacity": CAPACITY, **heat}
        ),
    )


def _heights(bar: BodySoft, length: float) -> Array:
    """Return the height `(vertex,)` [m] of a bar's vertices above its lower end."""
    return np.asarray(body_mesh(bar).vertices[:, 2] + 0.5 * length)


def _transient_law(*, substeps: int) -> Law:
    """The lower end of a cold bar is put on a hot floor: one-dimensional conduction into it.

    Source: H. S. Carslaw, J. C. Jaeger, "Conduction of Heat in Solids" (1959), §3.4.
    """
    length, seconds = 0.4, 1.6
    bar = _bar(length, 0.1, 8, contact_conductance=1e7)
    fourier = CONDUCTIVITY / (DENSITY * CAPACITY) * seconds / length**2
    odd = math.pi * (np.arange(40) + 0.5)
    modes = np.sin(np.outer(_heights(bar, length) / length, odd)) * (2.0 / odd * np.exp(-(odd**2) * fourier))
    exact = HOT + (COLD - HOT) * modes.sum(axis=1)
    return Law(
        name="cold bar on a hot floor: largest error of its temperature over the floor's excess",
        spec=_scene([bar], seconds=seconds, substeps=substeps, floor=HOT),
        figure=lambda path: float(np.abs(path.temperatures[0][-1] - exact).max()) / (HOT - COLD),
        exact=0.0,
        tolerance=0.01,
        reason="second order in cell/length: 0.2 % with eight cells, and first order in dt",
        unit="1",
        needs=("contact", "soft_body", "heat"),
    )


def _steady_law(*, substeps: int) -> Law:
    """A bar between a hot floor and a cold plate: a straight profile between the drops at both contacts."""
    length = 0.2
    conductance = CONDUCTIVITY / length
    bar = _bar(length, 0.1, 4, contact_conductance=conductance)
    plate = make_body(
        "plate", Box(size=(0.3, 0.3, 0.05)), position=(0.0, 0.0, length + 0.026), mobility="static", temperature=COLD
    )
    way = 1.0 / conductance + _heights(bar, length) / CONDUCTIVITY
    exact = HOT + (COLD - HOT) * way / (2.0 / conductance + length / CONDUCTIVITY)
    return Law(
        name="bar between hot floor and cold plate: largest error of its temperature over their difference",
        spec=_scene([bar, plate], seconds=10.0, substeps=substeps, floor=HOT),
        figure=lambda path: float(np.abs(path.temperatures[0][-1] - exact).max()) / (HOT - COLD),
        exact=0.0,
        tolerance=0.003,
        reason="linear elements hold a straight profile exactly; what is left of the beginning fades as exp(-0.85 t)",
        unit="1",
        needs=("contact", "soft_body", "heat"),
    )


def _balance_law(*, substeps: int) -> Law:
    """What a bar takes up is what passed through its lower end: ∫ h A (T_floor - T_end) dt = Σ m c ΔT."""
    length, conductance = 0.4, 5e4
    bar = _bar(length, 0.1, 8, contact_conductance=conductance)
    level = _heights(bar, length)

    def figure(path: Trajectory) -> float:
        values = path.temperatures[0].astype(np.float64)
        heights = np.unique(level.round(9))
        profile = np.stack([values[:, np.abs(level - height) < 1e-6].mean(axis=1) for height in heights], axis=1)
        passed = _integral(conductance * (HOT - profile[:, 0]), path.time)
        return _integral(profile[-1] - profile[0], heights) * DENSITY * CAPACITY / passed

    return Law(
        name="bar on a hot floor: heat in it over heat that passed into it",
        spec=_scene([bar], seconds=2.0, substeps=substeps, floor=HOT),
        figure=figure,
        exact=1.0,
        tolerance=0.01,
        reason="what one node gives another gets; the sum over 120 frames misses the first one's curve, 0.5 %",
        unit="1",
        needs=("contact", "soft_body", "heat"),
    )


def _cooling_law(*, substeps: int) -> Law:
    """A warm cube that conducts well cools in still air as exp(-t/τ), τ = m c/(h A)."""
    size, convection, seconds = 0.1, 5e3, 2.0
    cube = _bar(size, size, 2, convection=convection, temperature=HOT)
    time = DENSITY * CAPACITY * size / (6.0 * convection)
    return Law(
        name="warm cube in still air: its excess after 2 s over exp(-hAt/mc)",
        spec=_scene([cube], seconds=seconds, substeps=substeps, air=1.2, at=COLD),
        figure=lambda path: float(path.temperatures[0][-1].mean() - COLD) / (HOT - COLD) * math.exp(seconds / time),
        exact=1.0,
        tolerance=0.01,
        reason="the Biot number h V/(A k) is 0.004: its surface is cooler than its middle by half of that; first order "
        "in dt/τ, 0.1 %",
        unit="1",
        needs=("soft_body", "heat"),
    )


def _softening_law(*, substeps: int) -> Law:
    """A beam held at one end, half molten all through: it sags as Timoshenko's beam of its lower modulus does.

    μ falls, λ stays: E = μ (3λ + 2μ)/(λ + μ), ν = λ/2(λ + μ).
    """
    length, thick, young, poisson, factor = 1.0, 0.25, 4e5, 0.3, 0.25
    shear, bulk = young / (2.0 + 2.0 * poisson), young * poisson / ((1.0 + poisson) * (1.0 - 2.0 * poisson))
    soft = factor * shear
    modulus, ratio = soft * (3.0 * bulk + 2.0 * soft) / (bulk + soft), bulk / (2.0 * (bulk + soft))
    area, inertia = thick**2, thick**4 / 12.0
    kappa = 10.0 * (1.0 + ratio) / (12.0 + 11.0 * ratio)
    gravity = 0.02 * 8.0 * modulus * inertia / (DENSITY * area * length**3)
    weight = DENSITY * area * gravity
    sag = weight * length**4 / (8.0 * modulus * inertia) + weight * length**2 / (2.0 * kappa * soft * area)
    rate = 1.875**2 * math.sqrt(modulus * inertia / (DENSITY * area)) / length**2
    material = make_material(density=DENSITY, young_modulus=young, poisson_ratio=poisson, damping=2.0 * rate)
    beam = make_soft(
        "beam", Box(size=(length, thick, thick)), position=(0.0, 0.0, 2.0), physical=material, resolution=8,
        held=("-x",),
        heat=Heat(
            temperature=320.0, conductivity=1.0, heat_capacity=CAPACITY, softening=(310.0, 330.0),
            molten_shear=factor**2,
        ),
    )  # fmt: skip
    tip = np.abs(body_mesh(beam).vertices[:, 0] - 0.5 * length) < 1e-6

    def figure(path: Trajectory) -> float:
        return float(path.vertices[0][0, tip, 2].mean() - path.vertices[0][-10:, tip, 2].mean()) / sag

    return Law(
        name="beam softened to a quarter of its shear modulus bends: sag of the tip over Timoshenko's",
        spec=_scene([beam], seconds=12.0 / rate, substeps=substeps, gravity=(0.0, 0.0, -gravity)),
        figure=figure,
        exact=1.0,
        tolerance=0.09,
        reason="as the beam of ν = 0.45 with two cells through its thickness: 5 % by its held end, 3 % by its cells",
        unit="1",
        needs=("soft_body", "heat"),
    )


def _creep_law(*, substeps: int) -> Law:
    """A molten bar that hangs lengthens at ρ g L²/6η: a fluid of viscosity η = μ τ, three times that in tension.

    Source: F. T. Trouton, "On the coefficient of viscous traction", Proceedings of the Royal Society A 77 (1906).
    """
    length, thick, young, time = 1.0, 0.25, 1e5, 2.0
    material = make_material(density=DENSITY, young_modulus=young, poisson_ratio=0.45, damping=4.0)
    shear = young / 2.9
    gravity = 0.02 * 2.0 * young / (DENSITY * length)
    bar = make_soft(
        "bar", Box(size=(length, thick, thick)), position=(0.0, 0.0, 2.0), physical=material, resolution=8,
        held=("-x",),
        heat=Heat(
            temperature=400.0, conductivity=1.0, heat_capacity=CAPACITY, softening=(310.0, 330.0), flow_time=time
        ),
    )  # fmt: skip
    end = np.abs(body_mesh(bar).vertices[:, 0] - 0.5 * length) < 1e-6

    def figure(path: Trajectory) -> float:
        place = path.vertices[0][:, end, 0].mean(axis=1).astype(np.float64)
        late = path.time > 1.0
        slope = float(np.polyfit(path.time[late], place[late], 1)[0])
        return slope / (DENSITY * gravity * length**2 / (6.0 * shear * time))

    return Law(
        name="molten bar hangs: rate at which it lengthens over ρgL²/6μτ",
        spec=_scene([bar], seconds=2.5, substeps=substeps, gravity=(gravity, 0.0, 0.0)),
        figure=figure,
        exact=1.0,
        tolerance=0.08,
        reason="the held end cannot thin: 4 % at an incompressible flow; strains of 2 to 6 % make it thinner",
        unit="1",
        needs=("soft_body", "heat"),
    )


def _hover_law(*, substeps: int) -> Law:
    """A light ball on the axis of a plume hovers where the air rises as fast as it would fall: w(z)² = 2 m g/ρ C_d A.

    As drag and gravity act one after the other in a step, it does so where w is larger by g dt/2.
    """
    radius, density, air = 0.05, 2.0, 1.2
    plume = Plume(position=NONE, radius=0.1, power=8000.0)
    surroundings = Environment(air_density=air, plumes=(plume,))
    fall = math.sqrt(8.0 * radius * density * GRAVITY / (3.0 * air * 0.47))
    flow = plume_flow(plume, surroundings)
    height = (flow.strength / (fall + 0.5 * GRAVITY / (FPS * substeps))) ** 3 - flow.below
    ball = make_body("ball", Sphere(radius=radius), position=(0.0, 0.0, 0.3), physical=make_material(density=density))
    spec = make_spec(bodies=[ball], fps=FPS, frame_count=481, substeps=substeps, ground=False)
    return Law(
        name="light ball hovers in a plume: height over that where the air carries it",
        spec=SceneSpec.model_validate({**dict(spec), "environment": surroundings}),
        figure=lambda path: float(path.position[-60:, 0, 2].mean()) / height,
        exact=1.0,
        tolerance=0.01,
        reason="it settles there within two seconds; the shift by g dt/2 is itself of first order, 0.01 % of w",
        unit="1",
        needs=("air",),
    )


def _gust_law(*, substeps: int) -> Law:
    """Balls all over a turbulent wind feel gusts whose root mean square along an axis is turbulence times the mean.

    The air's velocity at a ball is read from its acceleration a = κ |u| u, u the air's velocity past it.
    """
    speed, turbulence, radius, density, air = 5.0, 0.25, 0.05, 100.0, 1.2
    balls = [
        make_body(
            f"ball_{k}",
            Sphere(radius=radius),
            position=(7.0 * (k % 4) - 10.5, 7.0 * (k // 4 % 4) - 10.5, 7.0 * (k // 16)),
            physical=make_material(density=density),
        )
        for k in range(48)
    ]
    kappa = 3.0 * air * 0.47 / (8.0 * radius * density)

    def figure(path: Trajectory) -> float:
        velocity = path.linear_velocity.astype(np.float64)
        pull = np.diff(velocity, axis=0) / np.diff(path.time)[:, None, None]
        past = pull / np.sqrt(kappa * np.linalg.norm(pull, axis=-1, keepdims=True))
        gust = past + 0.5 * (velocity[1:] + velocity[:-1]) - np.array([speed, 0.0, 0.0])
        return float(np.sqrt((gust**2).sum(axis=-1).mean() / 3.0)) / (turbulence * speed)

    wind = Wind(velocity=(speed, 0.0, 0.0), turbulence=turbulence, gust_length=1.5, gust_seed=1)
    spec = make_spec(bodies=balls, gravity=NONE, fps=FPS, frame_count=91, substeps=substeps, ground=False)
    return Law(
        name="turbulent wind: root mean square of its gusts over turbulence × mean speed",
        spec=SceneSpec.model_validate(
            {**dict(spec), "environment": Environment(gravity=NONE, air_density=air, wind=wind)}
        ),
        figure=figure,
        exact=1.0,
        tolerance=0.12,
        reason="48 balls that see 7 m of air each: some 200 independent gusts of 1.5 m, 7 %; the sum of waves is exact "
        "in the mean over all space; short gusts are averaged over a frame",
        unit="1",
        needs=("air",),
    )


def _integral(values: Array, places: Array) -> float:
    """Return the integral of values `(n,)` over places `(n,)` by the trapezoidal rule."""
    return float((0.5 * (values[1:] + values[:-1]) * np.diff(places)).sum())


def _scene(
    bodies: list[object],
    *,
    seconds: float,
    substeps: int,
    gravity: tuple[float, float, float] = NONE,
    floor: float | None = None,
    air: float = 0.0,
    at: float = 293.15,
) -> SceneSpec:
    ground = False if floor is None else make_ground(temperature=floor)
    frames = math.ceil(seconds * FPS) + 1
    spec = make_spec(bodies=bodies, fps=FPS, frame_count=frames, substeps=substeps, ground=ground)  # type: ignore[arg-type]  # bodies of both kinds
    surroundings = Environment(gravity=gravity, air_density=air, temperature=at)
    return SceneSpec.model_validate({**dict(spec), "environment": surroundings})

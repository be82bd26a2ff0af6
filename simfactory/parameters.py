"""Randomized parameters by name: their ranges, the bounds of what may be asked, and how a spec is measured."""

import math
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from simfactory.errors import SpecError
from simfactory.spec import (
    BodyRigid,
    BodySoft,
    BodySolid,
    CameraCrane,
    CameraFixed,
    CameraOrbit,
    Jet,
    LightPoint,
    LightSun,
    PhysicalMaterial,
    ProfilePower,
    SceneSpec,
    VisualMaterial,
    Vortex,
)
from simfactory.temperatures import temperature_differences

__all__ = ["PARAMETERS", "UNHONOURED", "Parameter", "Range", "checked_ranges", "parse_ranges", "spans_of"]

Range = tuple[float, float]
Measure = Callable[[SceneSpec], list[float]]

TOLERANCE = 1e-6  # [1]; specs keep nine digits

UNHONOURED: Mapping[str, str] = MappingProxyType(
    {
        "temperature": "rooms here have 293 K, and bodies begin where their material is kept; ask for a "
        "temperature_difference",
        "air_viscosity": "drag here is quadratic in speed and has no viscous term",
    }
)


@dataclass(frozen=True, kw_only=True, slots=True)
class Parameter:
    """One named parameter of sampled scenes.

    Attributes:
        name: Its name on the command line.
        unit: Unit of its values.
        usual: What is drawn from if nothing is asked for.
        bounds: Smallest and largest value that may be asked for.
        measure: Returns its values in a spec, one for each thing that has it.
        logarithmic: Whether it is drawn uniformly in the logarithm.
        discrete: Whether only the ends of the range occur.
        narrower: Category → what is drawn from there, where its solver is not checked as far as the others.
    """

    name: str
    unit: str
    usual: Range
    bounds: Range
    measure: Measure
    logarithmic: bool = False
    discrete: bool = False
    narrower: Mapping[str, Range] = field(default_factory=dict)

    def usual_in(self, category: str) -> Range:
        """Return what is drawn from in a category if nothing is asked for."""
        return self.narrower.get(category, self.usual)


def _bodies(spec: SceneSpec) -> Iterator[BodySolid]:
    return (body for body in spec.bodies if isinstance(body, BodySolid))


def _free(spec: SceneSpec) -> Iterator[BodySolid]:
    return (body for body in _bodies(spec) if body.mobility == "dynamic")


def _materials(spec: SceneSpec) -> list[PhysicalMaterial]:
    around = [thing.physical for thing in (spec.ground, spec.room) if thing is not None]
    return [*(body.physical for body in spec.bodies), *around]


def _visuals(spec: SceneSpec) -> list[VisualMaterial]:
    return [body.visual for body in spec.bodies]


def _material(field: str) -> Measure:
    return lambda spec: [getattr(material, field) for material in _materials(spec)]


def _friction(spec: SceneSpec) -> list[float]:
    return [mu for material in _materials(spec) for mu in (material.static_friction, material.dynamic_friction)]


def _gravity(spec: SceneSpec) -> list[float]:
    return [math.hypot(*spec.environment.gravity)]


def _tilt(spec: SceneSpec) -> list[float]:
    x, y, z = spec.environment.gravity
    return _positive([math.degrees(math.atan2(math.hypot(x, y), -z))])


def _aspect(spec: SceneSpec) -> list[float]:
    return [factor for body in _bodies(spec) for factor in body.aspect if factor != 1.0]


def _positive(values: Iterable[float], least: float = 1e-6) -> list[float]:
    return [value for value in values if value > least]


def _key_to_fill(spec: SceneSpec) -> list[float]:
    suns = [light.irradiance for light in spec.lights if isinstance(light, LightSun)]
    if not suns or spec.sky.environment_map is not None or len(suns) < len(spec.lights):
        return []  # a lamp takes a share of the key light that depends on where it stands
    return [sum(suns) / spec.sky.intensity]


def _temperature(spec: SceneSpec) -> list[float]:
    return [light.temperature for light in spec.lights if isinstance(light, LightSun | LightPoint)]


def _texture(spec: SceneSpec) -> list[float]:
    scales = [getattr(visual.texture, "scale", None) for visual in _visuals(spec)]
    return [scale for scale in scales if scale is not None]


def _distances(spec: SceneSpec) -> list[float]:
    return [math.hypot(*_arm(camera.path)) for camera in spec.cameras if _is_standing(camera.path)]


def _elevations(spec: SceneSpec) -> list[float]:
    found = []
    for camera in spec.cameras:
        if isinstance(camera.path, CameraCrane):
            found += [math.degrees(camera.path.elevation), math.degrees(camera.path.elevation_end)]
        elif _is_standing(camera.path):
            x, y, z = _arm(camera.path)
            found.append(math.degrees(math.atan2(z, math.hypot(x, y))))
    return found


def _is_standing(path: object) -> bool:
    return isinstance(path, CameraFixed | CameraOrbit | CameraCrane)


def _arm(path: object) -> tuple[float, float, float]:
    """From what a camera looks at to the camera at t = 0 [m]."""
    match path:
        case CameraFixed():
            x, y, z = (a - b for a, b in zip(path.position, path.target, strict=True))
            return x, y, z
        case CameraOrbit():
            return path.radius, 0.0, path.height
        case CameraCrane():
            return path.distance * math.cos(path.elevation), 0.0, path.distance * math.sin(path.elevation)
        case _:
            raise TypeError(f"no distance is defined for a camera path {type(path).__name__}")


def _rates(spec: SceneSpec) -> list[float]:
    return [abs(camera.path.azimuth_rate) for camera in spec.cameras if isinstance(camera.path, CameraOrbit)]


_TABLE = (
    Parameter(
        name="density", unit="kg/m3", usual=(100.0, 8000.0), bounds=(1.0, 25000.0), measure=_material("density"),
        logarithmic=True,
    ),
    Parameter(
        name="young", unit="Pa", usual=(1.35e4, 4.4e5), bounds=(1e4, 1e7), logarithmic=True,
        measure=lambda spec: [body.physical.young_modulus for body in spec.bodies if not isinstance(body, BodyRigid)],
    ),
    Parameter(
        name="poisson", unit="1", usual=(0.20, 0.45), bounds=(0.0, 0.45), measure=_material("poisson_ratio"),
    ),
    Parameter(name="friction", unit="1", usual=(0.05, 1.0), bounds=(0.0, 2.0), measure=_friction),
    Parameter(name="restitution", unit="1", usual=(0.0, 0.9), bounds=(0.0, 1.0), measure=_material("restitution")),
    Parameter(
        name="damping", unit="1/s", usual=(0.0018, 0.055), bounds=(1e-6, 10.0), measure=_material("damping"),
        logarithmic=True,
    ),
    Parameter(
        name="viscosity", unit="Pa s", usual=(1.0, 60.0), bounds=(0.01, 1000.0), logarithmic=True,
        measure=lambda spec: [body.viscosity for body in spec.bodies if isinstance(body, BodySoft)],
    ),
    Parameter(name="gravity", unit="m/s2", usual=(1.6, 15.0), bounds=(0.1, 50.0), measure=_gravity),
    Parameter(name="gravity_tilt", unit="deg", usual=(0.0, 10.0), bounds=(0.0, 45.0), measure=_tilt),
    Parameter(
        name="air_density", unit="kg/m3", usual=(0.0, 1.5), bounds=(0.0, 10.0),
        measure=lambda spec: _positive([spec.environment.air_density], 0.0),
    ),
    Parameter(
        name="wind", unit="m/s", usual=(0.0, 12.0), bounds=(0.0, 60.0),
        measure=lambda spec: _positive([math.hypot(*spec.environment.wind.velocity)], 0.0),
    ),
    Parameter(
        name="turbulence", unit="1", usual=(0.0, 0.35), bounds=(0.0, 1.0),
        measure=lambda spec: _positive([spec.environment.wind.turbulence], 0.0),
    ),
    Parameter(
        name="wind_exponent", unit="1", usual=(0.25, 0.6), bounds=(0.01, 1.0),
        measure=lambda spec: [getattr(spec.environment.wind.profile, "exponent", 0.0)]
        if isinstance(spec.environment.wind.profile, ProfilePower) else [],
    ),
    Parameter(
        name="jet_speed", unit="m/s", usual=(4.0, 24.0), bounds=(0.5, 60.0),
        measure=lambda spec: [flow.speed for flow in spec.environment.flows if isinstance(flow, Jet)],
    ),
    Parameter(
        name="vortex_speed", unit="m/s", usual=(2.5, 4.5), bounds=(0.1, 40.0),
        measure=lambda spec: [flow.speed for flow in spec.environment.flows if isinstance(flow, Vortex)],
    ),
    Parameter(
        name="temperature_difference", unit="K", usual=(0.0, 80.0), bounds=(0.0, 500.0), measure=temperature_differences
    ),
    Parameter(
        name="scale", unit="1", usual=(0.5, 2.0), bounds=(0.05, 20.0), logarithmic=True,
        measure=lambda spec: [body.scale for body in _free(spec)],
    ),
    Parameter(name="aspect", unit="1", usual=(0.5, 2.0), bounds=(0.2, 5.0), measure=_aspect, logarithmic=True),
    Parameter(
        name="speed", unit="m/s", usual=(0.0, 6.0), bounds=(0.0, 20.0), narrower={"soft_body": (0.0, 3.0)},
        measure=lambda spec: _positive(math.hypot(*body.linear_velocity) for body in _free(spec)),
    ),
    Parameter(
        name="spin", unit="rad/s", usual=(0.0, 10.0), bounds=(0.0, 60.0), narrower={"soft_body": (0.0, 6.0)},
        measure=lambda spec: _positive(math.hypot(*body.angular_velocity) for body in _free(spec)),
    ),
    Parameter(
        name="environment_factor", unit="1", usual=(0.3, 3.0), bounds=(0.01, 10.0), logarithmic=True,
        measure=lambda spec: [spec.sky.intensity],
    ),
    Parameter(
        name="key_to_fill", unit="1", usual=(1.0, 8.0), bounds=(0.1, 100.0), measure=_key_to_fill, logarithmic=True
    ),
    Parameter(
        name="color_temperature", unit="K", usual=(3000.0, 7500.0), bounds=(1000.0, 20000.0), measure=_temperature
    ),
    Parameter(
        name="camera_fov", unit="deg", usual=(35.0, 75.0), bounds=(35.0, 75.0),
        measure=lambda spec: [camera.field_of_view for camera in spec.cameras],
    ),
    Parameter(
        name="camera_distance", unit="m", usual=(1.0, 4.2), bounds=(1.0, 12.0), measure=_distances, logarithmic=True
    ),
    Parameter(name="camera_elevation", unit="deg", usual=(8.0, 55.0), bounds=(2.0, 62.0), measure=_elevations),
    Parameter(name="camera_speed", unit="rad/s", usual=(0.15, 0.6), bounds=(0.0, 3.0), measure=_rates),
    Parameter(
        name="roughness", unit="1", usual=(0.0, 1.0), bounds=(0.0, 1.0),
        measure=lambda spec: [visual.roughness for visual in _visuals(spec)],
    ),
    Parameter(
        name="metallic", unit="1", usual=(0.0, 1.0), bounds=(0.0, 1.0), discrete=True,
        measure=lambda spec: [visual.metallic for visual in _visuals(spec)],
    ),
    Parameter(
        name="texture", unit="m", usual=(0.012, 0.42), bounds=(0.002, 10.0), measure=_texture, logarithmic=True
    ),
)  # fmt: skip

PARAMETERS: Mapping[str, Parameter] = MappingProxyType({parameter.name: parameter for parameter in _TABLE})


@dataclass(frozen=True, kw_only=True, slots=True)
class _Segments:
    """Moves values of a parameter's usual range into one or two wanted stretches, in proportion.

    Attributes:
        parameter: The parameter.
        usual: What is drawn from if nothing is asked for.
        wanted: One stretch, or two with a hole between them.
        asked: Whether a range was asked for.
    """

    parameter: Parameter
    usual: Range
    wanted: tuple[Range, ...]
    asked: bool

    def moved(self, value: float, usual: Range | None = None) -> float:
        """Return the wanted value that lies as far up as a drawn one does in the usual range."""
        usual = usual or self.usual
        low, high = (self._scaled(end) for end in usual)
        share = min(max((self._scaled(max(value, usual[0])) - low) / (high - low), 0.0), 1.0)
        stretches = [(self._scaled(begin), self._scaled(end)) for begin, end in self.wanted]
        left = share * sum(end - begin for begin, end in stretches)
        for (begin, end), (first, last) in zip(stretches, self.wanted, strict=True):
            if left <= end - begin:
                found = math.exp(begin + left) if self.parameter.logarithmic else begin + left
                return min(max(found, first), last)
            left -= end - begin
        return self.wanted[-1][1]

    def allows(self, value: float) -> bool:
        """Tell whether a value lies in a stretch, to nine digits."""
        return any(first - slack <= value <= last + slack for first, last in self.wanted for slack in [_slack(last)])

    def _scaled(self, value: float) -> float:
        return math.log(value) if self.parameter.logarithmic else value


def _slack(value: float) -> float:
    return TOLERANCE * max(abs(value), 1e-3)


def parse_ranges(texts: Iterable[str]) -> dict[str, Range]:
    """Return ranges from texts such as "friction=0.1:0.3"; one number is a range of one value.

    Raises:
        SpecError: A text has another form, or a range is refused; see `checked_ranges`.
    """
    found: dict[str, Range] = {}
    for text in texts:
        name, _, rest = text.partition("=")
        first, colon, last = rest.partition(":")
        try:
            low = float(first)
            high = float(last) if colon else low
        except ValueError:
            raise SpecError(f"range {text!r}: give NAME=LOW:HIGH, e.g. friction=0.1:0.3; {_allowed()}") from None
        if name in found:
            raise SpecError(f"range {name!r} is given twice: give it once")
        found[name] = (low, high)
    return checked_ranges(found)


def checked_ranges(ranges: Mapping[str, Range]) -> dict[str, Range]:
    """Return ranges that can be sampled.

    Raises:
        SpecError: A name is unknown or a range is empty or impossible; the message lists the names with their bounds.
    """
    for name, (low, high) in ranges.items():
        if name in UNHONOURED:
            raise SpecError(f"range {name!r} would have no effect: {UNHONOURED[name]}; {_allowed()}")
        if name not in PARAMETERS:
            raise SpecError(f"range {name!r} is unknown; {_allowed()}")
        least, most = PARAMETERS[name].bounds
        if not (math.isfinite(low) and math.isfinite(high)) or low > high:
            raise SpecError(f"range {name}={low:g}:{high:g} is empty: give LOW:HIGH with LOW <= HIGH; {_allowed()}")
        if low < least or high > most:
            raise SpecError(f"range {name}={low:g}:{high:g} is outside {least:g}:{most:g}; {_allowed()}")
    return {name: (float(low), float(high)) for name, (low, high) in ranges.items()}


def _allowed() -> str:
    names = ", ".join(f"{one.name} {one.bounds[0]:g}:{one.bounds[1]:g}" for one in _TABLE)
    return f"allowed are {names}"


def spans_of(
    ranges: Mapping[str, Range], *, without: Mapping[str, Range] = MappingProxyType({}), category: str = ""
) -> dict[str, _Segments]:
    """Return for every parameter with a range which of its values are wanted.

    Args:
        ranges: Range by name.
        without: Part of the usual or asked range that must not occur, by name.
        category: Physics category, for what is usual in it.

    Raises:
        SpecError: Nothing is left of a range.
    """
    spans: dict[str, _Segments] = {}
    wanted: tuple[Range, ...]
    for name in {**ranges, **without}:
        parameter = PARAMETERS[name]
        usual = parameter.usual_in(category)
        low, high = ranges.get(name, usual)
        hole = without.get(name)
        if hole is None or hole[1] < low or hole[0] > high:
            wanted = ((low, high),)
        else:
            sides = ((low, _below(hole[0])), (_above(hole[1]), high))
            wanted = tuple(side for side in sides if side[0] < side[1])
        if not wanted:
            raise SpecError(f"range {name}={low:g}:{high:g} lies in the held-out {hole}: give a wider one")
        spans[name] = _Segments(parameter=parameter, usual=usual, wanted=wanted, asked=name in ranges)
    return spans


def _below(value: float) -> float:
    return value - 10.0 * _slack(value)


def _above(value: float) -> float:
    return value + 10.0 * _slack(value)

"""What keeps a temperature in a scene, and by how much it is warmer than a room."""

from simfactory.spec import BodyRigid, SceneSpec

__all__ = ["ROOM", "kept_temperatures", "temperature_differences"]

ROOM = 293.15  # [K]


def kept_temperatures(spec: SceneSpec) -> dict[str, float]:
    """Return the temperature [K] by name of what keeps one: `ground` and rigid bodies."""
    kept = {body.name: body.temperature for body in spec.bodies if isinstance(body, BodyRigid)}
    ground = {} if spec.ground is None else {"ground": spec.ground.temperature}
    return {name: value for name, value in {**ground, **kept}.items() if value is not None}


def temperature_differences(spec: SceneSpec) -> list[float]:
    """Return by how much the air and what keeps a temperature differ from a room [K], without those that do not."""
    values = [*kept_temperatures(spec).values(), spec.environment.temperature]
    return [abs(value - ROOM) for value in values if abs(value - ROOM) > 1e-6]

"""The base of every schema class: frozen, strict about fields, floats rounded to 9 significant digits."""

from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, field_validator

__all__ = ["Digest", "Model", "Name", "Quat", "Unit3", "Vec2", "Vec3", "is_none"]

Name = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,62}$")]
Digest = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$", description="SHA-256 of the file's bytes, in hex")]
Unit3 = tuple[
    Annotated[float, Field(ge=0.0, le=1.0)],
    Annotated[float, Field(ge=0.0, le=1.0)],
    Annotated[float, Field(ge=0.0, le=1.0)],
]
Coordinate = Annotated[float, Field(ge=-1e4, le=1e4)]
Vec2 = tuple[Coordinate, Coordinate]
Vec3 = tuple[Coordinate, Coordinate, Coordinate]
Quat = tuple[Coordinate, Coordinate, Coordinate, Coordinate]


def is_none(value: object) -> bool:
    """Tell whether an optional part is missing; such parts are left out of records (`exclude_if`)."""
    return value is None


def _rounded(value: Any) -> Any:  # Any: applies to fields of every type
    if isinstance(value, float):
        return float(f"{value:.9g}") + 0.0  # + 0.0 turns -0.0 into 0.0: one number, one hash
    if isinstance(value, tuple):
        return tuple(_rounded(item) for item in value)
    return value


class Model(BaseModel):
    """A frozen record. Unknown fields, NaN and infinities are refused.

    Floats are rounded to 9 significant digits on the way in, so that differences between machines'
    math libraries do not reach a spec's hash.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    @field_validator("*")
    @classmethod
    def _round_floats(cls, value: Any) -> Any:  # Any: applies to fields of every type
        return _rounded(value)

"""What all wire schemas share."""

from typing import Annotated, TypeAlias

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

__all__ = ["MAX_INT", "ApiModel", "Count", "Finite", "Identifier", "Name", "Text"]

MAX_INT = 2**53 - 1

Count: TypeAlias = Annotated[int, Field(ge=0, le=MAX_INT)]
Name: TypeAlias = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9_.-]{0,63}$")]
Text: TypeAlias = Annotated[str, StringConstraints(max_length=200)]
Identifier: TypeAlias = Annotated[str, StringConstraints(pattern=r"^[a-zA-Z0-9_]{1,64}$")]
Finite: TypeAlias = Annotated[float, Field(allow_inf_nan=False)]


class ApiModel(BaseModel):
    """Base of all wire schemas: unknown fields are refused."""

    model_config = ConfigDict(extra="forbid", frozen=True)

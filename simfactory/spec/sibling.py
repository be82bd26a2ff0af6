"""The label of a counterfactual sibling."""

from typing import Annotated

from pydantic import Field

from simfactory.spec.base import Model, Name

__all__ = ["SiblingLabel"]

Number = Annotated[float, Field(ge=-1e15, le=1e15)]


class SiblingLabel(Model):
    """Says to which group an episode belongs, whose members differ in one parameter alone."""

    group: str = Field(pattern=r"^[0-9a-f]{32}$", description="Id of the group, 32 hex characters")
    parameter: Name = Field(description="Name of the parameter in which the members differ")
    value: Number = Field(description="Its value here, in its unit, ±1e15")
    values: tuple[Number, ...] = Field(min_length=2, description="Its values in all members, 2 or more, ±1e15")

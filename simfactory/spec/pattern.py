"""Patterns of cloth: flat pieces in the local xy plane, and garments that hang along local -z."""

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from simfactory.spec.base import Model

__all__ = ["Cape", "Disc", "Pattern", "Rectangle", "Skirt", "Tunic"]

Length = Annotated[float, Field(gt=0.0, le=100.0)]


class Rectangle(Model):
    """A rectangular piece, flat in the local xy plane, centred on the origin."""

    shape: Literal["rectangle"] = "rectangle"
    size: tuple[Length, Length] = Field(description="Width (x) and depth (y) [m], 0 < s ≤ 100")


class Disc(Model):
    """A round piece, flat in the local xy plane; with a hole it is a poncho."""

    shape: Literal["round"] = "round"
    radius: Length = Field(description="Radius [m], 0 < r ≤ 100")
    hole: float = Field(default=0.0, ge=0.0, le=100.0, description="Radius of a hole in the middle [m]; 0 = none")

    @model_validator(mode="after")
    def _hole_fits(self) -> Self:
        if self.hole > 0.8 * self.radius:
            raise ValueError(f"a hole of {self.hole:g} m leaves too little of a disc of {self.radius:g} m: allowed is "
                             f"up to {0.8 * self.radius:g} m")  # fmt: skip
        return self


class Skirt(Model):
    """A skirt: a tube about local z, open at both ends, that widens from the waist (+z) to the hem."""

    shape: Literal["skirt"] = "skirt"
    waist: Length = Field(description="Radius of the waist [m], 0 < r ≤ 100")
    hem: Length = Field(description="Radius of the hem [m], 0 < r ≤ 100")
    length: Length = Field(description="Height of the waist above the hem [m], 0 < l ≤ 100")


class Cape(Model):
    """A cape: three quarters of a cone about local z, open towards local +x, from the neck (+z) to the hem."""

    shape: Literal["cape"] = "cape"
    neck: Length = Field(description="Radius of the neck [m], 0 < r ≤ 100")
    hem: Length = Field(description="Radius of the hem [m], 0 < r ≤ 100")
    length: Length = Field(description="Height of the neck above the hem [m], 0 < l ≤ 100")


class Tunic(Model):
    """A T-shirt: a front and a back, sewn together at shoulders, sleeves and sides; chest along local x, neck at +z."""

    shape: Literal["tunic"] = "tunic"
    width: Length = Field(description="Width of the chest, lying flat [m], 0 < w ≤ 100")
    length: Length = Field(description="From the shoulders to the hem [m], 0 < l ≤ 100")
    sleeve: Length = Field(description="How far each sleeve stands out from the chest [m], 0 < s ≤ 100")

    @model_validator(mode="after")
    def _sleeves_fit(self) -> Self:
        if not 0.1 * self.width <= self.sleeve <= 2.0 * self.width:
            raise ValueError(f"sleeves of {self.sleeve:g} m do not go with a chest of {self.width:g} m; allowed are "
                             f"{0.1 * self.width:g} to {2.0 * self.width:g} m")  # fmt: skip
        return self


Pattern = Annotated[Rectangle | Disc | Skirt | Cape | Tunic, Field(discriminator="shape")]

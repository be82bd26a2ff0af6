"""A robot as it ships: parts with masses, meshes and collision hulls, and the joints between them."""

import tomllib
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from simfactory.errors import SpecError

__all__ = ["Part", "RobotModel", "robot_model", "robot_names"]

Array = npt.NDArray[np.float64]
Triangles = npt.NDArray[np.int32]

STEP = 1e-5  # [m] of the stored vertices
FOLDER = "data", "robots"


@dataclass(frozen=True, kw_only=True, slots=True)
class Part:
    """One rigid part and the joint that holds it.

    Attributes:
        name: Its name.
        mass: [kg].
        center: `(3,)` centre of mass in the part's frame [m].
        inertia: `(3, 3)` about it, axes of the part's frame [kg·m²].
        vertices: `(vertex, 3)` of what is seen, from the centre of mass, axes of the part's frame [m].
        triangles: `(triangle, 3)`.
        hulls: Vertices `(vertex, 3)` and triangles of the convex collision shapes, measured alike.
        parent: Number of the part that holds it; None for the base.
        joint: Kind of the joint.
        origin: `(4, 4)` pose of the part's frame in the parent's at joint position 0.
        axis: `(3,)` of the joint in the part's frame.
        lower: Lowest joint position [rad or m].
        upper: Highest joint position.
        rate: Largest rate [rad/s or m/s].
        strength: Largest torque or force [N·m or N].
    """

    name: str
    mass: float
    center: Array
    inertia: Array
    vertices: Array
    triangles: Triangles
    hulls: tuple[tuple[Array, Triangles], ...]
    parent: int | None
    joint: Literal["hinge", "slider"] = "hinge"
    origin: Array
    axis: Array
    lower: float = 0.0
    upper: float = 0.0
    rate: float = 0.0
    strength: float = 0.0


@dataclass(frozen=True, kw_only=True, slots=True)
class RobotModel:
    """A fixed arm with a gripper.

    Attributes:
        name: Its name.
        parts: The base first, then in the order of the chain, the gripper's fingers last.
        tool: `(4, 4)` pose of the tool in the frame of the last part of the arm: between the finger tips, z forwards,
            y along the way of the fingers.
        licence: SPDX identifier of meshes and numbers.
        source: Where they come from.
    """

    name: str
    parts: tuple[Part, ...]
    tool: Array
    licence: str
    source: str

    @property
    def arm(self) -> tuple[Part, ...]:
        """The parts that hinges move, from the base to the hand."""
        return tuple(part for part in self.parts if part.parent is not None and part.joint == "hinge")

    @property
    def fingers(self) -> tuple[Part, ...]:
        """The parts that sliders move."""
        return tuple(part for part in self.parts if part.parent is not None and part.joint == "slider")

    def part(self, name: str) -> Part:
        """Return the part of a name.

        Raises:
            SpecError: There is none.
        """
        for part in self.parts:
            if part.name == name:
                return part
        allowed = [part.name for part in self.parts]
        raise SpecError(f"robot {self.name!r} has no part {name!r}; allowed are {allowed}: name one of them")


@cache
def robot_names() -> tuple[str, ...]:
    """Return the names of all robots, sorted."""
    folder = files("simfactory").joinpath(*FOLDER)
    return tuple(sorted(entry.name.removesuffix(".toml") for entry in folder.iterdir() if entry.name.endswith(".toml")))


@cache
def robot_model(name: str) -> RobotModel:
    """Return a robot; its arrays are shared, do not write to them.

    Raises:
        SpecError: There is none of this name.
    """
    if name not in robot_names():
        raise SpecError(f"robot {name!r} is unknown; allowed are {list(robot_names())}: name one of them")
    folder = files("simfactory").joinpath(*FOLDER)
    table = tomllib.loads(folder.joinpath(f"{name}.toml").read_text(encoding="utf-8"))
    with folder.joinpath(table["meshes"]).open("rb") as stream, np.load(stream, allow_pickle=False) as stored:
        arrays = {key: stored[key] for key in stored.files}
    names = [row["name"] for row in table["part"]]
    return RobotModel(
        name=name,
        parts=tuple(_part(row, arrays, names) for row in table["part"]),
        tool=np.array(table["tool"]),
        licence=table["licence"],
        source=table["source"],
    )


# Any: a row of TOML; stored arrays of several dtypes
def _part(row: dict[str, Any], arrays: dict[str, npt.NDArray[Any]], names: list[str]) -> Part:
    name, center = row["name"], np.array(row["center"])
    count = sum(key.startswith(f"{name}.hull_") for key in arrays)
    moving = {key: row[key] for key in ("joint", "lower", "upper", "rate", "strength") if key in row}
    return Part(
        name=name,
        mass=row["mass"],
        center=center,
        inertia=np.array(row["inertia"]),
        vertices=arrays[f"{name}.vertices"] * STEP - center,
        triangles=arrays[f"{name}.triangles"].astype(np.int32),
        hulls=tuple(
            (arrays[f"{name}.hull_{k}"].astype(np.float64) - center, arrays[f"{name}.faces_{k}"].astype(np.int32))
            for k in range(count)
        ),
        parent=names.index(row["parent"]) if "parent" in row else None,
        origin=np.array(row.get("origin", np.eye(4))),
        axis=np.array(row.get("axis", (0.0, 0.0, 1.0))),
        **moving,
    )

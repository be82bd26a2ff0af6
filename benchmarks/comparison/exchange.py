"""The file in which a scene goes to other renderers, the one in which a frame comes back, and the clock between them.

Imported by every renderer's own process, so it needs nothing but numpy.
"""

import json
import os
import resource
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

__all__ = ["Exchange", "Thing", "cpu_seconds", "exchanged", "keep_frame", "read_exchange", "srgb"]

MOST_FRAMES, LONG_ENOUGH = 20, 2.0  # frames that are timed, and CPU-seconds after which no further one is

Array = npt.NDArray[Any]  # Any: of several types


@dataclass(frozen=True, kw_only=True, slots=True)
class Thing:
    """One surface in world coordinates.

    Attributes:
        facts: `name`, `instance`, `color` (mean, linear), `roughness`, `metallic`, `transmission`, `refractive_index`.
        vertices: `(vertex, 3)` world frame [m].
        triangles: `(triangle, 3)`.
        normals: `(triangle, 3, 3)` of each corner, unit, world frame.
        uv: `(triangle, 3, 2)` of each corner, v upward.
        texture: `(height, width, 3)` sRGB 0–255, first row on top, or None.
    """

    facts: dict[str, Any]  # Any: numbers, lists and a name
    vertices: Array
    triangles: Array
    normals: Array
    uv: Array
    texture: Array | None

    def corners(self) -> tuple[Array, Array, Array, Array]:
        """Return vertices, normals and uv of unshared corners, and the triangles that join them."""
        flat = self.triangles.ravel()
        count = len(flat)
        return (
            self.vertices[flat].astype(np.float32),
            self.normals.reshape(count, 3).astype(np.float32),
            self.uv.reshape(count, 2).astype(np.float32),
            np.arange(count, dtype=np.int32).reshape(-1, 3),
        )


@dataclass(frozen=True, kw_only=True, slots=True)
class Exchange:
    """A scene as other renderers get it.

    Attributes:
        facts: `width`, `height`, `intrinsics` (fx, fy, cx, cy), `camera_to_world` (OpenCV axes), `lights`,
            `ambient` (mean radiance from all around, linear), `exposure` (factor on light), `background` (display
            values 0–1 of the sky straight up and at the horizon).
        things: The surfaces.
        sky: `(rows, columns, 3)` linear radiance; rows from straight up to straight down, azimuth falling from π to −π.
    """

    facts: dict[str, Any]  # Any: as JSON
    things: tuple[Thing, ...]
    sky: Array

    def camera_gl(self) -> Array:
        """Return `(4, 4)` camera to world with OpenGL axes: x right, y up, z backward."""
        return np.asarray(self.facts["camera_to_world"]) @ np.diag([1.0, -1.0, -1.0, 1.0])


def exchanged(exchange: Exchange, path: Path) -> None:
    """Write a scene's file."""
    arrays: dict[str, Array] = {"sky": exchange.sky}
    for index, thing in enumerate(exchange.things):
        for name in ("vertices", "triangles", "normals", "uv", "texture"):
            value = getattr(thing, name)
            if value is not None:
                arrays[f"{name}_{index}"] = value
    facts = {**exchange.facts, "things": [thing.facts for thing in exchange.things]}
    np.savez(path, facts=np.array(json.dumps(facts)), **arrays)


def read_exchange(path: Path) -> Exchange:
    """Read a scene's file."""
    with np.load(path) as kept:
        facts = json.loads(str(kept["facts"]))
        things = tuple(
            Thing(
                facts=row,
                **{name: kept[f"{name}_{index}"] for name in ("vertices", "triangles", "normals", "uv")},
                texture=kept.get(f"texture_{index}"),
            )
            for index, row in enumerate(facts.pop("things"))
        )
        return Exchange(facts=facts, things=things, sky=kept["sky"])


def cpu_seconds(frame: Callable[[], Array]) -> tuple[float, Array]:
    """Return the mean CPU-seconds (user and system, all threads of this process) of warm calls, and what they return.

    The first call is not counted: it compiles, uploads and builds what later frames keep.
    """
    frame()

    def used() -> float:
        usage = resource.getrusage(resource.RUSAGE_SELF)
        return usage.ru_utime + usage.ru_stime

    begin, count = used(), 0
    while True:
        made = frame()
        count += 1
        if count >= MOST_FRAMES or used() - begin > LONG_ENOUGH:
            return (used() - begin) / count, np.array(made)


def keep_frame(rgb: Array, instance: Array, **facts: object) -> None:
    """Write what a renderer made to the file named last on the command line.

    Args:
        rgb: `(height, width, 3)` display values (uint8) or linear light (float).
        instance: `(height, width)` instance ids, 0 where nothing is hit.
        facts: Costs, versions and what else is worth a line.
    """
    np.savez(sys.argv[-1], rgb=rgb, instance=instance, facts=np.array(json.dumps(facts)))
    sys.stdout.flush()
    os._exit(0)  # some GL contexts crash when the interpreter tidies up after them


def srgb(light: npt.ArrayLike) -> Array:
    """Encode linear light, clipped to 0–1, as sRGB values 0–1 (IEC 61966-2-1)."""
    value = np.clip(np.asarray(light, np.float64), 0.0, 1.0)
    return np.where(value <= 0.0031308, 12.92 * value, 1.055 * np.maximum(value, 0.0031308) ** (1.0 / 2.4) - 0.055)

"""The evaluation split: episodes of every category that never change, seen from fixed places."""

import gzip
import json
from collections.abc import Sequence
from functools import cache
from importlib.resources import files

from scenes.listing import categories
from simfactory.errors import SpecError
from simfactory.spec import SceneSpec, parse_spec

__all__ = ["FROZEN", "SEED", "frozen_specs", "pack"]

FROZEN = "evaluation.jsonl.gz"  # in this package: one spec a line
SEED = 2**62  # that they were drawn with: no job's


def frozen_specs(
    wanted: Sequence[str] = (), *, size: tuple[int, int] = (256, 256), views: int | None = None
) -> tuple[SceneSpec, ...]:
    """Return the episodes of the evaluation split.

    They were sampled once, passed the quality gate, and are kept as resolved specs: what the sampler draws today does
    not change them. About half of them show base scenes that no training split holds.

    Args:
        wanted: Names of categories; none = all.
        size: Image width and height [px].
        views: How many of the fixed cameras; None = all three.

    Raises:
        SpecError: There is no such category, or no such number of cameras.
    """
    unknown = sorted(set(wanted) - set(categories()))
    if unknown:
        raise SpecError(f"categories {unknown} are unknown; allowed are {sorted(categories())}: name some of them")
    if views is not None and not 1 <= views <= 3:
        raise SpecError(f"views is {views}; evaluation scenes have three fixed cameras: ask for 1 to 3")
    width, height = size
    return tuple(
        spec.model_copy(
            update={
                "cameras": tuple(
                    type(camera).model_validate({**camera.model_dump(), "width": width, "height": height})
                    for camera in spec.cameras[:views]
                )
            }
        )
        for spec in _specs()
        if not wanted or spec.category in wanted
    )


@cache
def _specs() -> tuple[SceneSpec, ...]:
    text = gzip.decompress(files("scenes").joinpath(FROZEN).read_bytes()).decode()
    return tuple(parse_spec(json.loads(line)) for line in text.splitlines())


def pack(specs: Sequence[SceneSpec]) -> bytes:
    """Return the bytes of the file that keeps specs; the same specs give the same bytes.

    What is younger than the file is left out where it has no effect.
    """
    lines = [spec.model_dump_json(exclude=None if spec.until_rest else {"until_rest"}) + "\n" for spec in specs]
    return gzip.compress("".join(lines).encode(), mtime=0)

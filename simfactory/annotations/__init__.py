"""Annotations: every signal of a clip, one file each; what lies in this folder is what there is."""

import importlib
import pkgutil
from collections.abc import Sequence
from functools import cache

import numpy as np

from simfactory.annotations.base import Annotation, Arrays, ClipContext, FrameContext, Keyframe, Visible, sample_grid
from simfactory.errors import SpecError
from simfactory.spec import SceneSpec

__all__ = [
    "ALWAYS",
    "Annotation",
    "Arrays",
    "ClipContext",
    "FrameContext",
    "Keyframe",
    "Visible",
    "annotation_names",
    "annotations",
    "keyframes",
    "sample_grid",
]

ALWAYS = frozenset({"bodies", "camera", "mask", "time"})  # small, and nothing else can be read rightly without them
_KEYFRAME_LIMIT = 8


@cache
def _discovered() -> dict[str, Annotation]:
    """Return the `ANNOTATION` of every module of this folder that has one, by name."""
    modules = (importlib.import_module(f"{__name__}.{module.name}") for module in pkgutil.iter_modules(__path__))
    found = (module.ANNOTATION for module in modules if hasattr(module, "ANNOTATION"))
    return {annotation.name: annotation for annotation in sorted(found, key=lambda annotation: str(annotation.name))}


def annotation_names() -> tuple[str, ...]:
    """Return the names of all modalities, sorted."""
    return tuple(_discovered())


def annotations(names: Sequence[str] = (), *, spec: SceneSpec | None = None) -> tuple[Annotation, ...]:
    """Return modalities by name, sorted, each once.

    Args:
        names: Modalities wanted; empty = all. Those of `ALWAYS` come along.
        spec: If given, those that tell nothing of this scene are left out, e.g. particles where there are none.

    Raises:
        SpecError: A name is unknown; the message lists the allowed ones.
    """
    known = _discovered()
    unknown = sorted(set(names) - known.keys())
    if unknown:
        raise SpecError(f"unknown modalities {unknown}; choose from {', '.join(known)}")
    wanted = ALWAYS | set(names) if names else known.keys()
    kinds = (
        None
        if spec is None
        else {thing.kind for thing in (*spec.bodies, *spec.joints, *([spec.robot] if spec.robot else []))}
    )
    return tuple(
        annotation
        for name, annotation in known.items()
        if name in wanted
        and (kinds is None or not annotation.kinds or annotation.kinds & kinds)
        and (spec is None or annotation.tells is None or annotation.tells(spec))
    )


def keyframes(frame_count: int) -> tuple[int, ...]:
    """Return the frames on which new tracks may begin: frame 0 and at most seven later ones, evenly spread."""
    count = min(frame_count, _KEYFRAME_LIMIT)
    return tuple(int(frame) for frame in np.unique(np.linspace(0, frame_count - 1, count).round()))

"""Counterfactual siblings: episodes that differ in one parameter alone, and whether the difference is to be seen."""

import hashlib
import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from simfactory.errors import SpecError, StoreError
from simfactory.parameters import checked_ranges
from simfactory.spec import Environment, PhysicalMaterial, SceneSpec, SiblingLabel
from simfactory.store import JSON, canonical_json, open_folder

if TYPE_CHECKING:
    from simfactory.dataset import Clip

__all__ = [
    "CHANGEABLE",
    "PIXEL_STEP",
    "SEEN_SHARE",
    "compare",
    "group_problems",
    "parse_siblings",
    "read_groups",
    "record_group",
    "siblings",
]

Change = Callable[[SceneSpec, float], SceneSpec]

PIXEL_STEP = 8  # of 255; a pixel differs when a channel differs by more
SEEN_SHARE = 0.002  # of a frame's pixels must differ, as little as may move for an episode to pass
_FOLDER = "siblings"


def _material_changed(spec: SceneSpec, change: Callable[[PhysicalMaterial], PhysicalMaterial]) -> SceneSpec:
    """Return a spec with the material of every body, the ground and the walls changed."""
    around = {
        name: thing.model_copy(update={"physical": change(thing.physical)})
        for name in ("ground", "room")
        if (thing := getattr(spec, name)) is not None
    }
    bodies = tuple(body.model_copy(update={"physical": change(body.physical)}) for body in spec.bodies)
    return spec.model_copy(update={"bodies": bodies, **around})


def _material(*fields: str) -> Change:
    def change(spec: SceneSpec, value: float) -> SceneSpec:
        update = dict.fromkeys(fields, value)
        return _material_changed(spec, lambda material: type(material)(**{**dict(material), **update}))

    return change


def _surrounded(spec: SceneSpec, **fields: object) -> SceneSpec:
    return spec.model_copy(update={"environment": Environment(**{**dict(spec.environment), **fields})})


def _gravity(spec: SceneSpec, value: float) -> SceneSpec:
    down = np.asarray(spec.environment.gravity)
    if not down.any():
        down = np.array([0.0, 0.0, -1.0])  # of a scene without weight
    return _surrounded(spec, gravity=tuple((down * (value / np.linalg.norm(down))).tolist()))


def _air(spec: SceneSpec, value: float) -> SceneSpec:
    return _surrounded(spec, air_density=value)


CHANGEABLE: Mapping[str, Change] = MappingProxyType(
    {
        "gravity": _gravity,
        "air_density": _air,
        "density": _material("density"),
        "friction": _material("static_friction", "dynamic_friction"),
        "restitution": _material("restitution"),
        "damping": _material("damping"),
        "young": _material("young_modulus"),
        "poisson": _material("poisson_ratio"),
    }
)


def parse_siblings(texts: Iterable[str]) -> dict[str, tuple[float, ...]]:
    """Return the values of each parameter from texts such as "gravity=1.6,9.8".

    Raises:
        SpecError: A text has another form, a parameter cannot be changed alone, or a value is impossible.
    """
    found: dict[str, tuple[float, ...]] = {}
    for text in texts:
        name, _, rest = text.partition("=")
        if name not in CHANGEABLE:
            raise SpecError(f"siblings cannot differ in {name!r} alone; allowed are {sorted(CHANGEABLE)}: name one")
        try:
            values = tuple(float(part) for part in rest.split(","))
        except ValueError:
            raise SpecError(f"siblings {text!r}: give NAME=VALUE,VALUE, e.g. gravity=1.6,9.8") from None
        if name in found or len(set(values)) < max(len(values), 2):
            raise SpecError(f"siblings {text!r}: give each parameter once, with two or more different values")
        for value in values:
            checked_ranges({name: (value, value)})
        found[name] = values
    return found


def siblings(base: SceneSpec, parameter: str, values: Sequence[float]) -> tuple[SceneSpec, ...]:
    """Return one spec for each value: the base with this parameter changed, and nothing else.

    The scene is laid out before: it keeps the velocities, poses and cameras that the base was given.

    Args:
        base: The episode.
        parameter: A name of `CHANGEABLE`.
        values: What the parameter has in each.
    """
    name = json.dumps([base.digest(), parameter, list(values)])
    group = hashlib.sha256(name.encode()).hexdigest()[:32]
    found = []
    for value in values:
        label = SiblingLabel(group=group, parameter=parameter, value=value, values=tuple(values))
        found.append(CHANGEABLE[parameter](base, value).model_copy(update={"sibling": label}))
    return tuple(found)


def compare(clips: Sequence["Clip"]) -> dict[str, JSON]:
    """Measure how much the siblings of a group differ, and tell whether each one's difference can be seen.

    Frames are compared camera by camera with those of the first sibling. A frame differs where more than `SEEN_SHARE`
    of its pixels differ by more than `PIXEL_STEP` in a channel; bodies are compared by the distance between them.

    Args:
        clips: All clips of a group, with `rgb`.

    Returns:
        Group, parameter, values, clip ids, and for each further value: largest share of differing pixels, first frame
        with a visible difference (None = there is none), largest distance of a body [m] (None = not recorded).

    Raises:
        StoreError: The clips are no whole group.
    """
    labels = [_label(clip) for clip in clips]
    (first,) = {(label.group, label.parameter, label.values) for label in labels} if labels else [None]
    if first is None:
        raise StoreError("no clips: a group has two or more siblings")
    group, parameter, values = first
    by_value: dict[float, dict[str, Clip]] = {value: {} for value in values}
    for clip, label in zip(clips, labels, strict=True):
        by_value[label.value][str(clip.attributes["camera_name"])] = clip
    missing = [value for value, cameras in by_value.items() if cameras.keys() != by_value[values[0]].keys()]
    if missing or not by_value[values[0]]:
        raise StoreError(f"sibling group {group} lacks clips of {parameter} = {missing or values}")
    differences: list[JSON] = [
        {"value": value, **_difference(by_value[values[0]], by_value[value])} for value in values[1:]
    ]
    return {
        "group": group,
        "parameter": parameter,
        "values": list(values),
        "clips": [*sorted(clip.id for clip in clips)],
        "visible": all(isinstance(row, dict) and row["first_visible_frame"] is not None for row in differences),
        "differences": differences,
        "pixel_step": PIXEL_STEP,
        "seen_share": SEEN_SHARE,
    }


def _difference(first: Mapping[str, "Clip"], second: Mapping[str, "Clip"]) -> dict[str, JSON]:
    largest, seen = 0.0, []
    for camera, clip in first.items():
        shares = _differing(clip, second[camera])
        largest = max(largest, float(shares.max()))
        seen += np.flatnonzero(shares > SEEN_SHARE).tolist()[:1]
    (clip, other) = (next(iter(cameras.values())) for cameras in (first, second))
    distance = None
    if "bodies/position" in clip.signals and "bodies/position" in other.signals:
        apart = np.linalg.norm(np.subtract(clip.read("bodies/position"), other.read("bodies/position")), axis=-1)
        distance = round(float(apart.max()), 9)
    return {
        "largest_pixel_share": round(largest, 9),
        "first_visible_frame": min(seen) if seen else None,
        "largest_distance": distance,
    }


def _differing(first: "Clip", second: "Clip") -> npt.NDArray[np.float64]:
    """Share of differing pixels `(time,)` of two clips by one camera [1]."""
    if "rgb" not in first.modalities or "rgb" not in second.modalities:
        raise StoreError(f"siblings are compared by `rgb`, which clip {first.id} lacks: record it")
    shares = []
    for start in range(0, first.frame_count, 8):
        length = min(8, first.frame_count - start)
        pair = [clip.window(start, length, modalities=["rgb"])["rgb"].astype(np.int16) for clip in (first, second)]
        shares.append((np.abs(pair[0] - pair[1]).max(axis=-1) > PIXEL_STEP).mean(axis=(1, 2)))
    return np.concatenate(shares)


def record_group(dataset: Any, clips: Sequence["Clip"]) -> dict[str, JSON]:  # Any: a path or a folder's handle
    """Compare a complete group and keep the figures beside its clips; return them."""
    figures = compare(clips)
    open_folder(dataset).volume.put_if_absent(f"{_FOLDER}/{figures['group']}.json", canonical_json(figures))
    return figures


def read_groups(dataset: Any) -> dict[str, dict[str, Any]]:  # Any: as above; JSON
    """Return the figures of all complete groups by their id."""
    volume = open_folder(dataset).volume
    return {name.removesuffix(".json"): json.loads(volume.read(f"{_FOLDER}/{name}")) for name in volume.names(_FOLDER)}


def group_problems(dataset: Any, clips: Iterable["Clip"]) -> list[tuple[str, str]]:  # Any: as above
    """Return (clip id, problem) where siblings are incomplete, differ in more than one parameter, or in their figures.

    Args:
        dataset: Folder of the dataset.
        clips: Clips whose specs can be read.
    """
    groups: dict[str, list[Clip]] = {}
    for clip in clips:
        if clip.spec.get("sibling"):
            groups.setdefault(_label(clip).group, []).append(clip)
    recorded = read_groups(dataset)
    found: list[tuple[str, str]] = []
    for group, members in groups.items():
        where = members[0].id
        found += [(clip.id, problem) for clip in members for problem in _spec_problems(clip, members[0])]
        try:
            figures = compare(members)
        except StoreError as error:
            found.append((where, str(error)))
            continue
        if group not in recorded:
            found.append((where, f"sibling group {group} has no figures: run the same `generate` again"))
        elif recorded[group] != json.loads(canonical_json(figures)):
            found.append((where, f"sibling group {group}: its figures are not those of its clips"))
    return found


def _spec_problems(clip: "Clip", first: "Clip") -> list[str]:
    """Return what else a clip's spec differs in from that of the group's first."""
    own, other = (_base(one) for one in (clip, first))
    return [] if own == other else [f"siblings differ in more than {_label(clip).parameter}"]


def _base(clip: "Clip") -> str:
    """A clip's spec with the parameter at the group's first value, without what belongs to the sibling alone."""
    spec, label = SceneSpec.model_validate(clip.spec), _label(clip)
    same = CHANGEABLE[label.parameter](spec, label.values[0]).model_copy(update={"sibling": None})
    return same.digest(cameras=False)


def _label(clip: "Clip") -> SiblingLabel:
    return SiblingLabel.model_validate(clip.spec["sibling"])

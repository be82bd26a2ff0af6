"""What a window can be asked for: each output, the tensors it gives, and the stored arrays it needs."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import final

from simfactory.errors import SpecError

__all__ = ["OUTPUTS", "Output", "checked_outputs", "needed_modalities"]


@final
@dataclass(frozen=True, kw_only=True, slots=True)
class Output:
    """One thing that a window can be asked for.

    Attributes:
        tensors: Name → axes, type, unit and missing value of the tensors of one window; a batch has them with an
            axis in front.
        needs: Modalities of the store without which there is none.
    """

    tensors: Mapping[str, str]
    needs: tuple[str, ...]


OUTPUTS: Mapping[str, Output] = MappingProxyType(
    {
        "rgb": Output(tensors={"rgb": "(time, 3, y, x) float32 in [−1, 1], sRGB"}, needs=("rgb",)),
        "depth": Output(
            tensors={
                "depth": "(time, y, x) float32 [m], z along the optical axis, inf where nothing is hit",
                "depth_valid": "(time, y, x) bool, finite",
            },
            needs=("depth",),
        ),
        "flow_forward": Output(
            tensors={
                "flow_forward": "(time, 2, y, x) float32 (du, dv) [px of these tensors], t → t+1, NaN where undefined",
                "flow_forward_valid": "(time, y, x) bool, finite and not saturated; hidden points have flow, too",
            },
            needs=("flow_forward",),
        ),
        "flow_backward": Output(
            tensors={
                "flow_backward": "(time, 2, y, x) float32 (du, dv) [px of these tensors], t → t−1, NaN where undefined",
                "flow_backward_valid": "(time, y, x) bool, finite and not saturated",
            },
            needs=("flow_backward",),
        ),
        "scene_flow": Output(
            tensors={"scene_flow": "(time, 3, y, x) float32 [m], displacement t → t+1, world, NaN where undefined"},
            needs=("scene_flow",),
        ),
        "motion": Output(
            tensors={
                "motion": "(time, 3, y, x) float32 (du, dv) [px of these tensors] and dz [m] (`depth_change`), NaN "
                "where undefined",
                "motion_valid": "(time, y, x) bool, du and dv finite and not saturated",
                "motion_depth_valid": "(time, y, x) bool, dz finite",
                "motion_visible": "(time, y, x) bool, hit, and at t+1 in the picture and not hidden",
            },
            needs=("flow_forward", "scene_flow", "depth", "camera"),
        ),
        "instance": Output(tensors={"instance": "(time, y, x) int32 ids, 0 = sky"}, needs=("instance",)),
        "mask": Output(
            tensors={"mask": "(time, y, x) uint8 bits of `simfactory.signals`; those of what leaves hold for the crop"},
            needs=("mask",),
        ),
        "normal": Output(
            tensors={"normal": "(time, 3, y, x) float32, world, facing the camera, 0 where nothing is hit"},
            needs=("normal",),
        ),
        "camera": Output(
            tensors={
                "intrinsics": "(time, 3, 3) float32 [px of these tensors]",
                "camera_to_world": "(time, 4, 4) float32 [m], OpenCV axes",
            },
            needs=("camera",),
        ),
        "tracks": Output(
            tensors={
                "tracks_world": "(point, time, 3) float32 [m], also while hidden; NaN of a tracker's points",
                "tracks_image": "(point, time, 2) float32 raster coordinates [px of these tensors], NaN behind "
                "cameras; of clips without tracks those of a tracker, if they have `tracks_image`",
                "tracks_visible": "(point, time) bool, in these pictures and not hidden",
                "tracks_instance": "(point,) int32 ids",
                "tracks_valid": "(point,) bool, False where a batch is padded",
            },
            needs=("tracks", "camera"),
        ),
        "bodies": Output(
            tensors={
                "bodies_position": "(body, time, 3) float32 [m], world",
                "bodies_quat_xyzw": "(body, time, 4) float32, body to world",
                "bodies_linear_velocity": "(body, time, 3) float32 [m/s], world",
                "bodies_angular_velocity": "(body, time, 3) float32 [rad/s], world",
                "bodies_mass": "(body,) float32 [kg], inf for bodies that do not react",
                "bodies_friction": "(body,) float32 [1], NaN where there is none",
                "bodies_restitution": "(body,) float32 [1], NaN where there is none",
                "bodies_instance": "(body,) int32 ids",
                "bodies_valid": "(body,) bool, False where a batch is padded",
            },
            needs=("bodies",),
        ),
        "contacts": Output(
            tensors={
                "contacts_frame": "(contact,) int64, frame of the window",
                "contacts_a": "(contact,) int32 ids",
                "contacts_b": "(contact,) int32 ids",
                "contacts_point": "(contact, 3) float32 [m], world",
                "contacts_normal": "(contact, 3) float32, from a to b, world",
                "contacts_impulse": "(contact,) float32 [N s], NaN where unknown",
                "contacts_valid": "(contact,) bool, False where a batch is padded",
            },
            needs=("contacts",),
        ),
        "points": Output(
            tensors={
                "points_frame": "(point,) int64, frame of the window",
                "points_position": "(point, 4) float32 (x, y, z [m], t [s]), world: 4D points that move",
                "points_velocity": "(point, 3) float32 [m/s], world",
                "points_instance": "(point,) int32 ids",
                "points_valid": "(point,) bool, False where a batch is padded",
            },
            needs=("points",),
        ),
    }
)


def checked_outputs(names: Sequence[str]) -> tuple[str, ...]:
    """Return output names, each once.

    Raises:
        SpecError: A name is unknown, or there is none.
    """
    unknown = sorted(set(names) - OUTPUTS.keys())
    if unknown or not names:
        raise SpecError(f"outputs {unknown or 'are empty'}: choose from {', '.join(OUTPUTS)}")
    return tuple(dict.fromkeys(names))


def needed_modalities(outputs: Collection[str]) -> tuple[str, ...]:
    """Return the modalities of the store without which some output cannot be had."""
    return tuple(dict.fromkeys(need for name in outputs for need in OUTPUTS[name].needs))

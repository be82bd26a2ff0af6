"""Planted errors: mistakes that ground truth is prone to, made on purpose to prove that the harness sees them."""

from collections.abc import Callable, Mapping

import numpy as np
import numpy.typing as npt

from simfactory.episode import FIRST_BODY, SKY
from simfactory.signals import HIT, OCCLUDED_AFTER, OCCLUDED_BEFORE, OUTSIDE_AFTER, OUTSIDE_BEFORE
from simfactory.testing.ground_truth.oracle import Oracle, WorldMotion

__all__ = ["PLANTED", "oracle_arrays"]

Array = npt.NDArray[np.generic]
Arrays = Mapping[str, Array]
Plant = Callable[[Oracle, Arrays], dict[str, Array]]

_IMAGES = ("rgb", "depth", "normal", "instance", "flow_forward", "flow_backward", "scene_flow", "mask")


def oracle_arrays(oracle: Oracle) -> dict[str, Array]:
    """Return the image signals that an oracle sees, as a clip holds them."""
    views = [oracle.view(frame) for frame in range(oracle.spec.frame_count)]
    shape = views[0].instance.shape
    mask = [(view.instance != SKY).astype(np.uint8) * HIT for view in views]
    flow = {step: np.full((len(views), 2, *shape), np.nan, np.float32) for step in (1, -1)}
    scene_flow = np.full((len(views), 3, *shape), np.nan, np.float32)
    bits = {1: (OCCLUDED_AFTER, OUTSIDE_AFTER), -1: (OCCLUDED_BEFORE, OUTSIDE_BEFORE)}
    for frame, view in enumerate(views):
        for step, (occluded, outside) in bits.items():
            if 0 <= frame + step < len(views):
                target = oracle.target(view, frame + step)
                flow[step][frame] = target.flow.transpose(2, 0, 1)
                mask[frame] |= target.occluded * np.uint8(occluded) | target.outside * np.uint8(outside)
                if step > 0:
                    moved = np.where((view.instance != SKY)[..., None], target.displacement, np.nan)
                    scene_flow[frame] = moved.transpose(2, 0, 1)
    return {
        "instance": np.stack([view.instance for view in views]).astype(np.uint16),
        "depth": np.stack([view.depth for view in views]).astype(np.float32),
        "normal": np.stack([view.normal for view in views]).astype(np.float32),
        "mask": np.stack(mask),
        "flow_forward": flow[1],
        "flow_backward": flow[-1],
        "scene_flow": scene_flow,
        "camera/K": np.tile(oracle.intrinsics, (len(views), 1, 1)),
        "camera/camera_to_world": oracle.poses,
        "bodies/position": oracle.motion.position.astype(np.float32),
    }


def _half_pixel_shift(oracle: Oracle, arrays: Arrays) -> dict[str, Array]:
    """Sample truth at pixel corners instead of centres."""
    shifted = Oracle(oracle.spec, oracle.camera, oracle.motion, pixel_offset=(0.5, 0.5))
    return {**arrays, **{name: array for name, array in oracle_arrays(shifted).items() if name in _IMAGES}}


def _one_frame_lag(oracle: Oracle, arrays: Arrays) -> dict[str, Array]:
    """Deliver every image one frame late."""
    late = {name: np.concatenate([arrays[name][:1], arrays[name][:-1]]) for name in _IMAGES if name in arrays}
    return {**arrays, **late}


def _swapped_id(oracle: Oracle, arrays: Arrays) -> dict[str, Array]:
    """Exchange the ids of the first two bodies; with one body, of it and the ground."""
    instance = arrays["instance"]
    a, b = (FIRST_BODY, FIRST_BODY + 1) if len(oracle.spec.bodies) > 1 else (FIRST_BODY, 1)
    swapped = np.where(instance == a, b, np.where(instance == b, a, instance)).astype(np.uint16)
    return {**arrays, "instance": swapped}


def _transposed_body_pose(oracle: Oracle, arrays: Arrays) -> dict[str, Array]:
    """Turn every body the wrong way round: body-to-world taken for world-to-body."""
    wrong = WorldMotion(
        position=oracle.motion.position,
        quat_xyzw=oracle.motion.quat_xyzw * (-1.0, -1.0, -1.0, 1.0),
        vertices=oracle.motion.vertices,
    )
    turned = oracle_arrays(Oracle(oracle.spec, oracle.camera, wrong))
    return {**arrays, **{name: array for name, array in turned.items() if name in _IMAGES}}


def _transposed_camera_pose(oracle: Oracle, arrays: Arrays) -> dict[str, Array]:
    """Record world-to-camera rotations under the name camera_to_world."""
    poses = np.array(arrays["camera/camera_to_world"])
    poses[:, :3, :3] = poses[:, :3, :3].transpose(0, 2, 1)
    return {**arrays, "camera/camera_to_world": poses}


def _flipped_flow(oracle: Oracle, arrays: Arrays) -> dict[str, Array]:
    """Record previous − current as forward flow."""
    return {**arrays, "flow_forward": -arrays["flow_forward"].astype(np.float32)}


def _swapped_uv(oracle: Oracle, arrays: Arrays) -> dict[str, Array]:
    """Record flow as (row, column)."""
    return {**arrays, "flow_forward": arrays["flow_forward"][:, ::-1]}


def _stale_depth(oracle: Oracle, arrays: Arrays) -> dict[str, Array]:
    """Deliver depth of the previous frame."""
    return {**arrays, "depth": np.concatenate([arrays["depth"][:1], arrays["depth"][:-1]])}


PLANTED: Mapping[str, Plant] = {
    "half_pixel_shift": _half_pixel_shift,
    "one_frame_lag": _one_frame_lag,
    "swapped_id": _swapped_id,
    "transposed_body_pose": _transposed_body_pose,
    "transposed_camera_pose": _transposed_camera_pose,
    "flipped_flow": _flipped_flow,
    "swapped_uv": _swapped_uv,
    "stale_depth": _stale_depth,
}

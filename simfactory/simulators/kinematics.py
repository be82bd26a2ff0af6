"""Closed forms of prescribed motion, in float64: shared by every backend, so that all agree to the last bit."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from simfactory.spec import Body, Motion, MotionLinear, MotionOscillation, MotionRotation, SceneSpec
from simfactory.transforms import quat_from_axis_angle, quat_multiply

__all__ = ["RigidMotion", "motion_of", "prescribed_motion", "start_orientation"]

Array = npt.NDArray[np.float64]


@dataclass(frozen=True, kw_only=True, slots=True)
class RigidMotion:
    """Pose and velocity of one body at several times, world frame.

    Attributes:
        position: `(time, 3)` of the body's origin [m].
        quat_xyzw: `(time, 4)` body-to-world rotation.
        linear_velocity: `(time, 3)` [m/s].
        angular_velocity: `(time, 3)` [rad/s].
    """

    position: Array
    quat_xyzw: Array
    linear_velocity: Array
    angular_velocity: Array


def motion_of(spec: SceneSpec, body: str) -> Motion | None:
    """Return the motion that a scene prescribes for a body, or None where it prescribes none."""
    return next((motion for motion in spec.motions if motion.body == body), None)


def start_orientation(body: Body) -> Array:
    """Return a body's rotation at t = 0 as a quaternion `(4,)` xyzw of length 1."""
    quat = np.asarray(body.orientation, np.float64)
    return np.asarray(quat / np.linalg.norm(quat))


def prescribed_motion(body: Body, motion: Motion | None, times: npt.ArrayLike) -> RigidMotion:
    """Return where a static or kinematic body is at given times.

    A motion acts from its start to its stop; before and after it the body rests where the motion begins and ends.
    At the instant of the start the body already moves, at that of the stop it no longer does.

    Args:
        body: The body.
        motion: Its motion, or None for a body that stands still.
        times: `(time,)` [s].
    """
    time = np.atleast_1d(np.asarray(times, np.float64))
    position = np.tile(np.asarray(body.position, np.float64), (len(time), 1))
    quat = np.tile(start_orientation(body), (len(time), 1))
    linear, angular = np.zeros_like(position), np.zeros_like(position)
    if motion is not None:
        elapsed = np.clip(time, motion.start, max(motion.start, motion.stop))[:, None] - motion.start
        active = ((time >= motion.start) & (time < motion.stop))[:, None]
        match motion:
            case MotionLinear(velocity=velocity):
                position += elapsed * np.asarray(velocity)
                linear += active * np.asarray(velocity)
            case MotionOscillation(amplitude=amplitude, frequency=frequency):
                rate = 2.0 * np.pi * frequency
                position += np.sin(rate * elapsed) * np.asarray(amplitude)
                linear += active * rate * np.cos(rate * elapsed) * np.asarray(amplitude)
            case MotionRotation(angular_velocity=rate_vector):
                speed = float(np.linalg.norm(rate_vector))
                quat = quat_multiply(quat_from_axis_angle(np.asarray(rate_vector), speed * elapsed[:, 0]), quat)
                angular += active * np.asarray(rate_vector)
    return RigidMotion(position=position, quat_xyzw=quat, linear_velocity=linear, angular_velocity=angular)

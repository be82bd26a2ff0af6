"""When a robot has done what it was told."""

from simfactory.spec import SceneSpec

__all__ = ["plan_frames"]


def plan_frames(spec: SceneSpec) -> int:
    """Return how many frames a scene's robot needs to come to the end of its plan.

    Raises:
        ValueError: There is no robot.
    """
    if spec.robot is None:
        raise ValueError(f"scene {spec.scene!r} has no robot: a plan needs one")
    drives = [getattr(joint, "drive", None) for joint in spec.joints if joint.name in spec.robot.joints]
    return int(max(drive.waypoints[-1].time for drive in drives if drive is not None) * spec.fps) + 2

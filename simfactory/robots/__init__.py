"""Robots that come with the package: their parts, their kinematics, and the inverse of these."""

from simfactory.robots.kinematics import Pose, inverse, part_poses, tool_pose
from simfactory.robots.model import Part, RobotModel, robot_model, robot_names

__all__ = ["Part", "Pose", "RobotModel", "inverse", "part_poses", "robot_model", "robot_names", "tool_pose"]

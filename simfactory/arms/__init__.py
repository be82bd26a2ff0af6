"""Robot arms in a scene: the bodies and joints that they consist of, and their state read from a trajectory."""

from simfactory.arms.outfit import Arm, equipped
from simfactory.arms.plan import plan_frames
from simfactory.arms.states import ArmStates, arm_states, success

__all__ = ["Arm", "ArmStates", "arm_states", "equipped", "plan_frames", "success"]

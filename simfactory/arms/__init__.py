"""Robot arms in a scene: their bodies and joints, how they are guided, and their state read from a trajectory."""

from simfactory.arms.conditions import folded_share, success
from simfactory.arms.guidance import Guide, GuidedMotion, acting_bodies, held_joints, is_guided
from simfactory.arms.outfit import Arm, equipped
from simfactory.arms.plan import plan_frames
from simfactory.arms.states import ArmStates, arm_states

__all__ = [
    "Arm",
    "ArmStates",
    "Guide",
    "GuidedMotion",
    "acting_bodies",
    "arm_states",
    "equipped",
    "folded_share",
    "held_joints",
    "is_guided",
    "plan_frames",
    "success",
]

"""Robot arms in a scene: bodies and joints, plans of their motion, how they are guided, and their state over time."""

from simfactory.arms.conditions import folded_share, success
from simfactory.arms.guidance import Guide, GuidedMotion, acting_bodies, held_joints, is_guided
from simfactory.arms.outfit import Arm, equipped
from simfactory.arms.plan import plan_frames
from simfactory.arms.planner import DOWN, Plan, Planner, approach
from simfactory.arms.states import ArmStates, arm_states, held_body, robot_base

__all__ = [
    "DOWN",
    "Arm",
    "ArmStates",
    "Guide",
    "GuidedMotion",
    "Plan",
    "Planner",
    "acting_bodies",
    "approach",
    "arm_states",
    "equipped",
    "folded_share",
    "held_body",
    "held_joints",
    "is_guided",
    "plan_frames",
    "robot_base",
    "success",
]

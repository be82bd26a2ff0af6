"""Rows of the cloth and rope categories in which a robot arm handles what is soft."""

from layouts.placements.arm_cloth import ArmCloth
from layouts.placements.arm_rope import ArmRope
from scenes.category import BaseScene
from scenes.invariants import Invariant
from scenes.manipulation import BENCH, fixed, single
from scenes.roles import RoleCloth, RoleRope

__all__ = ["CLOTH_MANIPULATION", "ROPE_MANIPULATION"]

STAND = fixed(name="stand", shapes=("post",))
BOARD = fixed(name="board", shapes=("shelf",))
NAPKIN = RoleCloth(name="cloth", patterns=("sheet",), materials=("cotton", "denim", "wool"), size=(0.24, 0.28))
CORD = RoleRope(
    name="rope", materials=("hemp", "nylon_rope", "cotton_cord"), length=(0.66, 0.72), radius=(0.008, 0.011)
)

CLOTH_MANIPULATION: tuple[BaseScene, ...] = (
    single(
        name="robot_folds_cloth",
        description="A robot arm takes a cloth by a corner and lays it on the opposite one.",
        roles=(BENCH, STAND, BOARD, NAPKIN),
        layout=((("bench", "stand", "board", "cloth"), ArmCloth(task="fold")),),
        caption="A robot arm takes {cloth} by a corner and folds it over.",
        phenomena=("robot", "grasping", "folding"),
        invariants=(Invariant("cloth", "deformation", above=0.5, cause="drive"),),
        air="still",
    ),
    single(
        name="robot_lifts_cloth",
        description="A robot arm takes a cloth by a corner and lifts it.",
        roles=(BENCH, STAND, BOARD, NAPKIN),
        layout=((("bench", "stand", "board", "cloth"), ArmCloth(task="lift")),),
        caption="A robot arm takes {cloth} by a corner and lifts it.",
        phenomena=("robot", "grasping", "hanging"),
        invariants=(Invariant("cloth", "lift", above=0.03, cause="drive"),),
        air="still",
    ),
    single(
        name="robot_pulls_cloth_off",
        description="A robot arm pulls a cloth off a board by its corner.",
        roles=(BENCH, STAND, BOARD, NAPKIN),
        layout=((("bench", "stand", "board", "cloth"), ArmCloth(task="pull")),),
        caption="A robot arm pulls {cloth} off a board.",
        phenomena=("robot", "grasping", "sliding_friction"),
        invariants=(Invariant("cloth", "travel", above=0.1, cause="drive"),),
        air="still",
        held_out=True,
    ),
)

ROPE_MANIPULATION: tuple[BaseScene, ...] = (
    single(
        name="robot_hangs_rope",
        description="A robot arm takes a rope by its end and hangs it over a peg.",
        roles=(BENCH, fixed(name="post", shapes=("post",)), fixed(name="peg", shapes=("peg",)), CORD),
        layout=((("bench", "post", "peg", "rope"), ArmRope(task="hang")),),
        caption="A robot arm takes {rope} by its end and hangs it over a peg.",
        phenomena=("robot", "grasping", "hanging", "wrapping"),
        invariants=(Invariant("rope", "lift", above=0.05, cause="drive"),),
        air="still",
    ),
    single(
        name="robot_drags_rope",
        description="A robot arm drags the end of a rope over a bench.",
        roles=(BENCH, CORD),
        layout=((("bench", "rope"), ArmRope(task="drag")),),
        caption="A robot arm drags {rope} over a bench by its end.",
        phenomena=("robot", "grasping", "sliding_friction"),
        invariants=(Invariant("rope", "travel", above=0.05, cause="drive"),),
        air="still",
    ),
)

"""Rows of the articulated category in which a robot arm handles things on a bench."""

from functools import partial

from layouts.placements.arm_bottle import ArmBottle
from layouts.placements.arm_carry import ArmCarry
from layouts.placements.arm_open import ArmOpen
from layouts.placements.arm_pour import ArmPour
from layouts.placements.arm_press import ArmPress
from layouts.placements.arm_push import ArmPush
from scenes.category import BaseScene
from scenes.invariants import Invariant
from scenes.roles import RoleRigid

__all__ = ["MANIPULATION"]

GRIPPY = ("oak", "pine", "walnut", "rubber", "silicone", "acrylic", "ceramic", "aluminium")
LIGHT = ("wood", "acrylic", "nylon")

single = partial(BaseScene, tiers=("single",))
two_body = partial(BaseScene, tiers=("two_body",))
multi_object = partial(BaseScene, tiers=("multi_object",))

fixed = partial(RoleRigid, materials=("wood", "concrete", "aluminium"), mobility="static", size=(0.3, 0.5))
thing = partial(RoleRigid, materials=GRIPPY, size=(0.06, 0.1))


def done(role: str) -> tuple[Invariant, ...]:
    """Return the invariant of a task: it is done in the end, and is not where the arm stands still."""
    return (Invariant(role, "success", above=0.5, cause="drive"),)


BENCH = RoleRigid(name="bench", shapes=("bench",), materials=("wood",), mobility="static", size=(0.9, 1.1))

NECK = thing(name="neck", shapes=("bottle",), materials=("aluminium", "ceramic"))

MANIPULATION = (
    single(
        name="robot_presses_button",
        description="A robot arm presses a button that a spring holds up.",
        roles=(BENCH, fixed(name="stand", shapes=("post",)), thing(name="button", shapes=("button",), materials=LIGHT)),
        layout=((("bench", "stand", "button"), ArmPress(target="button")),),
        caption="A robot arm presses {button} that a spring holds up.",
        phenomena=("robot", "pressing", "spring", "slider"),
        invariants=done("button"),
    ),
    single(
        name="robot_presses_stapler",
        description="A robot arm presses a stapler down.",
        roles=(BENCH, fixed(name="stand", shapes=("post",)), thing(name="arm", shapes=("stapler",), materials=LIGHT)),
        layout=((("bench", "stand", "arm"), ArmPress(target="stapler")),),
        caption="A robot arm presses {arm} down on its spring.",
        phenomena=("robot", "pressing", "spring", "hinge"),
        invariants=done("arm"),
    ),
    single(
        name="robot_turns_lever",
        description="A robot arm turns a lever down.",
        roles=(BENCH, fixed(name="stand", shapes=("post",)), thing(name="lever", shapes=("lever",), materials=LIGHT)),
        layout=((("bench", "stand", "lever"), ArmPress(target="lever")),),
        caption="A robot arm turns {lever} down.",
        phenomena=("robot", "pressing", "hinge", "dry_friction"),
        invariants=done("lever"),
    ),
    single(
        name="robot_pushes_block",
        description="A robot arm pushes a block over a bench.",
        roles=(BENCH, thing(name="block", shapes=("brick",))),
        layout=((("bench", "block"), ArmPush()),),
        caption="A robot arm pushes {block} over a bench.",
        phenomena=("robot", "pushing", "sliding_friction"),
        invariants=done("block"),
    ),
    single(
        name="robot_opens_drawer",
        description="A robot arm pulls a drawer out by its handle.",
        roles=(
            BENCH,
            fixed(name="case", shapes=("panel",), count=(4, 4), alike=True),
            thing(name="drawer", shapes=("drawer",), materials=LIGHT),
            thing(name="handle", shapes=("handle",), materials=("aluminium", "titanium")),
        ),
        layout=((("bench", "case", "drawer", "handle"), ArmOpen(target="drawer")),),
        caption="A robot arm pulls {drawer} out by its handle.",
        phenomena=("robot", "grasping", "slider", "dry_friction"),
        invariants=done("drawer"),
    ),
    single(
        name="robot_opens_door",
        description="A robot arm opens a door by its handle.",
        roles=(
            BENCH,
            fixed(name="post", shapes=("post",)),
            thing(name="door", shapes=("leaf",), materials=LIGHT),
            thing(name="handle", shapes=("handle",), materials=("aluminium", "titanium")),
        ),
        layout=((("bench", "post", "door", "handle"), ArmOpen(target="door")),),
        caption="A robot arm opens {door} by its handle.",
        phenomena=("robot", "grasping", "hinge"),
        invariants=done("door"),
        air="still",
        held_out=True,
    ),
    single(
        name="robot_places_cup",
        description="A robot arm picks a cup up and puts it somewhere else.",
        roles=(BENCH, thing(name="cup", shapes=("cup",))),
        layout=((("bench", "cup"), ArmCarry(item="cup")),),
        caption="A robot arm picks up {cup} and puts it down elsewhere.",
        phenomena=("robot", "grasping", "static_friction"),
        invariants=done("cup"),
    ),
    single(
        name="robot_grabs_roller",
        description="A robot arm grabs a roller and lifts it.",
        roles=(BENCH, thing(name="roller", shapes=("roller",))),
        layout=((("bench", "roller"), ArmCarry(item="roller", goal="air")),),
        caption="A robot arm grabs {roller} and lifts it.",
        phenomena=("robot", "grasping", "static_friction"),
        invariants=done("roller"),
    ),
    single(
        name="robot_shelves_can",
        description="A robot arm puts a can onto a shelf.",
        roles=(BENCH, thing(name="can", shapes=("can",)), fixed(name="shelf", shapes=("shelf",))),
        layout=((("bench", "can", "shelf"), ArmCarry(item="can", goal="shelf")),),
        caption="A robot arm picks up {can} and puts it onto a shelf.",
        phenomena=("robot", "grasping", "static_friction"),
        invariants=done("can"),
    ),
    single(
        name="robot_inserts_peg",
        description="A robot arm puts a peg into a square hole.",
        roles=(
            BENCH,
            thing(name="peg", shapes=("plug",)),
            fixed(name="side", shapes=("panel",), count=(4, 4), alike=True),
        ),
        layout=((("bench", "peg", "side"), ArmCarry(item="peg", goal="hole")),),
        caption="A robot arm puts {peg} into a square hole.",
        phenomena=("robot", "grasping", "insertion"),
        invariants=done("peg"),
    ),
    single(
        name="robot_shakes_bottle",
        description="A robot arm lifts a bottle and shakes it.",
        roles=(
            BENCH,
            thing(name="bottle", shapes=("bottle",)),
            NECK,
        ),
        layout=((("bench", "bottle", "neck"), ArmBottle(task="shake")),),
        caption="A robot arm lifts {bottle} and shakes it.",
        phenomena=("robot", "grasping", "inertia"),
        invariants=done("bottle"),
    ),
    single(
        name="robot_rights_bottle",
        description="A robot arm sets a bottle upright that lies on its side.",
        roles=(
            BENCH,
            thing(name="bottle", shapes=("bottle",)),
            NECK,
        ),
        layout=((("bench", "bottle", "neck"), ArmBottle(task="adjust")),),
        caption="A robot arm takes {bottle} that lies on its side and stands it up.",
        phenomena=("robot", "grasping", "balance"),
        invariants=done("bottle"),
    ),
    two_body(
        name="robot_stacks_bowls",
        description="A robot arm puts a bowl into another one.",
        roles=(BENCH, thing(name="bowl", shapes=("bowl",), count=(2, 2), alike=True)),
        layout=((("bench", "bowl"), ArmCarry(item="bowl", goal="stack")),),
        caption="A robot arm puts one of {bowl} into the other.",
        phenomena=("robot", "grasping", "nesting"),
        invariants=done("bowl"),
    ),
    two_body(
        name="robot_stacks_blocks",
        description="A robot arm puts a block onto another one.",
        roles=(BENCH, thing(name="block", shapes=("brick",), count=(2, 2))),
        layout=((("bench", "block"), ArmCarry(item="block", goal="stack")),),
        caption="A robot arm puts one of {block} onto the other.",
        phenomena=("robot", "grasping", "stacking"),
        invariants=done("block"),
        held_out=True,
    ),
    two_body(
        name="robot_fills_tray",
        description="A robot arm puts two blocks onto a tray, one after the other.",
        roles=(BENCH, thing(name="block", shapes=("brick",), count=(2, 2)), fixed(name="tray", shapes=("tray",))),
        layout=((("bench", "block", "tray"), ArmCarry(item="block", goal="tray", count=2)),),
        caption="A robot arm puts {block} onto a tray.",
        phenomena=("robot", "grasping", "sorting"),
        invariants=done("block"),
    ),
    two_body(
        name="robot_clears_blocks",
        description="A robot arm pushes two blocks aside, one after the other.",
        roles=(BENCH, thing(name="block", shapes=("brick",), count=(2, 2))),
        layout=((("bench", "block"), ArmPush()),),
        caption="A robot arm pushes {block} aside.",
        phenomena=("robot", "pushing", "sliding_friction"),
        invariants=done("block"),
    ),
    multi_object(
        name="robot_pours_beads",
        description="A robot arm pours beads from a cup into a bowl.",
        roles=(
            BENCH,
            thing(name="cup", shapes=("cup",)),
            thing(name="bowl", shapes=("bowl",)),
            RoleRigid(name="bead", shapes=("bead",), materials=GRIPPY, count=(6, 10), size=(0.014, 0.018), alike=True),
        ),
        layout=((("bench", "cup", "bowl", "bead"), ArmPour()),),
        caption="A robot arm pours {bead} from {cup} into a bowl.",
        phenomena=("robot", "grasping", "pouring"),
        invariants=done("bead"),
    ),
)

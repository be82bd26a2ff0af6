"""Articulated mechanisms: bodies that hinges, sliders, ball joints and welds hold together."""

from functools import partial

from layouts.placements.bridge import Bridge
from layouts.placements.cart import Cart
from layouts.placements.catapult import Catapult
from layouts.placements.door import Door
from layouts.placements.flail import Flail
from layouts.placements.paddles import Paddles
from layouts.placements.pendulum import Pendulum
from layouts.placements.piston import Piston
from layouts.placements.rail import Rail
from layouts.placements.rotor import Rotor
from layouts.placements.scatter import Scatter
from layouts.placements.seesaw import Seesaw
from layouts.placements.strike import Strike
from scenes.category import BaseScene, Category
from scenes.invariants import Invariant
from scenes.manipulation import MANIPULATION
from scenes.roles import RoleRigid

__all__ = ["CATEGORY"]

STIFF = ("wood", "metal", "polymer")
LIGHT = ("wood", "polymer")
ANY_SHAPE = ("ball", "box", "cylinder", "prism", "pebble")

single = partial(BaseScene, tiers=("single",))
two_body = partial(BaseScene, tiers=("two_body",))
multi_object = partial(BaseScene, tiers=("multi_object",))

fixed = partial(RoleRigid, materials=("wood", "concrete"), mobility="static")
part = partial(RoleRigid, materials=STIFF, size=(0.3, 0.5))

POST, ARM = fixed(name="post", shapes=("post",)), fixed(name="arm", shapes=("pole",))
POSTS = fixed(name="post", shapes=("post",), count=(2, 2), alike=True)
STAND, BEAM = fixed(name="stand", shapes=("post",)), fixed(name="beam", shapes=("pole",))
WHEELS = RoleRigid(
    name="wheel", shapes=("disc",), materials=("elastomer", "wood"), count=(4, 4), size=(0.14, 0.14), alike=True
)

SINGLE = (
    single(
        name="pendulum_swing",
        description="A rod that hangs on a pin is let go from the side and swings.",
        roles=(POST, ARM, part(name="rod", shapes=("pole",))),
        layout=((("post", "arm", "rod"), Pendulum()),),
        caption="{rod} hangs on a pin, is let go from the side and swings.",
        phenomena=("pendulum", "hinge"),
        invariants=(
            Invariant("rod", "travel", above=0.15),
            Invariant("rod", "drift", below=0.1, cause="joints"),
        ),
        air="still",
    ),
    single(
        name="door_swing",
        description="A door swings on its hinges until friction stops it.",
        roles=(POST, part(name="door", shapes=("panel",), materials=LIGHT)),
        layout=((("post", "door"), Door(rate=(2.0, 4.0), angle=(0.0, 40.0), limit=110.0, friction=(0.005, 0.02))),),
        caption="{door} swings on its hinges, slower and slower.",
        phenomena=("hinge", "dry_friction"),
        invariants=(
            Invariant("door", "turn", above=30.0, cause="speed"),
            Invariant("door", "fall", below=0.05, cause="joints"),
        ),
    ),
    single(
        name="flap_swing",
        description="A flap that hangs from a beam is let go half open and swings to and fro.",
        roles=(POSTS, BEAM, part(name="flap", shapes=("panel",))),
        layout=((("post", "beam", "flap"), Door(level=True, angle=(40.0, 85.0), height=(0.35, 0.5))),),
        caption="{flap} hangs from a beam, is let go half open and swings to and fro.",
        phenomena=("hinge", "pendulum"),
        invariants=(Invariant("flap", "swings", above=0.5, cause="joints"),),
    ),
    single(
        name="rail_slide",
        description="A carriage slides down a rail and stops at its end.",
        roles=(POSTS, BEAM, part(name="carriage", shapes=("block",))),
        layout=((("post", "beam", "carriage"), Rail(slope=(8.0, 20.0), friction=(0.0, 0.08))),),
        caption="{carriage} slides down a rail and stops at its end.",
        phenomena=("slider", "inclined_plane", "impact"),
        invariants=(
            Invariant("carriage", "travel", above=0.5),
            Invariant("carriage", "slowing", above=0.9, cause="gravity"),
        ),
    ),
    single(
        name="seesaw_tip",
        description="A board whose hinge is out of its middle tips over.",
        roles=(STAND, part(name="board", shapes=("plank",))),
        layout=((("stand", "board"), Seesaw(off=(0.1, 0.3))),),
        caption="{board} lies on a hinge out of its middle and tips over.",
        phenomena=("hinge", "torque"),
        invariants=(Invariant("board", "turn", above=10.0, cause="body", of="stand"),),
        held_out=True,
    ),
)

TWO_BODY = (
    two_body(
        name="double_pendulum",
        description="Two rods hang one from the other and swing chaotically.",
        roles=(POST, ARM, part(name="rod", shapes=("pole",), count=(2, 2), alike=True)),
        layout=((("post", "arm", "rod"), Pendulum(angle=(70.0, 120.0), turn=(0.0, 60.0))),),
        caption="{rod} hang one from the other and swing chaotically.",
        phenomena=("double_pendulum", "hinge", "chaos"),
        invariants=(
            Invariant("rod", "travel", above=0.15, every=True),
            Invariant("rod", "parting", below=0.2, cause="joints"),
        ),
        air="still",
    ),
    two_body(
        name="pendulum_strikes",
        description="A swinging rod knocks over what stands in its way.",
        roles=(
            POST,
            ARM,
            part(name="rod", shapes=("pole",), materials=("metal",)),
            RoleRigid(name="target", shapes=("box", "column", "block"), materials=(*LIGHT, "foam"), size=(0.16, 0.24)),
        ),
        layout=((("post", "arm", "rod", "target"), Pendulum(angle=(60.0, 100.0), targets=1)),),
        caption="{rod} swings down and strikes {target}.",
        phenomena=("pendulum", "collision", "momentum_transfer"),
        invariants=(Invariant("target", "shift", above=0.03, cause="body", of="rod"),),
    ),
    two_body(
        name="door_struck",
        description="A ball hits a door that stands open, and the door turns.",
        roles=(
            POST,
            part(name="door", shapes=("panel",), materials=LIGHT),
            RoleRigid(name="ball", shapes=("ball",), materials=STIFF, size=(0.2, 0.3)),
        ),
        layout=(
            (("post", "door"), Door(limit=150.0, friction=(0.0, 0.01))),
            (("ball",), Strike(target="door", speed=(1.5, 3.0), flight=True, height=(0.3, 0.5))),
        ),
        caption="{ball} hits {door}, which turns on its hinges.",
        phenomena=("hinge", "collision", "torque"),
        invariants=(Invariant("door", "turn", above=20.0, cause="body", of="ball"),),
    ),
    two_body(
        name="seesaw_load",
        description="A body falls onto one end of a seesaw.",
        roles=(
            STAND,
            part(name="board", shapes=("plank",), materials=LIGHT),
            RoleRigid(name="load", shapes=ANY_SHAPE, materials=STIFF, size=(0.16, 0.24)),
        ),
        layout=((("stand", "board", "load"), Seesaw()),),
        caption="{load} falls onto one end of {board}, which tips.",
        phenomena=("hinge", "torque", "impact"),
        invariants=(Invariant("board", "turn", above=10.0, cause="body", of="load"),),
    ),
    two_body(
        name="carriages_collide",
        description="A carriage runs along a level rail into another one.",
        roles=(POSTS, BEAM, part(name="carriage", shapes=("block",), count=(2, 2))),
        layout=((("post", "beam", "carriage"), Rail(speed=(0.8, 1.6), friction=(0.0, 0.02), stretch=(1.5, 3.0))),),
        caption="One of {carriage} runs along a level rail into the other.",
        phenomena=("slider", "collision", "momentum_transfer"),
        invariants=(Invariant("carriage_1", "shift", above=0.05, cause="body", of="carriage_0"),),
        held_out=True,
    ),
    two_body(
        name="rods_thrown",
        description="Two rods joined at their ends are thrown, whirl and fall.",
        roles=(part(name="rod", shapes=("pole",), count=(2, 2)),),
        layout=((("rod",), Flail()),),
        caption="{rod}, joined at their ends, are thrown, whirl and fall.",
        phenomena=("ball_joint", "projectile_motion", "impact"),
        invariants=(Invariant("rod", "parting", below=0.15, cause="joints"),),
    ),
    two_body(
        name="rotor_sweeps",
        description="A motor turns a bar that sweeps a body off its place.",
        roles=(
            STAND,
            part(name="bar", shapes=("pole",)),
            RoleRigid(name="body", shapes=("block", "column", "ball", "cylinder"), materials=LIGHT, size=(0.16, 0.24)),
        ),
        layout=((("stand", "bar", "body"), Rotor()),),
        caption="A motor turns {bar}, which sweeps {body} off its place.",
        phenomena=("motor", "collision", "rotation"),
        invariants=(Invariant("body", "travel", above=0.1, cause="drive"),),
    ),
    two_body(
        name="paddles_mesh",
        description="A motor turns a bar whose end pushes a second one round, the other way, like a gear.",
        roles=(POSTS, part(name="driver", shapes=("pole",)), part(name="follower", shapes=("pole",))),
        layout=((("post", "driver", "follower"), Paddles()),),
        caption="A motor turns {driver}, which pushes {follower} round the other way.",
        phenomena=("motor", "hinge", "transmission"),
        invariants=(
            Invariant("follower", "turn", above=30.0, cause="drive"),
            Invariant("follower", "turn", above=30.0, cause="body", of="driver"),
        ),
    ),
    two_body(
        name="catapult_throws",
        description="A motor swings an arm up to its stop, and what lay on its end flies off.",
        roles=(
            STAND,
            part(name="arm", shapes=("board",), materials=LIGHT),
            RoleRigid(name="load", shapes=("block", "disc", "column"), materials=LIGHT, size=(0.1, 0.16)),
        ),
        layout=((("stand", "arm", "load"), Catapult()),),
        caption="An arm swings up and throws {load}.",
        phenomena=("motor", "hinge", "projectile_motion"),
        invariants=(
            Invariant("load", "lift", above=0.2, cause="drive"),
            Invariant("load", "travel", above=0.3, cause="drive"),
        ),
    ),
)

MULTI_OBJECT = (
    multi_object(
        name="pendulum_dominoes",
        description="A swinging rod strikes the first of a row of dominoes, and the row falls.",
        roles=(
            POST,
            ARM,
            part(name="rod", shapes=("pole",), materials=("metal",)),
            RoleRigid(
                name="domino", shapes=("tile",), materials=("wood",), count=(5, 5), size=(0.22, 0.26), alike=True
            ),
        ),
        layout=((("post", "arm", "rod", "domino"), Pendulum(angle=(60.0, 85.0), targets=5, meeting=0.75)),),
        caption="{rod} swings down into the first of {domino}, and the row falls.",
        phenomena=("pendulum", "collision", "toppling", "chain_reaction"),
        invariants=(Invariant("domino_4", "turn", above=60.0, cause="body", of="rod"),),
    ),
    multi_object(
        name="wrecking_ball",
        description="A weight on a chain of links swings into what stands in its way.",
        roles=(
            POST,
            ARM,
            part(name="link", shapes=("pole",), materials=("metal",), count=(3, 4), alike=True),
            RoleRigid(
                name="weight", shapes=("ball", "box", "cylinder"), materials=("metal", "mineral"), size=(0.14, 0.2)
            ),
            RoleRigid(name="target", shapes=("box", "column"), materials=LIGHT, size=(0.2, 0.3)),
        ),
        layout=(
            (
                ("post", "arm", "link", "weight", "target"),
                Pendulum(angle=(50.0, 80.0), free=True, bob=True, targets=1),
            ),
        ),
        caption="{weight} on a chain of links swings into {target}.",
        phenomena=("ball_joint", "pendulum", "collision"),
        invariants=(Invariant("target", "shift", above=0.1, cause="body", of="weight"),),
    ),
    multi_object(
        name="chain_swing",
        description="A chain of links is let go from the side and whips to and fro.",
        roles=(POST, ARM, part(name="link", shapes=("pole",), count=(4, 6), alike=True)),
        layout=(
            (("post", "arm", "link"), Pendulum(length=(0.6, 0.8), angle=(60.0, 100.0), turn=(0.0, 30.0), free=True)),
        ),
        caption="A chain of {link} is let go from the side and whips to and fro.",
        phenomena=("ball_joint", "chain", "pendulum"),
        invariants=(
            Invariant("link", "travel", above=0.15),
            Invariant("link", "parting", below=0.15, cause="joints"),
        ),
        air="still",
    ),
    multi_object(
        name="bridge_load",
        description="A body falls onto a hanging bridge of planks.",
        roles=(
            POSTS,
            part(name="plank", shapes=("board",), materials=LIGHT, count=(5, 7), alike=True),
            RoleRigid(name="load", shapes=("ball", "box", "cylinder"), materials=LIGHT, size=(0.14, 0.2)),
        ),
        layout=((("post", "plank", "load"), Bridge(loads=1)),),
        caption="{load} falls onto a hanging bridge of {plank}.",
        phenomena=("hinge", "chain", "impact"),
        invariants=(
            Invariant("plank", "jolt", above=0.15, cause="body", of="load"),
            Invariant("plank", "fall", below=0.1, cause="joints"),
        ),
    ),
    multi_object(
        name="bridge_torn",
        description="A hanging bridge of planks, loose at one end, falls down.",
        roles=(POSTS, part(name="plank", shapes=("board",), materials=STIFF, count=(4, 6), alike=True)),
        layout=((("post", "plank"), Bridge(torn=True)),),
        caption="A hanging bridge of {plank} is loose at one end and falls down.",
        phenomena=("hinge", "chain", "free_fall"),
        invariants=(
            Invariant("plank", "fall", above=0.3),
            Invariant("plank_0", "fall", below=0.2, cause="joints"),
        ),
        held_out=True,
    ),
    multi_object(
        name="cart_rolls",
        description="A cart with a load rolls over the floor.",
        roles=(
            part(name="chassis", shapes=("slab",), materials=LIGHT),
            WHEELS,
            RoleRigid(name="load", shapes=("block", "slab", "disc"), materials=LIGHT, size=(0.14, 0.22)),
        ),
        layout=((("chassis", "wheel", "load"), Cart(speed=(0.6, 1.6))),),
        caption="A cart with {load} on it rolls over the floor.",
        phenomena=("hinge", "rolling"),
        invariants=(
            Invariant("load", "travel", above=0.3, cause="speed"),
            Invariant("chassis", "fall", below=0.02, cause="joints"),
        ),
    ),
    multi_object(
        name="cart_rams",
        description="A motor drives a cart into a body on the floor.",
        roles=(
            part(name="chassis", shapes=("slab",), materials=("metal",)),
            WHEELS,
            RoleRigid(
                name="target", shapes=("box", "block", "column"), materials=("balsa", "cork", "foam"), size=(0.2, 0.3)
            ),
        ),
        layout=(
            (("target",), Scatter()),
            (("chassis", "wheel"), Cart(drive=(8.0, 16.0))),
        ),
        caption="A motor drives a cart into {target}.",
        phenomena=("motor", "rolling", "collision"),
        invariants=(Invariant("target", "shift", above=0.05, cause="drive"),),
    ),
    multi_object(
        name="piston_pushes",
        description="A motor turns a crank; rod and slider push a body along.",
        roles=(
            STAND,
            part(name="crank", shapes=("pole",)),
            part(name="rod", shapes=("pole",)),
            part(name="slider", shapes=("block",)),
            RoleRigid(name="body", shapes=("block", "slab", "box"), materials=LIGHT, size=(0.16, 0.26)),
        ),
        layout=((("stand", "crank", "rod", "slider", "body"), Piston()),),
        caption="A motor turns a crank; {slider} at the end of a rod pushes {body} along.",
        phenomena=("motor", "slider", "closed_loop", "sliding_friction"),
        invariants=(Invariant("body", "travel", above=0.05, cause="joints"),),
    ),
    multi_object(
        name="rotor_clears",
        description="A motor turns a bar that sweeps several bodies away.",
        roles=(
            STAND,
            part(name="bar", shapes=("pole",)),
            RoleRigid(
                name="body",
                shapes=("ball", "block", "cylinder", "prism"),
                materials=LIGHT,
                count=(2, 4),
                size=(0.14, 0.22),
            ),
        ),
        layout=((("stand", "bar", "body"), Rotor()),),
        caption="A motor turns {bar}, which sweeps {body} away.",
        phenomena=("motor", "collision", "rotation"),
        invariants=(Invariant("body", "travel", above=0.1, every=True, cause="drive"),),
    ),
    multi_object(
        name="seesaw_launch",
        description="A body falls onto one end of a seesaw and throws another one up.",
        roles=(
            STAND,
            part(name="board", shapes=("plank",), materials=LIGHT),
            RoleRigid(
                name="load", shapes=("ball", "box", "cylinder"), materials=("metal", "mineral"), size=(0.18, 0.26)
            ),
            RoleRigid(name="passenger", shapes=("block", "box", "disc"), materials=LIGHT, size=(0.14, 0.2)),
        ),
        layout=((("stand", "board", "load", "passenger"), Seesaw(drop=(0.4, 0.8))),),
        caption="{load} falls onto one end of {board} and throws up {passenger} on the other.",
        phenomena=("hinge", "torque", "impact", "projectile_motion"),
        invariants=(Invariant("passenger", "lift", above=0.1, cause="body", of="load"),),
    ),
    multi_object(
        name="chain_falls",
        description="A chain of rods is thrown and collapses on the floor.",
        roles=(part(name="rod", shapes=("pole",), count=(3, 6), alike=True),),
        layout=((("rod",), Flail(length=(0.14, 0.2))),),
        caption="A chain of {rod} is thrown and collapses on the floor.",
        phenomena=("ball_joint", "chain", "free_fall", "impact"),
        invariants=(Invariant("rod", "parting", below=0.15, cause="joints"),),
    ),
)

CATEGORY = Category(
    name="articulated",
    description="Articulated mechanisms: bodies that hinges, sliders, ball joints and welds hold together; robot arms.",
    scenes=(*SINGLE, *TWO_BODY, *MULTI_OBJECT, *MANIPULATION),
)

"""Rigid bodies: falling, thrown, sliding, rolling, colliding, toppling."""

from dataclasses import replace
from functools import partial

from layouts.placements.bowl import Bowl
from layouts.placements.container import Container
from layouts.placements.drop import Drop
from layouts.placements.fan import Fan
from layouts.placements.hang import Hang
from layouts.placements.obstacle import Obstacle
from layouts.placements.overhang import Overhang
from layouts.placements.ramp import Ramp
from layouts.placements.row import Row
from layouts.placements.scatter import Scatter
from layouts.placements.stack import Stack
from layouts.placements.strike import Strike
from layouts.placements.sweep import Sweep
from layouts.placements.turntable import Turntable
from scenes.category import BaseScene, Category
from scenes.invariants import Invariant
from scenes.props import FAN, PLANK, POST, RACK, SHELF, SIDE
from scenes.roles import RoleRigid
from scenes.thermal import RoleLight

__all__ = ["CATEGORY"]

ANY_SHAPE = ("ball", "box", "cylinder", "capsule", "cone", "prism", "pebble")
FLAT = ("block", "slab", "disc", "column")  # with a level face below and above
BOUNCY = ("rubber", "silicone", "nylon")
LIGHT = ("wood", "foam", "polymer")
HARD = ("metal", "mineral", "wood", "polymer")
GRIPPING = ("wood", "elastomer", "concrete", "granite")
EVEN = ("polymer", "oak", "pine", "walnut", "ice")  # of similar density: what is wedged in sinks in less
GLIDING = ("ice", "teflon", "nylon", "polyethylene")

BALL = RoleRigid(name="ball", shapes=("ball",), materials=HARD, size=(0.22, 0.4))
RING = RoleRigid(name="ring", shapes=("ring",), materials=HARD, size=(0.28, 0.42))

single = partial(BaseScene, tiers=("single",))
two_body = partial(BaseScene, tiers=("two_body",))
multi_object = partial(BaseScene, tiers=("multi_object",))

SINGLE = (
    single(
        name="free_drop",
        description="One body falls onto the floor and comes to rest.",
        roles=(RoleRigid(name="body", shapes=ANY_SHAPE, size=(0.2, 0.42)),),
        layout=((("body",), Drop(height=(0.4, 1.4), spin=(0.0, 3.0))),),
        caption="{body} falls onto the floor and comes to rest.",
        phenomena=("free_fall", "impact"),
        invariants=(Invariant("body", "fall", above=0.3),),
        gravity="any",
    ),
    single(
        name="bounce",
        description="An elastic ball bounces several times.",
        roles=(RoleRigid(name="ball", shapes=("ball",), materials=BOUNCY, size=(0.2, 0.36)),),
        layout=((("ball",), Drop(height=(0.5, 1.3), toss=(0.0, 0.5), spin=(0.0, 2.0))),),
        caption="{ball} is dropped and bounces, a little lower each time.",
        phenomena=("free_fall", "bounce", "energy_loss"),
        invariants=(Invariant("ball", "rebound", above=0.03, cause="floor"),),
        gravity="any",
    ),
    single(
        name="projectile_toss",
        description="One body is thrown, flies in an arc, lands and tumbles on.",
        roles=(RoleRigid(name="body", shapes=ANY_SHAPE, size=(0.2, 0.38)),),
        layout=((("body",), Drop(height=(0.3, 1.0), toss=(1.2, 2.8), elevation=(15.0, 60.0), spin=(0.0, 10.0))),),
        caption="{body} is thrown, flies in an arc and tumbles over the floor.",
        phenomena=("projectile_motion", "impact", "tumbling"),
        invariants=(Invariant("body", "lift", above=0.005, cause="speed"),),
        gravity="any",
    ),
    single(
        name="ramp_slide",
        description="One body slides down a ramp too steep for its friction.",
        roles=(PLANK, POST, RoleRigid(name="body", shapes=("slab", "block", "disc"), size=(0.24, 0.4))),
        layout=((("plank", "post", "body"), Ramp(slope=(17.0, 30.0), regime="slide", run=0.6)),),
        caption="{body} slides down a ramp and out onto the floor.",
        phenomena=("sliding_friction", "inclined_plane"),
        invariants=(Invariant("body", "fall", above=0.1),),
    ),
    single(
        name="ramp_stick",
        description="One body is set moving down a ramp; friction stops it and holds it there.",
        roles=(PLANK, POST, RoleRigid(name="body", shapes=("slab", "disc"), size=(0.2, 0.38))),
        layout=((("plank", "post", "body"), Ramp(slope=(8.0, 18.0), regime="stick")),),
        caption="{body} slips a little way down a ramp, then friction stops it and holds it.",
        phenomena=("sliding_friction", "static_friction", "inclined_plane"),
        invariants=(Invariant("body", "slowing", above=0.9, cause="friction"),),
    ),
    single(
        name="ramp_roll",
        description="A ball or a cylinder rolls down a ramp.",
        roles=(PLANK, POST, RoleRigid(name="roller", shapes=("ball", "ball", "cylinder"), size=(0.2, 0.36))),
        layout=((("plank", "post", "roller"), Ramp(slope=(8.0, 22.0), regime="roll")),),
        caption="{roller} rolls down a ramp and on over the floor.",
        phenomena=("rolling", "inclined_plane"),
        invariants=(Invariant("roller", "fall", above=0.1),),
    ),
    single(
        name="spin_down",
        description="A body spins on the floor like a top until friction stops it.",
        roles=(RoleRigid(name="top", shapes=("block", "slab", "disc", "column", "cone")),),
        layout=((("top",), Scatter(spin=(5.0, 10.0))),),
        caption="{top} spins on the floor, slower and slower.",
        phenomena=("rotation", "sliding_friction"),
        invariants=(Invariant("top", "spin_loss", above=0.5, cause="friction"),),
    ),
    single(
        name="floor_slide",
        description="A body slides over the floor until friction stops it.",
        roles=(RoleRigid(name="body", shapes=("slab", "disc", "block"), materials=(*GLIDING, "metal", "wood")),),
        layout=((("body",), Scatter(speed=(1.5, 4.0), spin=(0.0, 4.0))),),
        caption="{body} slides over the floor and slows down.",
        phenomena=("sliding_friction",),
        invariants=(Invariant("body", "slowing", above=0.3, cause="friction"),),
    ),
    single(
        name="ledge_tip",
        description="A board hangs too far over the edge of a shelf, tips and falls.",
        roles=(SHELF, RoleRigid(name="board", shapes=("board",), size=(0.36, 0.54))),
        layout=((("shelf", "board"), Overhang(beyond=(0.12, 0.4))),),
        caption="{board} hangs too far over the edge of {shelf}; it tips and falls.",
        phenomena=("torque", "tipping", "free_fall"),
        invariants=(Invariant("board", "turn", above=45.0, cause="body", of="shelf"),),
        held_out=True,
    ),
    single(
        name="box_drop",
        description="One body falls into an open box and comes to rest between its sides.",
        roles=(SIDE, RoleRigid(name="body", shapes=ANY_SHAPE, size=(0.2, 0.34))),
        layout=((("side", "body"), Container(drop=(0.4, 1.0))),),
        caption="{body} falls into an open box and comes to rest in it.",
        phenomena=("free_fall", "impact", "containment"),
        invariants=(Invariant("body", "slowing", above=0.8, cause="floor"),),
    ),
    single(
        name="ring_swing",
        description="A ring swings on a peg until friction stops it.",
        roles=(*RACK, RING),
        layout=((("post", "peg", "ring"), Hang(swing=(4.0, 8.0))),),
        caption="{ring} hangs on a peg and swings to and fro.",
        phenomena=("pendulum", "rolling", "sliding_friction"),
        invariants=(
            Invariant("ring", "swings", above=0.5, cause="speed"),
            Invariant("ring", "fall", below=0.05, cause="body", of="peg"),
        ),
    ),
    single(
        name="bowl_roll",
        description="A ball is let go on the wall of a bowl and rolls to and fro in it.",
        roles=(
            RoleRigid(name="bowl", shapes=("bowl",), materials=("wood", "ceramic", "steel"), mobility="static"),
            RoleRigid(name="ball", shapes=("ball",), materials=HARD, size=(0.1, 0.15)),
        ),
        layout=((("bowl", "ball"), Bowl()),),
        caption="{ball} rolls to and fro in a bowl.",
        phenomena=("rolling", "oscillation", "energy_loss"),
        invariants=(Invariant("ball", "swings", above=0.5, cause="body", of="bowl"),),
    ),
)

TWO_BODY = (
    two_body(
        name="head_on_collision",
        description="Two bodies run into each other, centre against centre.",
        roles=(replace(BALL, name="first"), replace(BALL, name="second")),
        layout=(
            (("first",), Scatter()),
            (("second",), Strike(target="first", speed=(0.8, 1.6), miss=(0.0, 0.05), closing=(0.4, 1.0))),
        ),
        caption="{first} and {second} roll towards each other and collide head-on.",
        phenomena=("collision", "momentum_transfer", "rolling"),
        invariants=(Invariant(("first", "second"), "jolt", above=0.4, cause="body", of="second"),),
    ),
    two_body(
        name="glancing_collision",
        description="A ball grazes another one; both leave at an angle.",
        roles=(replace(BALL, name="target"), BALL),
        layout=((("target",), Scatter()), (("ball",), Strike(target="target", speed=(1.0, 2.0), miss=(0.5, 1.0)))),
        caption="{ball} grazes {target}, and both roll off at an angle.",
        phenomena=("collision", "momentum_transfer", "deflection"),
        invariants=(Invariant(("target", "ball"), "jolt", above=0.25, cause="body", of="target"),),
    ),
    two_body(
        name="ball_into_block",
        description="A rolling ball hits a block and pushes it over the floor.",
        roles=(
            RoleRigid(name="block", shapes=("box", "block", "prism", "cylinder"), materials=LIGHT),
            replace(BALL, materials=("metal", "mineral")),
        ),
        layout=((("block",), Scatter()), (("ball",), Strike(target="block", speed=(1.5, 3.0), miss=(0.0, 0.4)))),
        caption="{ball} rolls into {block} and knocks it away.",
        phenomena=("collision", "momentum_transfer", "sliding_friction"),
        invariants=(Invariant("block", "shift", above=0.03, cause="body", of="ball"),),
    ),
    two_body(
        name="sliding_blocks",
        description="A gliding block bumps into a resting one.",
        roles=(
            RoleRigid(name="target", shapes=("block", "slab", "disc"), materials=GLIDING),
            RoleRigid(name="slider", shapes=("block", "slab", "disc"), materials=(*GLIDING, "metal")),
        ),
        layout=(
            (("target",), Scatter()),
            (("slider",), Strike(target="target", speed=(1.8, 3.5), distance=(0.3, 0.7), miss=(0.0, 0.5))),
        ),
        caption="{slider} glides over the floor and bumps into {target}.",
        phenomena=("collision", "sliding_friction"),
        invariants=(Invariant("target", "shift", above=0.05, cause="body", of="slider"),),
    ),
    two_body(
        name="ramp_into_block",
        description="A ball rolls down a ramp into a block at its foot.",
        roles=(
            PLANK,
            POST,
            RoleRigid(name="roller", shapes=("ball",), materials=HARD, size=(0.2, 0.34)),
            RoleRigid(name="block", shapes=("block", "box", "column"), materials=LIGHT, size=(0.18, 0.32)),
        ),
        layout=(
            (("plank", "post", "roller"), Ramp(slope=(14.0, 24.0), regime="roll", foot=(-0.1, 0.0))),
            (("block",), Obstacle(ramp="roller_plank")),
        ),
        caption="{roller} rolls down a ramp and hits {block} at its foot.",
        phenomena=("rolling", "inclined_plane", "collision"),
        invariants=(Invariant("block", "shift", above=0.03, cause="body", of="roller"),),
    ),
    two_body(
        name="drop_onto_block",
        description="A body falls onto the edge of a resting block and tumbles off.",
        roles=(
            RoleRigid(name="block", shapes=("block", "column"), size=(0.32, 0.45)),
            RoleRigid(name="body", shapes=ANY_SHAPE, size=(0.2, 0.34)),
        ),
        layout=(
            (("block",), Scatter()),
            (("body",), Drop(height=(0.3, 0.9), over="block", rim=(0.005, 0.025), spin=(0.0, 4.0))),
        ),
        caption="{body} falls onto {block} and tumbles off.",
        phenomena=("free_fall", "collision", "tumbling"),
        invariants=(Invariant("body", "fall_on", above=0.12, cause="body", of="block"),),
    ),
    two_body(
        name="pushed_pile",
        description="A push moves the lower one of two stacked bodies; the upper one lags behind.",
        roles=(RoleRigid(name="block", shapes=("slab", "block", "disc"), count=(2, 2), size=(0.22, 0.42)),),
        layout=((("block",), Stack(shift=0.15, push=(0.15, 0.4))),),
        caption="A push moves the lower one of {block}; the upper one lags behind.",
        phenomena=("impulse", "inertia", "sliding_friction"),
        invariants=(Invariant("block", "parting", above=0.04, cause="push"),),
    ),
    two_body(
        name="ledge_load",
        description="A board hangs over the edge of a shelf in balance; a falling body tips it.",
        roles=(
            SHELF,
            RoleRigid(name="board", shapes=("board",), size=(0.4, 0.54)),
            RoleRigid(name="body", shapes=ANY_SHAPE, size=(0.16, 0.28)),
        ),
        layout=((("shelf", "board", "body"), Overhang(beyond=(-0.16, -0.05), load=True)),),
        caption="{board} hangs over the edge of {shelf}; {body} falls onto its free end.",
        phenomena=("torque", "tipping", "free_fall", "collision"),
        invariants=(Invariant("board", "turn", above=45.0, cause="body", of="body"),),
        held_out=True,
    ),
    two_body(
        name="ring_strike",
        description="A thrown ball hits a ring that hangs on a peg.",
        roles=(
            *RACK,
            replace(RING, materials=("wood", "polymer")),
            RoleRigid(name="ball", shapes=("ball",), materials=("metal", "mineral"), size=(0.24, 0.32)),
        ),
        layout=(
            (("post", "peg", "ring"), Hang()),
            (
                ("ball",),
                Strike(
                    target="ring",
                    speed=(2.0, 3.5),
                    miss=(0.0, 0.2),
                    below=(0.7, 1.0),
                    flight=True,
                    through=True,
                    height=(0.4, 0.8),
                ),
            ),
        ),
        caption="{ball} is thrown at {ring} on a peg.",
        phenomena=("projectile_motion", "collision", "pendulum"),
        invariants=(Invariant("ring", "jolt", above=0.12, cause="body", of="ball"),),
    ),
)

MULTI_OBJECT = (
    multi_object(
        name="pile_drop",
        description="Many bodies fall onto each other and form a pile.",
        roles=(
            RoleRigid(
                name="body",
                shapes=("box", "block", "slab", "disc", "prism", "pebble"),
                materials=("wood", "foam", "concrete"),
                count=(5, 7),
                size=(0.16, 0.26),
            ),
        ),
        layout=((("body",), Drop(height=(0.05, 0.2), rise=0.28, spread=0.12, spin=(0.0, 2.0))),),
        caption="{body} fall onto each other and form a pile.",
        phenomena=("free_fall", "collision", "piling"),
        invariants=(Invariant("body", "touched", above=0.5),),
        gravity="any",
    ),
    multi_object(
        name="scatter_toss",
        description="A body is thrown among others that lie on the floor.",
        roles=(
            RoleRigid(
                name="target",
                shapes=("box", "block", "cylinder", "prism", "cone"),
                materials=("pine", "balsa", "cork", "foam"),
                count=(3, 6),
                size=(0.16, 0.34),
            ),
            RoleRigid(name="missile", shapes=ANY_SHAPE, materials=("metal", "mineral"), size=(0.18, 0.32)),
        ),
        layout=(
            (("target",), Scatter(spread=0.55)),
            (
                ("missile",),
                Strike(target="target", speed=(2.8, 4.2), distance=(0.9, 1.2), flight=True, height=(0.35, 0.6)),
            ),
        ),
        caption="{missile} is thrown among {target}.",
        phenomena=("projectile_motion", "collision"),
        invariants=(Invariant("target", "shift", above=0.03, cause="body", of="missile"),),
    ),
    multi_object(
        name="tower_strike",
        description="A thrown ball hits a tower of blocks and brings it down.",
        roles=(
            RoleRigid(
                name="block",
                shapes=FLAT,
                materials=("oak", "pine", "walnut", "polymer", "ceramic"),
                count=(3, 5),
                size=(0.2, 0.36),
            ),
            # A heavier ball would press light blocks through each other: the solver iterates.
            RoleRigid(name="ball", shapes=("ball",), materials=("wood", "polymer", "glass"), size=(0.2, 0.28)),
        ),
        layout=(
            (("block",), Stack()),
            (
                ("ball",),
                Strike(
                    target="block",
                    speed=(3.0, 5.7),
                    distance=(0.9, 1.3),
                    miss=(0.0, 0.3),
                    flight=True,
                    height=(0.3, 0.7),
                ),
            ),
        ),
        caption="{ball} hits a tower of {block} and brings it down.",
        phenomena=("projectile_motion", "collision", "toppling"),
        invariants=(Invariant("block", "fall", above=0.08, cause="body", of="ball"),),
    ),
    multi_object(
        name="tower_push",
        description="A push pulls the lowest block out from under a tower.",
        roles=(RoleRigid(name="block", shapes=FLAT, count=(3, 5), size=(0.2, 0.36)),),
        layout=((("block",), Stack(push=(0.4, 0.7))),),
        caption="A sudden push to the lowest of {block} topples the tower.",
        phenomena=("impulse", "inertia", "toppling"),
        invariants=(Invariant("block", "fall", above=0.05, cause="push"),),
    ),
    multi_object(
        name="domino_row",
        description="A push topples the first of a row of dominoes.",
        roles=(
            RoleRigid(name="domino", shapes=("tile",), materials=GRIPPING, count=(5, 8), size=(0.32, 0.4), alike=True),
        ),
        layout=((("domino",), Row(spacing=(0.3, 0.45), push=(1.0, 1.6))),),
        caption="The first of {domino} is pushed, and the row falls.",
        phenomena=("impulse", "toppling", "chain_reaction"),
        invariants=(Invariant("domino", "turn", above=60.0, every=True, cause="push"),),
    ),
    multi_object(
        name="bowling",
        description="A ball rolls into a group of standing bodies.",
        roles=(
            RoleRigid(name="pin", shapes=("cylinder", "cone", "box", "column"), count=(4, 7), size=(0.2, 0.34)),
            RoleRigid(
                name="ball", shapes=("ball",), materials=("steel", "granite", "glass", "nylon"), size=(0.22, 0.36)
            ),
        ),
        layout=(
            (("pin",), Scatter(spread=0.55)),
            (("ball",), Strike(target="pin", speed=(2.5, 6.0), distance=(0.8, 1.2))),
        ),
        caption="{ball} rolls into {pin}.",
        phenomena=("rolling", "collision"),
        invariants=(Invariant("pin", "shift", above=0.1, cause="body", of="ball"),),
    ),
    multi_object(
        name="box_fill",
        description="Several bodies fall into an open box and settle between its sides.",
        roles=(SIDE, RoleRigid(name="body", shapes=ANY_SHAPE, materials=EVEN, count=(3, 5), size=(0.18, 0.3))),
        layout=((("side", "body"), Container(height=(0.34, 0.42))),),
        caption="{body} fall into an open box.",
        phenomena=("free_fall", "collision", "containment", "piling"),
        invariants=(Invariant("side", "touched", above=0.5),),
    ),
    multi_object(
        name="ledge_row",
        description="Boards hang over the edge of a shelf; one after the other tips and falls.",
        roles=(SHELF, RoleRigid(name="board", shapes=("board",), count=(3, 4), size=(0.34, 0.5))),
        layout=((("shelf", "board"), Overhang(beyond=(0.04, 0.4))),),
        caption="{board} hang over the edge of {shelf}, tip and fall.",
        phenomena=("torque", "tipping", "free_fall"),
        invariants=(Invariant("board", "turn", above=45.0, every=True, cause="body", of="shelf"),),
        held_out=True,
    ),
    multi_object(
        name="fan_blows_balls",
        description="A fan blows light balls over the floor.",
        roles=(
            RoleLight(
                name="ball",
                shapes=("ball",),
                materials=("paper",),
                count=(3, 4),
                size=(0.14, 0.24),
                bulk=(100.0, 140.0),
            ),
            *FAN,
        ),
        layout=((("ball",), Scatter(spread=0.25)), (("stand", "fan"), Fan(target="ball"))),
        caption="A fan blows {ball} over the floor.",
        phenomena=("jet", "air_drag", "rolling"),
        invariants=(Invariant("ball", "travel", above=0.1, cause="wind"),),
        air="still",
        jet=("fan", (7.0, 14.0)),
    ),
    multi_object(
        name="ball_row_knock",
        description="The first of a row of balls is knocked into the next one; only the last one leaves.",
        roles=(
            RoleRigid(
                name="ball",
                shapes=("ball",),
                materials=("rubber", "silicone", "nylon", "glass"),
                count=(5, 5),
                size=(0.16, 0.2),
                alike=True,
            ),
        ),
        layout=((("ball",), Row(spacing=(0.1, 0.2), push=(1.5, 2.5))),),
        caption="The first of {ball} is knocked into the next one; the last one rolls away.",
        phenomena=("collision", "momentum_transfer", "chain_reaction"),
        invariants=(
            Invariant("ball_4", "travel", above=0.3, cause="push"),
            Invariant("ball_0", "travel", below=0.5, cause="body", of=("ball_1", "ball_2", "ball_3", "ball_4")),
        ),
    ),
    multi_object(
        name="turntable_throws",
        description="A round plate begins to turn; what stands on it slides outwards and off.",
        roles=(
            RoleRigid(name="plate", shapes=("disc",), materials=("wood", "metal", "polymer"), mobility="kinematic"),
            RoleRigid(name="body", shapes=("block", "disc", "column", "ball"), count=(3, 5), size=(0.12, 0.2)),
        ),
        layout=((("plate", "body"), Turntable()),),
        caption="A plate begins to turn, and {body} slide off it.",
        phenomena=("rotation", "sliding_friction", "inertia"),
        invariants=(Invariant("body", "travel", above=0.3, every=True, cause="motion"),),
    ),
)

SEVERAL_TIERS = (
    BaseScene(
        name="pusher_sweep",
        tiers=("single", "two_body", "multi_object"),
        description="A bar sweeps over the floor and carries along what lies in its way.",
        roles=(
            RoleRigid(
                name="body",
                shapes=ANY_SHAPE,
                size=(0.16, 0.36),
                counts={"single": (1, 1), "two_body": (2, 2), "multi_object": (3, 6)},
            ),
            RoleRigid(name="bar", shapes=("bar",), materials=("metal", "wood"), size=(1.1, 1.4), mobility="kinematic"),
        ),
        layout=((("body",), Scatter(spread=0.45)), (("bar",), Sweep(speed=(0.5, 1.0)))),
        caption="{bar} sweeps over the floor and pushes {body}.",
        phenomena=("pushing", "sliding_friction"),
        invariants=(Invariant("body", "travel", above=0.1, every=True, cause="motion"),),
    ),
)

CATEGORY = Category(
    name="rigid",
    description="Bodies that do not deform.",
    scenes=(*SINGLE, *TWO_BODY, *MULTI_OBJECT, *SEVERAL_TIERS),
)

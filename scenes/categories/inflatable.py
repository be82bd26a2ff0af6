"""Inflatables: balloons, beach balls, air rings and cushions that fall, bounce, fly in the wind and carry things.

They always meet air, which matters to what weighs some grams. What strikes them is light, up to a kilogram, and at most
as fast as 3 m/s: shells move at most 6 m/s.
"""

from layouts.placements.clamp import Clamp
from layouts.placements.drop import Drop
from layouts.placements.ramp import Ramp
from layouts.placements.scatter import Scatter
from layouts.placements.strike import Strike
from layouts.placements.sweep import Sweep
from scenes.category import BaseScene, Category
from scenes.inflatable import RoleInflatable
from scenes.invariants import Invariant
from scenes.roles import RoleRigid

__all__ = ["CATEGORY"]

LIGHT = ("balsa", "paulownia", "cork", "foam")
FIXED = ("wood", "concrete", "mineral")
BALLOON = ("balloon_rubber",)
STOUT = ("vinyl", "coated_fabric")

PLANK = RoleRigid(name="plank", shapes=("plank",), materials=("wood", "metal"), size=(1.2, 1.5), mobility="static")
POST = RoleRigid(name="post", shapes=("post",), materials=("wood", "concrete"), size=(0.35, 0.45), mobility="static")

SINGLE = (
    BaseScene(
        name="balloon_drop",
        tiers=("single",),
        description="A balloon falls through the air and bounces gently.",
        roles=(RoleInflatable(name="balloon", shapes=("ball",), materials=BALLOON, noun="balloon"),),
        layout=((("balloon",), Drop(height=(0.4, 1.0), spin=(0.0, 2.0))),),
        caption="{balloon} falls through the air and bounces gently.",
        phenomena=("free_fall", "air_drag", "bounce", "gas_pressure"),
        invariants=(Invariant("balloon", "rebound", above=0.02, cause="floor"),),
        air="still",
    ),
    BaseScene(
        name="beach_ball_toss",
        tiers=("single",),
        description="A beach ball is thrown, bounces and rolls on.",
        roles=(RoleInflatable(name="ball", shapes=("ball",), materials=("vinyl",), noun="beach ball"),),
        layout=((("ball",), Drop(height=(0.3, 0.8), toss=(1.0, 2.2), elevation=(10.0, 50.0), spin=(0.0, 5.0))),),
        caption="{ball} is thrown, bounces and rolls on.",
        phenomena=("projectile_motion", "air_drag", "bounce", "gas_pressure"),
        invariants=(Invariant("ball", "travel", above=0.5, cause="speed"),),
        air="still",
    ),
    BaseScene(
        name="balloon_in_wind",
        tiers=("single",),
        description="The wind carries a balloon away while it falls.",
        roles=(RoleInflatable(name="balloon", shapes=("ball", "bolster"), materials=BALLOON, noun="balloon"),),
        layout=((("balloon",), Drop(height=(0.5, 1.0), spin=(0.0, 2.0))),),
        caption="The wind carries {balloon} away while it falls.",
        phenomena=("wind", "air_drag", "gas_pressure"),
        invariants=(Invariant("balloon", "travel", above=0.3, cause="wind"),),
        air="wind",
        wind=(0.8, 2.5),
    ),
    BaseScene(
        name="limp_ball_on_ramp",
        tiers=("single",),
        description="An under-inflated ball rolls down a ramp, flattened where it touches.",
        roles=(
            PLANK,
            POST,
            RoleInflatable(
                name="roller", shapes=("ball",), materials=STOUT, size=(0.24, 0.34), gauge=(25.0, 80.0),
                noun="limp ball",
            ),
        ),
        layout=((("plank", "post", "roller"), Ramp(slope=(8.0, 18.0), regime="roll")),),
        caption="{roller} rolls down a ramp, flattened where it touches.",
        phenomena=("rolling", "inclined_plane", "gas_pressure"),
        invariants=(Invariant("roller", "travel", above=0.3), Invariant("roller", "deformation", above=0.01)),
        air="still",
    ),
    BaseScene(
        name="air_ring_drop",
        tiers=("single",),
        description="An air ring or a bolster falls, bounces and tumbles.",
        roles=(
            RoleInflatable(
                name="body", shapes=("air_ring", "bolster"), materials=STOUT, size=(0.45, 0.65), edge=0.05
            ),
        ),
        layout=((("body",), Drop(height=(0.25, 0.7), spin=(0.0, 3.0))),),
        caption="{body} falls, bounces and tumbles.",
        phenomena=("free_fall", "bounce", "gas_pressure"),
        invariants=(Invariant("body", "rebound", above=0.01, cause="floor"),),
        air="still",
        held_out=True,
    ),
    BaseScene(
        name="plate_squeezes_ball",
        tiers=("single",),
        description="A moving plate runs into an air-filled ball, squeezes it and pushes it along.",
        roles=(
            RoleInflatable(name="ball", shapes=("ball",), materials=STOUT),
            RoleRigid(
                name="plate", shapes=("plate",), materials=("metal", "wood"), size=(0.6, 0.75), mobility="kinematic"
            ),
        ),
        layout=((("ball",), Scatter()), (("plate",), Sweep(speed=(0.4, 0.9), travel=(0.4, 0.7), lift=0.005))),
        caption="{plate} runs into {ball} and pushes it along.",
        phenomena=("prescribed_motion", "rolling", "gas_pressure"),
        invariants=(Invariant("ball", "travel", above=0.2, cause="motion"),),
        air="still",
    ),
    BaseScene(
        name="ball_between_plates",
        tiers=("single",),
        description="Two plates close on an air-filled ball and open; its gas makes it round again.",
        roles=(
            RoleInflatable(name="ball", shapes=("ball",), materials=STOUT, size=(0.28, 0.4)),
            RoleRigid(
                name="plate", shapes=("plate",), materials=("metal", "wood"), size=(0.65, 0.8), count=(2, 2),
                mobility="kinematic",
            ),
        ),
        layout=((("ball",), Scatter()), (("plate",), Clamp(squeeze=(0.2, 0.35)))),
        caption="{plate} close on {ball}, squeeze it and open again.",
        phenomena=("prescribed_motion", "gas_pressure", "recovery"),
        air="still",
        invariants=(Invariant("ball", "deformation", above=0.05, cause="motion"),),
    ),
)  # fmt: skip

TWO_BODY = (
    BaseScene(
        name="ball_strikes_beach_ball",
        tiers=("two_body",),
        description="A rigid ball flies into a beach ball, dents it and is thrown back.",
        roles=(
            RoleInflatable(name="target", shapes=("ball",), materials=("vinyl",), size=(0.3, 0.42), noun="beach ball"),
            RoleRigid(name="ball", shapes=("ball",), materials=LIGHT, size=(0.1, 0.16)),
        ),
        layout=(
            (("target",), Scatter()),
            (("ball",), Strike(target="target", speed=(1.5, 2.8), flight=True, height=(0.2, 0.4))),
        ),
        caption="{ball} flies into {target} and dents it.",
        phenomena=("projectile_motion", "collision", "gas_pressure"),
        invariants=(Invariant("target", "travel", above=0.1, cause="body", of="ball"),),
        air="still",
    ),
    BaseScene(
        name="box_onto_cushion",
        tiers=("two_body",),
        description="A body falls onto an air cushion, sinks in and is thrown up again.",
        roles=(
            RoleInflatable(
                name="cushion", shapes=("cushion",), materials=STOUT, size=(0.6, 0.8), edge=0.055, gauge=(0.0, 0.0)
            ),
            RoleRigid(name="body", shapes=("box", "ball", "capsule"), materials=LIGHT, size=(0.14, 0.22)),
        ),
        layout=((("cushion",), Scatter()), (("body",), Drop(height=(0.15, 0.5), over="cushion", spread=0.06))),
        caption="{body} falls onto {cushion}, sinks in and is thrown up again.",
        phenomena=("free_fall", "collision", "gas_pressure"),
        invariants=(Invariant("cushion", "dent", above=0.07, cause="body", of="body"),),
        air="still",
    ),
    BaseScene(
        name="balloons_meet",
        tiers=("two_body",),
        description="A balloon falls onto another one that lies on the floor.",
        roles=(
            RoleInflatable(name="lower", shapes=("ball",), size=(0.26, 0.36), noun="balloon"),
            RoleInflatable(name="upper", shapes=("ball",), materials=BALLOON, size=(0.24, 0.34), noun="balloon"),
        ),
        layout=((("lower",), Scatter()), (("upper",), Drop(height=(0.1, 0.4), over="lower", spread=0.08))),
        caption="{upper} falls onto {lower}.",
        phenomena=("free_fall", "collision", "gas_pressure"),
        invariants=(Invariant("upper", "touch", above=0.03, cause="body", of="lower"),),
        air="still",
    ),
    BaseScene(
        name="ball_onto_block",
        tiers=("two_body",),
        description="An air-filled ball falls onto a rigid block and bounces off.",
        roles=(
            RoleRigid(name="block", shapes=("block", "box", "pillar"), materials=("wood", "foam"), size=(0.2, 0.32)),
            RoleInflatable(name="ball", shapes=("ball",), size=(0.26, 0.36)),
        ),
        layout=((("block",), Scatter()), (("ball",), Drop(height=(0.15, 0.5), over="block", spread=0.1))),
        caption="{ball} falls onto {block} and bounces off.",
        phenomena=("free_fall", "collision", "bounce", "gas_pressure"),
        invariants=(Invariant("ball", "rebound", above=0.02, cause="floor"),),
        air="still",
    ),
    BaseScene(
        name="ball_into_air_ring",
        tiers=("two_body",),
        description="A body falls onto an air ring and comes to rest in it or bounces off.",
        roles=(
            RoleInflatable(name="ring", shapes=("air_ring",), materials=STOUT, size=(0.5, 0.65), edge=0.055),
            RoleRigid(name="ball", shapes=("ball", "capsule"), materials=LIGHT, size=(0.18, 0.26)),
        ),
        layout=((("ring",), Scatter()), (("ball",), Drop(height=(0.1, 0.4), over="ring", spread=0.1))),
        caption="{ball} falls onto {ring}.",
        phenomena=("free_fall", "collision", "gas_pressure"),
        invariants=(Invariant("ring", "deformation", above=0.05, cause="body", of="ball"),),
        air="still",
        held_out=True,
    ),
)  # fmt: skip

MULTI_OBJECT = (
    BaseScene(
        name="bodies_on_air_mattress",
        tiers=("multi_object",),
        description="Several bodies fall onto an air mattress, one on the other.",
        roles=(
            RoleInflatable(
                name="mattress", shapes=("cushion",), materials=("coated_fabric",), size=(0.7, 0.85), edge=0.06,
                gauge=(0.0, 0.0), noun="air mattress",
            ),
            RoleRigid(name="body", shapes=("box", "block", "ball"), materials=LIGHT, count=(2, 3), size=(0.12, 0.2)),
        ),
        layout=(
            (("mattress",), Scatter()),
            (("body",), Drop(height=(0.08, 0.2), rise=0.25, over="mattress", spread=0.12)),
        ),
        caption="{body} fall onto {mattress}.",
        phenomena=("free_fall", "collision", "piling", "gas_pressure"),
        invariants=(Invariant("mattress", "dent", above=0.06, cause="body", of="body"),),
        air="still",
    ),
    BaseScene(
        name="balloon_shower",
        tiers=("multi_object",),
        description="Balloons fall onto each other and drift apart.",
        roles=(
            RoleInflatable(
                name="balloon", shapes=("ball",), materials=BALLOON, count=(3, 4), size=(0.2, 0.3), noun="balloon"
            ),
        ),
        layout=((("balloon",), Drop(height=(0.1, 0.3), rise=0.32, spread=0.2, spin=(0.0, 2.0))),),
        caption="{balloon} fall onto each other and drift apart.",
        phenomena=("free_fall", "air_drag", "collision", "gas_pressure"),
        invariants=(
            Invariant("balloon", "rebound", above=0.02, cause="floor"),
            Invariant("balloon", "travel", above=0.05),
        ),
        air="still",
    ),
    BaseScene(
        name="balloons_in_vortex",
        tiers=("multi_object",),
        description="Balloons fall into air that turns, and are carried around.",
        roles=(
            RoleInflatable(
                name="balloon", shapes=("ball",), materials=BALLOON, count=(3, 3), size=(0.2, 0.3), noun="balloon"
            ),
        ),
        layout=((("balloon",), Drop(height=(0.3, 0.6), rise=0.32, spread=0.3)),),
        caption="{balloon} fall into turning air and are carried around.",
        phenomena=("vortex", "air_drag", "gas_pressure"),
        invariants=(Invariant("balloon", "travel", above=1.0, cause="wind"),),
        air="still",
        vortex=("balloon", (2.5, 4.5), (0.3, 0.5)),
    ),
    BaseScene(
        name="balloons_in_shear",
        tiers=("multi_object",),
        description="Wind that grows with height carries balloons away, the higher ones faster.",
        roles=(
            RoleInflatable(
                name="balloon", shapes=("ball",), materials=BALLOON, count=(3, 3), size=(0.2, 0.28), noun="balloon"
            ),
        ),
        layout=((("balloon",), Drop(height=(0.1, 0.2), rise=0.4, spread=0.6)),),
        caption="Wind that grows with height carries {balloon} away.",
        phenomena=("wind", "wind_shear", "air_drag", "gas_pressure"),
        invariants=(Invariant("balloon", "travel", above=0.25, cause="wind"),),
        air="wind",
        wind=(1.0, 2.5),
        profile=(0.25, 0.6),
    ),
    BaseScene(
        name="beach_ball_among_blocks",
        tiers=("multi_object",),
        description="A beach ball flies among standing blocks.",
        roles=(
            RoleRigid(
                name="block", shapes=("box", "block", "pillar"), materials=LIGHT, count=(2, 3), size=(0.16, 0.28)
            ),
            RoleInflatable(name="ball", shapes=("ball",), materials=STOUT, size=(0.26, 0.36), noun="beach ball"),
        ),
        layout=(
            (("block",), Scatter(spread=0.45)),
            (("ball",), Strike(target="block", speed=(1.5, 2.8), flight=True, height=(0.3, 0.6))),
        ),
        caption="{ball} flies among {block}.",
        phenomena=("projectile_motion", "collision", "gas_pressure"),
        invariants=(Invariant("block", "travel", above=0.02, cause="speed", of="ball"),),
        air="still",
    ),
)  # fmt: skip

CATEGORY = Category(
    name="inflatable",
    description="Balloons, beach balls, air rings and cushions that fall, bounce, fly in the wind and carry things.",
    scenes=(*SINGLE, *TWO_BODY, *MULTI_OBJECT),
)

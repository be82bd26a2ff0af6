"""Soft bodies: dropped, thrown, struck, squeezed, heaped up with rigid ones."""

from dataclasses import replace

from layouts.placements.clamp import Clamp
from layouts.placements.drop import Drop
from layouts.placements.fan import Fan
from layouts.placements.gap import Gap
from layouts.placements.overhang import Overhang
from layouts.placements.ramp import Ramp
from layouts.placements.roll import Roll
from layouts.placements.scatter import Scatter
from layouts.placements.stack import Stack
from layouts.placements.strike import Strike
from layouts.placements.sweep import Sweep
from layouts.placements.trestle import Trestle
from scenes.category import BaseScene, Category
from scenes.invariants import Invariant
from scenes.props import FAN
from scenes.roles import RoleRigid, RoleSoft

__all__ = ["CATEGORY"]

SOFT_SHAPE = ("ball", "block", "box", "nugget", "cylinder")
SOFT_FLAT = ("block", "column", "disc")
SPRINGY = ("soft_rubber", "gel", "soft_foam")
DENSE = ("jelly", "gel", "soft_rubber", "dough")  # foam would be crushed under these
FIRM = ("soft_rubber", "gel")  # hard edges cut into foam, and crush jelly before it slips
STURDY = ("soft_rubber",)  # slender bodies of others buckle under their own weight
LIGHT = ("wood", "polymer", "foam")
LIGHTEST = ("wood", "foam")  # fall from a metre onto soft ones without crushing them
HARD = ("mineral", "wood", "polymer")

PLANK = RoleRigid(name="plank", shapes=("plank",), materials=("wood", "metal"), size=(1.2, 1.5), mobility="static")
POST = RoleRigid(name="post", shapes=("post",), materials=("wood", "concrete"), size=(0.35, 0.45), mobility="static")
PLATE = RoleRigid(name="plate", shapes=("plate",), materials=("metal", "wood"), size=(0.65, 0.8), mobility="kinematic")

SINGLE = (
    BaseScene(
        name="soft_drop",
        tiers=("single",),
        description="A soft body falls onto the floor, flattens and wobbles.",
        roles=(RoleSoft(name="body", shapes=SOFT_SHAPE),),
        layout=((("body",), Drop(height=(0.3, 0.9), spin=(0.0, 2.0))),),
        caption="{body} falls onto the floor, flattens and wobbles.",
        phenomena=("free_fall", "impact", "elastic_deformation"),
        invariants=(Invariant("body", "deformation", above=0.02, cause="floor"),),
        gravity="any",
    ),
    BaseScene(
        name="soft_bounce",
        tiers=("single",),
        description="A springy ball is dropped and bounces.",
        roles=(RoleSoft(name="ball", shapes=("ball",), materials=SPRINGY),),
        layout=((("ball",), Drop(height=(0.5, 1.1), toss=(0.0, 0.5), spin=(0.0, 2.0))),),
        caption="{ball} is dropped and bounces.",
        phenomena=("free_fall", "bounce", "elastic_deformation"),
        invariants=(Invariant("ball", "rebound", above=0.03, cause="floor"),),
        gravity="any",
    ),
    BaseScene(
        name="soft_through_jet",
        tiers=("single",),
        description="A light soft body falls through the jet of a fan, which blows it aside.",
        roles=(
            RoleSoft(name="body", shapes=("ball",), materials=("soft_foam",), size=(0.2, 0.28)),
            *FAN,
        ),
        layout=(
            (("body",), Drop(height=(0.7, 1.1))),
            (("stand", "fan"), Fan(target="body", distance=(0.15, 0.3), level=(0.5, 0.7), carry=0.8)),
        ),
        caption="{body} falls through the jet of a fan, which blows it aside.",
        phenomena=("free_fall", "jet", "air_drag", "elastic_deformation"),
        invariants=(Invariant("body", "travel", above=0.08, cause="wind"),),
        air="still",
        jet=("fan", (13.0, 20.0)),
    ),
    BaseScene(
        name="soft_toss",
        tiers=("single",),
        description="A soft body is thrown, lands and tumbles on.",
        roles=(RoleSoft(name="body", shapes=SOFT_SHAPE, size=(0.2, 0.34)),),
        layout=((("body",), Drop(height=(0.2, 0.6), toss=(1.0, 2.2), elevation=(15.0, 50.0), spin=(0.0, 6.0))),),
        caption="{body} is thrown, lands and tumbles on.",
        phenomena=("projectile_motion", "impact", "elastic_deformation"),
        invariants=(
            Invariant("body", "lift", above=0.001, cause="speed"),
            Invariant("body", "deformation", above=0.02, cause="floor"),
        ),
        gravity="any",
    ),
    BaseScene(
        name="soft_on_ramp",
        tiers=("single",),
        description="A soft ball rolls down a ramp, flattened where it touches.",
        roles=(PLANK, POST, RoleSoft(name="roller", shapes=("ball",), materials=SPRINGY, size=(0.22, 0.34))),
        layout=((("plank", "post", "roller"), Ramp(slope=(8.0, 18.0), regime="roll")),),
        caption="{roller} rolls down a ramp and on over the floor.",
        phenomena=("rolling", "inclined_plane", "elastic_deformation"),
        invariants=(Invariant("roller", "travel", above=0.3), Invariant("roller", "deformation", above=0.002)),
        held_out=True,
    ),
    BaseScene(
        name="soft_squeeze",
        tiers=("single",),
        description="A moving plate runs into a soft body, squeezes it and pushes it along.",
        roles=(
            RoleSoft(name="body", shapes=("block", "ball", "cylinder")),
            RoleRigid(
                name="plate", shapes=("plate",), materials=("metal", "wood"), size=(0.65, 0.8), mobility="kinematic"
            ),
        ),
        layout=((("body",), Scatter()), (("plate",), Sweep(speed=(0.3, 0.6), travel=(0.4, 0.7), lift=0.003))),
        caption="{plate} runs into {body}, squeezes it and pushes it along.",
        phenomena=("prescribed_motion", "elastic_deformation", "sliding_friction"),
        invariants=(Invariant("body", "travel", above=0.1, cause="motion"),),
    ),
    BaseScene(
        name="soft_between_plates",
        tiers=("single",),
        description="Two plates close on a soft body, squeeze it from both sides and open again.",
        roles=(
            RoleSoft(name="body", shapes=("block", "ball", "cylinder"), size=(0.24, 0.34)),
            replace(PLATE, count=(2, 2), size=(0.58, 0.7)),
        ),
        layout=((("body",), Scatter()), (("plate",), Clamp(squeeze=(0.25, 0.4)))),
        caption="{plate} close on {body}, squeeze it and open again.",
        phenomena=("prescribed_motion", "elastic_deformation"),
        invariants=(Invariant("body", "deformation", above=0.07, cause="motion"),),
    ),
    BaseScene(
        name="soft_pressed_flat",
        tiers=("single",),
        description="A plate comes down on a soft body, presses it flat and rises; the body follows.",
        roles=(RoleSoft(name="body", shapes=SOFT_SHAPE), PLATE),
        layout=((("body",), Scatter()), (("plate",), Clamp(squeeze=(0.3, 0.45)))),
        caption="{plate} comes down on {body}, presses it flat and rises again.",
        phenomena=("prescribed_motion", "elastic_deformation", "recovery"),
        invariants=(Invariant("body", "deformation", above=0.1, cause="motion"),),
    ),
    BaseScene(
        name="soft_post_bends",
        tiers=("single",),
        description="A bar moves against a soft post that is held at its foot, bends it aside and lets it spring back.",
        roles=(
            RoleSoft(name="post", shapes=("stem",), materials=STURDY, size=(0.42, 0.5), resolution=9, held=("-z",)),
            RoleRigid(name="bar", shapes=("bar",), materials=("metal", "wood"), size=(0.6, 0.8), mobility="kinematic"),
        ),
        layout=(
            (("post",), Scatter()),
            (("bar",), Sweep(speed=(0.6, 1.0), travel=(0.6, 0.8), distance=(0.08, 0.15), lift=0.3)),
        ),
        caption="{bar} bends {post} aside, passes over it and lets it spring back.",
        phenomena=("prescribed_motion", "bending", "vibration"),
        invariants=(Invariant("post", "deformation", above=0.1, cause="motion"),),
    ),
    BaseScene(
        name="soft_ring_rolls",
        tiers=("single",),
        description="A soft ring rolls over the floor, flattened where it touches, until it tips over.",
        roles=(RoleSoft(name="ring", shapes=("tyre",), materials=FIRM, size=(0.36, 0.5), resolution=8),),
        layout=((("ring",), Roll(speed=(0.6, 1.0))),),
        caption="{ring} rolls over the floor, flattened where it touches.",
        phenomena=("rolling", "elastic_deformation"),
        invariants=(
            Invariant("ring", "travel", above=0.5, cause="speed"),
            Invariant("ring", "deformation", above=0.01),
        ),
    ),
    BaseScene(
        name="soft_through_gap",
        tiers=("single",),
        description="A ram pushes a soft body through a gap between two posts that is narrower than the body.",
        roles=(
            replace(POST, count=(2, 2)),
            RoleSoft(name="body", shapes=("ball", "cylinder"), materials=FIRM, size=(0.24, 0.34)),
            RoleRigid(name="ram", shapes=("box",), materials=("metal", "wood"), size=(0.2, 0.3), mobility="kinematic"),
        ),
        layout=((("post", "body", "ram"), Gap(width=(0.82, 0.92))),),
        caption="{ram} pushes {body} through between {post}.",
        phenomena=("prescribed_motion", "elastic_deformation", "extrusion"),
        invariants=(Invariant("body", "travel", above=0.1, cause="motion"),),
    ),
)

TWO_BODY = (
    BaseScene(
        name="ball_into_jelly",
        tiers=("two_body",),
        description="A rigid ball flies into a soft block and makes it quiver.",
        roles=(
            RoleSoft(name="block", shapes=SOFT_FLAT, size=(0.28, 0.42)),
            RoleRigid(name="ball", shapes=("ball",), materials=LIGHT, size=(0.16, 0.26)),
        ),
        layout=(
            (("block",), Scatter()),
            (("ball",), Strike(target="block", speed=(1.5, 3.0), flight=True, height=(0.2, 0.4))),
        ),
        caption="{ball} flies into {block} and makes it quiver.",
        phenomena=("projectile_motion", "collision", "elastic_deformation"),
        invariants=(
            Invariant("block", "dent", above=0.008, cause="body", of="ball"),
            Invariant("block", "travel", above=0.001, cause="body", of="ball"),
        ),
    ),
    BaseScene(
        name="drop_onto_soft",
        tiers=("two_body",),
        description="A rigid body falls onto a soft block, sinks in and is thrown back.",
        roles=(
            RoleSoft(name="block", shapes=SOFT_FLAT, size=(0.32, 0.45)),
            RoleRigid(name="body", shapes=("ball", "box", "cylinder"), materials=LIGHT, size=(0.14, 0.24)),
        ),
        layout=((("block",), Scatter()), (("body",), Drop(height=(0.2, 0.7), over="block", spread=0.05))),
        caption="{body} falls onto {block}, sinks in and is thrown back.",
        phenomena=("free_fall", "collision", "elastic_deformation"),
        invariants=(Invariant("block", "dent", above=0.005, cause="body", of="body"),),
    ),
    BaseScene(
        name="soft_onto_rigid",
        tiers=("two_body",),
        description="A soft body falls onto a rigid block and bends over its edge.",
        roles=(
            RoleRigid(name="block", shapes=("block", "box", "column"), materials=HARD, size=(0.22, 0.36)),
            RoleSoft(name="body", shapes=SOFT_SHAPE, size=(0.24, 0.36)),
        ),
        layout=((("block",), Scatter()), (("body",), Drop(height=(0.1, 0.35), over="block", spread=0.1))),
        caption="{body} falls onto {block} and bends over its edge.",
        phenomena=("free_fall", "collision", "elastic_deformation"),
        invariants=(Invariant("body", "deformation", above=0.02), Invariant("body", "touch", above=0.05)),
        held_out=True,
    ),
    BaseScene(
        name="soft_meets_soft",
        tiers=("two_body",),
        description="One soft body falls onto another.",
        roles=(
            RoleSoft(name="lower", shapes=SOFT_FLAT, materials=DENSE, size=(0.3, 0.42)),
            RoleSoft(name="upper", shapes=("ball", "block", "nugget"), size=(0.22, 0.32)),
        ),
        layout=((("lower",), Scatter()), (("upper",), Drop(height=(0.15, 0.5), over="lower", spread=0.08))),
        caption="{upper} falls onto {lower}.",
        phenomena=("free_fall", "collision", "elastic_deformation"),
        invariants=(Invariant("lower", "dent", above=0.005, cause="body", of="upper"),),
    ),
    BaseScene(
        name="soft_beam_struck",
        tiers=("two_body",),
        description="A ball falls onto the free end of a soft beam, which dips, throws it off and swings.",
        roles=(
            RoleRigid(
                name="shelf",
                shapes=("shelf",),
                materials=("wood", "concrete", "granite"),
                size=(0.5, 0.6),
                mobility="static",
            ),
            RoleSoft(name="beam", shapes=("stick",), materials=STURDY, size=(0.4, 0.5), resolution=10, held=("-x",)),
            RoleRigid(name="ball", shapes=("ball",), materials=("wood", "polymer", "granite"), size=(0.1, 0.14)),
        ),
        layout=(
            (("shelf", "beam", "ball"), Overhang(beyond=(0.5, 0.7), height=(0.35, 0.5), load=True, drop=(0.1, 0.4))),
        ),
        caption="{ball} falls onto the free end of {beam}, which is held on {shelf}.",
        phenomena=("free_fall", "collision", "bending", "vibration"),
        invariants=(
            Invariant("beam", "fall", below=0.25, cause="holds"),
            Invariant("ball", "travel", above=0.01, cause="body", of="beam"),
        ),
    ),
    BaseScene(
        name="soft_bridge_loaded",
        tiers=("two_body",),
        description="A body falls onto a soft bar across two supports, which sags under it.",
        roles=(
            RoleRigid(
                name="support", shapes=("post",), materials=("wood", "concrete"), count=(2, 2), mobility="static"
            ),
            RoleSoft(name="bar", shapes=("stick",), materials=FIRM, size=(0.5, 0.6), resolution=10),
            RoleRigid(name="load", shapes=("ball", "box"), materials=("wood", "granite"), size=(0.1, 0.14)),
        ),
        layout=(
            (("support", "bar"), Trestle()),
            (("load",), Drop(height=(0.05, 0.2), over="bar", spread=0.01)),
        ),
        caption="{load} falls onto {bar} across two supports, which sags under it.",
        phenomena=("free_fall", "collision", "bending"),
        invariants=(
            Invariant("load", "touch", above=0.03, cause="body", of="bar"),
            Invariant("bar", "deformation", above=0.01),
        ),
    ),
)

MULTI_OBJECT = (
    BaseScene(
        name="soft_pile",
        tiers=("multi_object",),
        description="Soft and rigid bodies fall onto each other.",
        roles=(
            RoleSoft(name="soft", shapes=("ball", "block", "nugget"), materials=DENSE, count=(2, 3), size=(0.2, 0.3)),
            RoleRigid(name="rigid", shapes=("ball", "box"), materials=LIGHTEST, count=(1, 2), size=(0.12, 0.18)),
        ),
        layout=(
            (("soft",), Drop(height=(0.05, 0.15), rise=0.36, spread=0.2, spin=(0.0, 2.0))),
            (("rigid",), Drop(height=(0.9, 1.1), rise=0.3, spread=0.15, spin=(0.0, 2.0))),
        ),
        caption="{soft} and {rigid} fall onto each other.",
        phenomena=("free_fall", "collision", "piling", "elastic_deformation"),
        invariants=(Invariant("soft", "deformation", above=0.02, cause="floor"),),
    ),
    BaseScene(
        name="soft_among_blocks",
        tiers=("multi_object",),
        description="A soft ball flies among standing blocks.",
        roles=(
            RoleRigid(name="block", shapes=("box", "block", "column"), materials=LIGHT, count=(2, 4), size=(0.18, 0.3)),
            RoleSoft(name="ball", shapes=("ball", "nugget"), materials=FIRM, size=(0.22, 0.32)),
        ),
        layout=(
            (("block",), Scatter(spread=0.45)),
            (("ball",), Strike(target="block", speed=(1.5, 2.5), flight=True, height=(0.3, 0.6))),
        ),
        caption="{ball} flies among {block}.",
        phenomena=("projectile_motion", "collision", "elastic_deformation"),
        invariants=(Invariant("block", "travel", above=0.02, cause="body", of="ball"),),
    ),
    BaseScene(
        name="soft_tower_struck",
        tiers=("multi_object",),
        description="A ball flies against a tower of soft blocks.",
        roles=(
            RoleSoft(name="block", shapes=("block", "disc"), materials=FIRM, count=(2, 3), size=(0.2, 0.28)),
            RoleRigid(name="ball", shapes=("ball",), materials=("polymer", "granite"), size=(0.14, 0.2)),
        ),
        layout=(
            (("block",), Stack(shift=0.2)),
            (("ball",), Strike(target="block", speed=(2.0, 3.0), flight=True, height=(0.2, 0.4))),
        ),
        caption="{ball} flies against a tower of {block}.",
        phenomena=("projectile_motion", "collision", "toppling", "elastic_deformation"),
        invariants=(Invariant("block", "travel", above=0.05, cause="speed", of="ball"),),
    ),
    BaseScene(
        name="soft_stack_loaded",
        tiers=("multi_object",),
        description="A heavy block falls onto a stack of soft cushions, which give way and throw it up again.",
        roles=(
            RoleSoft(
                name="cushion", shapes=("slab", "disc"), materials=("gel", "jelly"), count=(2, 3), size=(0.32, 0.4)
            ),
            RoleRigid(name="load", shapes=("box", "block"), materials=("wood", "polymer"), size=(0.16, 0.22)),
        ),
        layout=(
            (("cushion",), Stack(shift=0.1)),
            (("load",), Drop(height=(0.35, 0.5), over="cushion", spread=0.02)),
        ),
        caption="{load} falls onto a stack of {cushion}, which gives way.",
        phenomena=("free_fall", "collision", "elastic_deformation", "stacking"),
        invariants=(Invariant("load", "touch", above=0.03, cause="body", of="cushion"),),
    ),
)

CATEGORY = Category(
    name="soft_body",
    description="Soft bodies: dropped, thrown, struck, squeezed, heaped up with rigid ones.",
    scenes=(*SINGLE, *TWO_BODY, *MULTI_OBJECT),
)

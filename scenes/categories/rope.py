"""Ropes, cords, hoses and chains: dropped, hung, thrown, hit, over beams and edges, among rigid bodies."""

from layouts.placements.drop import Drop
from layouts.placements.fan import Fan
from layouts.placements.rope_drop import RopeDrop
from layouts.placements.rope_hang import RopeHang
from layouts.placements.rope_over import RopeOver
from layouts.placements.rope_throw import RopeThrow
from layouts.placements.scatter import Scatter
from layouts.placements.strike import Strike
from layouts.placements.sweep import Sweep
from scenes.category import BaseScene, Category
from scenes.invariants import Invariant
from scenes.manipulation_soft import ROPE_MANIPULATION
from scenes.props import FAN
from scenes.roles import RoleRigid, RoleRope

__all__ = ["CATEGORY"]

LIGHT = ("wood", "polymer", "foam")
HARD = ("mineral", "wood", "polymer", "metal")
LIMP = ("rope", "bungee")
ANY = ("rope", "bungee", "rubber_hose")

ROPE = RoleRope(name="rope", materials=LIMP)
COILED = RoleRope(name="rope", materials=("rubber_hose", "wire_rope"), length=(0.9, 1.2), radius=(0.008, 0.012))
SPRINGY = RoleRope(name="rope", materials=("rubber_hose", "wire_rope"), length=(0.7, 1.0), radius=(0.009, 0.013))
POST = RoleRigid(name="post", shapes=("post",), materials=("wood", "metal"), mobility="static")
OTHER_POST = RoleRigid(name="other_post", shapes=("post",), materials=("wood", "metal"), mobility="static")
PEG = RoleRigid(name="peg", shapes=("peg",), materials=("wood", "metal"), mobility="static")
BEAM = RoleRigid(name="beam", shapes=("peg",), materials=("wood", "metal"), mobility="static")
TABLE = RoleRigid(name="table", shapes=("shelf",), materials=("wood", "mineral"), mobility="static")
BALL = RoleRigid(name="ball", shapes=("ball",), materials=LIGHT, size=(0.14, 0.24))

SINGLE = (
    BaseScene(
        name="rope_pile",
        tiers=("single",),
        description="A rope that stands upright in the air falls and piles up on the floor.",
        roles=(RoleRope(name="rope", materials=LIMP, length=(1.2, 1.7)),),
        layout=((("rope",), RopeDrop(lines=("upright",), height=(0.02, 0.25))),),
        caption="{rope} falls end first and piles up on the floor.",
        phenomena=("free_fall", "buckling", "piling"),
        invariants=(Invariant("rope", "deformation", above=0.4, cause="floor"),),
    ),
    BaseScene(
        name="rope_drop",
        tiers=("single",),
        description="A wavy rope falls flat onto the floor.",
        roles=(RoleRope(name="rope", materials=ANY),),
        layout=((("rope",), RopeDrop(lines=("wavy",), height=(0.25, 0.8), toss=(0.0, 0.8))),),
        caption="{rope} is let go in the air and falls onto the floor.",
        phenomena=("free_fall", "impact", "bending"),
        invariants=(Invariant("rope", "slowing", above=0.8, cause="floor"),),
        gravity="any",
    ),
    BaseScene(
        name="rope_uncoils",
        tiers=("single",),
        description="A coiled springy hose or cable falls and springs open.",
        roles=(COILED,),
        layout=((("rope",), RopeDrop(lines=("coiled", "helix"), height=(0.05, 0.4))),),
        caption="{rope} falls in coils and springs open.",
        phenomena=("free_fall", "elastic_deformation", "bending"),
        invariants=(Invariant("rope", "spread", above=0.03, cause="bending"),),
    ),
    BaseScene(
        name="rope_swing",
        tiers=("single",),
        description="A rope swings from a peg that holds one of its ends.",
        roles=(POST, PEG, ROPE),
        layout=((("post", "peg", "rope"), RopeHang(lift=(25.0, 80.0))),),
        caption="{rope} swings from a peg.",
        phenomena=("pendulum", "waves"),
        invariants=(
            Invariant("rope", "travel", above=0.1),
            Invariant("rope", "drift", below=0.05, cause="holds"),
        ),
        held_out=True,
        air="still",
    ),
    BaseScene(
        name="rope_skipping",
        tiers=("single",),
        description="A rope that is held at both ends is let go from one side and swings between its posts.",
        roles=(POST, OTHER_POST, ROPE),
        layout=((("post", "other_post", "rope"), RopeHang(way="between", lift=(50.0, 120.0))),),
        caption="{rope} swings between two posts.",
        phenomena=("pendulum", "catenary"),
        invariants=(Invariant("rope", "swings", above=0.5, cause="holds"),),
    ),
    BaseScene(
        name="rope_over_beam",
        tiers=("single",),
        description="A rope falls across a beam, bends over it and hangs there, or slides off.",
        roles=(POST, OTHER_POST, BEAM, ROPE),
        layout=((("post", "other_post", "beam", "rope"), RopeOver()),),
        caption="{rope} falls across a beam and hangs over it.",
        phenomena=("free_fall", "sliding_friction", "wrapping"),
        invariants=(Invariant("rope", "deformation", above=0.3, cause="body", of="beam"),),
    ),
    BaseScene(
        name="rope_off_table",
        tiers=("single",),
        description="A rope slides off a table, drawn by the part that hangs over its edge.",
        roles=(TABLE, RoleRope(name="rope", materials=LIMP, length=(0.8, 1.1))),
        layout=((("table", "rope"), RopeOver(what="table", aside=(0.68, 0.8), height=(0.8, 0.95))),),
        caption="{rope} slides over the edge of {table}.",
        phenomena=("sliding_friction", "free_fall"),
        invariants=(Invariant("rope", "fall", above=0.2),),
    ),
    BaseScene(
        name="rope_throw",
        tiers=("single",),
        description="A whirling rope is thrown, lands and slides on.",
        roles=(RoleRope(name="rope", materials=ANY),),
        layout=(
            (
                ("rope",),
                RopeDrop(lines=("straight", "wavy"), height=(0.3, 0.7), toss=(1.5, 3.0), whirl=(3.0, 9.0)),
            ),
        ),
        caption="{rope} is thrown whirling, lands and slides on.",
        phenomena=("projectile_motion", "rotation", "sliding_friction"),
        invariants=(Invariant("rope", "travel", above=0.2, cause="speed"),),
    ),
    BaseScene(
        name="rope_in_wind",
        tiers=("single",),
        description="A light rope hangs from a peg and is blown aside by the wind.",
        roles=(POST, PEG, RoleRope(name="rope", materials=("cotton_cord", "nylon_rope", "hemp"))),
        layout=((("post", "peg", "rope"), RopeHang(lift=(0.0, 10.0))),),
        caption="{rope} hangs from a peg and is blown aside by the wind.",
        phenomena=("wind", "pendulum"),
        invariants=(Invariant("rope", "spread", above=0.025, cause="wind"),),
        air="wind",
        wind=(7.0, 12.0),
    ),
    BaseScene(
        name="rope_before_fan",
        tiers=("single",),
        description="A fan blows at a light rope that hangs from a peg.",
        roles=(POST, PEG, RoleRope(name="rope", materials=("cotton_cord", "nylon_rope", "hemp")), *FAN),
        layout=(
            (("post", "peg", "rope"), RopeHang(lift=(0.0, 10.0))),
            (("stand", "fan"), Fan(target="rope", level=(0.5, 0.9), carry=0.3)),
        ),
        caption="A fan blows at {rope}, which hangs from a peg.",
        phenomena=("jet", "pendulum"),
        invariants=(Invariant("rope", "spread", above=0.025, cause="wind"),),
        air="still",
        jet=("fan", (12.0, 20.0)),
    ),
    BaseScene(
        name="hose_bends",
        tiers=("single",),
        description="A springy hose or cable that is clamped to a post bends down under its weight and swings.",
        roles=(POST, SPRINGY),
        layout=((("post", "rope"), RopeHang(way="post", lift=(0.0, 35.0))),),
        caption="{rope} stands out from a post, bends down and swings.",
        phenomena=("bending", "vibration"),
        invariants=(
            Invariant("rope", "deformation", above=0.1),
            Invariant("rope", "drift", below=0.05, cause="holds"),
        ),
    ),
    BaseScene(
        name="rope_round_post",
        tiers=("single",),
        description="A rope is thrown broadside at a post; its ends fly on and wrap around it.",
        roles=(POST, ROPE),
        layout=((("post", "rope"), RopeThrow()),),
        caption="{rope} is thrown at a post and wraps around it.",
        phenomena=("projectile_motion", "collision", "wrapping"),
        invariants=(Invariant("rope", "deformation", above=0.3, cause="body", of="post"),),
    ),
    BaseScene(
        name="bar_sweeps_rope",
        tiers=("single",),
        description="A bar sweeps over the floor and drags along a rope that lies in its way.",
        roles=(
            RoleRope(name="rope", materials=ANY, radius=(0.014, 0.02)),
            RoleRigid(name="bar", shapes=("bar",), materials=("metal", "wood"), size=(0.5, 0.7), mobility="kinematic"),
        ),
        layout=(
            (("rope",), RopeDrop(lines=("straight", "wavy"), height=(0.002, 0.01))),
            (("bar",), Sweep(speed=(0.5, 1.0), lift=0.004)),
        ),
        caption="{bar} sweeps over the floor and drags {rope} along.",
        phenomena=("pushing", "bending", "sliding_friction"),
        invariants=(Invariant("rope", "travel", above=0.1, cause="motion"),),
    ),
)

TWO_BODY = (
    BaseScene(
        name="ball_hits_rope",
        tiers=("two_body",),
        description="A ball flies into a hanging rope.",
        roles=(POST, PEG, ROPE, BALL),
        layout=(
            (("post", "peg", "rope"), RopeHang(lift=(0.0, 3.0))),
            (("ball",), Strike(target="rope", speed=(2.0, 4.0), miss=(0.0, 0.06), flight=True, through=True)),
        ),
        caption="{ball} flies into {rope} that hangs from a peg.",
        phenomena=("projectile_motion", "collision", "waves"),
        invariants=(Invariant("rope", "deformation", above=0.15, cause="body", of="ball"),),
    ),
    BaseScene(
        name="ball_on_slack_rope",
        tiers=("two_body",),
        description="A ball falls onto a rope between two posts, draws it down and rolls off.",
        roles=(POST, OTHER_POST, ROPE, BALL),
        layout=(
            (("post", "other_post", "rope"), RopeHang(way="between", lift=(0.0, 4.0), span=(0.8, 0.95))),
            (("ball",), Drop(height=(0.15, 0.4), over="rope", spread=0.03)),
        ),
        caption="{ball} falls onto {rope} between two posts.",
        phenomena=("free_fall", "collision", "tension"),
        invariants=(Invariant("rope", "deformation", above=0.08, cause="body", of="ball"),),
    ),
    BaseScene(
        name="rope_across_rope",
        tiers=("two_body",),
        description="A rope falls across another one that is held between two posts.",
        roles=(POST, OTHER_POST, ROPE, RoleRope(name="second", materials=LIMP, length=(0.8, 1.2))),
        layout=(
            (("post", "other_post", "rope"), RopeHang(way="between", lift=(0.0, 15.0), span=(0.85, 0.97))),
            (("second",), RopeDrop(lines=("straight", "wavy"), height=(0.05, 0.3), over="rope")),
        ),
        caption="{second} falls across {rope} between two posts.",
        phenomena=("free_fall", "collision", "wrapping"),
        invariants=(Invariant("second", "deformation", above=0.5, cause="body", of="rope"),),
        held_out=True,
    ),
    BaseScene(
        name="rope_onto_body",
        tiers=("two_body",),
        description="A rope falls onto a body and lies over it.",
        roles=(
            RoleRigid(name="body", shapes=("box", "ball", "cylinder", "prism"), materials=HARD, size=(0.2, 0.34)),
            RoleRope(name="rope", materials=ANY),
        ),
        layout=(
            (("body",), Scatter()),
            (("rope",), RopeDrop(lines=("straight",), height=(0.1, 0.5), over="body", spread=0.05)),
        ),
        caption="{rope} falls onto {body}.",
        phenomena=("free_fall", "collision", "bending"),
        invariants=(Invariant("rope", "deformation", above=0.1, cause="body", of="body"),),
    ),
    BaseScene(
        name="rope_swings_into_body",
        tiers=("two_body",),
        description="A heavy chain or rope swings down from a peg and strikes a body on the floor.",
        roles=(
            RoleRigid(
                name="body", shapes=("box", "column", "block"), materials=("foam", "balsa", "cork"), size=(0.16, 0.26)
            ),
            POST,
            PEG,
            RoleRope(name="rope", materials=("chain", "hemp"), radius=(0.015, 0.022)),
        ),
        layout=(
            (("body",), Scatter(spread=0.1)),
            (("post", "peg", "rope"), RopeHang(lift=(50.0, 85.0), clearance=(0.03, 0.08))),
        ),
        caption="{rope} swings down from a peg and strikes {body}.",
        phenomena=("pendulum", "collision"),
        invariants=(Invariant("body", "shift", above=0.02, cause="body", of="rope"),),
    ),
)

MULTI_OBJECT = (
    BaseScene(
        name="rope_on_blocks",
        tiers=("multi_object",),
        description="A rope falls over several blocks.",
        roles=(
            RoleRigid(
                name="block", shapes=("block", "cylinder", "column"), materials=HARD, count=(2, 4), size=(0.16, 0.3)
            ),
            RoleRope(name="rope", materials=ANY, length=(1.1, 1.6)),
        ),
        layout=(
            (("block",), Scatter(spread=0.4)),
            (("rope",), RopeDrop(lines=("straight",), height=(0.1, 0.5), over="block", spread=0.05)),
        ),
        caption="{rope} falls over {block}.",
        phenomena=("free_fall", "collision", "bending"),
        invariants=(Invariant("rope", "deformation", above=0.05, cause="body", of="block"),),
    ),
    BaseScene(
        name="ropes_heap",
        tiers=("multi_object",),
        description="Three ropes fall onto each other.",
        roles=(RoleRope(name="rope", materials=ANY, count=(3, 3), length=(0.7, 1.0)),),
        layout=((("rope",), RopeDrop(lines=("straight", "wavy"), height=(0.1, 0.3), rise=0.22, across=True)),),
        caption="{rope} fall onto each other.",
        phenomena=("free_fall", "collision", "piling"),
        invariants=(Invariant("rope", "touched", above=0.5, every=True),),
    ),
    BaseScene(
        name="balls_into_ropes",
        tiers=("multi_object",),
        description="A ball flies into ropes that hang side by side from a peg.",
        roles=(POST, PEG, RoleRope(name="rope", materials=LIMP, count=(2, 3), length=(0.8, 1.1)), BALL),
        layout=(
            (("post", "peg", "rope"), RopeHang(lift=(0.0, 4.0), gap=(0.08, 0.14))),
            (("ball",), Strike(target="rope", speed=(2.0, 4.0), miss=(0.0, 0.06), flight=True, through=True)),
        ),
        caption="{ball} flies into {rope} that hang from a peg.",
        phenomena=("projectile_motion", "collision", "waves"),
        invariants=(Invariant("rope", "deformation", above=0.15, cause="body", of="ball"),),
    ),
    BaseScene(
        name="bodies_onto_rope",
        tiers=("multi_object",),
        description="Small bodies fall onto a rope between two posts and tumble off.",
        roles=(
            POST,
            OTHER_POST,
            RoleRope(name="rope", materials=LIMP, radius=(0.014, 0.02)),
            RoleRigid(name="body", shapes=("ball", "box"), materials=LIGHT, count=(2, 3), size=(0.12, 0.2)),
        ),
        layout=(
            (("post", "other_post", "rope"), RopeHang(way="between", lift=(0.0, 4.0), span=(0.85, 0.97))),
            (("body",), Drop(height=(0.1, 0.2), rise=0.28, over="rope", spread=0.05)),
        ),
        caption="{body} fall onto {rope} between two posts.",
        phenomena=("free_fall", "collision", "tension"),
        invariants=(Invariant("rope", "deformation", above=0.08, cause="body", of="body"),),
        held_out=True,
    ),
    BaseScene(
        name="ball_into_cradle",
        tiers=("multi_object",),
        description="A ball falls into a cradle of ropes between two posts, which carry it or part and let it through.",
        roles=(
            POST,
            OTHER_POST,
            RoleRope(name="rope", materials=LIMP, count=(4, 4), length=(1.0, 1.0), radius=(0.014, 0.018)),
            RoleRigid(name="ball", shapes=("ball",), materials=("foam", "balsa", "cork"), size=(0.22, 0.28)),
        ),
        layout=(
            (
                ("post", "other_post", "rope"),
                RopeHang(
                    way="between",
                    lift=(0.0, 2.0),
                    span=(0.94, 0.97),
                    gap=(0.06, 0.07),
                    cradle=0.045,
                    clearance=(0.35, 0.5),
                ),
            ),
            (("ball",), Drop(height=(0.05, 0.12), over="rope", spread=0.02)),
        ),
        caption="{ball} falls into a cradle of {rope} between two posts.",
        phenomena=("free_fall", "collision", "tension"),
        invariants=(Invariant("rope", "deformation", above=0.045, cause="body", of="ball"),),
    ),
)

CATEGORY = Category(
    name="rope",
    description="Ropes, cords, hoses and chains: dropped, hung, thrown, hit, over beams and edges, among rigid bodies.",
    scenes=(*SINGLE, *TWO_BODY, *MULTI_OBJECT, *ROPE_MANIPULATION),
)

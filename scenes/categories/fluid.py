"""Liquids: dams that break, pools that slosh, what floats and what sinks, honey that creeps."""

from layouts.placements.container import Container
from layouts.placements.drop import Drop
from layouts.placements.paddle import Paddle
from layouts.placements.partition import Partition
from layouts.placements.ramp import Ramp
from layouts.placements.scatter import Scatter
from layouts.placements.strike import Strike
from layouts.placements.sweep import Sweep
from layouts.placements.tank import Tank
from scenes.category import BaseScene, Category
from scenes.fluid import RoleFluid
from scenes.invariants import Invariant
from scenes.props import PLANK, POST, SIDE
from scenes.roles import RoleRigid

__all__ = ["CATEGORY"]

ANY = ("thin liquid", "viscous liquid")
THICK = ("paint", "honey", "molten_chocolate")  # on the open floor thinner ones spread to films finer than particles
FLOATS = ("wood",)
SINKS = ("metal", "concrete", "granite")

POOL = RoleFluid(name="pool", shapes=("bed",), particles=(3000, 4500))
DAM = RoleFluid(name="dam", shapes=("bed",), particles=(2400, 3600))

BOARD = RoleRigid(name="board", shapes=("board",), materials=("wood", "metal", "polymer"), mobility="static")

SINGLE = (
    BaseScene(
        name="liquid_column",
        tiers=("single",),
        description="A column of liquid is let go and spreads over the floor.",
        roles=(RoleFluid(name="column", shapes=("pillar",), materials=THICK),),
        layout=((("column",), Scatter()),),
        caption="{column} is let go and spreads over the floor.",
        phenomena=("collapse", "spreading"),
        invariants=(Invariant("column", "spread", above=0.05),),
        gravity="any",
    ),
    BaseScene(
        name="blob_drop",
        tiers=("single",),
        description="A blob of liquid falls onto the floor and splashes.",
        roles=(RoleFluid(name="blob", shapes=("clump",), materials=THICK, size=(0.22, 0.3)),),
        layout=((("blob",), Drop(height=(0.15, 0.5), toss=(0.0, 0.8))),),
        caption="{blob} falls onto the floor and splashes.",
        phenomena=("free_fall", "splash", "spreading"),
        invariants=(Invariant("blob", "spread", above=0.03),),
    ),
    BaseScene(
        name="viscous_drop",
        tiers=("single",),
        description="A blob of thick liquid falls onto the floor and creeps apart.",
        roles=(RoleFluid(name="blob", shapes=("clump", "pillar"), materials=("viscous liquid",), size=(0.22, 0.3)),),
        layout=((("blob",), Drop(height=(0.05, 0.3))),),
        caption="{blob} falls onto the floor and creeps apart.",
        phenomena=("free_fall", "viscous_spreading"),
        invariants=(Invariant("blob", "spread", above=0.01),),
    ),
    BaseScene(
        name="dam_break",
        tiers=("single",),
        description="A liquid at one end of a tank is let go, runs to the other end and climbs its wall.",
        roles=(SIDE, DAM),
        layout=((("side", "dam"), Tank(share=(0.3, 0.5), fill=(0.75, 0.88))),),
        caption="{dam} at one end of a tank is let go and runs to the other end.",
        phenomena=("dam_break", "wave"),
        invariants=(Invariant("dam", "travel", above=0.05),),
    ),
    BaseScene(
        name="sloshing_tank",
        tiers=("single",),
        description="A liquid in a tank is set in motion and sloshes to and fro.",
        roles=(SIDE, POOL),
        layout=((("side", "pool"), Tank(speed=(0.3, 0.7), fill=(0.55, 0.7))),),
        caption="{pool} in a tank sloshes to and fro.",
        phenomena=("sloshing", "wave"),
        invariants=(Invariant("pool", "travel", above=0.01, cause="speed"),),
    ),
    BaseScene(
        name="dam_over_step",
        tiers=("single",),
        description="A dam breaks, and the wave runs over a step on the tank's floor.",
        roles=(SIDE, DAM, BOARD),
        layout=(
            (("side", "dam"), Tank(length=(0.75, 0.9), width=(0.3, 0.4), share=(0.35, 0.45), fill=(0.75, 0.88))),
            (("board",), Partition(tank="dam", height=(0.25, 0.4), share=(0.6, 0.72))),
        ),
        caption="{dam} at one end of a tank is let go and runs over a step.",
        phenomena=("dam_break", "wave", "obstacle"),
        invariants=(Invariant("dam", "travel", above=0.08),),
    ),
    BaseScene(
        name="flow_under_gate",
        tiers=("single",),
        description="A liquid flows through the gap below a gate until it stands as high on both sides.",
        roles=(SIDE, DAM, BOARD),
        layout=(
            (("side", "dam"), Tank(share=(0.4, 0.55), fill=(0.75, 0.88))),
            (("board",), Partition(tank="dam", lift=(0.05, 0.07))),
        ),
        caption="{dam} flows through the gap below a gate until it stands as high on both sides.",
        phenomena=("gate_flow", "communicating_vessels"),
        invariants=(Invariant("dam", "travel", above=0.03),),
    ),
    BaseScene(
        name="paddle_turns_in_pool",
        tiers=("single",),
        description="A paddle turns in a tank of liquid, stirs it and throws up drops.",
        roles=(
            SIDE,
            POOL,
            RoleRigid(name="paddle", shapes=("board",), materials=("wood", "metal", "polymer"), mobility="kinematic"),
        ),
        layout=((("side", "pool"), Tank(fill=(0.5, 0.6))), (("paddle",), Paddle(tank="pool", rate=(2.0, 5.0)))),
        caption="{paddle} turns in {pool} and stirs it.",
        phenomena=("prescribed_motion", "wave", "splash"),
        invariants=(Invariant("pool", "deformation", above=0.25, cause="motion"),),
    ),
    BaseScene(
        name="pour_into_box",
        tiers=("single",),
        description="A blob of liquid falls into an open box and levels out.",
        roles=(SIDE, RoleFluid(name="blob", shapes=("clump",), materials=ANY, size=(0.24, 0.3))),
        layout=((("side", "blob"), Container(inner=(0.4, 0.5), drop=(0.15, 0.3), spin=(0.0, 0.0))),),
        caption="{blob} falls into an open box and levels out.",
        phenomena=("free_fall", "splash", "containment"),
        invariants=(
            Invariant("blob", "spread", below=0.12, cause="body", of="side"),
            Invariant("blob", "fall", above=0.1),
        ),
    ),
    BaseScene(
        name="stream_over_obstacle",
        tiers=("single",),
        description="A tall column of liquid pours down over an obstacle and parts around it.",
        roles=(
            RoleRigid(
                name="obstacle",
                shapes=("ball", "cylinder", "cone", "column"),
                materials=("wood", "concrete", "granite"),
                size=(0.2, 0.3),
                mobility="static",
            ),
            RoleFluid(name="stream", shapes=("clump",), materials=THICK, size=(0.24, 0.3)),
        ),
        layout=((("obstacle",), Scatter()), (("stream",), Drop(height=(0.08, 0.25), over="obstacle", spread=0.04))),
        caption="{stream} pours down over {obstacle} and parts around it.",
        phenomena=("free_fall", "obstacle", "splash"),
        invariants=(Invariant("stream", "spread", above=0.05),),
    ),
    BaseScene(
        name="liquid_on_ramp",
        tiers=("single",),
        description="A liquid is let go on a ramp and runs down it.",
        roles=(PLANK, POST, RoleFluid(name="blob", shapes=("clump",), materials=THICK, size=(0.24, 0.3))),
        layout=((("plank", "post", "blob"), Ramp(slope=(18.0, 32.0), regime="slide")),),
        caption="{blob} is let go on a ramp and runs down it.",
        phenomena=("inclined_plane", "film_flow"),
        invariants=(Invariant("blob", "travel", above=0.1, cause="body", of="plank"),),
        held_out=True,
    ),
    BaseScene(
        name="plate_pushes_puddle",
        tiers=("single",),
        description="A moving plate pushes a puddle of thick liquid along, which piles up and runs around it.",
        roles=(
            RoleFluid(name="puddle", shapes=("bed",), materials=("honey", "molten_chocolate"), size=(0.4, 0.5)),
            RoleRigid(
                name="plate", shapes=("plate",), materials=("metal", "wood"), size=(0.5, 0.65), mobility="kinematic"
            ),
        ),
        layout=((("puddle",), Scatter()), (("plate",), Sweep(speed=(0.25, 0.5), travel=(0.4, 0.6), lift=0.004))),
        caption="{plate} pushes {puddle} along.",
        phenomena=("prescribed_motion", "viscous_flow"),
        invariants=(Invariant("puddle", "travel", above=0.01, cause="motion"),),
    ),
)

TWO_BODY = (
    BaseScene(
        name="block_floats",
        tiers=("two_body",),
        description="A wooden body drops into a tank of liquid, comes up and floats.",
        roles=(
            SIDE,
            POOL,
            RoleRigid(name="block", shapes=("box", "block", "cylinder", "ball"), materials=FLOATS, size=(0.1, 0.16)),
        ),
        layout=((("side", "pool"), Tank()), (("block",), Drop(height=(0.03, 0.3), over="pool", spread=0.05))),
        caption="{block} drops into {pool} and floats.",
        phenomena=("free_fall", "splash", "buoyancy"),
        invariants=(Invariant("block", "end_height", above=0.08, cause="body", of="pool"),),
    ),
    BaseScene(
        name="body_sinks",
        tiers=("two_body",),
        description="A heavy body drops into a tank of liquid and sinks.",
        roles=(
            SIDE,
            POOL,
            RoleRigid(name="body", shapes=("capsule", "cone", "prism"), materials=SINKS, size=(0.09, 0.14)),
        ),
        layout=((("side", "pool"), Tank()), (("body",), Drop(height=(0.03, 0.3), over="pool", spread=0.05))),
        caption="{body} drops into {pool} and sinks.",
        phenomena=("free_fall", "splash", "sinking"),
        invariants=(Invariant("body", "fall", above=0.1),),
    ),
    BaseScene(
        name="ball_into_column",
        tiers=("two_body",),
        description="A rolling ball runs into a collapsing column of liquid.",
        roles=(
            RoleFluid(name="column", shapes=("pillar",), materials=THICK),
            RoleRigid(name="ball", shapes=("ball",), size=(0.14, 0.22)),
        ),
        layout=((("column",), Scatter()), (("ball",), Strike(target="column", speed=(1.5, 3.0)))),
        caption="{ball} runs into {column}.",
        phenomena=("rolling", "collapse", "splash"),
        invariants=(Invariant("ball", "travel", below=1.5, cause="body", of="column"),),
    ),
    BaseScene(
        name="blob_onto_block",
        tiers=("two_body",),
        description="A blob of liquid falls onto a block that stands on the floor and washes over it.",
        roles=(
            RoleRigid(name="block", shapes=("slab", "disc", "block", "box"), size=(0.24, 0.34)),
            RoleFluid(name="blob", shapes=("clump",), materials=THICK, size=(0.2, 0.28)),
        ),
        layout=((("block",), Scatter()), (("blob",), Drop(height=(0.05, 0.3), over="block", spread=0.06))),
        caption="{blob} falls onto {block} and washes over it.",
        phenomena=("free_fall", "splash", "piling"),
        invariants=(Invariant("blob", "top", above=0.05, cause="body", of="block"),),
    ),
    BaseScene(
        name="columns_meet",
        tiers=("two_body",),
        description="Two columns of liquid stand side by side, collapse and run into each other.",
        roles=(
            RoleFluid(
                name="column",
                shapes=("pillar",),
                materials=THICK,
                count=(2, 2),
                size=(0.22, 0.3),
                particles=(1200, 1800),
            ),
        ),
        layout=((("column",), Scatter(spread=0.22, gap=0.03)),),
        caption="{column} collapse and run into each other.",
        phenomena=("collapse", "collision", "wave"),
        invariants=(Invariant("column", "spread", above=0.02, every=True),),
    ),
    BaseScene(
        name="dams_meet",
        tiers=("two_body",),
        description="Two liquids at both ends of a tank are let go, run into each other and shoot up.",
        roles=(
            SIDE,
            RoleFluid(name="dam", shapes=("bed",), particles=(1300, 1900)),
            RoleFluid(name="other", shapes=("bed",), particles=(1300, 1900)),
        ),
        layout=((("side", "dam", "other"), Tank(length=(0.75, 0.95), share=(0.2, 0.3), fill=(0.75, 0.88))),),
        caption="{dam} and {other} at both ends of a tank are let go and run into each other.",
        phenomena=("dam_break", "collision", "wave"),
        invariants=(
            Invariant("dam", "travel", above=0.05),
            Invariant("other", "travel", above=0.05),
        ),
    ),
    BaseScene(
        name="dam_carries_block",
        tiers=("two_body",),
        description="A dam breaks in a tank while a light body falls into the wave, which carries it along.",
        roles=(
            SIDE,
            DAM,
            RoleRigid(name="block", shapes=("box", "cylinder", "ball"), materials=FLOATS, size=(0.09, 0.13)),
        ),
        layout=(
            (("side", "dam"), Tank(share=(0.4, 0.55), fill=(0.65, 0.8))),
            (("block",), Drop(height=(0.03, 0.2), over="dam", spread=0.04)),
        ),
        caption="{block} falls into {dam} as it breaks, and is carried along.",
        phenomena=("dam_break", "buoyancy", "wave"),
        invariants=(Invariant("block", "travel", above=0.05, cause="body", of="dam"),),
        held_out=True,
    ),
)

MULTI_OBJECT = (
    BaseScene(
        name="bodies_into_pool",
        tiers=("multi_object",),
        description="Several bodies drop into a tank of liquid; light ones float, heavy ones sink.",
        roles=(
            SIDE,
            POOL,
            RoleRigid(name="body", shapes=("ball", "box", "capsule", "cylinder"), count=(2, 3), size=(0.08, 0.12)),
        ),
        layout=(
            (("side", "pool"), Tank(length=(0.6, 0.75), width=(0.45, 0.55))),
            (("body",), Drop(height=(0.03, 0.15), rise=0.16, over="pool", spread=0.09)),
        ),
        caption="{body} drop into {pool}.",
        phenomena=("free_fall", "splash", "buoyancy", "sinking"),
        invariants=(Invariant("body", "fall", above=0.05, every=True),),
    ),
    BaseScene(
        name="flood_sweeps_blocks",
        tiers=("multi_object",),
        description="A column of liquid collapses among standing blocks and sweeps light ones away.",
        roles=(
            RoleRigid(
                name="block",
                shapes=("box", "column", "cylinder"),
                materials=("wood", "polymer"),
                count=(2, 3),
                size=(0.1, 0.16),
            ),
            RoleFluid(name="column", shapes=("pillar",), materials=THICK, size=(0.32, 0.42)),
        ),
        layout=((("column",), Scatter()), (("block",), Scatter(spread=0.34, gap=0.03))),
        caption="{column} collapses among {block}.",
        phenomena=("collapse", "obstacle", "carrying"),
        invariants=(Invariant("block", "travel", above=0.005, cause="body", of="column"),),
    ),
    BaseScene(
        name="blobs_fall",
        tiers=("multi_object",),
        description="Three blobs of liquid fall one after another into each other's puddle.",
        roles=(
            RoleFluid(
                name="blob", shapes=("clump",), materials=THICK, count=(3, 3), size=(0.16, 0.22), particles=(700, 1100)
            ),
        ),
        layout=((("blob",), Drop(height=(0.08, 0.2), rise=0.26, spread=0.06)),),
        caption="{blob} fall one after another into each other's puddle.",
        phenomena=("free_fall", "splash", "spreading"),
        invariants=(Invariant("blob", "spread", above=0.02, every=True),),
        held_out=True,
    ),
)

CATEGORY = Category(
    name="fluid",
    description="Liquids: water, milk, oil, syrup, paint and honey that splash, slosh, spread, carry and drown.",
    scenes=(*SINGLE, *TWO_BODY, *MULTI_OBJECT),
)

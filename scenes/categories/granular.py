"""Grains: heaps that slump, pour, bury and give way; what falls into them, ploughs them or stands in their way."""

from dataclasses import replace

from layouts.placements.bucket import Bucket
from layouts.placements.container import Container
from layouts.placements.drop import Drop
from layouts.placements.fan import Fan
from layouts.placements.hopper import Hopper
from layouts.placements.ramp import Ramp
from layouts.placements.scatter import Scatter
from layouts.placements.sluice import Sluice
from layouts.placements.strike import Strike
from layouts.placements.sweep import Sweep
from layouts.placements.table import Table
from scenes.category import BaseScene, Category
from scenes.granular import RoleGranular
from scenes.invariants import Invariant
from scenes.props import FAN, PLANK, POST, SIDE
from scenes.roles import RoleRigid

__all__ = ["CATEGORY"]

DRY = ("dry_sand", "gravel", "rice", "lentils", "glass_beads")
STEEP = ("dry_sand", "damp_sand", "gravel", "rice")
LIGHT = ("wood", "polymer")

BOARD = RoleRigid(
    name="board",
    shapes=("panel",),
    materials=("wood", "polymer", "metal"),
    count=(3, 3),
    size=(0.5, 0.6),
    mobility="static",
    alike=True,
)
GATE = RoleRigid(name="gate", shapes=("gate",), materials=("metal", "wood"), size=(0.3, 0.4), mobility="kinematic")
BUCKET = RoleRigid(
    name="bucket", shapes=("bucket",), materials=("metal", "polymer"), size=(0.3, 0.4), mobility="kinematic"
)
FILL = RoleGranular(name="grains", shapes=("load",), materials=DRY, grains=(900, 1400))
BED = RoleGranular(name="bed", shapes=("bed",), size=(0.42, 0.52), grains=(1000, 1500))

SINGLE = (
    BaseScene(
        name="grain_column",
        tiers=("single",),
        description="A column of grains is let go and slumps into a heap.",
        roles=(RoleGranular(name="column", shapes=("pillar",), materials=DRY),),
        layout=((("column",), Scatter()),),
        caption="{column} is let go and slumps into a heap.",
        phenomena=("granular_collapse", "angle_of_repose"),
        invariants=(Invariant("column", "spread", above=0.03),),
        gravity="any",
    ),
    BaseScene(
        name="grain_drop",
        tiers=("single",),
        description="A clump of grains falls onto the floor and spreads.",
        roles=(RoleGranular(name="clump", shapes=("clump",)),),
        layout=((("clump",), Drop(height=(0.1, 0.45), toss=(0.0, 0.6), spin=(0.0, 2.0))),),
        caption="{clump} falls onto the floor and spreads.",
        phenomena=("free_fall", "granular_flow", "angle_of_repose"),
        invariants=(Invariant("clump", "fall", above=0.05),),
    ),
    BaseScene(
        name="grains_on_ramp",
        tiers=("single",),
        description="Grains are let go on a ramp and run down it.",
        roles=(PLANK, POST, RoleGranular(name="heap", shapes=("clump", "pillar"), materials=DRY, size=(0.18, 0.26))),
        layout=((("plank", "post", "heap"), Ramp(slope=(24.0, 38.0), regime="slide")),),
        caption="{heap} is let go on a ramp and runs down it.",
        phenomena=("granular_flow", "inclined_plane"),
        invariants=(Invariant("heap", "travel", above=0.1, cause="body", of="plank"),),
        held_out=True,
    ),
    BaseScene(
        name="grain_fill",
        tiers=("single",),
        description="Grains fall into an open box and level out.",
        roles=(SIDE, RoleGranular(name="clump", shapes=("clump", "pillar"), materials=DRY, size=(0.24, 0.32))),
        layout=((("side", "clump"), Container(inner=(0.34, 0.48))),),
        caption="{clump} falls into an open box and levels out.",
        phenomena=("free_fall", "granular_flow", "containment"),
        invariants=(
            Invariant("clump", "spread", below=0.12, cause="body", of="side"),
            Invariant("clump", "fall", above=0.1),
        ),
    ),
    BaseScene(
        name="fan_blows_grains",
        tiers=("single",),
        description="A fan blows light grains off a heap and over the floor.",
        roles=(
            RoleGranular(name="heap", shapes=("heap",), materials=("light grains",), size=(0.36, 0.46)),
            *FAN,
        ),
        layout=((("heap",), Scatter()), (("stand", "fan"), Fan(target="heap", distance=(0.2, 0.35)))),
        caption="A fan blows grains off {heap}.",
        phenomena=("jet", "air_drag", "granular_flow"),
        invariants=(Invariant("heap", "spread", above=0.08, cause="wind"),),
        air="still",
        jet=("fan", (17.0, 24.0)),
    ),
    BaseScene(
        name="grain_plough",
        tiers=("single",),
        description="A moving plate ploughs through a bed of grains.",
        roles=(
            BED,
            RoleRigid(
                name="plate", shapes=("plate",), materials=("metal", "wood"), size=(0.5, 0.65), mobility="kinematic"
            ),
        ),
        layout=((("bed",), Scatter()), (("plate",), Sweep(speed=(0.25, 0.5), travel=(0.4, 0.6), lift=0.004))),
        caption="{plate} ploughs through {bed}.",
        phenomena=("prescribed_motion", "granular_flow"),
        invariants=(Invariant("bed", "travel", above=0.03, cause="motion"),),
    ),
    BaseScene(
        name="grain_pour_over",
        tiers=("single",),
        description="A tall column of grains pours down over an obstacle and parts around it.",
        roles=(
            RoleRigid(
                name="obstacle",
                shapes=("ball", "cylinder", "cone", "column"),
                materials=("wood", "concrete", "granite"),
                size=(0.2, 0.3),
                mobility="static",
            ),
            RoleGranular(name="grains", shapes=("pillar",), materials=DRY, size=(0.28, 0.38)),
        ),
        layout=((("obstacle",), Scatter()), (("grains",), Drop(height=(0.1, 0.25), over="obstacle", spread=0.05))),
        caption="{grains} pours down over {obstacle} and parts around it.",
        phenomena=("free_fall", "granular_flow", "obstacle"),
        invariants=(
            Invariant("grains", "spread", above=0.05),
            Invariant("grains", "touch", above=0.2, cause="body", of="obstacle"),
        ),
    ),
    BaseScene(
        name="grain_hopper",
        tiers=("single",),
        description="Grains run out through the slot of a hopper and pile up below it.",
        roles=(replace(BOARD, count=(4, 4)), FILL),
        layout=((("board", "grains"), Hopper()),),
        caption="{grains} runs out through the slot of a hopper and piles up below it.",
        phenomena=("granular_flow", "funnel", "angle_of_repose"),
        invariants=(Invariant("grains", "fall", above=0.05),),
    ),
    BaseScene(
        name="grain_sluice",
        tiers=("single",),
        description="A gate is pulled up, and the grains behind it run out across the floor.",
        roles=(BOARD, GATE, FILL),
        layout=((("board", "gate", "grains"), Sluice()),),
        caption="{gate} is pulled up, and {grains} behind it runs out across the floor.",
        phenomena=("prescribed_motion", "granular_collapse", "containment"),
        invariants=(Invariant("grains", "spread", above=0.005, cause="motion"),),
    ),
    BaseScene(
        name="grain_turntable",
        tiers=("single",),
        description="A heap of grains stands on a disc that begins to turn, and is carried round and thrown off.",
        roles=(
            RoleRigid(
                name="disc", shapes=("turntable",), materials=("wood", "metal"), size=(0.56, 0.68), mobility="kinematic"
            ),
            RoleGranular(name="heap", shapes=("heap", "pillar"), materials=DRY, size=(0.32, 0.42)),
        ),
        layout=((("disc", "heap"), Table(motion="turn", rate=(5.0, 8.0))),),
        caption="{heap} stands on {disc} that begins to turn, and is thrown off.",
        phenomena=("prescribed_motion", "rotation", "granular_flow"),
        invariants=(Invariant("heap", "spread", above=0.18, cause="motion"),),
    ),
    BaseScene(
        name="grain_shaker",
        tiers=("single",),
        description="A table shakes under a heap of grains, which flattens.",
        roles=(
            RoleRigid(
                name="table", shapes=("tabletop",), materials=("wood", "metal"), size=(0.56, 0.68), mobility="kinematic"
            ),
            RoleGranular(name="heap", shapes=("heap", "pillar"), materials=STEEP, size=(0.34, 0.44)),
        ),
        layout=((("table", "heap"), Table(motion="shake", rate=(1.5, 2.5), swing=(0.04, 0.07))),),
        caption="{table} shakes under {heap}, which flattens.",
        phenomena=("prescribed_motion", "vibration", "granular_flow"),
        invariants=(Invariant("heap", "spread", above=0.22, cause="motion"),),
    ),
    BaseScene(
        name="grain_bucket",
        tiers=("single",),
        description="A bucket of grains is tilted and pours them onto the floor.",
        roles=(BUCKET, FILL),
        layout=((("bucket", "grains"), Bucket(motion="tip")),),
        caption="{bucket} is tilted and pours {grains} onto the floor.",
        phenomena=("prescribed_motion", "pouring", "angle_of_repose"),
        invariants=(Invariant("grains", "fall", above=0.1, cause="motion"),),
    ),
    BaseScene(
        name="grain_tumbler",
        tiers=("single",),
        description="Grains tumble in a leaning pan that turns about its axis.",
        roles=(replace(BUCKET, name="pan", shapes=("pan",)), FILL),
        layout=(
            (
                ("pan", "grains"),
                Bucket(
                    motion="tumble",
                    lean=(26.0, 38.0),
                    rate=(3.0, 5.0),
                    radius=(0.2, 0.24),
                    depth=(0.16, 0.2),
                    fill=(0.5, 0.6),
                    height=(0.3, 0.36),
                ),
            ),
        ),
        caption="{grains} tumbles in {pan} that leans and turns about its axis.",
        phenomena=("prescribed_motion", "rotation", "avalanche"),
        invariants=(Invariant("grains", "slowing", below=0.9, cause="motion"),),
    ),
)

TWO_BODY = (
    BaseScene(
        name="ball_into_grains",
        tiers=("two_body",),
        description="A ball drops into a bed of grains and stays in its crater.",
        roles=(BED, RoleRigid(name="ball", shapes=("ball",), size=(0.1, 0.16))),
        layout=((("bed",), Scatter()), (("ball",), Drop(height=(0.15, 0.8), over="bed", spread=0.08))),
        caption="{ball} drops into {bed} and stays in its crater.",
        phenomena=("free_fall", "impact", "crater"),
        invariants=(Invariant("bed", "dent", above=0.01, cause="body", of="ball"),),
    ),
    BaseScene(
        name="block_onto_heap",
        tiers=("two_body",),
        description="A block falls onto the top of a heap and slides off with what it loosens.",
        roles=(
            RoleGranular(name="heap", shapes=("heap",), materials=STEEP, size=(0.4, 0.52), grains=(900, 1400)),
            RoleRigid(name="block", shapes=("box", "block", "cylinder"), materials=LIGHT, size=(0.12, 0.2)),
        ),
        layout=((("heap",), Scatter()), (("block",), Drop(height=(0.05, 0.4), over="heap", spread=0.05))),
        caption="{block} falls onto {heap} and slides off with what it loosens.",
        phenomena=("free_fall", "impact", "avalanche"),
        invariants=(Invariant("block", "touch", above=0.1, cause="body", of="heap"),),
    ),
    BaseScene(
        name="grain_clumps_meet",
        tiers=("two_body",),
        description="A clump of grains flies into a column of grains.",
        roles=(
            RoleGranular(name="column", shapes=("pillar",), size=(0.22, 0.3), grains=(500, 900)),
            RoleGranular(name="clump", shapes=("clump",), size=(0.18, 0.24), grains=(400, 700)),
        ),
        layout=(
            (("column",), Scatter()),
            (("clump",), Strike(target="column", speed=(1.5, 2.5), flight=True, height=(0.15, 0.3))),
        ),
        caption="{clump} flies into {column}.",
        phenomena=("projectile_motion", "collision", "granular_flow"),
        invariants=(Invariant("column", "travel", above=0.01, cause="body", of="clump"),),
    ),
    BaseScene(
        name="ball_through_heap",
        tiers=("two_body",),
        description="A rolling ball runs into a heap of grains and gets stuck.",
        roles=(
            RoleGranular(name="heap", shapes=("heap",), materials=STEEP, size=(0.36, 0.46), grains=(800, 1300)),
            RoleRigid(name="ball", shapes=("ball",), size=(0.14, 0.22)),
        ),
        layout=((("heap",), Scatter()), (("ball",), Strike(target="heap", speed=(1.5, 3.0)))),
        caption="{ball} runs into {heap} and gets stuck.",
        phenomena=("rolling", "collision", "granular_flow"),
        invariants=(Invariant("ball", "slowing", above=0.5, cause="body", of="heap"),),
        held_out=True,
    ),
    BaseScene(
        name="grains_onto_block",
        tiers=("two_body",),
        description="Grains rain onto a block that stands on the floor; some come to rest on it.",
        roles=(
            RoleRigid(name="block", shapes=("slab", "disc", "block"), size=(0.28, 0.4)),
            RoleGranular(name="clump", shapes=("clump", "heap"), size=(0.22, 0.3)),
        ),
        layout=((("block",), Scatter()), (("clump",), Drop(height=(0.06, 0.3), over="block", spread=0.08))),
        caption="{clump} rains onto {block}.",
        phenomena=("free_fall", "granular_flow", "piling"),
        invariants=(Invariant("clump", "top", above=0.08, cause="body", of="block"),),
    ),
)

MULTI_OBJECT = (
    BaseScene(
        name="bodies_into_grains",
        tiers=("multi_object",),
        description="Several bodies drop into a bed of grains one after another; heavy ones sink deeper.",
        roles=(
            RoleGranular(name="bed", shapes=("bed",), size=(0.5, 0.58), grains=(1100, 1500)),
            RoleRigid(name="body", shapes=("ball", "box", "capsule"), count=(2, 3), size=(0.1, 0.15)),
        ),
        layout=((("bed",), Scatter()), (("body",), Drop(height=(0.15, 0.3), rise=0.25, over="bed", spread=0.14))),
        caption="{body} drop into {bed}.",
        phenomena=("free_fall", "impact", "crater", "sinking"),
        invariants=(Invariant("body", "fall", above=0.05, every=True),),
    ),
    BaseScene(
        name="grains_bury_blocks",
        tiers=("multi_object",),
        description="Grains fall among standing blocks, push them aside and bury them.",
        roles=(
            RoleRigid(
                name="block", shapes=("box", "column", "cylinder"), materials=LIGHT, count=(2, 4), size=(0.1, 0.18)
            ),
            RoleGranular(name="clump", shapes=("clump", "pillar"), size=(0.28, 0.36), grains=(900, 1400)),
        ),
        layout=((("block",), Scatter(spread=0.22)), (("clump",), Drop(height=(0.25, 0.4)))),
        caption="{clump} falls among {block}.",
        phenomena=("free_fall", "granular_flow", "burial"),
        invariants=(Invariant("block", "travel", above=0.003, cause="body", of="clump"),),
    ),
    BaseScene(
        name="heaps_run_together",
        tiers=("multi_object",),
        description="Three columns of grains stand side by side, slump and run into each other.",
        roles=(
            RoleGranular(
                name="column", shapes=("pillar",), materials=DRY, count=(3, 3), size=(0.2, 0.28), grains=(350, 550)
            ),
        ),
        layout=((("column",), Scatter(spread=0.3, gap=0.02)),),
        caption="{column} slump and run into each other.",
        phenomena=("granular_collapse", "collision", "angle_of_repose"),
        invariants=(Invariant("column", "spread", above=0.02, every=True),),
        held_out=True,
    ),
    BaseScene(
        name="sluice_topples_tiles",
        tiers=("multi_object",),
        description="A gate is pulled up, and the grains behind it run against standing tiles and topple them.",
        roles=(
            BOARD,
            GATE,
            FILL,
            RoleRigid(name="tile", shapes=("tile",), materials=LIGHT, count=(2, 3), size=(0.2, 0.26)),
        ),
        layout=((("board", "gate", "grains", "tile"), Sluice(depth=(0.28, 0.36))),),
        caption="{gate} is pulled up, and {grains} behind it topples {tile}.",
        phenomena=("prescribed_motion", "granular_collapse", "toppling"),
        invariants=(Invariant("tile", "turn", above=15.0, cause="motion"),),
    ),
)

CATEGORY = Category(
    name="granular",
    description="Grains: sand, gravel, rice, lentils and beads that slump, pour, bury and give way.",
    scenes=(*SINGLE, *TWO_BODY, *MULTI_OBJECT),
)

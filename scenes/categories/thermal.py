"""Heat: bodies that soften and melt on hot plates, in warm air, under hot loads; light ones that warm air carries."""

from layouts.placements.drop import Drop
from layouts.placements.overhang import Overhang
from layouts.placements.ramp import Ramp
from layouts.placements.row import Row
from layouts.placements.scatter import Scatter
from layouts.placements.spread import Spread
from layouts.placements.trestle import Trestle
from scenes.category import BaseScene, Category
from scenes.invariants import Invariant
from scenes.props import POST
from scenes.roles import RoleRigid
from scenes.thermal import RoleHot, RoleLight, RoleMelting

__all__ = ["CATEGORY"]

LUMP = ("ball", "block", "nugget", "cylinder")
FLAT = ("block", "column", "disc")
FAT = ("butter", "chocolate", "gelatin")  # molten at hand warmth
FIRM = ("wax", "cheese")  # do not melt before 50 °C
METAL = ("metal",)
OVEN = (28.0, 40.0)  # [K] more than a room: these soften in it, and hardly flow
HOT_OVEN = (38.0, 48.0)  # [K] wax bends under its own weight in it

HOB = RoleHot(name="plate", shapes=("hob",), materials=METAL, size=(0.6, 0.75), mobility="static", excess=(55.0, 80.0))
LAID = Spread(height=(6e-4, 4e-3), over="plate", spread=0.05, gap=4e-4)
BURNER = RoleHot(
    name="burner", shapes=("burner",), materials=METAL, size=(0.22, 0.3), mobility="static", excess=(70.0, 80.0)
)
HOVER = (0.7, 1.2)  # [m] above the burner

SINGLE = (
    BaseScene(
        name="melt_on_plate",
        tiers=("single",),
        description="A body lies on a hot plate, softens from below and sinks into a puddle.",
        roles=(HOB, RoleMelting(name="body", shapes=LUMP)),
        layout=((("plate",), Scatter()), (("body",), LAID)),
        caption="{body} lies on {plate}, softens from below and sinks.",
        phenomena=("heat_conduction", "melting", "elastic_deformation"),
        invariants=(Invariant("body", "warming", above=2.0, cause="heat"),),
        air="still",
    ),
    BaseScene(
        name="butter_on_ramp",
        tiers=("single",),
        description="A pat of butter slides down a hot ramp and melts on its way.",
        roles=(
            RoleHot(name="plank", shapes=("plank",), materials=METAL, size=(1.1, 1.4), mobility="static"),
            POST,
            RoleMelting(name="pat", shapes=("block",), materials=("butter",), size=(0.18, 0.26), crossing=(2.0, 5.0)),
        ),
        layout=((("plank", "post", "pat"), Ramp(slope=(12.0, 22.0), regime="slide")),),
        caption="{pat} slides down {plank} and melts on its way.",
        phenomena=("heat_conduction", "melting", "sliding_friction", "inclined_plane"),
        invariants=(Invariant("pat", "fall", above=0.1), Invariant("pat", "warming", above=1.0, cause="heat")),
        air="still",
    ),
    BaseScene(
        name="bar_sags",
        tiers=("single",),
        description="A bar across two supports softens in warm air and sags.",
        roles=(
            RoleRigid(
                name="support", shapes=("post",), materials=("wood", "concrete"), count=(2, 2), mobility="static"
            ),
            RoleMelting(
                name="bar",
                shapes=("stick",),
                materials=FIRM,
                size=(0.45, 0.6),
                resolution=10,
                crossing=(5.0, 12.0),
            ),
        ),
        layout=((("support", "bar"), Trestle()),),
        caption="{bar} across two supports softens in warm air and sags.",
        phenomena=("convection", "softening", "bending"),
        invariants=(Invariant("bar", "fall", above=0.01, cause="heat"),),
        air="still",
        oven=OVEN,
    ),
    BaseScene(
        name="slice_over_edge",
        tiers=("single",),
        description="A slice lies over the edge of a hot shelf, softens and droops.",
        roles=(
            RoleHot(
                name="shelf",
                shapes=("shelf",),
                materials=METAL,
                size=(0.5, 0.6),
                mobility="static",
                excess=(28.0, 45.0),
            ),
            RoleMelting(
                name="slice",
                shapes=("slice",),
                materials=FIRM,
                size=(0.4, 0.5),
                resolution=9,
                crossing=(6.0, 15.0),
            ),
        ),
        layout=((("shelf", "slice"), Overhang(beyond=(-0.3, -0.1), height=(0.3, 0.45))),),
        caption="{slice} lies over the edge of {shelf}, softens and droops.",
        phenomena=("heat_conduction", "softening", "bending"),
        invariants=(Invariant("slice", "deformation", above=0.1, cause="heat"),),
        air="still",
        oven=OVEN,
    ),
    BaseScene(
        name="scoop_melts",
        tiers=("single",),
        description="A scoop of ice cream falls onto a warm floor and melts.",
        roles=(
            RoleMelting(
                name="scoop", shapes=("ball", "nugget"), materials=("ice_cream",), size=(0.2, 0.3), crossing=(2.0, 5.0)
            ),
        ),
        layout=((("scoop",), Drop(height=(0.1, 0.4))),),
        caption="{scoop} falls onto a warm floor and melts.",
        phenomena=("free_fall", "heat_conduction", "melting"),
        invariants=(Invariant("scoop", "spread", above=0.008, cause="heat"),),
        air="still",
        floor=(5.0, 30.0),
    ),
    BaseScene(
        name="candle_bends",
        tiers=("single",),
        description="A candle stands in hot air, softens, leans and slumps.",
        roles=(
            RoleMelting(
                name="candle",
                shapes=("taper",),
                materials=("wax",),
                size=(0.4, 0.5),
                resolution=10,
                crossing=(5.0, 12.0),
            ),
        ),
        layout=((("candle",), Scatter()),),
        caption="{candle} stands in hot air, softens and slumps.",
        phenomena=("convection", "softening"),
        invariants=(Invariant("candle", "fall", above=0.005, cause="heat"),),
        gravity="any",
        air="still",
        oven=HOT_OVEN,
        held_out=True,
    ),
    BaseScene(
        name="ball_in_plume",
        tiers=("single",),
        description="Warm air above a burner carries a hollow paper ball upwards.",
        roles=(BURNER, RoleLight(name="ball", shapes=("ball",), materials=("paper",), size=(0.18, 0.26))),
        layout=(
            (("burner",), Scatter()),
            (("ball",), Drop(height=(0.05, 0.15), over="burner", spread=0.02, spin=(0.0, 4.0))),
        ),
        caption="Warm air above {burner} carries {ball} upwards.",
        phenomena=("buoyancy", "air_drag"),
        invariants=(Invariant("ball", "lift", above=0.2, cause="heat"),),
        air="still",
        plume=("burner", "ball", HOVER),
    ),
    BaseScene(
        name="bar_on_hot_and_cold",
        tiers=("single",),
        description="A bar lies on a hot support and a cold one; heat creeps in at one end, which melts down.",
        roles=(
            RoleHot(
                name="hot_post",
                shapes=("post",),
                materials=METAL,
                size=(0.35, 0.45),
                mobility="static",
                excess=(60.0, 80.0),
            ),
            RoleRigid(name="cold_post", shapes=("post",), materials=("wood", "concrete"), mobility="static"),
            RoleMelting(
                name="bar", shapes=("stick",), materials=FAT, size=(0.45, 0.55), resolution=10, crossing=(1.5, 4.0)
            ),
        ),
        layout=((("hot_post", "cold_post", "bar"), Trestle(bearing=(0.2, 0.3))),),
        caption="{bar} lies on {hot_post} and on {cold_post}; its hot end melts.",
        phenomena=("heat_conduction", "melting", "bending"),
        air="still",
        invariants=(
            Invariant("bar", "warming", above=1.0, cause="heat"),
            Invariant("bar", "deformation", above=0.2, cause="heat"),
        ),
    ),
)

TWO_BODY = (
    BaseScene(
        name="hot_ball_sinks",
        tiers=("two_body",),
        description="A hot ball falls onto a block and melts its way into it.",
        roles=(
            RoleMelting(name="block", shapes=FLAT, size=(0.28, 0.38), crossing=(1.5, 4.0)),
            RoleHot(name="ball", shapes=("ball",), materials=("granite", "aluminium"), size=(0.12, 0.17)),
        ),
        layout=((("block",), Scatter()), (("ball",), Drop(height=(0.02, 0.12), over="block", spread=0.02))),
        caption="{ball} falls onto {block} and melts its way into it.",
        phenomena=("free_fall", "heat_conduction", "melting"),
        invariants=(
            Invariant("block", "warming", above=0.5, cause="heat"),
            Invariant("block", "dent", above=0.02, cause="heat"),
        ),
        air="still",
    ),
    BaseScene(
        name="block_between_plates",
        tiers=("two_body",),
        description="A block is squeezed between a warm floor and a warm plate that sinks as it melts.",
        roles=(
            RoleMelting(name="block", shapes=FLAT, size=(0.24, 0.34), crossing=(2.0, 5.0)),
            RoleHot(name="plate", shapes=("hob",), materials=("wood", "polymer"), size=(0.36, 0.44)),
        ),
        layout=((("block",), Scatter()), (("plate",), Spread(height=(1e-3, 0.02), over="block", gap=4e-4))),
        caption="{block} is squeezed between a warm floor and {plate} that sinks as it melts.",
        phenomena=("heat_conduction", "melting", "elastic_deformation"),
        invariants=(Invariant("plate", "fall", above=0.03, cause="heat"),),
        air="still",
        floor=(45.0, 80.0),
    ),
    BaseScene(
        name="two_melt_apart",
        tiers=("two_body",),
        description="Two bodies of different materials stand on a hot floor, and one melts before the other.",
        roles=(
            RoleMelting(name="first", shapes=LUMP, materials=FAT),
            RoleMelting(name="second", shapes=LUMP, materials=("wax", "cheese")),
        ),
        layout=((("first",), Scatter(spread=0.15)), (("second",), Scatter(spread=0.35, gap=0.08))),
        caption="{first} and {second} stand on a hot floor, and one melts before the other.",
        phenomena=("heat_conduction", "melting"),
        invariants=(Invariant("first", "deformation", above=0.05, cause="heat"),),
        air="still",
        floor=(45.0, 80.0),
    ),
    BaseScene(
        name="soft_drop_on_melting",
        tiers=("two_body",),
        description="A body falls onto another that is already melting on a hot plate.",
        roles=(
            HOB,
            RoleMelting(name="lower", shapes=FLAT, size=(0.26, 0.34), crossing=(1.5, 4.0)),
            RoleMelting(name="upper", shapes=("ball", "block"), size=(0.16, 0.22)),
        ),
        layout=(
            (("plate",), Scatter()),
            (("lower",), LAID),
            (("upper",), Drop(height=(0.1, 0.3), over="lower", spread=0.03)),
        ),
        caption="{upper} falls onto {lower}, which melts on {plate}.",
        phenomena=("free_fall", "heat_conduction", "melting", "collision"),
        invariants=(
            Invariant("lower", "deformation", above=0.05, cause="heat"),
            Invariant("upper", "fall", above=0.05),
        ),
        air="still",
        held_out=True,
    ),
)

MULTI_OBJECT = (
    BaseScene(
        name="candle_row",
        tiers=("multi_object",),
        description="Candles stand in a row on a hot floor and sink.",
        roles=(
            RoleMelting(
                name="candle",
                shapes=("cylinder", "column"),
                materials=("wax",),
                count=(3, 3),
                size=(0.16, 0.24),
                crossing=(0.6, 1.5),
            ),
        ),
        layout=((("candle",), Row(spacing=(0.3, 0.5))),),
        caption="{candle} stand in a row on a hot floor and sink.",
        phenomena=("heat_conduction", "melting"),
        invariants=(Invariant("candle", "fall", above=0.002, cause="heat", every=True),),
        air="still",
        floor=(60.0, 80.0),
    ),
    BaseScene(
        name="pieces_on_plate",
        tiers=("multi_object",),
        description="Pieces fall onto a hot plate and melt into each other.",
        roles=(
            HOB,
            RoleMelting(name="piece", shapes=("ball", "block", "nugget"), count=(3, 3), size=(0.16, 0.22)),
        ),
        layout=(
            (("plate",), Scatter()),
            (("piece",), Drop(height=(0.03, 0.1), over="plate", rise=0.26, spread=0.1)),
        ),
        caption="{piece} fall onto {plate} and melt.",
        phenomena=("free_fall", "heat_conduction", "melting", "piling"),
        invariants=(
            Invariant("piece", "warming", above=1.0, cause="heat", every=True),
            Invariant("piece", "deformation", above=0.15, cause="heat"),
        ),
        air="still",
    ),
    BaseScene(
        name="bars_on_trestle",
        tiers=("multi_object",),
        description="Bars of different materials lie across two supports in warm air, and sag one after the other.",
        roles=(
            RoleRigid(
                name="support", shapes=("post",), materials=("wood", "concrete"), count=(2, 2), mobility="static"
            ),
            RoleMelting(
                name="bar",
                shapes=("stick",),
                materials=FIRM,
                count=(3, 3),
                size=(0.4, 0.5),
                resolution=8,
                crossing=(8.0, 20.0),
            ),
        ),
        layout=((("support", "bar"), Trestle()),),
        caption="{bar} lie across two supports in warm air and sag.",
        phenomena=("convection", "softening", "bending"),
        invariants=(Invariant("bar", "fall", above=0.01, cause="heat"),),
        air="still",
        oven=OVEN,
    ),
    BaseScene(
        name="balls_in_plume",
        tiers=("multi_object",),
        description="Warm air above a burner carries hollow paper balls, the lighter ones higher.",
        roles=(
            BURNER,
            RoleLight(name="ball", shapes=("ball",), materials=("paper",), count=(3, 5), size=(0.14, 0.2)),
        ),
        layout=(
            (("burner",), Scatter()),
            (("ball",), Drop(height=(0.1, 0.2), over="burner", rise=0.24, spread=0.08, spin=(0.0, 4.0))),
        ),
        caption="Warm air above {burner} carries {ball} upwards.",
        phenomena=("buoyancy", "air_drag", "collision"),
        invariants=(Invariant("ball", "lift", above=0.1, cause="heat"),),
        air="still",
        plume=("burner", "ball", HOVER),
    ),
)

CATEGORY = Category(
    name="thermal",
    description="Heat: bodies that soften and melt on hot plates, in warm air and under hot loads, or fly in it.",
    scenes=(*SINGLE, *TWO_BODY, *MULTI_OBJECT),
)

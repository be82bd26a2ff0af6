"""Cloth: dropped, draped, hung, blown, worn by stands, and used to catch things.

Cloth always meets air: without it, it falls like a stone. Wind blows only where a scene is about it, up to 6 m/s (a
sheet that lies free leaves the picture beyond). Rigid bodies here have native shapes, which meet cloth exactly and at
little cost. What falls into sheets is light, up to 1.5 kg: cloth of these stiffnesses, which are bearable to solve,
would stretch under more as textiles don't.
"""

from layouts.placements.drop import Drop
from layouts.placements.fan import Fan
from layouts.placements.scatter import Scatter
from layouts.placements.spread import Spread
from layouts.placements.sweep import Sweep
from layouts.placements.throw import Throw
from scenes.category import BaseScene, Category
from scenes.invariants import Invariant
from scenes.manipulation_soft import CLOTH_MANIPULATION
from scenes.props import FAN
from scenes.roles import RoleCloth, RoleRigid
from simfactory.spec import Hold

__all__ = ["CATEGORY"]

SHEETS = ("sheet", "round")
GARMENTS = ("skirt", "cape", "tunic", "poncho")
CLOSED = ("skirt", "tunic", "poncho")
FIRM = ("denim", "latex")  # that catches what falls
LIGHT = ("wood", "foam", "polyethylene")
FEATHERY = ("balsa", "paulownia", "cork", "foam")  # that sheets catch
FIXED = ("mineral", "wood", "metal", "concrete")
CAUGHT = ("ball", "box", "capsule")
ALL_SIDES: tuple[Hold, ...] = ("-x", "+x", "-y", "+y")

STAND = RoleRigid(
    name="stand", shapes=("ball", "box", "cone", "pillar"), materials=FIXED, size=(0.3, 0.45),
    mobility="static",
)  # fmt: skip
POLE = RoleRigid(name="pole", shapes=("capsule",), materials=("wood", "metal"), size=(0.6, 0.75), mobility="static")

SINGLE = (
    BaseScene(
        name="cloth_drape",
        tiers=("single",),
        description="A cloth falls over a fixed body and takes its shape.",
        roles=(STAND, RoleCloth(name="cloth", patterns=SHEETS)),
        layout=((("stand",), Scatter()), (("cloth",), Spread(height=(0.05, 0.35), over="stand", spread=0.08))),
        caption="{cloth} falls over {stand} and takes its shape.",
        phenomena=("free_fall", "draping", "self_contact"),
        invariants=(Invariant("cloth", "top", above=0.15, cause="body", of="stand"),),
        air="still",
    ),
    BaseScene(
        name="cloth_fall",
        tiers=("single",),
        description="A cloth sails down through the air and crumples on the floor.",
        roles=(RoleCloth(name="cloth", patterns=("sheet", "round", "banner"), size=(0.5, 0.8)),),
        layout=((("cloth",), Spread(height=(0.5, 1.0), tilt=(10.0, 70.0), speed=(0.0, 1.0))),),
        caption="{cloth} sails down through the air and crumples on the floor.",
        phenomena=("free_fall", "air_drag", "self_contact"),
        invariants=(Invariant("cloth", "end_height", below=0.12),),
        air="still",
    ),
    BaseScene(
        name="cloth_curtain",
        tiers=("single",),
        description="A curtain that is held along its upper side waves in the wind.",
        roles=(RoleCloth(name="curtain", patterns=("curtain",), held=("+y",)),),
        layout=((("curtain",), Spread(pose="upright", height=(0.15, 0.4))),),
        caption="{curtain}, held along its upper side, waves in the wind.",
        phenomena=("wind", "hanging"),
        invariants=(Invariant("curtain", "deformation", above=0.05, cause="wind"),),
        air="wind",
    ),
    BaseScene(
        name="curtain_before_fan",
        tiers=("single",),
        description="A fan blows against a curtain that is held along its upper side, and bellies it out.",
        roles=(RoleCloth(name="curtain", patterns=("curtain",), held=("+y",)), *FAN),
        layout=(
            (("curtain",), Spread(pose="upright", height=(0.1, 0.25))),
            (("stand", "fan"), Fan(target="curtain", level=(0.6, 0.9), carry=0.3, faced=True)),
        ),
        caption="A fan blows against {curtain}, held along its upper side.",
        phenomena=("jet", "hanging"),
        invariants=(Invariant("curtain", "deformation", above=0.03, cause="wind"),),
        air="still",
        jet=("fan", (4.0, 8.0)),
    ),
    BaseScene(
        name="cloth_flag",
        tiers=("single",),
        description="A flag that is held along its mast side flies in the wind.",
        roles=(RoleCloth(name="flag", patterns=("banner",), held=("-x",), size=(0.6, 0.9)),),
        layout=((("flag",), Spread(pose="upright", height=(0.5, 0.8))),),
        caption="{flag} flies in the wind.",
        phenomena=("wind", "flutter"),
        invariants=(Invariant("flag", "rebound", above=0.03, cause="wind"),),
        air="wind",
    ),
    BaseScene(
        name="cloth_swing",
        tiers=("single",),
        description="A level sheet is held at two corners; the rest swings down like a pendulum.",
        roles=(RoleCloth(name="sheet", patterns=("sheet",), held=("-x-y", "-x+y"), size=(0.6, 0.85)),),
        layout=((("sheet",), Spread(height=(0.9, 1.2))),),
        caption="{sheet}, held at two corners, swings down.",
        phenomena=("pendulum", "hanging"),
        invariants=(Invariant("sheet", "travel", above=0.15, cause="holds"),),
        air="still",
        held_out=True,
    ),
    BaseScene(
        name="cloth_hammock",
        tiers=("single",),
        description="A sheet that is held at its four corners sags into a bowl.",
        roles=(RoleCloth(name="sheet", patterns=("sheet",), held=("-x-y", "-x+y", "+x-y", "+x+y")),),
        layout=((("sheet",), Spread(height=(0.5, 0.8))),),
        caption="{sheet}, held at its four corners, sags.",
        phenomena=("hanging", "elastic_deformation"),
        invariants=(
            Invariant("sheet", "fall", below=0.35, cause="holds"),
            Invariant("sheet", "deformation", above=0.02),
        ),
        air="still",
    ),
    BaseScene(
        name="garment_fall",
        tiers=("single",),
        description="A garment falls to the floor and collapses.",
        roles=(RoleCloth(name="garment", patterns=GARMENTS, size=(0.55, 0.75), edge=0.04),),
        layout=((("garment",), Spread(height=(0.1, 0.5), tilt=(0.0, 60.0))),),
        caption="{garment} falls to the floor and collapses.",
        phenomena=("free_fall", "self_contact"),
        invariants=(Invariant("garment", "deformation", above=0.1),),
        air="still",
    ),
    BaseScene(
        name="garment_on_stand",
        tiers=("single",),
        description="A garment with an opening falls over a pole and hangs on it.",
        roles=(POLE, RoleCloth(name="garment", patterns=("poncho", "skirt"), size=(0.6, 0.8), edge=0.04)),
        layout=((("pole",), Scatter()), (("garment",), Spread(height=(0.02, 0.08), over="pole"))),
        caption="{garment} slips over {pole}.",
        phenomena=("free_fall", "draping", "self_contact"),
        invariants=(Invariant("garment", "top", above=0.3, cause="body", of="pole"),),
        air="still",
    ),
    BaseScene(
        name="plate_into_curtain",
        tiers=("single",),
        description="A moving plate runs into a hanging curtain and carries it along.",
        roles=(
            RoleCloth(name="curtain", patterns=("curtain",), held=("+y",), size=(0.6, 0.8)),
            RoleRigid(
                name="plate", shapes=("plate",), materials=("metal", "wood"), size=(0.4, 0.5), mobility="kinematic"
            ),
        ),
        layout=(
            (("curtain",), Spread(pose="upright", height=(0.08, 0.15))),
            (("plate",), Sweep(speed=(0.4, 0.8), travel=(0.4, 0.7), lift=0.02)),
        ),
        caption="{plate} runs into {curtain} and carries it along.",
        phenomena=("prescribed_motion", "hanging", "collision"),
        invariants=(Invariant("curtain", "travel", above=0.05, cause="motion"),),
        air="still",
    ),
)  # fmt: skip

TWO_BODY = (
    BaseScene(
        name="ball_into_net",
        tiers=("two_body",),
        description="A rigid body falls into a sheet that is held on all sides and is caught.",
        roles=(
            RoleCloth(name="net", patterns=("sheet",), materials=FIRM, held=ALL_SIDES, size=(0.7, 0.9)),
            RoleRigid(name="body", shapes=CAUGHT, materials=FEATHERY, size=(0.12, 0.2)),
        ),
        layout=((("net",), Spread(height=(0.4, 0.6))), (("body",), Drop(height=(0.2, 0.7), over="net", spread=0.1))),
        caption="{body} falls into {net} and is caught.",
        phenomena=("free_fall", "collision", "elastic_deformation"),
        invariants=(Invariant("body", "end_height", above=0.15, cause="body", of="net"),),
        air="still",
    ),
    BaseScene(
        name="ball_into_curtain",
        tiers=("two_body",),
        description="A ball is thrown into a hanging curtain, which stops it.",
        roles=(
            RoleCloth(name="curtain", patterns=("curtain",), held=("+y",)),
            RoleRigid(name="ball", shapes=("ball",), materials=FEATHERY, size=(0.14, 0.22)),
        ),
        layout=(
            (("curtain",), Spread(pose="upright", height=(0.1, 0.3))),
            (("ball",), Throw(target="curtain", speed=(1.5, 3.0))),
        ),
        caption="{ball} is thrown into {curtain}.",
        phenomena=("projectile_motion", "collision", "hanging"),
        invariants=(Invariant("curtain", "travel", above=0.02, cause="body", of="ball"),),
        air="still",
        held_out=True,
    ),
    BaseScene(
        name="cloth_covers_body",
        tiers=("two_body",),
        description="A cloth falls onto a body that stands on the floor and may topple or roll.",
        roles=(
            RoleRigid(name="body", shapes=("ball", "box", "pillar", "cone"), materials=LIGHT, size=(0.2, 0.34)),
            RoleCloth(name="cloth", patterns=SHEETS),
        ),
        layout=((("body",), Scatter()), (("cloth",), Spread(height=(0.1, 0.4), over="body", spread=0.15))),
        caption="{cloth} falls onto {body}.",
        phenomena=("free_fall", "draping", "collision"),
        invariants=(Invariant("cloth", "top", above=0.1, cause="body", of="body"),),
        air="still",
    ),
    BaseScene(
        name="cloth_on_cloth",
        tiers=("two_body",),
        description="One cloth falls over a fixed body, another one on top of it.",
        roles=(STAND, RoleCloth(name="cloth", patterns=SHEETS, size=(0.55, 0.75), count=(2, 2))),
        layout=(
            (("stand",), Scatter()),
            (("cloth",), Spread(height=(0.05, 0.15), rise=0.25, over="stand", spread=0.08)),
        ),
        caption="{cloth} fall over {stand}, one on the other.",
        phenomena=("free_fall", "draping", "self_contact"),
        invariants=(Invariant("cloth", "top", above=0.15, cause="body", of="stand", every=True),),
        air="still",
    ),
)  # fmt: skip

MULTI_OBJECT = (
    BaseScene(
        name="cloth_over_blocks",
        tiers=("multi_object",),
        description="A cloth falls over bodies that lie on the floor.",
        roles=(
            RoleRigid(name="block", shapes=("box", "block", "pillar", "ball"), materials=LIGHT, size=(0.16, 0.28),
                      count=(3, 4)),
            RoleCloth(name="cloth", patterns=SHEETS, size=(0.8, 1.0)),
        ),
        layout=((("block",), Scatter(spread=0.35)), (("cloth",), Spread(height=(0.4, 0.6)))),
        caption="{cloth} falls over {block}.",
        phenomena=("free_fall", "draping", "collision"),
        invariants=(Invariant("cloth", "top", above=0.08, cause="body", of="block"),),
        air="still",
    ),
    BaseScene(
        name="ball_onto_covered_block",
        tiers=("multi_object",),
        description="A cloth falls over a fixed body, then bodies fall onto both.",
        roles=(
            STAND,
            RoleCloth(name="cloth", patterns=SHEETS),
            RoleRigid(name="body", shapes=CAUGHT, materials=FEATHERY, size=(0.12, 0.2), count=(2, 3)),
        ),
        layout=(
            (("stand",), Scatter()),
            (("cloth",), Spread(height=(0.02, 0.06), over="stand")),
            (("body",), Drop(height=(0.5, 0.8), rise=0.25, over="stand", spread=0.15)),
        ),
        caption="{cloth} falls over {stand}, then {body} onto both.",
        phenomena=("free_fall", "draping", "collision"),
        invariants=(Invariant("cloth", "top", above=0.15, cause="body", of="stand"),),
        air="still",
    ),
    BaseScene(
        name="bodies_into_net",
        tiers=("multi_object",),
        description="Several bodies fall into a sheet that is held on all sides and roll together.",
        roles=(
            RoleCloth(name="net", patterns=("sheet",), materials=FIRM, held=ALL_SIDES, size=(0.8, 1.0)),
            RoleRigid(name="body", shapes=CAUGHT, materials=FEATHERY, size=(0.1, 0.16), count=(2, 4)),
        ),
        layout=(
            (("net",), Spread(height=(0.4, 0.6))),
            (("body",), Drop(height=(0.15, 0.4), rise=0.2, over="net", spread=0.25)),
        ),
        caption="{body} fall into {net} and roll together.",
        phenomena=("free_fall", "collision", "elastic_deformation"),
        invariants=(Invariant("body", "end_height", above=0.15, cause="body", of="net"),),
        air="still",
    ),
    BaseScene(
        name="laundry",
        tiers=("multi_object",),
        description="Garments and sheets fall onto each other.",
        roles=(
            RoleCloth(name="sheet", patterns=SHEETS, size=(0.5, 0.65), edge=0.06),
            RoleCloth(name="garment", patterns=CLOSED, size=(0.42, 0.52), edge=0.045, count=(2, 2)),
        ),
        layout=(
            (("sheet",), Spread(height=(0.05, 0.15), tilt=(0.0, 10.0))),
            (("garment",), Spread(height=(0.15, 0.25), rise=0.55, over="sheet", spread=0.05)),
        ),
        caption="On the floor lands {sheet}, then {garment}.",
        phenomena=("free_fall", "self_contact"),
        invariants=(Invariant("garment", "end_height", above=0.0, cause="floor", every=True),),
        air="still",
        held_out=True,
    ),
)  # fmt: skip

CATEGORY = Category(
    name="cloth",
    description="Cloth and garments that fall, drape, hang, blow in the wind and catch what falls.",
    scenes=(*SINGLE, *TWO_BODY, *MULTI_OBJECT, *CLOTH_MANIPULATION),
)

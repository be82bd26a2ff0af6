"""Soft bodies: dropped, thrown, struck, squeezed, heaped up with rigid ones."""

from layouts.placements.drop import Drop
from layouts.placements.fan import Fan
from layouts.placements.ramp import Ramp
from layouts.placements.scatter import Scatter
from layouts.placements.strike import Strike
from layouts.placements.sweep import Sweep
from scenes.category import BaseScene, Category
from scenes.props import FAN
from scenes.roles import RoleRigid, RoleSoft

__all__ = ["CATEGORY"]

SOFT_SHAPE = ("ball", "block", "box", "nugget", "cylinder")
SOFT_FLAT = ("block", "column", "disc")
SPRINGY = ("soft_rubber", "gel", "soft_foam")
DENSE = ("jelly", "gel", "soft_rubber", "dough")  # foam would be crushed under these
FIRM = ("soft_rubber", "gel")  # hard edges cut into foam
LIGHT = ("wood", "polymer", "foam")
LIGHTEST = ("wood", "foam")  # fall from a metre onto soft ones without crushing them
HARD = ("mineral", "wood", "polymer")

PLANK = RoleRigid(name="plank", shapes=("plank",), materials=("wood", "metal"), size=(1.2, 1.5), mobility="static")
POST = RoleRigid(name="post", shapes=("post",), materials=("wood", "concrete"), size=(0.35, 0.45), mobility="static")

SINGLE = (
    BaseScene(
        name="soft_drop",
        tiers=("single",),
        description="A soft body falls onto the floor, flattens and wobbles.",
        roles=(RoleSoft(name="body", shapes=SOFT_SHAPE),),
        layout=((("body",), Drop(height=(0.3, 0.9), spin=(0.0, 2.0))),),
        caption="{body} falls onto the floor, flattens and wobbles.",
        phenomena=("free_fall", "impact", "elastic_deformation"),
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
        gravity="any",
    ),
    BaseScene(
        name="soft_through_jet",
        tiers=("single",),
        description="A light soft body falls through the jet of a fan, which blows it aside.",
        roles=(
            RoleSoft(name="body", shapes=("ball", "nugget", "block"), materials=("soft_foam",), size=(0.2, 0.28)),
            *FAN,
        ),
        layout=(
            (("body",), Drop(height=(0.7, 1.1))),
            (("stand", "fan"), Fan(target="body", distance=(0.15, 0.3), level=(0.5, 0.7), carry=0.8)),
        ),
        caption="{body} falls through the jet of a fan, which blows it aside.",
        phenomena=("free_fall", "jet", "air_drag", "elastic_deformation"),
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
    ),
)

CATEGORY = Category(
    name="soft_body",
    description="Soft bodies: dropped, thrown, struck, squeezed, heaped up with rigid ones.",
    scenes=(*SINGLE, *TWO_BODY, *MULTI_OBJECT),
)

"""Props: roles of the fixed bodies on which base scenes are built."""

from scenes.roles import RoleRigid

__all__ = ["FAN", "PLANK", "POST", "RACK", "SHELF", "SIDE"]

PLANK = RoleRigid(name="plank", shapes=("plank",), materials=("wood", "metal"), size=(1.2, 1.5), mobility="static")
POST = RoleRigid(name="post", shapes=("post",), materials=("wood", "concrete"), size=(0.35, 0.45), mobility="static")
SIDE = RoleRigid(
    name="side",
    shapes=("panel",),
    materials=("wood", "polymer", "metal"),
    count=(4, 4),
    size=(0.5, 0.6),
    mobility="static",
    alike=True,
)
SHELF = RoleRigid(
    name="shelf", shapes=("shelf",), materials=("wood", "concrete", "granite"), size=(0.5, 0.6), mobility="static"
)

FAN = (
    RoleRigid(name="stand", shapes=("post",), materials=("wood", "metal"), size=(0.4, 0.5), mobility="static"),
    RoleRigid(name="fan", shapes=("fan",), materials=("metal", "polymer"), size=(0.3, 0.4), mobility="static"),
)

RACK = (
    RoleRigid(name="post", shapes=("post",), materials=("wood", "concrete"), size=(0.5, 0.6), mobility="static"),
    RoleRigid(name="peg", shapes=("peg",), materials=("wood", "metal"), size=(0.3, 0.4), mobility="static"),
)

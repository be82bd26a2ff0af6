"""One frame of MuJoCo's renderer: python mujoco_frame.py SCENE FRAME (see side_by_side.py).

It shades corners and pixels by Phong's model in display values: no roughness or metal, no light from the sky or from
other surfaces, lamps of no size. Roughness becomes shininess, radiometric lights become display values by eye.
"""

import math
import os
import sys
from pathlib import Path

os.environ.setdefault("MUJOCO_GL", "egl")
os.environ.setdefault("LP_NUM_THREADS", "0")  # Mesa's software rasterizer without further threads

import mujoco
import numpy as np
from exchange import Exchange, Thing, cpu_seconds, keep_frame, read_exchange, srgb


def add_thing(spec: mujoco.MjSpec, thing: Thing) -> None:
    """Add a surface as a mesh of unshared corners."""
    name, facts = thing.facts["name"], thing.facts
    vertices, normals, uv, triangles = thing.corners()
    mesh = spec.add_mesh(name=name, inertia=mujoco.mjtMeshInertia.mjMESH_INERTIA_SHELL)
    mesh.uservert, mesh.usernormal, mesh.userface = vertices.ravel(), normals.ravel(), triangles.ravel()
    rough = facts["roughness"]
    material = spec.add_material(name=name, specular=0.5 * (1.0 - rough), shininess=(1.0 - rough) ** 2)
    if thing.texture is None:
        alpha = 1.0 - 0.7 * facts["transmission"]
        material.rgba = [*srgb(facts["color"]), alpha]
    else:
        mesh.usertexcoord = np.stack([uv[:, 0], 1.0 - uv[:, 1]], axis=-1).ravel()
        height, width = thing.texture.shape[:2]
        picture = spec.add_texture(
            name=name, type=mujoco.mjtTexture.mjTEXTURE_2D, width=width, height=height, nchannel=3
        )
        picture.data = thing.texture.tobytes()
        textures = [""] * mujoco.mjtTextureRole.mjNTEXROLE
        textures[mujoco.mjtTextureRole.mjTEXROLE_RGB] = name
        material.textures = textures
    spec.worldbody.add_geom(
        name=name,
        type=mujoco.mjtGeom.mjGEOM_MESH,
        meshname=name,
        material=name,
        contype=0,
        conaffinity=0,
    )


def add_lights(spec: mujoco.MjSpec, exchange: Exchange) -> None:
    """Add a lamp of no size for every light; display values follow the light that a white surface would send."""
    gain = exchange.facts["exposure"]
    ambient = gain * np.array(exchange.facts["ambient"])
    for index, light in enumerate(exchange.facts["lights"]):
        color = gain / math.pi * np.array(light["color"])
        # Only the first lamp's shadows: a wide lamp's map is coarse, and two of them cover walls with spots.
        lamp = spec.worldbody.add_light(castshadow=index == 0, ambient=[0, 0, 0])
        if light["kind"] == "sun":
            lamp.type = mujoco.mjtLightType.mjLIGHT_DIRECTIONAL
            lamp.dir, lamp.pos = light["direction"], -8.0 * np.array(light["direction"])
        else:
            lamp.type = mujoco.mjtLightType.mjLIGHT_SPOT
            lamp.pos, lamp.dir = light["position"], light.get("direction", [0.0, 0.0, -1.0])
            lamp.cutoff, lamp.exponent, lamp.attenuation = 80.0, 1.0, [0.25, 0.0, 0.18]
            if light["kind"] == "area":
                color = color * float(np.prod(light["size"]))
            color = color / 4.0  # as at two metres, where the attenuation is one
        lamp.diffuse = srgb(color + ambient) - srgb(ambient)
        lamp.specular = 0.5 * np.array(lamp.diffuse)
    spec.visual.headlight.ambient = srgb(ambient)
    spec.visual.headlight.diffuse = spec.visual.headlight.specular = [0.0, 0.0, 0.0]


def main() -> None:
    """Build the model, time the frame, and write it with its instance ids."""
    exchange = read_exchange(Path(sys.argv[1]))
    facts = exchange.facts
    spec = mujoco.MjSpec()
    for thing in exchange.things:
        add_thing(spec, thing)
    add_lights(spec, exchange)
    upward, level = facts["background"]
    spec.add_texture(
        name="sky",
        type=mujoco.mjtTexture.mjTEXTURE_SKYBOX,
        builtin=mujoco.mjtBuiltin.mjBUILTIN_GRADIENT,
        width=256,
        height=256,
        rgb1=upward,
        rgb2=level,
    )
    pose = exchange.camera_gl()
    quaternion = np.zeros(4)
    mujoco.mju_mat2Quat(quaternion, pose[:3, :3].ravel())
    angle = 2.0 * math.degrees(math.atan(0.5 * facts["height"] / facts["intrinsics"][1]))
    spec.worldbody.add_camera(name="eye", pos=pose[:3, 3], quat=quaternion, fovy=angle)
    spec.stat.extent, spec.stat.center = 4.0, [0.0, 0.0, 0.5]
    spec.visual.map.znear, spec.visual.map.zfar = 0.02, 60.0
    spec.visual.quality.shadowsize = 4096
    model = spec.compile()
    data = mujoco.MjData(model)
    mujoco.mj_forward(model, data)
    renderer = mujoco.Renderer(model, facts["height"], facts["width"])

    def color() -> np.ndarray:
        renderer.update_scene(data, "eye")
        return renderer.render()

    def depth_and_ids() -> np.ndarray:
        renderer.enable_depth_rendering()
        renderer.render()
        renderer.disable_depth_rendering()
        renderer.enable_segmentation_rendering()
        ids = renderer.render()
        renderer.disable_segmentation_rendering()
        return ids

    rgb_cost, rgb = cpu_seconds(color)
    truth_cost, ids = cpu_seconds(depth_and_ids)
    instances = np.array([*(thing.facts["instance"] for thing in exchange.things), 0])
    keep_frame(
        rgb,
        instances[ids[..., 0]],
        rgb_cpu_s=rgb_cost,
        truth_cpu_s=truth_cost,
        version=mujoco.__version__,
        samples=int(model.vis.quality.offsamples),
    )


if __name__ == "__main__":
    main()

"""One frame of pyrender: python pyrender_frame.py SCENE FRAME (see side_by_side.py).

It shades metallic-roughness materials under lamps of no size: no shadows, no light from the sky or from other
surfaces but a constant, no mirrors or glass.
"""

import math
import os
import sys
from pathlib import Path

os.environ.setdefault("PYOPENGL_PLATFORM", "egl")
os.environ.setdefault("LP_NUM_THREADS", "0")  # Mesa's software rasterizer without further threads

import numpy as np
import pyrender
from exchange import Exchange, Thing, cpu_seconds, keep_frame, read_exchange


def mesh_of(thing: Thing) -> pyrender.Mesh:
    """Return a surface as a mesh of unshared corners."""
    vertices, normals, uv, _ = thing.corners()
    facts = thing.facts
    material = pyrender.MetallicRoughnessMaterial(
        metallicFactor=facts["metallic"],
        roughnessFactor=facts["roughness"],
        baseColorFactor=[1.0, 1.0, 1.0, 1.0] if thing.texture is not None else [*facts["color"], 1.0],
        doubleSided=True,
    )
    if thing.texture is not None:
        material.baseColorTexture = pyrender.Texture(source=thing.texture, source_channels="RGB")
    primitive = pyrender.Primitive(
        positions=vertices,
        normals=normals,
        texcoord_0=uv if thing.texture is not None else None,
        material=material,
    )
    return pyrender.Mesh([primitive])


def pose_toward(direction: list[float], position: list[float]) -> np.ndarray:
    """Return the pose `(4, 4)` of a lamp that shines along its own −z."""
    back = -np.asarray(direction) / np.linalg.norm(direction)
    side = np.cross([0.0, 1.0, 0.0] if abs(back[2]) > 0.9 else [0.0, 0.0, 1.0], back)
    side /= np.linalg.norm(side)
    pose = np.eye(4)
    pose[:3, :3] = np.stack([side, np.cross(back, side), back], axis=-1)
    pose[:3, 3] = position
    return pose


def add_lights(scene: pyrender.Scene, exchange: Exchange) -> None:
    """Add a lamp of no size for every light, with its irradiance or its intensity along its axis."""
    for light in exchange.facts["lights"]:
        color = exchange.facts["exposure"] * np.array(light["color"])
        if light["kind"] == "area":
            color = color * float(np.prod(light["size"])) * (1.0 if light["shape"] == "rectangle" else 0.25 * math.pi)
        level = float(color.max())
        pose = pose_toward(light.get("direction", [0.0, 0.0, -1.0]), light.get("position", [0.0, 0.0, 0.0]))
        if light["kind"] == "sun":
            scene.add(pyrender.DirectionalLight(color=color / level, intensity=level), pose=pose)
        elif light["kind"] == "point":
            scene.add(pyrender.PointLight(color=color / level, intensity=level), pose=pose)
        else:
            angle = math.radians(85.0)
            lamp = pyrender.SpotLight(color=color / level, intensity=level, innerConeAngle=0.0, outerConeAngle=angle)
            scene.add(lamp, pose=pose)


def main() -> None:
    """Build the scene, time the frame, and write it with its instance ids."""
    exchange = read_exchange(Path(sys.argv[1]))
    facts = exchange.facts
    gain = facts["exposure"]
    scene = pyrender.Scene(bg_color=[*facts["background"][1], 1.0], ambient_light=gain * np.array(facts["ambient"]))
    nodes = {scene.add(mesh_of(thing)): thing.facts["instance"] for thing in exchange.things}
    fx, fy, cx, cy = facts["intrinsics"]
    scene.add(pyrender.IntrinsicsCamera(fx, fy, cx, cy, znear=0.05, zfar=200.0), pose=exchange.camera_gl())
    add_lights(scene, exchange)
    renderer = pyrender.OffscreenRenderer(facts["width"], facts["height"])
    flags = pyrender.RenderFlags.NONE

    def color_and_depth() -> np.ndarray:
        return renderer.render(scene, flags=flags)[0]

    def ids() -> np.ndarray:
        colors = {node: [number, 0, 0] for node, number in nodes.items()}
        return renderer.render(scene, flags=pyrender.RenderFlags.SEG, seg_node_map=colors)[0][..., 0]

    rgb_cost, rgb = cpu_seconds(color_and_depth)
    truth_cost, numbers = cpu_seconds(ids)
    keep_frame(
        rgb,
        numbers.astype(np.int64),
        rgb_cpu_s=rgb_cost,
        truth_cpu_s=truth_cost,
        version=pyrender.__version__,
        samples=4,
    )


if __name__ == "__main__":
    main()

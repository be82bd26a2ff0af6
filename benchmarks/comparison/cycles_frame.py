"""One frame of Blender's Cycles on the CPU: python cycles_frame.py SCENE FRAME (see side_by_side.py).

Path-traced with 64 samples and Open Image Denoise; the light comes back linear and is developed as ours is. Lights and
sky are the same; the sky's glow about the sun and the fading of the ground into the horizon are not known to it.
"""

import math
import sys
import tempfile
from pathlib import Path

import bpy
import numpy as np
from exchange import Exchange, Thing, cpu_seconds, keep_frame, read_exchange
from mathutils import Matrix, Vector

SAMPLES = 64


def add_thing(thing: Thing) -> None:
    """Add a surface with its smooth normals and its material."""
    facts = thing.facts
    mesh = bpy.data.meshes.new(facts["name"])
    mesh.from_pydata(thing.vertices.tolist(), [], thing.triangles.tolist())
    mesh.polygons.foreach_set("use_smooth", np.ones(len(thing.triangles), bool))
    mesh.normals_split_custom_set(thing.normals.reshape(-1, 3).tolist())
    mesh.uv_layers.new().data.foreach_set("uv", thing.uv.astype(np.float32).ravel())
    material = bpy.data.materials.new(facts["name"])
    material.use_nodes = True
    shader = material.node_tree.nodes["Principled BSDF"].inputs
    shader["Base Color"].default_value = (*facts["color"], 1.0)
    shader["Roughness"].default_value = facts["roughness"]
    shader["Metallic"].default_value = facts["metallic"]
    shader["Transmission Weight"].default_value = facts["transmission"]
    shader["IOR"].default_value = facts["refractive_index"]
    if thing.texture is not None:
        node = material.node_tree.nodes.new("ShaderNodeTexImage")
        node.image = picture(facts["name"], np.asarray(thing.texture, np.float32) / 255.0, "sRGB")
        material.node_tree.links.new(node.outputs["Color"], shader["Base Color"])
    mesh.materials.append(material)
    body = bpy.data.objects.new(facts["name"], mesh)
    body.pass_index = facts["instance"]
    bpy.context.scene.collection.objects.link(body)


def picture(name: str, values: np.ndarray, space: str) -> bpy.types.Image:
    """Return an image of values `(height, width, 3)`, first row on top."""
    height, width = values.shape[:2]
    image = bpy.data.images.new(name, width, height, float_buffer=space != "sRGB")
    image.colorspace_settings.name = space
    rgba = np.concatenate([values[::-1], np.ones((height, width, 1))], axis=-1).astype(np.float32)
    image.pixels.foreach_set(rgba.ravel())
    image.update()
    image.pack()
    return image


def add_lights(exchange: Exchange) -> None:
    """Add the sky and all lights; Blender counts watts where ours are radiance and intensity."""
    world = bpy.data.worlds.new("sky")
    world.use_nodes = True
    node = world.node_tree.nodes.new("ShaderNodeTexEnvironment")
    node.image = picture("sky", exchange.sky, "Linear Rec.709")
    world.node_tree.links.new(node.outputs["Color"], world.node_tree.nodes["Background"].inputs["Color"])
    bpy.context.scene.world = world
    for index, light in enumerate(exchange.facts["lights"]):
        lamp = bpy.data.lights.new(f"light_{index}", {"sun": "SUN", "point": "POINT", "area": "AREA"}[light["kind"]])
        color = np.array(light["color"])
        level = float(color.max())
        lamp.color = color / level
        place = bpy.data.objects.new(lamp.name, lamp)
        if light["kind"] == "sun":
            lamp.energy, lamp.angle = level, math.radians(light["angular_diameter"])
        elif light["kind"] == "point":
            lamp.energy, lamp.shadow_soft_size = 4.0 * math.pi * level, 0.0
        else:
            rectangle = light["shape"] == "rectangle"
            lamp.shape = "RECTANGLE" if rectangle else "ELLIPSE"
            lamp.size, lamp.size_y = light["size"]
            area = lamp.size * lamp.size_y * (1.0 if rectangle else 0.25 * math.pi)
            lamp.energy = math.pi * area * level
        if "direction" in light:
            place.rotation_euler = Vector(light["direction"]).to_track_quat("-Z", "Y").to_euler()
        place.location = light.get("position", (0.0, 0.0, 0.0))
        bpy.context.scene.collection.objects.link(place)


def prepare(exchange: Exchange) -> None:
    """Set the camera and everything that Cycles can be told."""
    scene, facts = bpy.context.scene, exchange.facts
    lens = bpy.data.cameras.new("eye")
    lens.sensor_fit, lens.clip_start, lens.clip_end = "HORIZONTAL", 0.01, 1000.0
    lens.angle = 2.0 * math.atan(0.5 * facts["width"] / facts["intrinsics"][0])
    eye = bpy.data.objects.new("eye", lens)
    eye.matrix_world = Matrix(exchange.camera_gl().tolist())
    scene.collection.objects.link(eye)
    scene.camera = eye
    render, cycles = scene.render, scene.cycles
    render.engine, render.resolution_percentage = "CYCLES", 100
    render.resolution_x, render.resolution_y = facts["width"], facts["height"]
    render.threads_mode, render.threads = "FIXED", 1
    render.use_persistent_data = True  # a second frame keeps trees and kernels, as in an animation
    render.image_settings.file_format, render.image_settings.color_depth = "OPEN_EXR", "32"
    cycles.device, cycles.samples, cycles.use_adaptive_sampling = "CPU", SAMPLES, False
    cycles.use_denoising, cycles.denoiser = True, "OPENIMAGEDENOISE"
    scene.view_settings.view_transform = "Raw"


def rendered(folder: str) -> np.ndarray:
    """Render, and return the linear light `(height, width, 3)`."""
    scene = bpy.context.scene
    scene.render.filepath = f"{folder}/frame.exr"
    bpy.ops.render.render(write_still=True)
    image = bpy.data.images.load(scene.render.filepath)
    values = np.empty(len(image.pixels), np.float32)
    image.pixels.foreach_get(values)
    bpy.data.images.remove(image)
    return values.reshape(scene.render.resolution_y, scene.render.resolution_x, 4)[::-1, :, :3]


def show_ids() -> None:
    """Turn the scene into one whose colours are instance ids at pixel centres."""
    scene = bpy.context.scene
    material = bpy.data.materials.new("ids")
    material.use_nodes = True
    tree = material.node_tree
    tree.nodes.clear()
    about, shine, out = (tree.nodes.new(f"ShaderNode{kind}") for kind in ("ObjectInfo", "Emission", "OutputMaterial"))
    tree.links.new(about.outputs["Object Index"], shine.inputs["Strength"])
    tree.links.new(shine.outputs[0], out.inputs["Surface"])
    bpy.context.view_layer.material_override = material
    scene.world = bpy.data.worlds.new("black")
    for thing in list(scene.objects):
        if thing.type == "LIGHT":
            bpy.data.objects.remove(thing)
    scene.cycles.samples, scene.cycles.use_denoising = 1, False
    scene.cycles.pixel_filter_type, scene.cycles.filter_width = "BLACKMAN_HARRIS", 0.01


def main() -> None:
    """Build the scene, time the frame, and write it with its instance ids."""
    exchange = read_exchange(Path(sys.argv[1]))
    bpy.ops.wm.read_factory_settings(use_empty=True)
    for thing in exchange.things:
        add_thing(thing)
    add_lights(exchange)
    prepare(exchange)
    with tempfile.TemporaryDirectory() as folder:
        cost, light = cpu_seconds(lambda: rendered(folder))
        show_ids()
        ids = np.rint(rendered(folder)[..., 0]).astype(np.int64)
    keep_frame(light, ids, rgb_cpu_s=cost, version=bpy.app.version_string, samples=SAMPLES)


if __name__ == "__main__":
    main()

"""The surface buffer: which surface point each pixel centre sees."""

import warp as wp

from simfactory.rendering.kernels.options import OPTIONS
from simfactory.rendering.kernels.world import World, camera_ray, closest_hit, intersect

__all__ = ["resolve_roots", "trace_surface"]

wp.set_module_options(OPTIONS)


@wp.kernel
def resolve_roots(tree: wp.uint64, roots: wp.array(dtype=wp.int32)):
    """Look up where each environment's part of the tree begins."""
    environment = wp.tid()
    roots[environment] = wp.bvh_get_group_root(tree, environment)


@wp.kernel
def trace_surface(
    world: World,
    environments: wp.array(dtype=wp.int32),
    intrinsics: wp.array(dtype=wp.vec4d),
    camera_to_world: wp.array(dtype=wp.mat44d),
    item: wp.array3d(dtype=wp.int32),
    instance: wp.array3d(dtype=wp.uint16),
    triangle: wp.array3d(dtype=wp.int32),
    bary: wp.array3d(dtype=wp.vec2),
    depth: wp.array3d(dtype=wp.float32),
    normal: wp.array3d(dtype=wp.vec3),
):
    """Cast one ray through every pixel centre of every tile; see `SurfaceBuffer` for what is written."""
    tile, row, column = wp.tid()
    pose = camera_to_world[tile]
    origin = wp.vec3d(pose[0, 3], pose[1, 3], pose[2, 3])
    half = wp.float64(0.5)
    direction = camera_ray(pose, intrinsics[tile], wp.float64(column) + half, wp.float64(row) + half)
    hit = closest_hit(world, world.roots[environments[tile]], origin, direction, wp.inf)
    item[tile, row, column] = hit.item
    triangle[tile, row, column] = hit.triangle
    if hit.item < 0:
        instance[tile, row, column] = wp.uint16(0)
        bary[tile, row, column] = wp.vec2(0.0, 0.0)
        depth[tile, row, column] = wp.inf
        normal[tile, row, column] = wp.vec3(0.0, 0.0, 0.0)
        return
    point = intersect(world, hit.item, hit.triangle, origin, direction)
    instance[tile, row, column] = wp.uint16(world.instances[hit.item].instance)
    bary[tile, row, column] = wp.vec2(float(point.b0), float(point.b1))
    depth[tile, row, column] = float(point.distance)
    outward = world.instances[hit.item].rotation @ point.normal
    if wp.dot(outward, direction) > wp.float64(0.0):
        outward = -outward
    normal[tile, row, column] = wp.vec3(outward)

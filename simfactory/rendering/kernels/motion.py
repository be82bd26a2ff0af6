"""Where a pixel's surface point is at another instant, and whether the camera sees it there."""

import warp as wp

from simfactory.cameras import NEAR_PLANE
from simfactory.rendering.kernels.options import OPTIONS
from simfactory.rendering.kernels.world import (
    CONVEX,
    DEFORMING,
    LIQUID,
    World,
    any_hit,
    blocks,
    camera_ray,
    closest_hit,
    corner,
    intersect,
)

__all__ = ["trace_motion", "trace_visibility"]

wp.set_module_options(OPTIONS)

NEAR = wp.constant(wp.float64(NEAR_PLANE))
# A surface nearer than the point by less than this share of its distance is the point's own surface, met again
# by a ray in float32.
TOLERANCE = wp.constant(3.0e-5)


@wp.func
def camera_point(camera_to_world: wp.mat44d, point: wp.vec3d):
    """Return a world point in the camera's frame."""
    x = point[0] - camera_to_world[0, 3]
    y = point[1] - camera_to_world[1, 3]
    z = point[2] - camera_to_world[2, 3]
    return wp.vec3d(
        camera_to_world[0, 0] * x + camera_to_world[1, 0] * y + camera_to_world[2, 0] * z,
        camera_to_world[0, 1] * x + camera_to_world[1, 1] * y + camera_to_world[2, 1] * z,
        camera_to_world[0, 2] * x + camera_to_world[1, 2] * y + camera_to_world[2, 2] * z,
    )


@wp.func
def raster(intrinsics: wp.vec4d, point: wp.vec3d):
    """Project a camera-frame point in front of the camera to raster coordinates."""
    return wp.vec2d(
        intrinsics[0] * point[0] / point[2] + intrinsics[2], intrinsics[1] * point[1] / point[2] + intrinsics[3]
    )


@wp.func
def in_frame(pixel: wp.vec2d, width: int, height: int):
    """Return whether raster coordinates lie in [0, width) × [0, height)."""
    zero = wp.float64(0.0)
    return pixel[0] >= zero and pixel[0] < wp.float64(width) and pixel[1] >= zero and pixel[1] < wp.float64(height)


@wp.func
def covered(world: World, root: int, origin: wp.vec3d, ray: wp.vec3d, item: int):
    """Return whether a point carried by a liquid is hidden: by anything else, or far below the liquid's surface.

    A point that particles carry is not quite on the surface that they have at another instant.
    """
    limit = 1.0 - TOLERANCE
    found = any_hit(world, root, origin, ray, limit, item)
    if not found:
        found = blocks(world, item, origin, ray, limit - world.instances[item].slack / float(wp.length(ray)))
    return found


@wp.func
def hidden(world: World, root: int, origin: wp.vec3d, target: wp.vec3d, item: int, triangle: int):
    """Return whether anything but the triangle itself lies between a camera and a point on it."""
    ray = target - origin
    v0 = corner(world, item, triangle, 0)
    normal = wp.cross(corner(world, item, triangle, 1) - v0, corner(world, item, triangle, 2) - v0)
    facing = wp.dot(world.instances[item].rotation @ normal, ray) < wp.float64(0.0)
    skip = int(-1)
    if facing and (world.instances[item].flags & CONVEX) != 0:
        skip = item
    limit = 1.0 - TOLERANCE
    if (world.instances[item].flags & LIQUID) != 0:
        return covered(world, root, origin, ray, item)
    found = any_hit(world, root, origin, ray, limit, skip)
    if found and skip < 0:
        # The ray may have met the point's own triangle early, at a grazing angle: look what came first.
        nearest = closest_hit(world, root, origin, ray, limit)
        found = nearest.item >= 0 and (nearest.item != item or nearest.triangle != triangle)
    return found


@wp.func
def carried_point(
    world: World, carried: wp.array(dtype=wp.vec3), item: int, triangle: int, b0: wp.float64, b1: wp.float64
):
    """Return where a point of a liquid's triangle is carried to."""
    first = world.instances[item].first_index + 3 * triangle
    base = world.instances[item].first_rest
    point = wp.vec3d(carried[base + world.indices[first]]) * b0
    point += wp.vec3d(carried[base + world.indices[first + 1]]) * b1
    return point + wp.vec3d(carried[base + world.indices[first + 2]]) * (wp.float64(1.0) - b0 - b1)


@wp.func
def weighted(world: World, item: int, triangle: int, b0: wp.float64, b1: wp.float64):
    """Return the point of a triangle with given barycentrics."""
    point = corner(world, item, triangle, 0) * b0 + corner(world, item, triangle, 1) * b1
    return point + corner(world, item, triangle, 2) * (wp.float64(1.0) - b0 - b1)


@wp.func
def moved(
    before: World,
    after: World,
    carried: wp.array(dtype=wp.vec3),
    item: int,
    triangle: int,
    origin: wp.vec3d,
    direction: wp.vec3d,
):
    """Return the world positions of a ray's point on a triangle at both instants; equal where nothing moved."""
    point = intersect(before, item, triangle, origin, direction)
    start = point.local
    end = point.local
    if (after.instances[item].flags & DEFORMING) != 0:
        start = weighted(before, item, triangle, point.b0, point.b1)
        end = weighted(after, item, triangle, point.b0, point.b1)
    if (after.instances[item].flags & LIQUID) != 0:
        start = weighted(before, item, triangle, point.b0, point.b1)
        end = carried_point(before, carried, item, triangle, point.b0, point.b1)
    start = before.instances[item].rotation @ start + before.instances[item].position
    end = after.instances[item].rotation @ end + after.instances[item].position
    return start, end


@wp.func
def stays(before: World, after: World, item: int):
    """Return whether a rigid surface is where it was."""
    a, b = before.instances[item], after.instances[item]
    changes = (b.flags & (DEFORMING | LIQUID)) != 0
    return not changes and a.position == b.position and a.rotation == b.rotation


@wp.kernel
def trace_motion(
    before: World,
    after: World,
    carried: wp.array(dtype=wp.vec3),
    environments: wp.array(dtype=wp.int32),
    intrinsics: wp.array(dtype=wp.vec4d),
    camera_before: wp.array(dtype=wp.mat44d),
    camera_after: wp.array(dtype=wp.mat44d),
    item: wp.array3d(dtype=wp.int32),
    triangle: wp.array3d(dtype=wp.int32),
    depth_before: wp.array3d(dtype=wp.float32),
    item_after: wp.array3d(dtype=wp.int32),
    depth_after: wp.array3d(dtype=wp.float32),
    flow: wp.array3d(dtype=wp.vec2),
    displacement: wp.array3d(dtype=wp.vec3),
    depth: wp.array3d(dtype=wp.float32),
    occluded: wp.array3d(dtype=wp.bool),
    outside: wp.array3d(dtype=wp.bool),
):
    """Follow every pixel's surface point to another instant; see `Motion` for what is written.

    Where neither camera nor surface moves, the pixel itself tells at the other instant whether the point is hidden.
    """
    tile, row, column = wp.tid()
    k = item[tile, row, column]
    occluded[tile, row, column] = False
    outside[tile, row, column] = False
    flow[tile, row, column] = wp.vec2(wp.nan, wp.nan)
    displacement[tile, row, column] = wp.vec3(0.0, 0.0, 0.0)
    depth[tile, row, column] = wp.inf
    if k < 0:
        return
    pose = camera_before[tile]
    if pose == camera_after[tile] and stays(before, after, k):
        far = depth_before[tile, row, column]
        nearer = depth_after[tile, row, column] < far * (1.0 - TOLERANCE)
        flow[tile, row, column] = wp.vec2(0.0, 0.0)
        depth[tile, row, column] = far
        occluded[tile, row, column] = nearer and item_after[tile, row, column] != k
        return
    u = wp.float64(column) + wp.float64(0.5)
    v = wp.float64(row) + wp.float64(0.5)
    direction = camera_ray(pose, intrinsics[tile], u, v)
    face = triangle[tile, row, column]
    start, end = moved(before, after, carried, k, face, wp.vec3d(pose[0, 3], pose[1, 3], pose[2, 3]), direction)
    displacement[tile, row, column] = wp.vec3(end - start)
    pose_after = camera_after[tile]
    seen = camera_point(pose_after, end)
    depth[tile, row, column] = float(seen[2])
    if seen[2] <= NEAR:
        outside[tile, row, column] = True
        return
    pixel = raster(intrinsics[tile], seen)
    flow[tile, row, column] = wp.vec2(float(pixel[0] - u), float(pixel[1] - v))
    if not in_frame(pixel, item.shape[2], item.shape[1]):
        outside[tile, row, column] = True
        return
    root = after.roots[environments[tile]]
    eye = wp.vec3d(pose_after[0, 3], pose_after[1, 3], pose_after[2, 3])
    occluded[tile, row, column] = hidden(after, root, eye, end, k, face)


@wp.kernel
def trace_visibility(
    world: World,
    environment: int,
    intrinsics: wp.vec4d,
    camera_to_world: wp.mat44d,
    width: int,
    height: int,
    points: wp.array(dtype=wp.vec3d),
    carriers: wp.array(dtype=wp.int32),
    visible: wp.array(dtype=wp.bool),
):
    """Tell for every point whether a camera sees it: in front, inside the frame, nothing before it.

    Carriers are the liquids that carry points, -1 where none does.
    """
    index = wp.tid()
    visible[index] = False
    point = points[index]
    seen = camera_point(camera_to_world, point)
    if seen[2] <= NEAR:
        return
    if not in_frame(raster(intrinsics, seen), width, height):
        return
    origin = wp.vec3d(camera_to_world[0, 3], camera_to_world[1, 3], camera_to_world[2, 3])
    if carriers[index] >= 0:
        visible[index] = not covered(world, world.roots[environment], origin, point - origin, carriers[index])
        return
    visible[index] = not any_hit(world, world.roots[environment], origin, point - origin, 1.0 - TOLERANCE, -1)

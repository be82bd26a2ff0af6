"""Where ropes are near shapes and each other."""

import warp as wp
from newton import GeoType
from newton._src.core.types import Axis
from newton._src.geometry.flags import ShapeFlags
from newton._src.geometry.kernels import (
    mesh_query_point_sign,
    resolve_mesh_sign_method,
    sdf_box,
    sdf_box_grad,
    sdf_capsule,
    sdf_capsule_grad,
    sdf_cone,
    sdf_cone_grad,
    sdf_cylinder,
    sdf_cylinder_grad,
    sdf_ellipsoid,
    sdf_ellipsoid_grad,
    sdf_sphere,
    sdf_sphere_grad,
)

from simfactory.simulators.newton.ropes.kernels.records import (
    ROPE_SLOTS,
    SHAPE_SLOTS,
    Bodies,
    Ropes,
    RopeTouches,
    Shapes,
    ShapeTouches,
)

NEAR = wp.constant(wp.float64(2e-3))  # [m] beyond what both travel in a step
AHEAD = wp.constant(wp.float64(2.0))  # of what both travel in a step
KINEMATIC = wp.constant(2)  # newton.BodyFlags


@wp.func
def surface_distance(kind: int, scale: wp.vec3, source: wp.uint64, properties: int, point: wp.vec3, reach: float):
    """Return the signed distance of a point in a shape's frame, and the outward normal there."""
    distance = float(1.0e6)
    normal = wp.vec3(0.0, 0.0, 1.0)
    if kind == GeoType.PLANE:
        distance = point[2]
    if kind == GeoType.SPHERE:
        distance = sdf_sphere(point, scale[0])
        normal = sdf_sphere_grad(point, scale[0])
    if kind == GeoType.BOX:
        distance = sdf_box(point, scale[0], scale[1], scale[2])
        normal = sdf_box_grad(point, scale[0], scale[1], scale[2])
    if kind == GeoType.CAPSULE:
        distance = sdf_capsule(point, scale[0], scale[1], int(Axis.Z))
        normal = sdf_capsule_grad(point, scale[0], scale[1], int(Axis.Z))
    if kind == GeoType.CYLINDER:
        distance = sdf_cylinder(point, scale[0], scale[1], int(Axis.Z), -1.0, scale[2])
        normal = sdf_cylinder_grad(point, scale[0], scale[1], int(Axis.Z), -1.0, scale[2])
    if kind == GeoType.CONE:
        distance = sdf_cone(point, scale[0], scale[1], int(Axis.Z))
        normal = sdf_cone_grad(point, scale[0], scale[1], int(Axis.Z))
    if kind == GeoType.ELLIPSOID:
        distance = sdf_ellipsoid(point, scale)
        normal = sdf_ellipsoid_grad(point, scale)
    if kind == GeoType.MESH or kind == GeoType.CONVEX_MESH:
        query = mesh_query_point_sign(
            source, wp.cw_div(point, scale), reach / wp.min(scale), resolve_mesh_sign_method(properties)
        )
        if query.result:
            nearest = wp.cw_mul(wp.mesh_eval_position(source, query.face, query.u, query.v), scale)
            distance = wp.length(point - nearest) * query.sign
            normal = wp.normalize(point - nearest) * query.sign
    return distance, normal


@wp.func
def yielding(arm: wp.vec3, direction: wp.vec3, inv_mass: float, turn: wp.quat, inv_inertia: wp.mat33):
    """Return the speed that a unit impulse in a direction gives a body at a point beside its centre [1/kg]."""
    lever = wp.quat_rotate_inv(turn, wp.cross(arm, direction))
    return inv_mass + wp.dot(lever, inv_inertia * lever)


@wp.func
def surface_speed(body: int, point: wp.vec3, bodies: Bodies):
    """Return the velocity of a point that moves with a body; 0 of the world."""
    if body < 0:
        return wp.vec3(0.0)
    middle = wp.transform_point(bodies.pose[body], bodies.center[body])
    return wp.spatial_top(bodies.velocity[body]) + wp.cross(wp.spatial_bottom(bodies.velocity[body]), point - middle)


@wp.func
def note_touch(
    sample: int,
    slot: int,
    shape: int,
    gap: wp.float64,
    point: wp.vec3,
    normal: wp.vec3,
    friction: wp.float64,
    shapes: Shapes,
    bodies: Bodies,
    touches: ShapeTouches,
):
    """Write down where a sample is near a shape, and how far its body yields there."""
    body = shapes.body[shape]
    soft_normal, soft_across, ahead = float(0.0), float(0.0), float(0.0)
    if body >= 0:
        if (bodies.flags[body] & KINEMATIC) == 0:
            ahead = 1.0
        if bodies.inv_mass[body] > 0.0:
            turn = wp.transform_get_rotation(bodies.pose[body])
            arm = point - wp.transform_point(bodies.pose[body], bodies.center[body])
            inertia, inv_mass = bodies.inv_inertia[body], bodies.inv_mass[body]
            side = wp.normalize(wp.cross(normal, wp.vec3(normal[1], normal[2], -normal[0])))
            soft_normal = yielding(arm, normal, inv_mass, turn, inertia)
            soft_across = wp.max(
                yielding(arm, side, inv_mass, turn, inertia),
                yielding(arm, wp.cross(normal, side), inv_mass, turn, inertia),
            )
    touches.shape[sample, slot] = shape
    touches.gap[sample, slot] = gap
    touches.normal[sample, slot] = wp.normalize(wp.vec3d(normal))
    touches.velocity[sample, slot] = wp.vec3d(surface_speed(body, point, bodies))
    touches.point[sample, slot] = wp.vec3d(point)
    touches.friction[sample, slot] = wp.float64(0.5) * (friction + wp.float64(shapes.friction[shape]))
    touches.yield_normal[sample, slot] = wp.float64(soft_normal)
    touches.yield_across[sample, slot] = wp.float64(soft_across)
    touches.ahead[sample, slot] = wp.float64(ahead)


@wp.kernel
def touch_shapes(
    dt: wp.float64,
    ropes: Ropes,
    position: wp.array(dtype=wp.vec3d),
    node_qd: wp.array(dtype=wp.vec3),
    shapes: Shapes,
    bodies: Bodies,
    touches: ShapeTouches,
):
    """Find the nearest shapes of a sample's world: balls of the rope's radius against them."""
    sample = wp.tid()
    for slot in range(SHAPE_SLOTS):
        touches.shape[sample, slot] = -1
    node = ropes.sample_node[sample]
    weight = ropes.sample_weight[sample]
    after = node
    if weight > wp.float64(0.0):
        after = node + 1
    if ropes.fixed[node] == 1 and ropes.fixed[after] == 1:
        return
    rope = ropes.owner[node]
    radius = ropes.radius[rope]
    one = wp.float64(1.0)
    center = wp.vec3((one - weight) * position[node] + weight * position[after])
    velocity = (one - weight) * wp.vec3d(node_qd[node]) + weight * wp.vec3d(node_qd[after])
    found = int(0)
    for shape in range(shapes.first[ropes.world[rope]], shapes.last[ropes.world[rope]]):
        if (shapes.flags[shape] & ShapeFlags.COLLIDE_PARTICLES) == 0:
            continue
        body = shapes.body[shape]
        frame = shapes.frame[shape]
        if body >= 0:
            frame = wp.transform_multiply(bodies.pose[body], shapes.frame[shape])
        speed = wp.length(velocity - wp.vec3d(surface_speed(body, center, bodies)))
        reach = float(radius + NEAR + AHEAD * dt * speed)
        if shapes.kind[shape] != GeoType.PLANE:
            if wp.length(center - wp.transform_get_translation(frame)) > shapes.radius[shape] + reach:
                continue
        local = wp.transform_point(wp.transform_inverse(frame), center)
        distance, across = surface_distance(
            shapes.kind[shape], shapes.scale[shape], shapes.source[shape], shapes.properties[shape], local, reach
        )
        if distance > reach:
            continue
        gap = wp.float64(distance) - radius
        slot = found
        if found == SHAPE_SLOTS:  # the farthest one makes room
            slot = 0
            for other in range(1, SHAPE_SLOTS):
                if touches.gap[sample, other] > touches.gap[sample, slot]:
                    slot = other
            if touches.gap[sample, slot] <= gap:
                continue
        else:
            found += 1
        normal = wp.transform_vector(frame, across)
        point = center - distance * normal
        note_touch(sample, slot, shape, gap, point, normal, ropes.friction[rope], shapes, bodies, touches)


@wp.func
def nearest_places(p: wp.vec3d, q: wp.vec3d, r: wp.vec3d, s: wp.vec3d):
    """Return where on the segments p-q and r-s their nearest points are, 0–1.

    Source: C. Ericson, "Real-Time Collision Detection" (2005), §5.1.9.
    """
    zero, one = wp.float64(0.0), wp.float64(1.0)
    d1, d2, apart = q - p, s - r, p - r
    a, e, f = wp.dot(d1, d1), wp.dot(d2, d2), wp.dot(d2, p - r)
    b, c = wp.dot(d1, d2), wp.dot(d1, apart)
    bottom = a * e - b * b
    own = wp.float64(0.5)
    if bottom > wp.float64(1e-9) * a * e:
        own = wp.clamp((b * f - c * e) / bottom, zero, one)
    other = (b * own + f) / e
    if other < zero:
        other = zero
        own = wp.clamp(-c / a, zero, one)
    elif other > one:
        other = one
        own = wp.clamp((b - c) / a, zero, one)
    return own, other


@wp.kernel
def touch_ropes(
    dt: wp.float64,
    ropes: Ropes,
    position: wp.array(dtype=wp.vec3d),
    node_qd: wp.array(dtype=wp.vec3),
    touches: RopeTouches,
):
    """Find the segments of the same world that are nearest to a segment, but for its neighbours along the rope."""
    node = wp.tid()
    for slot in range(ROPE_SLOTS):
        touches.other[node, slot] = -1
    rope = ropes.owner[node]
    if rope < 0:
        return
    if node + 1 >= ropes.last[rope]:
        return
    half = wp.float64(0.5)
    p, q = position[node], position[node + 1]
    middle = half * (p + q)
    velocity = half * (wp.vec3d(node_qd[node]) + wp.vec3d(node_qd[node + 1]))
    world = ropes.world[rope]
    found = int(0)
    for other in range(ropes.world_first[world], ropes.world_last[world]):
        against = ropes.owner[other]
        if against < 0:
            continue
        if other + 1 >= ropes.last[against]:
            continue
        if against == rope and wp.abs(other - node) < ropes.skipped[rope]:
            continue
        r, s = position[other], position[other + 1]
        thick = ropes.radius[rope] + ropes.radius[against]
        apart = middle - half * (r + s)
        bound = thick + NEAR + half * (ropes.length[node] + ropes.length[other]) * wp.float64(1.2)
        moved = velocity - half * (wp.vec3d(node_qd[other]) + wp.vec3d(node_qd[other + 1]))
        travel = AHEAD * dt * wp.length(moved)
        if wp.dot(apart, apart) > (bound + travel) * (bound + travel):
            continue
        own_place, other_place = nearest_places(p, q, r, s)
        way = p + own_place * (q - p) - r - other_place * (s - r)
        distance = wp.length(way)
        gap = distance - thick
        if gap > NEAR + travel or distance < wp.float64(1e-9):
            continue
        slot = found
        if found == ROPE_SLOTS:
            slot = 0
            for earlier in range(1, ROPE_SLOTS):
                if touches.gap[node, earlier] > touches.gap[node, slot]:
                    slot = earlier
            if touches.gap[node, slot] <= gap:
                continue
        else:
            found += 1
        touches.other[node, slot] = other
        touches.gap[node, slot] = gap
        touches.normal[node, slot] = way / distance
        touches.own_place[node, slot] = own_place
        touches.other_place[node, slot] = other_place

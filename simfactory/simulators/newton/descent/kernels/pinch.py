"""Cloth between the closed fingers of a gripper: which points of it they hold, how these pull, and when they slip."""

import warp as wp

__all__ = ["POINTS", "Gripper", "let_slip", "pull_pinched", "take_hold"]

POINTS = wp.constant(64)  # of cloth that one gripper holds at most


@wp.struct
class Gripper:
    """The gripper of one environment; `hand` is -1 where there is none."""

    hand: wp.int32  # rows of bodies
    left: wp.int32
    right: wp.int32
    tool: wp.transform  # in the hand's frame: between the pads, z forwards, y along the way of the fingers
    shut: float  # distance of the fingers' centres when closed [m]
    low: wp.vec3  # what lies between the pads, tool frame [m]
    high: wp.vec3
    press: float  # force of a finger [N]
    friction: float  # of its pads [1]
    first: wp.int32  # its environment's points of cloth
    last: wp.int32


@wp.func
def point_now(
    sample: int, nodes: wp.array(dtype=wp.vec3i), weights: wp.array(dtype=wp.vec3), position: wp.array(dtype=wp.vec3)
):
    """Return where a point of cloth is."""
    corners, share = nodes[sample], weights[sample]
    return share[0] * position[corners[0]] + share[1] * position[corners[1]] + share[2] * position[corners[2]]


@wp.func
def is_between(gripper: Gripper, place: wp.vec3, reach: float):
    """Tell whether a place, tool frame, is between the pads; `reach` is how far from the middle plane [m]."""
    if wp.abs(place[1]) > reach:
        return False
    if place[0] < gripper.low[0] or place[0] > gripper.high[0]:
        return False
    return place[2] >= gripper.low[2] and place[2] <= gripper.high[2]


@wp.func
def opening_of(gripper: Gripper, pose: wp.array(dtype=wp.transform)):
    """Return the distance of the pads [m]."""
    tool = wp.transform_multiply(pose[gripper.hand], gripper.tool)
    across = wp.quat_rotate(wp.transform_get_rotation(tool), wp.vec3(0.0, 1.0, 0.0))
    apart = wp.transform_get_translation(pose[gripper.left]) - wp.transform_get_translation(pose[gripper.right])
    return wp.abs(wp.dot(apart, across)) - gripper.shut


@wp.kernel
def take_hold(
    grippers: wp.array(dtype=Gripper),
    nodes: wp.array(dtype=wp.vec3i),
    weights: wp.array(dtype=wp.vec3),
    radius: wp.array(dtype=wp.float32),
    slack: float,
    pose: wp.array(dtype=wp.transform),
    position: wp.array(dtype=wp.vec3),
    closed: wp.array(dtype=wp.int32),
    count: wp.array(dtype=wp.int32),
    held: wp.array2d(dtype=wp.int32),
    anchor: wp.array2d(dtype=wp.vec3),
):
    """Let go of everything while the fingers are apart; hold what lies between them in the step in which they close.

    They are closed when the layer between them, twice the distance that cloth keeps from bodies, is as thick as their
    opening, or `slack` less.
    """
    world = wp.tid()
    gripper = grippers[world]
    if gripper.hand < 0 or gripper.last <= gripper.first:
        return
    opening = opening_of(gripper, pose)
    layer = 2.0 * radius[nodes[gripper.first][0]]
    if opening > layer + slack:
        closed[world] = 0
        count[world] = 0
        return
    if closed[world] == 1:
        return
    closed[world] = 1
    tool = wp.transform_multiply(pose[gripper.hand], gripper.tool)
    back = wp.transform_inverse(tool)
    found = int(0)
    for sample in range(gripper.first, gripper.last):
        place = wp.transform_point(back, point_now(sample, nodes, weights, position))
        if is_between(gripper, place, layer + slack):
            found += 1
    every = wp.max((found + POINTS - 1) / POINTS, 1)
    kept, number = int(0), int(0)
    for sample in range(gripper.first, gripper.last):
        place = wp.transform_point(back, point_now(sample, nodes, weights, position))
        if is_between(gripper, place, layer + slack):
            if number % every == 0 and kept < POINTS:
                held[world, kept] = sample
                anchor[world, kept] = place
                kept += 1
            number += 1
    count[world] = kept


@wp.func
def hold_limit(
    gripper: Gripper, sample: int, count: int, nodes: wp.array(dtype=wp.vec3i), friction: wp.array(dtype=wp.float32)
):
    """Return the largest friction on one of so many points [N]: two pads press on all of them together."""
    rub = wp.sqrt(gripper.friction * friction[nodes[sample][0]])
    return 2.0 * rub * gripper.press / float(count)


@wp.kernel
def pull_pinched(
    color: int,
    stiffness: float,
    node_color: wp.array(dtype=wp.int32),
    grippers: wp.array(dtype=Gripper),
    nodes: wp.array(dtype=wp.vec3i),
    weights: wp.array(dtype=wp.vec3),
    friction: wp.array(dtype=wp.float32),
    count: wp.array(dtype=wp.int32),
    held: wp.array2d(dtype=wp.int32),
    anchor: wp.array2d(dtype=wp.vec3),
    pose: wp.array(dtype=wp.transform),
    position: wp.array(dtype=wp.vec3),
    force: wp.array(dtype=wp.vec3),
    hessian: wp.array(dtype=wp.mat33),
):
    """Pull the points that one environment's gripper holds to where it took them, with no more than friction can."""
    world = wp.tid()
    total = count[world]
    if total == 0:
        return
    gripper = grippers[world]
    tool = wp.transform_multiply(pose[gripper.hand], gripper.tool)
    across = wp.quat_rotate(wp.transform_get_rotation(tool), wp.vec3(0.0, 1.0, 0.0))
    normal = wp.outer(across, across)
    pull = stiffness / float(total)
    for slot in range(total):
        sample = held[world, slot]
        corners, share = nodes[sample], weights[sample]
        if node_color[corners[0]] == color or node_color[corners[1]] == color or node_color[corners[2]] == color:
            apart = wp.transform_point(tool, anchor[world, slot]) - point_now(sample, nodes, weights, position)
            limit = hold_limit(gripper, sample, total, nodes, friction)
            along = wp.length(apart - normal * apart)
            rub = wp.min(pull, limit / wp.max(along, 1.0e-9))
            stiff = rub * wp.identity(n=3, dtype=float) + (pull - rub) * normal
            for corner in range(3):
                node = corners[corner]
                if node_color[node] == color:
                    force[node] = force[node] + share[corner] * (stiff * apart)
                    hessian[node] = hessian[node] + share[corner] * share[corner] * stiff


@wp.kernel
def let_slip(
    stiffness: float,
    slack: float,
    radius: wp.array(dtype=wp.float32),
    grippers: wp.array(dtype=Gripper),
    nodes: wp.array(dtype=wp.vec3i),
    weights: wp.array(dtype=wp.vec3),
    friction: wp.array(dtype=wp.float32),
    pose: wp.array(dtype=wp.transform),
    position: wp.array(dtype=wp.vec3),
    count: wp.array(dtype=wp.int32),
    held: wp.array2d(dtype=wp.int32),
    anchor: wp.array2d(dtype=wp.vec3),
):
    """Take anchors along that are pulled at harder than friction holds; let go of what leaves the pads."""
    world = wp.tid()
    gripper = grippers[world]
    total = count[world]
    if gripper.hand < 0 or total == 0:
        return
    tool = wp.transform_multiply(pose[gripper.hand], gripper.tool)
    back = wp.transform_inverse(tool)
    pull = stiffness / float(total)
    kept = int(0)
    for slot in range(total):
        sample = held[world, slot]
        place = wp.transform_point(back, point_now(sample, nodes, weights, position))
        rest = anchor[world, slot]
        slip = place - rest
        slip[1] = 0.0
        stretch = wp.length(slip)
        most = hold_limit(gripper, sample, total, nodes, friction) / pull
        if stretch > most:
            rest = rest + slip * (1.0 - most / stretch)
        if is_between(gripper, rest, 2.0 * radius[nodes[sample][0]] + slack):
            held[world, kept] = sample
            anchor[world, kept] = rest
            kept += 1
    count[world] = kept

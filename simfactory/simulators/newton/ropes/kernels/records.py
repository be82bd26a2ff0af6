"""What the kernels of ropes share: tables of ropes and of their contacts."""

import warp as wp

SHAPE_SLOTS = wp.constant(3)  # shapes that a sample may touch at once
ROPE_SLOTS = wp.constant(6)  # segments that a segment may touch at once


@wp.struct
class Ropes:
    """All ropes of a model: rows of nodes, samples and segments, and what they are made of.

    A rope's nodes are first…last-1; the row `last` is the tip of its director. Segment `node` joins node and node + 1;
    segment rows are node rows.
    """

    first: wp.array(dtype=wp.int32)
    last: wp.array(dtype=wp.int32)
    world: wp.array(dtype=wp.int32)
    radius: wp.array(dtype=wp.float64)
    stretch: wp.array(dtype=wp.float64)
    bend: wp.array(dtype=wp.float64)
    relaxation: wp.array(dtype=wp.float64)
    friction: wp.array(dtype=wp.float64)
    skipped: wp.array(dtype=wp.int32)
    sample_first: wp.array(dtype=wp.int32)
    sample_last: wp.array(dtype=wp.int32)
    mass: wp.array(dtype=wp.float64)
    fixed: wp.array(dtype=wp.int32)
    length: wp.array(dtype=wp.float64)
    owner: wp.array(dtype=wp.int32)
    sample_node: wp.array(dtype=wp.int32)
    sample_weight: wp.array(dtype=wp.float64)
    world_first: wp.array(dtype=wp.int32)
    world_last: wp.array(dtype=wp.int32)
    world_sample_first: wp.array(dtype=wp.int32)
    world_sample_last: wp.array(dtype=wp.int32)


@wp.struct
class Shapes:
    """The collision shapes of a model, those of a world from first to last - 1."""

    first: wp.array(dtype=wp.int32)
    last: wp.array(dtype=wp.int32)
    body: wp.array(dtype=wp.int32)
    kind: wp.array(dtype=wp.int32)
    scale: wp.array(dtype=wp.vec3)
    source: wp.array(dtype=wp.uint64)
    properties: wp.array(dtype=wp.int32)
    frame: wp.array(dtype=wp.transform)
    flags: wp.array(dtype=wp.int32)
    radius: wp.array(dtype=wp.float32)
    friction: wp.array(dtype=wp.float32)


@wp.struct
class Bodies:
    """The rigid bodies of a model at a state."""

    pose: wp.array(dtype=wp.transform)
    velocity: wp.array(dtype=wp.spatial_vector)
    center: wp.array(dtype=wp.vec3)
    flags: wp.array(dtype=wp.int32)
    inv_mass: wp.array(dtype=wp.float32)
    inv_inertia: wp.array(dtype=wp.mat33)


@wp.struct
class ShapeTouches:
    """Where samples are near shapes `(sample, slot)`: planes that move along with the shape during a step."""

    shape: wp.array2d(dtype=wp.int32)
    gap: wp.array2d(dtype=wp.float64)
    normal: wp.array2d(dtype=wp.vec3d)
    velocity: wp.array2d(dtype=wp.vec3d)
    point: wp.array2d(dtype=wp.vec3d)
    friction: wp.array2d(dtype=wp.float64)
    yield_normal: wp.array2d(dtype=wp.float64)
    yield_across: wp.array2d(dtype=wp.float64)
    ahead: wp.array2d(dtype=wp.float64)


@wp.struct
class RopeTouches:
    """Where segments are near other segments `(node, slot)`; the normal points to the own one."""

    other: wp.array2d(dtype=wp.int32)
    gap: wp.array2d(dtype=wp.float64)
    normal: wp.array2d(dtype=wp.vec3d)
    own_place: wp.array2d(dtype=wp.float64)
    other_place: wp.array2d(dtype=wp.float64)

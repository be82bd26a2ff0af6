"""Pressure that keeps a liquid's volume and moves rigid bodies, by conjugate gradients over the cells that it fills.

Sources: C. Batty, F. Bertails, R. Bridson, "A fast variational framework for accurate solid-fluid coupling" (2007),
with the shares of faces of Y. T. Ng, C. Min, F. Gibou, "An efficient fluid-solid coupling algorithm" (2009).
"""

import warp as wp

from simfactory.launches import scatters
from simfactory.simulators.newton.liquid.kernels.records import Grid, body_velocity, face_place
from simfactory.simulators.newton.liquid.kernels.solids import face_owner, open_share, open_volume

__all__ = [
    "apply_pressure",
    "apply_spread",
    "assemble",
    "find_rest",
    "gather",
    "list_cells",
    "move_bodies",
    "search",
    "settle_bodies",
    "spread",
    "start",
    "update",
]

scatters(__name__, records=64)  # cells of a lane: 262,144 in all

CLOSEST = wp.constant(0.25)  # [cell] nearest that the surface is taken to be to the middle of a cell below it
# Open share of a cell below which it is as good as solid [1]: without particles it is no air, no liquid gets into it.
SLIVER = wp.constant(0.35)
LEAST_REST = wp.constant(0.05)  # [1] fullness of a cell almost wholly inside a solid
CROWDED = wp.constant(0.5)  # [1] largest excess of volume in a cell that is spread in a step
ROOMY = wp.constant(0.1)  # [1] largest lack of volume within the liquid that is closed in a step


@wp.struct
class Cells:
    """The cells that the liquid fills, each with six faces: lower and upper along x, y, z."""

    place: wp.array(dtype=wp.vec3i)
    neighbor: wp.array2d(dtype=wp.int32)  # row of the cell beyond each face, -1: none
    weight: wp.array2d(dtype=wp.float32)  # of the difference of pressures across it
    diagonal: wp.array(dtype=wp.float32)
    right: wp.array(dtype=wp.float32)
    push: wp.array(dtype=wp.spatial_vector)  # impulse on the body at hand from unit pressure × time [m², m³]
    body: wp.array(dtype=wp.int32)  # its row, -1: none
    loose: wp.array2d(dtype=wp.float32)  # the same system without bodies and densities, for spreading
    loose_diagonal: wp.array(dtype=wp.float32)
    excess: wp.array(dtype=wp.float32)


@wp.func
def beyond(i: int, j: int, k: int, face: int):
    """Return the cell beyond a face."""
    step = 2 * (face % 2) - 1
    axis = face // 2
    cell = wp.vec3i(i, j, k)
    cell[axis] = cell[axis] + step
    return cell


@wp.func
def face_cell(i: int, j: int, k: int, face: int):
    """Return the cell whose lower face this is."""
    axis = face // 2
    cell = wp.vec3i(i, j, k)
    cell[axis] = cell[axis] + face % 2
    return cell


@wp.kernel
def list_cells(
    grid: Grid,
    count: wp.array3d(dtype=wp.int32),
    distance: wp.array3d(dtype=wp.float32),
    cells: Cells,
    cell_count: wp.array(dtype=wp.int32),
    index: wp.array3d(dtype=wp.int32),
):
    """Number the cells that hold particles and are not shut in on all sides."""
    i, j, k = wp.tid()
    index[i, j, k] = -1
    inside = i > 0 and j > 0 and k > 0
    inside = inside and i < grid.size[0] - 1 and j < grid.size[1] - 1 and k < grid.size[2] - 1
    if count[i, j, k] == 0 or not inside:
        return
    free = float(0.0)
    for face in range(6):
        at = face_cell(i, j, k, face)
        free += open_share(distance, at[0], at[1], at[2], face // 2)
    if free > 0.0:
        entry = wp.atomic_add(cell_count, 0, 1)
        if entry < cells.place.shape[0]:
            cells.place[entry] = wp.vec3i(i, j, k)
            index[i, j, k] = entry


@wp.func
def surface_share(
    filled: wp.array3d(dtype=wp.float32), rest: wp.array3d(dtype=wp.float32), own: wp.vec3i, other: wp.vec3i
):
    """Return how far the surface is beyond a cell's middle on the way to an empty cell [cell]."""
    full = filled[own[0], own[1], own[2]] / wp.max(rest[own[0], own[1], own[2]], LEAST_REST)
    full += filled[other[0], other[1], other[2]] / wp.max(rest[other[0], other[1], other[2]], LEAST_REST)
    return wp.clamp(full - 0.5, CLOSEST, 1.0)


@wp.func
def expected(distance: wp.array3d(dtype=wp.float32), cell: wp.vec3i):
    """Return how full a cell measures that is full, near solids: the open volume about its middle [1]."""
    total = float(0.0)
    for a in range(-1, 2):
        for b in range(-1, 2):
            for c in range(-1, 2):
                weight = 1.0
                if a == 0:
                    weight = weight * 0.75
                else:
                    weight = weight * 0.125
                if b == 0:
                    weight = weight * 0.75
                else:
                    weight = weight * 0.125
                if c == 0:
                    weight = weight * 0.75
                else:
                    weight = weight * 0.125
                total += weight * open_volume(distance, cell[0] + a, cell[1] + b, cell[2] + c)
    return total


@wp.kernel
def find_rest(grid: Grid, distance: wp.array3d(dtype=wp.float32), rest: wp.array3d(dtype=wp.float32)):
    """Find how full each cell measures that is full, beside floor, walls and static bodies."""
    i, j, k = wp.tid()
    rest[i, j, k] = 1.0
    if i > 0 and j > 0 and k > 0 and i < grid.size[0] - 1 and j < grid.size[1] - 1 and k < grid.size[2] - 1:
        rest[i, j, k] = expected(distance, wp.vec3i(i, j, k))


@wp.func
def excess_of(
    filled: wp.array3d(dtype=wp.float32),
    rest: wp.array3d(dtype=wp.float32),
    distance: wp.array3d(dtype=wp.float32),
    own: wp.vec3i,
    body: int,
    inner: bool,
):
    """Return how much too full a cell is [1]; at the surface never less than nothing."""
    full = rest[own[0], own[1], own[2]]
    if body >= 0:
        full = expected(distance, own)
    more = filled[own[0], own[1], own[2]] / wp.max(full, LEAST_REST) - 1.0
    least = float(0.0)
    if inner:
        least = -ROOMY
    return wp.clamp(more, least, CROWDED)


@wp.kernel
def assemble(
    grid: Grid,
    dt: float,
    rate: float,
    cell_count: wp.array(dtype=wp.int32),
    filled: wp.array3d(dtype=wp.float32),
    rest: wp.array3d(dtype=wp.float32),
    index: wp.array3d(dtype=wp.int32),
    fixed: wp.array3d(dtype=wp.float32),
    distance: wp.array3d(dtype=wp.float32),
    owner: wp.array3d(dtype=wp.int32),
    velocity: wp.array4d(dtype=wp.float32),
    density: float,
    poses: wp.array(dtype=wp.transform),
    centers: wp.array(dtype=wp.vec3),
    body_velocities: wp.array(dtype=wp.spatial_vector),
    cells: Cells,
):
    """Set up both systems: that no volume flows into a cell, and that crowded cells are spread."""
    row = wp.tid()
    if row >= cell_count[0]:
        return
    own = cells.place[row]
    h = grid.cell
    inflow = float(0.0)
    diagonal = float(0.0)
    loose_diagonal = float(0.0)
    inner = bool(True)
    push = wp.vec3(0.0, 0.0, 0.0)
    turn = wp.vec3(0.0, 0.0, 0.0)
    body = int(-1)
    for face in range(6):
        axis = face // 2
        sign = float(2 * (face % 2) - 1)
        at = face_cell(own[0], own[1], own[2], face)
        free = open_share(distance, at[0], at[1], at[2], axis)
        other = beyond(own[0], own[1], own[2], face)
        weight = float(0.0)
        loose = float(0.0)
        neighbor = index[other[0], other[1], other[2]]
        if neighbor < 0 and open_volume(distance, other[0], other[1], other[2]) < SLIVER:
            free = 0.0
        if free > 0.0:
            inflow -= sign * free * velocity[axis, at[0], at[1], at[2]]
            weight = free * dt / (density * h)
            loose = free
            if neighbor < 0:
                inner = False
                nearer = surface_share(filled, rest, own, other)
                weight = weight / nearer
                loose = loose / nearer
            diagonal += weight
            loose_diagonal += loose
        cells.neighbor[row, face] = neighbor
        cells.weight[row, face] = weight
        cells.loose[row, face] = loose
        if owner.shape[0] > 0:
            taken = open_share(fixed, at[0], at[1], at[2], axis) - free
            if open_volume(fixed, other[0], other[1], other[2]) < SLIVER:
                taken = 0.0
            if taken > 0.0:
                moving = face_owner(distance, owner, at[0], at[1], at[2], axis)
                if moving >= 0:
                    middle = face_place(grid, at[0], at[1], at[2], axis)
                    speed = body_velocity(poses, centers, body_velocities, moving, middle)
                    inflow -= sign * taken * speed[axis]
                    if body < 0:
                        body = moving
                    if body == moving:
                        area = wp.vec3(0.0, 0.0, 0.0)
                        area[axis] = sign * taken * h * h
                        arm = middle - wp.transform_point(poses[moving], centers[moving])
                        push += area
                        turn += wp.cross(arm, area)
    cells.excess[row] = excess_of(filled, rest, distance, own, body, inner) * rate * h * h
    cells.diagonal[row] = wp.max(diagonal, 1.0e-12)
    cells.loose_diagonal[row] = wp.max(loose_diagonal, 1.0e-6)
    cells.right[row] = inflow
    cells.push[row] = wp.spatial_vector(push, turn)
    cells.body[row] = body


@wp.kernel
def spread(
    cell_count: wp.array(dtype=wp.int32),
    cells: Cells,
    weight: wp.array2d(dtype=wp.float32),
    diagonal: wp.array(dtype=wp.float32),
    along: wp.array(dtype=wp.float32),
    step: int,
    scale: wp.array(dtype=wp.float32),
    total: wp.array(dtype=wp.float32),
    least: float,
    result: wp.array(dtype=wp.float32),
    impulse: wp.array2d(dtype=wp.spatial_vector),
    lanes: int,
):
    """Multiply a vector by the system without bodies, and add up what it does to each body.

    Where there are none, its dot product with the result is summed at once.
    """
    if scale[2 * step] <= least * scale[2]:
        return
    dot = float(0.0)
    for row in range(wp.tid(), cell_count[0], lanes):
        sum = diagonal[row] * along[row]
        for face in range(6):
            neighbor = cells.neighbor[row, face]
            if neighbor >= 0:
                sum -= weight[row, face] * along[neighbor]
        result[row] = sum
        dot += along[row] * sum
        if impulse.shape[0] > 0 and cells.body[row] >= 0:
            wp.atomic_add(impulse, step, cells.body[row], cells.push[row] * along[row])
    if impulse.shape[0] == 0:
        wp.atomic_add(total, 0, dot)


@wp.kernel
def gather(
    dt: float,
    cell: float,
    cell_count: wp.array(dtype=wp.int32),
    cells: Cells,
    along: wp.array(dtype=wp.float32),
    step: int,
    scale: wp.array(dtype=wp.float32),
    total: wp.array(dtype=wp.float32),
    least: float,
    impulse: wp.array2d(dtype=wp.spatial_vector),
    lightness: wp.array(dtype=wp.float32),
    softness: wp.array(dtype=wp.mat33),
    result: wp.array(dtype=wp.float32),
    lanes: int,
):
    """Add to the product what bodies, moved by it, do to the cells; sum its dot product with the vector."""
    if scale[2 * step] <= least * scale[2]:
        return
    dot = float(0.0)
    for row in range(wp.tid(), cell_count[0], lanes):
        if cells.body[row] >= 0:
            body = cells.body[row]
            given = impulse[step, body]
            push = cells.push[row]
            gained = wp.dot(wp.spatial_top(push), wp.spatial_top(given)) * lightness[body]
            gained += wp.dot(wp.spatial_bottom(push), softness[body] * wp.spatial_bottom(given))
            result[row] = result[row] + gained * dt / (cell * cell)
        dot += along[row] * result[row]
    wp.atomic_add(total, 0, dot)


@wp.kernel
def start(
    cell_count: wp.array(dtype=wp.int32),
    right: wp.array(dtype=wp.float32),
    diagonal: wp.array(dtype=wp.float32),
    product: wp.array(dtype=wp.float32),
    residual: wp.array(dtype=wp.float32),
    along: wp.array(dtype=wp.float32),
    total: wp.array(dtype=wp.float32),
):
    """Begin with the residual of a first guess; the diagonal preconditions."""
    row = wp.tid()
    if row >= cell_count[0]:
        return
    left = right[row] - product[row]
    residual[row] = left
    along[row] = left / diagonal[row]
    wp.atomic_add(total, 0, left * left / diagonal[row])


@wp.kernel
def update(
    cell_count: wp.array(dtype=wp.int32),
    diagonal: wp.array(dtype=wp.float32),
    product: wp.array(dtype=wp.float32),
    along: wp.array(dtype=wp.float32),
    step: int,
    least: float,
    scale: wp.array(dtype=wp.float32),
    total: wp.array(dtype=wp.float32),
    solution: wp.array(dtype=wp.float32),
    residual: wp.array(dtype=wp.float32),
    lanes: int,
):
    """Take one step of conjugate gradients."""
    if scale[2 * step] <= least * scale[2] or scale[2 * step + 1] <= 0.0:
        return
    way = scale[2 * step] / scale[2 * step + 1]
    norm = float(0.0)
    for row in range(wp.tid(), cell_count[0], lanes):
        solution[row] = solution[row] + way * along[row]
        left = residual[row] - way * product[row]
        residual[row] = left
        norm += left * left / diagonal[row]
    wp.atomic_add(total, 0, norm)


@wp.kernel
def search(
    cell_count: wp.array(dtype=wp.int32),
    diagonal: wp.array(dtype=wp.float32),
    residual: wp.array(dtype=wp.float32),
    step: int,
    least: float,
    scale: wp.array(dtype=wp.float32),
    along: wp.array(dtype=wp.float32),
    lanes: int,
):
    """Turn to the next direction."""
    if scale[2 * step] <= least * scale[2]:
        return
    turn = scale[2 * step + 2] / scale[2 * step]
    for row in range(wp.tid(), cell_count[0], lanes):
        along[row] = residual[row] / diagonal[row] + along[row] * turn


@wp.kernel
def apply_pressure(
    grid: Grid,
    dt: float,
    density: float,
    cell_count: wp.array(dtype=wp.int32),
    filled: wp.array3d(dtype=wp.float32),
    rest: wp.array3d(dtype=wp.float32),
    distance: wp.array3d(dtype=wp.float32),
    owner: wp.array3d(dtype=wp.int32),
    poses: wp.array(dtype=wp.transform),
    centers: wp.array(dtype=wp.vec3),
    body_velocities: wp.array(dtype=wp.spatial_vector),
    cells: Cells,
    pressure: wp.array(dtype=wp.float32),
    velocity: wp.array4d(dtype=wp.float32),
):
    """Take the gradient of pressure from the velocity of faces; closed ones move with what closes them."""
    row = wp.tid()
    if row >= cell_count[0]:
        return
    own = cells.place[row]
    for face in range(6):
        axis = face // 2
        neighbor = cells.neighbor[row, face]
        if face % 2 == 0 or neighbor < 0:
            at = face_cell(own[0], own[1], own[2], face)
            if cells.weight[row, face] > 0.0:
                fall = pressure[row]
                nearer = float(1.0)
                if neighbor >= 0:
                    fall -= pressure[neighbor]
                else:
                    nearer = surface_share(filled, rest, own, beyond(own[0], own[1], own[2], face))
                change = float(2 * (face % 2) - 1) * fall * dt / (density * grid.cell * nearer)
                velocity[axis, at[0], at[1], at[2]] = velocity[axis, at[0], at[1], at[2]] + change
            else:
                value = float(0.0)
                if owner.shape[0] > 0:
                    moving = face_owner(distance, owner, at[0], at[1], at[2], axis)
                    if moving >= 0:
                        middle = face_place(grid, at[0], at[1], at[2], axis)
                        speed = body_velocity(poses, centers, body_velocities, moving, middle)
                        value = speed[axis]
                velocity[axis, at[0], at[1], at[2]] = value


@wp.kernel
def move_bodies(
    dt: float,
    cell_count: wp.array(dtype=wp.int32),
    cells: Cells,
    pressure: wp.array(dtype=wp.float32),
    impulse: wp.array(dtype=wp.spatial_vector),
):
    """Add up the impulse [N s, N m s] that pressure gives to each body."""
    row = wp.tid()
    if row >= cell_count[0] or cells.body[row] < 0:
        return
    wp.atomic_add(impulse, cells.body[row], cells.push[row] * (pressure[row] * dt))


@wp.kernel
def settle_bodies(
    impulse: wp.array(dtype=wp.spatial_vector),
    lightness: wp.array(dtype=wp.float32),
    softness: wp.array(dtype=wp.mat33),
    before: wp.array(dtype=wp.spatial_vector),
    after: wp.array(dtype=wp.spatial_vector),
):
    """Give bodies the velocities that pressure leaves them with."""
    body = wp.tid()
    given = impulse[body]
    gained = wp.spatial_vector(wp.spatial_top(given) * lightness[body], softness[body] * wp.spatial_bottom(given))
    after[body] = before[body] + gained


@wp.kernel
def apply_spread(
    grid: Grid,
    cell_count: wp.array(dtype=wp.int32),
    filled: wp.array3d(dtype=wp.float32),
    rest: wp.array3d(dtype=wp.float32),
    cells: Cells,
    potential: wp.array(dtype=wp.float32),
    shift: wp.array4d(dtype=wp.float32),
):
    """Turn the potential into displacements of faces [m] that spread crowded cells."""
    row = wp.tid()
    if row >= cell_count[0]:
        return
    own = cells.place[row]
    for face in range(6):
        neighbor = cells.neighbor[row, face]
        if cells.loose[row, face] > 0.0 and (face % 2 == 0 or neighbor < 0):
            at = face_cell(own[0], own[1], own[2], face)
            fall = potential[row]
            nearer = float(1.0)
            if neighbor >= 0:
                fall -= potential[neighbor]
            else:
                nearer = surface_share(filled, rest, own, beyond(own[0], own[1], own[2], face))
            change = float(2 * (face % 2) - 1) * fall / (grid.cell * nearer)
            shift[face // 2, at[0], at[1], at[2]] = wp.clamp(change, -0.1 * grid.cell, 0.1 * grid.cell)

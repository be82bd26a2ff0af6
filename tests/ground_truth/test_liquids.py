"""Ground truth of liquids: pixels, flow, scene flow and tracks all follow from particles by one formula."""

from functools import cache

import numpy as np
import pytest

from simfactory.episode import FIRST_BODY
from simfactory.simulation import simulate
from simfactory.spec import Box
from simfactory.surfacing import body_surface
from simfactory.testing.specs import make_body, make_camera, make_fluid, make_spec
from simfactory.transforms import invert_pose, project, transform_points, unproject

WATER = FIRST_BODY


@cache
def episode():
    """A blob of water on its way, a block that it hits, and a camera that moves."""
    return simulate(
        make_spec(
            bodies=[
                make_fluid(position=(0.0, 0.0, 0.11), linear_velocity=(1.0, 0.0, 0.0)),
                make_body("block", Box(size=(0.1, 0.3, 0.1)), position=(0.25, 0.0, 0.051)),
            ],
            cameras=[make_camera(size=(96, 96), position=(0.4, -0.9, 0.6), target=(0.05, 0.0, 0.08))],
            fps=24.0,
            frame_count=5,
            substeps=10,
        ),
        backend="newton",
    )


def points_of(frame):
    """Pixels that show water, the points that they show, and where each is at the next frame by the formula."""
    taken, path = episode(), episode().trajectory
    arrays = taken.clips[0].arrays
    rows, columns = np.nonzero(arrays["instance"][frame] == WATER)
    centers = np.stack([columns, rows], axis=-1) + 0.5
    K, poses = arrays["camera/K"][frame], arrays["camera/camera_to_world"]
    seen = unproject(centers, arrays["depth"][frame][rows, columns].astype(np.float64), K)
    world = transform_points(poses[frame], seen)
    made = body_surface(taken.spec.bodies[0], path.particles[0][frame])
    corners = made.vertices[made.triangles].astype(np.float64)
    # The triangle of each point, found anew: that in whose plane and within whose edges it lies.
    normal = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    area = np.maximum(np.linalg.norm(normal, axis=1), 1e-15)
    found, weights = np.empty(len(world), int), np.empty((len(world), 3))
    for row, point in enumerate(world):
        away = point - corners[:, 0]
        height = np.abs(np.einsum("ti,ti->t", away, normal)) / area
        b2 = np.einsum("ti,ti->t", np.cross(corners[:, 1] - corners[:, 0], away), normal) / area**2
        b1 = np.einsum("ti,ti->t", np.cross(away, corners[:, 2] - corners[:, 0]), normal) / area**2
        bary = np.stack([1.0 - b1 - b2, b1, b2], axis=-1)
        found[row] = np.argmin(height + 10.0 * np.maximum(-bary.min(axis=1), 0.0))
        weights[row] = bary[found[row]]
    end = made.carried(path.particles[0][frame], path.particles[0][frame + 1])
    return rows, columns, world, np.einsum("pk,pkx->px", weights, end[made.triangles[found]])


@pytest.mark.parametrize("frame", [0, 2])
def test_flow_and_scene_flow_are_those_of_the_particles(frame):
    arrays = episode().clips[0].arrays
    rows, columns, start, end = points_of(frame)
    assert len(rows) > 200
    moved = arrays["scene_flow"][frame][:, rows, columns].T
    assert np.quantile(np.abs(moved - (end - start)), 0.98) < 2e-5
    camera = transform_points(invert_pose(arrays["camera/camera_to_world"][frame + 1]), end)
    flow = project(camera, arrays["camera/K"][frame]) - np.stack([columns, rows], axis=-1) - 0.5
    assert np.quantile(np.abs(arrays["flow_forward"][frame][:, rows, columns].T - flow), 0.98) < 5e-3


def test_the_gate_finds_reprojection_flow_and_warp_consistent():
    figures = episode().quality["figures"]
    assert figures["reprojection_px"] < 1e-4
    assert figures["flow_residual"] < 1e-4
    assert figures["warp_mismatch"] < 0.1


def test_tracks_agree_with_flow():
    arrays = episode().clips[0].arrays
    chosen = np.flatnonzero((arrays["tracks/instance"] == WATER) & (arrays["tracks/frame"] == 0))
    assert len(chosen) > 5
    position = arrays["tracks/position"][:, chosen].transpose(1, 2, 0)
    K, poses = arrays["camera/K"], arrays["camera/camera_to_world"]
    pixels = [project(transform_points(invert_pose(poses[k]), position[:, k]), K[k]) for k in (0, 1)]
    columns, rows = np.floor(pixels[0]).astype(int).T
    flow = arrays["flow_forward"][0][:, rows, columns].T
    assert np.abs(pixels[1] - pixels[0] - flow).max() < 1e-2
    assert arrays["tracks/visible"][chosen, 0].all()
    assert arrays["tracks/visible"][chosen].mean() > 0.5


def test_pixels_name_a_particle_near_to_what_they_show():
    taken = episode()
    arrays = taken.clips[0].arrays
    rows, columns, world, _ = points_of(1)
    shown = arrays["particle"][1][rows, columns]
    assert (shown >= 0).all()
    away = np.linalg.norm(arrays["particles/position"][1][shown] - world, axis=1)
    assert away.max() < 2.0 * taken.spec.bodies[0].spacing
    assert (arrays["particle"][1][arrays["instance"][1] != WATER] == -1).all()

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from simfactory.errors import SpecError
from simfactory.signals import OUTSIDE_AFTER, OUTSIDE_BEFORE
from simfactory.transforms import pixel_centers, transform_points, unproject
from training.data import Framing, WindowDataset, WindowKey, Windows
from training.data.framing import framed_intrinsics

OUTPUTS = ["rgb", "depth", "flow_forward", "flow_backward", "mask", "camera", "tracks", "instance"]


def framed(source, framing, *, top=0, left=0, index=1, outputs=OUTPUTS):
    dataset = WindowDataset([source], windows=Windows(length=6), outputs=outputs, framing=framing)
    return dataset[WindowKey(source=0, clip_id=source.dataset[index].id, start=4, top=top, left=left)]


def points_world(sample):
    """World points of all pixels `(time, y, x, 3)`, by the sample's own cameras; NaN for the sky."""
    depth = np.where(sample["depth_valid"].numpy(), sample["depth"].numpy(), np.nan)
    centers = pixel_centers(*depth.shape[1:])
    return np.stack(
        [
            transform_points(
                sample["camera_to_world"][k].numpy(), unproject(centers, depth[k], sample["intrinsics"][k].numpy())
            )
            for k in range(len(depth))
        ]
    )


def test_a_crop_keeps_the_point_of_every_pixel(source):
    whole = framed(source, Framing())
    part = framed(source, Framing(crop=(20, 30), place="random"), top=11, left=17)
    assert part["rgb"].shape == (6, 3, 20, 30)
    for name in ("rgb", "depth", "flow_forward", "flow_backward", "instance"):
        assert torch.equal(part[name].nan_to_num(), whole[name][..., 11:31, 17:47].nan_to_num())
    # float32 intrinsics and poses: 6e-8 of coordinates below 20 m, times a few operations.
    np.testing.assert_allclose(points_world(part), points_world(whole)[:, 11:31, 17:47], atol=1e-5)


def test_an_odd_factor_keeps_the_point_of_every_pixel(source):
    whole = framed(source, Framing(crop=(48, 63)), top=0, left=0)
    small = framed(source, Framing(crop=(48, 63), size=(16, 21)), top=0, left=0)
    assert small["rgb"].shape == (6, 3, 16, 21)
    # The centre of each large pixel is that of its middle one.
    np.testing.assert_allclose(points_world(small), points_world(whole)[:, 1::3, 1::3], atol=1e-5)
    torch.testing.assert_close(
        small["flow_forward"] * 3, whole["flow_forward"][..., 1::3, 1::3], equal_nan=True, rtol=1e-6, atol=1e-6
    )
    means = torch.nn.functional.avg_pool2d(whole["rgb"], 3)
    torch.testing.assert_close(small["rgb"], means, rtol=0.0, atol=1e-6)


def test_a_resized_ground_stays_on_its_plane(source):
    small = framed(source, Framing(size=(24, 32)), index=0)
    # Farther away than 6 m depths of neighbours differ by more than 5 % (z/(h f), h = 2 m, f = 69 px).
    ground = ((small["instance"] == 1) & (small["depth"] < 6.0)).numpy()
    height = np.abs(points_world(small)[..., 2][ground])
    # Depth is stored as float16, within 2^-11 of itself; so are heights of the camera's 2 m. Its neighbours are mixed
    # everywhere but along the ball's outline: without that, half a pixel's offset, heights are off by z/(2 f) of 2 m.
    assert len(height) > 500
    assert np.quantile(height, 0.9) < 2 * 2.0 * 2**-11


def test_what_leaves_the_crop_is_outside(source):
    top, left, part = 11, 17, (20, 30)
    whole = framed(source, Framing())
    cropped = framed(source, Framing(crop=part, place="random"), top=top, left=left)
    centers = torch.from_numpy(pixel_centers(48, 64)).movedim(-1, 0)
    for flow, bit in (("flow_forward", OUTSIDE_AFTER), ("flow_backward", OUTSIDE_BEFORE)):
        target = (centers + whole[flow]) - torch.tensor([left, top])[:, None, None]
        inside = ((target >= 0) & (target < torch.tensor([part[1], part[0]])[:, None, None])).all(dim=1)
        expected = (whole["mask"] & bit > 0) | (~inside & whole[f"{flow}_valid"])
        expected = expected[:, top : top + part[0], left : left + part[1]]
        assert torch.equal(cropped["mask"] & bit > 0, expected)
        assert (expected & (whole["mask"] & bit == 0)[:, top : top + part[0], left : left + part[1]]).any()
    rest = ~(OUTSIDE_AFTER | OUTSIDE_BEFORE) & 0xFF
    assert torch.equal(cropped["mask"] & rest, whole["mask"][:, top : top + 20, left : left + 30] & rest)


def test_tracks_move_with_the_crop_and_are_seen_inside_it_only(source):
    whole = framed(source, Framing())
    part = framed(source, Framing(crop=(20, 30), place="random", size=(10, 15)), top=11, left=17)
    moved = (whole["tracks_image"] - torch.tensor([17.0, 11.0])) / 2
    torch.testing.assert_close(part["tracks_image"], moved, equal_nan=True, rtol=1e-5, atol=1e-4)
    inside = ((moved >= 0) & (moved < torch.tensor([15.0, 10.0]))).all(dim=-1)
    assert torch.equal(part["tracks_visible"], whole["tracks_visible"] & inside)
    assert part["tracks_visible"].sum() < whole["tracks_visible"].sum()


@given(
    top=st.integers(0, 50),
    left=st.integers(0, 50),
    part=st.tuples(st.integers(2, 60), st.integers(2, 60)),
    share=st.floats(0.1, 1.0),
)
def test_framed_intrinsics_project_to_the_moved_and_scaled_raster(top, left, part, share):
    output = (max(1, round(part[0] * share)), max(1, round(part[1] * share)))
    intrinsics = torch.tensor([[90.0, 0.0, 41.0], [0.0, 80.0, 29.0], [0.0, 0.0, 1.0]], dtype=torch.float64)
    point = torch.tensor([0.3, -0.2, 1.7], dtype=torch.float64)
    u, v, w = intrinsics @ point
    framed_k = framed_intrinsics(intrinsics, top=top, left=left, part=part, output=output)
    a, b, c = framed_k @ point
    np.testing.assert_allclose(a / c, (u / w - left) * output[1] / part[1], rtol=1e-12, atol=1e-12)
    np.testing.assert_allclose(b / c, (v / w - top) * output[0] / part[0], rtol=1e-12, atol=1e-12)


@given(down=st.floats(0, 1, exclude_max=True), across=st.floats(0, 1, exclude_max=True))
def test_random_crops_lie_inside_and_reach_the_edges(down, across):
    framing = Framing(crop=(20, 30), place="random")
    top, left = framing.corner(48, 64, down=down, across=across)
    assert 0 <= top <= 28
    assert 0 <= left <= 34
    assert framing.corner(48, 64, down=0.0, across=np.nextafter(1.0, 0.0)) == (0, 34)
    assert Framing(crop=(20, 30)).corner(48, 64, down=down, across=across) == (14, 17)


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda: Framing(crop=(0, 4)), "height and width are at least 1"),
        (lambda: Framing(place="left"), "place='left'; choose center or random"),
        (lambda: Framing(crop=(8, 8), size=(9, 8)), "enlarges .* which invents truth"),
        (
            lambda: Framing(crop=(50, 20)).output(48, 64),
            r"a crop of \(50, 20\) px does not fit into clips of \(48, 64\)",
        ),
        (lambda: Framing(size=(50, 20)).output(48, 64), "enlarges"),
    ],
)
def test_impossible_framings_are_refused(make, said):
    with pytest.raises(SpecError, match=said):
        make()

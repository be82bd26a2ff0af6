import pickle

import numpy as np
import pytest
import torch

from simfactory.errors import SpecError, StoreError
from simfactory.transforms import invert_pose, project, transform_points
from training.data import (
    OUTPUTS,
    Framing,
    WindowDataset,
    WindowKey,
    WindowLoader,
    Windows,
    WindowSampler,
    open_source,
)

LENGTH = 5


def window(source, index, start, outputs, **options):
    dataset = WindowDataset([source], windows=Windows(length=LENGTH), outputs=outputs, **options)
    return dataset[WindowKey(source=0, clip_id=source.dataset[index].id, start=start)]


@pytest.mark.parametrize("start", [0, 3, 8])
@pytest.mark.parametrize("name", ["depth", "flow_forward", "flow_backward", "scene_flow", "instance", "mask", "normal"])
def test_values_are_those_of_the_store(source, name, start):
    clip = source.dataset[1]
    stored = clip.window(start, LENGTH, modalities=[name])[name]
    expected = np.moveaxis(stored, -1, 1) if name == "normal" else stored
    # Decoding is one float32 product here as there, so nothing may differ.
    np.testing.assert_array_equal(window(source, 1, start, [name])[name].numpy(), expected)


def test_colour_goes_from_minus_one_to_one(source):
    rgb = window(source, 1, 2, ["rgb"])["rgb"]
    stored = source.dataset[1].window(2, LENGTH, modalities=["rgb"])["rgb"].transpose(0, 3, 1, 2)
    assert rgb.shape == (LENGTH, 3, 48, 64)
    np.testing.assert_array_equal(((rgb + 1.0) * 127.5).round().numpy(), stored)
    np.testing.assert_allclose(rgb.numpy(), stored / 127.5 - 1.0, atol=2e-7)  # float32 near 1


def test_masks_say_where_values_are_defined(source):
    sample = window(source, 1, 8, ["depth", "flow_forward", "flow_backward", "motion"])
    last = source.dataset[1].window(8, LENGTH, modalities=["depth", "flow_forward", "mask"])
    np.testing.assert_array_equal(sample["depth_valid"], np.isfinite(last["depth"]))
    np.testing.assert_array_equal(sample["flow_forward_valid"], np.isfinite(last["flow_forward"]).all(axis=1))
    assert sample["depth"].isinf().any()
    assert not sample["flow_forward_valid"][-1].any()  # the clip ends here
    assert sample["flow_backward_valid"][-1].any()
    seen = last["mask"] & 0b111 == 0b001  # hit, neither hidden nor outside at t + 1
    seen[-1] = False
    np.testing.assert_array_equal(sample["motion_visible"], seen)


def test_cameras_and_tracks_agree_with_the_projects_projection(source):
    sample = window(source, 1, 3, ["camera", "tracks"])
    stored = source.dataset[1].window(3, LENGTH, modalities=["camera", "tracks"])
    assert sample["tracks_world"].shape == (stored["tracks/position"].shape[1], LENGTH, 3)
    np.testing.assert_array_equal(sample["tracks_world"].numpy(), stored["tracks/position"].transpose(1, 2, 0))
    np.testing.assert_array_equal(sample["tracks_visible"].numpy(), stored["tracks/visible"])
    np.testing.assert_array_equal(sample["tracks_instance"].numpy(), stored["tracks/instance"])
    for frame in range(LENGTH):
        camera = transform_points(
            invert_pose(stored["camera/camera_to_world"][frame]), stored["tracks/position"][:, :, frame].T
        )
        ahead = camera[:, 2] > 0
        raster = project(camera[ahead], stored["camera/K"][frame])
        # float32 of a raster coordinate: 6e-8 of what a point near the edge of the half space may have.
        np.testing.assert_allclose(sample["tracks_image"][ahead, frame].numpy(), raster, rtol=1e-6, atol=1e-5)
        assert sample["tracks_image"][~ahead, frame].isnan().all()
        np.testing.assert_allclose(sample["intrinsics"][frame].numpy(), stored["camera/K"][frame], rtol=1e-6)


def test_fewer_tracks_are_picked_evenly(source):
    all_of_them = window(source, 2, 0, ["tracks"])
    some = window(source, 2, 0, ["tracks"], track_limit=7)
    count = len(all_of_them["tracks_valid"])
    assert count > 7
    assert torch.equal(some["tracks_world"], all_of_them["tracks_world"][[k * count // 7 for k in range(7)]])


def test_bodies_and_points_are_rows_of_the_store(source):
    sample = window(source, 4, 2, ["bodies", "points", "contacts"])
    stored = source.dataset[4].window(2, LENGTH, modalities=["bodies", "points", "contacts"])
    np.testing.assert_array_equal(sample["bodies_position"].numpy(), stored["bodies/position"].swapaxes(0, 1))
    np.testing.assert_allclose(sample["bodies_mass"].numpy(), stored["bodies/mass"], rtol=1e-7)
    np.testing.assert_array_equal(sample["points_position"].numpy(), stored["points/position"])
    assert len(sample["points_frame"]) > 0
    # A point's frame is where its time lies: points begin at frame 2.
    times = sample["points_position"][:, 3].numpy() * 24.0 - 2.0
    np.testing.assert_allclose(sample["points_frame"].numpy(), times, atol=1e-4)
    assert len(sample["contacts_frame"]) == len(stored["contacts/point"])


def test_every_output_gives_the_tensors_it_lists(source):
    sample = window(source, 1, 0, list(OUTPUTS))
    assert sample.tensors.keys() == {name for output in OUTPUTS.values() for name in output.tensors}
    for output in OUTPUTS.values():
        for name, told in output.tensors.items():
            axes = told.removeprefix("(").partition(")")[0].split(",")
            assert sample[name].ndim == len([axis for axis in axes if axis.strip()]), name
            assert str(sample[name].dtype).removeprefix("torch.") in told, name
    assert (sample.clip_id, sample.source, sample.fps) == (source.dataset[1].id, "balls", 24.0)
    assert sample.caption == source.dataset[1].caption


def test_stored_batches_decode_to_the_same_tensors(source):
    windows, framing = Windows(length=LENGTH, stride=4), Framing(crop=(32, 40), place="random", size=(16, 20))
    batches = []
    for decode in (True, False):
        dataset = WindowDataset(
            [source], windows=windows, outputs=list(OUTPUTS), framing=framing, track_limit=9, decode=decode
        )
        sampler = WindowSampler([source], windows=windows, framing=framing, batch_size=4, seed=3)
        batch = next(iter(WindowLoader(dataset, sampler)))
        batches.append(batch if decode else dataset.decode_batch(batch))
    first, second = batches
    assert first.tensors.keys() == second.tensors.keys()
    for name, tensor in first.tensors.items():
        real = first["tracks_valid"] if name in ("tracks_image", "tracks_visible") else None
        one, two = (tensor, second[name]) if real is None else (tensor[real], second[name][real])
        # Batched products may be summed in another order: float32 of a few units.
        torch.testing.assert_close(one, two, equal_nan=True, rtol=1e-6, atol=1e-5, msg=name)


def test_items_are_padded_and_marked(source):
    dataset = WindowDataset([source], windows=Windows(length=LENGTH), outputs=["tracks", "bodies"])
    sampler = WindowSampler([source], windows=Windows(length=LENGTH, stride=9), batch_size=6, seed=0, shuffle=False)
    batch = next(iter(WindowLoader(dataset, sampler)))
    assert batch["bodies_valid"].sum(dim=1).tolist() == [1, 1, 2, 2, 3, 3]
    assert batch["bodies_position"].shape == (6, 3, LENGTH, 3)
    assert (batch["bodies_instance"] > 0).equal(batch["bodies_valid"])
    for row, index in enumerate(range(6)):
        alone = window(source, index, 0, ["tracks"])
        valid = batch["tracks_valid"][row]
        assert torch.equal(batch["tracks_world"][row][valid], alone["tracks_world"])


def test_clips_that_may_lack_something_are_marked_as_unknown_there(source, video):
    real = open_source(video, name="video", may_lack=["camera", "scene_flow", "instance", "tracks", "bodies"])
    outputs = ["rgb", "motion", "camera", "instance", "tracks", "bodies"]
    dataset = WindowDataset([source, real], windows=Windows(length=LENGTH), outputs=outputs)
    sample = dataset[WindowKey(source=1, clip_id=real.dataset[0].id, start=0)]
    whole = real.dataset[0].window(0, LENGTH, modalities=["flow_forward"])["flow_forward"]
    np.testing.assert_array_equal(sample["motion"][:, :2].numpy(), whole)
    assert sample["motion_valid"].any()
    assert not sample["motion_depth_valid"].any()
    assert len(sample["bodies_valid"]) == 0


def test_a_missing_modality_is_named_with_the_clip(video):
    real = open_source(video)
    with pytest.raises(
        StoreError, match=r"has no camera, scene_flow; present: .*depth.*; generate it with these modalities"
    ):
        window(real, 0, 0, ["motion"])


def test_datasets_at_an_address_give_the_same_bytes(source, served):
    remote = open_source(served, name="balls")
    remote = pickle.loads(pickle.dumps(remote))
    outputs = ["rgb", "motion", "tracks", "points"]
    here, there = window(source, 1, 2, outputs), window(remote, 1, 2, outputs)
    for name, tensor in here.tensors.items():
        torch.testing.assert_close(there[name], tensor, equal_nan=True, rtol=0.0, atol=0.0)


def test_a_transform_draws_the_same_for_the_same_key(source):
    def brighter(sample, generator):
        factor = torch.rand((), generator=generator)
        return type(sample)(
            **{**{name: getattr(sample, name) for name in sample.__slots__}, "tensors": {"factor": factor}}
        )

    dataset = WindowDataset([source], windows=Windows(length=LENGTH), outputs=["rgb"], transform=brighter)
    clip_id = source.dataset[0].id
    draws = [dataset[WindowKey(source=0, clip_id=clip_id, start=0, seed=seed)]["factor"] for seed in (1, 2, 1)]
    assert draws[0] == draws[2] != draws[1]
    with pytest.raises(SpecError, match="a transform takes decoded samples"):
        WindowDataset([source], windows=Windows(length=5), outputs=["rgb"], transform=brighter, decode=False)


def test_unknown_outputs_are_refused(source):
    with pytest.raises(SpecError, match=r"outputs \['colour'\]: choose from rgb, depth"):
        WindowDataset([source], windows=Windows(length=5), outputs=["colour"])
    with pytest.raises(SpecError, match="outputs are empty"):
        WindowDataset([source], windows=Windows(length=5), outputs=[])


def test_stored_samples_need_clips_of_one_kind(source, video):
    with pytest.raises(SpecError, match="clips of one profile, height and width that lack nothing"):
        WindowDataset(
            [source, open_source(video, may_lack=["camera"])], windows=Windows(length=5), outputs=["rgb"], decode=False
        )

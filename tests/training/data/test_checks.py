import re

import pytest

from simfactory.dataset import open_dataset
from simfactory.errors import SpecError, StoreError
from simfactory.store import create_dataset
from training.data import ClipQuery, Framing, Source, Windows, check_sources, open_source, select_clips

WINDOWS = Windows(length=9, latent_stride=4)


@pytest.fixture(scope="module")
def other(tmp_path_factory, make_clips):
    """Clips of another size and rate."""
    return make_clips(tmp_path_factory.mktemp("other") / "dataset", size=(32, 24), fps=12.0)


def test_clips_that_fit_together_pass(source):
    check_sources([source, source], windows=WINDOWS, outputs=["rgb", "motion", "tracks"])


def test_a_missing_modality_names_clips_and_how_to_generate_it(source, video):
    real = open_source(video)
    clip_id = real.dataset.ids[0]
    with pytest.raises(StoreError) as caught:
        check_sources([source, real], windows=WINDOWS, outputs=["rgb", "motion"])
    said = str(caught.value)
    assert f"camera is missing from 1 of 1 clips ({clip_id}); scene_flow is missing from 1 of 1" in said
    assert "simfactory generate --modalities camera,depth,flow_forward,rgb,scene_flow --out FOLDER" in said
    allowed = open_source(video, may_lack=["camera", "scene_flow"])
    check_sources([source, allowed], windows=WINDOWS, outputs=["rgb", "motion"])


def test_the_named_command_is_one_that_exists(source, video, capsys):
    from simfactory.annotations import annotation_names

    with pytest.raises(StoreError) as caught:
        check_sources([open_source(video)], windows=WINDOWS, outputs=["motion", "tracks", "bodies"])
    names = re.search(r"--modalities (\S+)", str(caught.value))[1].split(",")
    assert set(names) <= set(annotation_names())


def test_windows_longer_than_all_clips_say_how_long_these_are(source):
    with pytest.raises(SpecError, match=r"17 frames are longer than every clip: .* 5 of 13 .*, 1 of 10 .*at most 13"):
        check_sources([source], windows=Windows(length=17, latent_stride=4), outputs=["rgb"])


def test_mixed_sizes_are_refused_unless_they_are_brought_to_one(source, other):
    small = open_source(other)
    with pytest.raises(SpecError, match=r"clips differ in size \(6 of 64x48, 2 of 32x24\).*at most \(24, 32\)"):
        check_sources([source, small], windows=WINDOWS, outputs=["rgb"], mixed_fps=True)
    check_sources([source, small], windows=WINDOWS, outputs=["rgb"], mixed_fps=True, framing=Framing(size=(24, 32)))


def test_mixed_frame_rates_are_refused_unless_allowed(source, other):
    small, framing = open_source(other), Framing(size=(24, 32))
    with pytest.raises(SpecError, match=r"clips differ in frame rate \(6 at 24.0 fps, 2 at 12.0 fps\)"):
        check_sources([source, small], windows=WINDOWS, outputs=["rgb"], framing=framing)


def test_a_size_that_enlarges_is_refused_before_the_first_step(source):
    with pytest.raises(SpecError, match="invents truth"):
        check_sources([source], windows=WINDOWS, outputs=["rgb"], framing=Framing(size=(96, 96)))


def test_nothing_to_train_on_is_an_error(tmp_path):
    with pytest.raises(SpecError, match="no dataset to train on"):
        check_sources([], windows=WINDOWS, outputs=["rgb"])
    empty = open_dataset(create_dataset(tmp_path / "empty"))
    with pytest.raises(StoreError, match="no clip; `simfactory generate"):
        check_sources([Source(name="empty", dataset=empty)], windows=WINDOWS, outputs=["rgb"])
    with pytest.raises(StoreError, match="no clip is there; the dataset is empty"):
        select_clips(empty, ClipQuery())

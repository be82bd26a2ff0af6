import cv2
import numpy as np
import pytest

from simfactory.dataset import open_dataset
from simfactory.errors import StoreError
from simfactory.exporters import Exporter, exporter_names, find_exporter
from simfactory.store import create_dataset
from simfactory.testing.store import EXAMPLE_SIGNALS, write_example


@pytest.fixture(scope="module")
def clip(tmp_path_factory):
    folder = create_dataset(tmp_path_factory.mktemp("exporters") / "dataset")
    write_example(folder, 0, height=48, width=63)
    return open_dataset(folder)[0]


@pytest.mark.parametrize("name", exporter_names())
def test_every_format_writes_the_file_it_names(name, clip, tmp_path):
    exporter = find_exporter(name)
    assert isinstance(exporter, Exporter)
    path = tmp_path / f"new/clip{exporter.suffix}"
    assert exporter.export(clip, path) == path
    assert [file.name for file in path.parent.iterdir()] == [path.name]
    assert path.stat().st_size > 500


def test_contact_sheet_shows_the_first_frame(clip, tmp_path):
    path = find_exporter("contact_sheet").export(clip, tmp_path / "sheet.png")
    sheet = cv2.imread(str(path))[..., ::-1]
    np.testing.assert_array_equal(sheet[18 : 18 + 48, :63], clip.window(0, 1, modalities=["rgb"])["rgb"][0])


def test_video_has_the_frames_and_rate_of_the_clip(clip, tmp_path):
    path = find_exporter("mp4").export(clip, tmp_path / "clip.mp4")
    video = cv2.VideoCapture(str(path))
    assert (video.get(cv2.CAP_PROP_FRAME_COUNT), video.get(cv2.CAP_PROP_FPS)) == (clip.frame_count, clip.fps)
    assert video.get(cv2.CAP_PROP_FRAME_HEIGHT) == clip.height
    found, first = video.read()
    assert found
    # The codec is lossy; the picture is the right one when it is near on average.
    error = np.abs(first[:48, :63, ::-1].astype(int) - clip.window(0, 1, modalities=["rgb"])["rgb"][0])
    assert error.mean() < 40


def test_unknown_format_names_the_known_ones():
    with pytest.raises(StoreError, match=r"choose one of .*contact_sheet, .*mp4"):
        find_exporter("gif")


def test_clip_without_images_is_refused(tmp_path):
    folder = create_dataset(tmp_path / "dataset")
    write_example(folder, 0, signals=[signal for signal in EXAMPLE_SIGNALS if signal.name == "time"])
    with pytest.raises(StoreError, match="nothing to show"):
        find_exporter("mp4").export(open_dataset(folder)[0], tmp_path / "clip.mp4")
    assert not (tmp_path / "clip.mp4").exists()


def test_unwritable_target_is_a_store_error(clip, tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreError, match=r"Not a directory|File exists"):
        find_exporter("contact_sheet").export(clip, tmp_path / "file" / "sheet.png")

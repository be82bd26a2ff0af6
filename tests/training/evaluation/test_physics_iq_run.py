"""A run of Physics-IQ over a tiny folder of the public layout."""

import json

import cv2
import numpy as np
import pytest

from simfactory.errors import SpecError, StoreError
from training.evaluation import (
    find_generated,
    find_physics_iq_cases,
    frames_at,
    physics_iq,
    read_frames,
    run_physics_iq,
    video_fps,
    video_frame_count,
)

VIEWS = ("perspective-left", "perspective-center", "perspective-right")
SCENARIO = "trimmed-falling-block"
DURATION = 0.5  # s


def block_video(speed, frame_count, *, fps=30, height=32, width=64):
    """A bright block that moves right by `speed` pixels a second."""
    frames = np.full((frame_count, height, width, 3), 20, np.uint8)
    for time in range(frame_count):
        column = 4 + round(speed * time / fps)
        frames[time, 8:22, column : column + 12] = (200, 120, 60)
    return frames


def write_video(path, frames, fps):
    path.parent.mkdir(parents=True, exist_ok=True)
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter_fourcc(*"mp4v"), fps, frames.shape[2:0:-1])
    assert writer.isOpened()
    for frame in frames:
        writer.write(frame[..., ::-1])
    writer.release()
    return path


def write_benchmark(root, *, testing="testing", fps=30):
    """Three views of one scenario, take 1 as 0001 to 0003 and take 2 as 0004 to 0006, and switch frames."""
    for take in (1, 2):
        for index, view in enumerate(VIEWS):
            number = 3 * (take - 1) + index + 1
            name = f"{number:04d}_testing-videos_{fps}FPS_{view}_take-{take}_{SCENARIO}.mp4"
            frames = block_video(40 + 8 * (take - 1) + 4 * index, fps * 6 // 10, fps=fps)
            write_video(root / "split-videos" / testing / f"{fps}FPS" / name, frames, fps)
    (root / "switch-frames").mkdir()
    for index, view in enumerate(VIEWS):
        path = root / "switch-frames" / f"{index + 1:04d}_switch-frames_anyFPS_{view}_{SCENARIO}.jpg"
        cv2.imwrite(str(path), block_video(0, 1)[0, ..., ::-1])
    return root


def write_generated(folder, *, fps=30, speed=40, frame_count=None):
    for index, view in enumerate(VIEWS):
        frames = block_video(speed + 4 * index, frame_count or fps * 6 // 10, fps=fps)
        write_video(folder / f"{index + 1:04d}_{view}_{SCENARIO}.mp4", frames, fps)
    return folder


@pytest.fixture
def benchmark(tmp_path):
    return write_benchmark(tmp_path / "physics-IQ-benchmark")


def run(benchmark, generated, tmp_path, **options):
    return run_physics_iq(
        benchmark, generated, table=tmp_path / "out" / "table.json", **{"duration": DURATION, "reduction": 2} | options
    )


def test_a_run_measures_what_the_arrays_say_and_writes_it(benchmark, tmp_path):
    generated = write_generated(tmp_path / "model", speed=60)
    result = run(benchmark, generated, tmp_path)
    assert [(row.id, row.view) for row in result.rows] == [("0001", VIEWS[0]), ("0002", VIEWS[1]), ("0003", VIEWS[2])]
    assert (result.fps, result.duration, result.missing) == (30.0, DURATION, ())
    cases = find_physics_iq_cases(benchmark, fps=30)
    found = find_generated(generated, cases)
    for row, case in zip(result.rows, cases, strict=True):
        paths = (found[case.id], case.take_1, case.take_2)
        videos = [np.stack(list(read_frames(path, limit=15))) for path in paths]
        assert row.clip == physics_iq(*videos, reduction=2)
        # JPEG and MPEG-4 of one and the same image; a different one would differ by some 0.1.
        assert row.switch_mse < 0.005
    written = json.loads((tmp_path / "out" / "table.json").read_text())
    assert written["score"]["score"] == result.score.score
    assert written["rows"][2]["clip"]["physical"]["mse"] == result.rows[2].clip.physical.mse
    assert written["rows"][0]["scenario"] == SCENARIO


def test_the_real_take_scores_a_hundred_and_a_still_video_does_not(benchmark, tmp_path):
    # The videos are encoded alike, so the copies are the same to the bit.
    perfect = run(benchmark, write_generated(tmp_path / "perfect", speed=40), tmp_path)
    assert perfect.score.score == 100.0
    assert perfect.score.generated.mse == 0.0
    still = run(benchmark, write_generated(tmp_path / "still", speed=0), tmp_path)
    assert still.score.score < 50.0


def test_real_videos_are_resampled_to_the_rate_of_the_generated_ones(benchmark, tmp_path):
    generated = write_generated(tmp_path / "model", fps=20)
    result = run(benchmark, generated, tmp_path)
    assert result.fps == 20.0
    # The same motion at another rate: blended neighbours differ at the block's edges only.
    assert result.score.generated.spatial_iou > 0.7


def test_a_folder_of_the_right_rate_is_preferred(benchmark, tmp_path):
    write_benchmark(tmp_path / "other", fps=20)
    (tmp_path / "other" / "split-videos" / "testing" / "20FPS").rename(benchmark / "split-videos" / "testing" / "20FPS")
    assert {case.fps for case in find_physics_iq_cases(benchmark, fps=20.0)} == {20}
    assert {case.fps for case in find_physics_iq_cases(benchmark, fps=24.0)} == {30}


def test_published_masks_are_used_where_they_are(benchmark, tmp_path):
    generated = write_generated(tmp_path / "model")
    folder = benchmark / "video-masks" / "real" / "30FPS"
    whole = np.full((18, 32, 64, 3), 255, np.uint8)  # everything moves, says the folder
    for path in sorted((benchmark / "split-videos" / "testing" / "30FPS").glob("*.mp4")):
        write_video(folder / path.name.replace("testing-videos", "video-masks"), whole, 30)
    physical = run(benchmark, generated, tmp_path).score.physical
    assert (physical.spatiotemporal_iou, physical.spatial_iou, physical.weighted_spatial_iou) == (1.0, 1.0, 1.0)
    other_rate = run(benchmark, write_generated(tmp_path / "slow", fps=20), tmp_path).score.physical
    assert other_rate.spatiotemporal_iou < 1.0  # masks are found anew in resampled videos
    write_video(next(folder.glob("0004_*")), whole[:9], 30)
    with pytest.raises(StoreError, match=r"0004_.* has 9 frames; 15 are"):
        run(benchmark, generated, tmp_path)
    next(folder.glob("0005_*")).unlink()
    with pytest.raises(StoreError, match="lacks 0005_video-masks_30FPS_perspective-center_take-2"):
        find_physics_iq_cases(benchmark, fps=30)


def test_both_published_names_of_the_folder_are_read(tmp_path):
    cases = find_physics_iq_cases(write_benchmark(tmp_path / "a", testing="testing-videos"), fps=30)
    assert [case.id for case in cases] == ["0001", "0002", "0003"]
    assert cases[0].take_2.name.startswith("0004_")
    assert cases[1].switch_frame.name.startswith("0002_switch-frames_anyFPS")


def test_a_benchmark_without_switch_frames_can_be_run(benchmark, tmp_path):
    for path in (benchmark / "switch-frames").glob("*.jpg"):
        path.unlink()
    assert {row.switch_mse for row in run(benchmark, write_generated(tmp_path / "model"), tmp_path).rows} == {None}


def test_missing_videos_are_refused_or_listed(benchmark, tmp_path):
    generated = write_generated(tmp_path / "model")
    (generated / f"0002_{VIEWS[1]}_{SCENARIO}.mp4").unlink()
    with pytest.raises(StoreError, match=r"1 of 3 cases \(0002"):
        run(benchmark, generated, tmp_path)
    result = run(benchmark, generated, tmp_path, allow_missing=True)
    assert result.missing == ("0002",)
    assert result.score.clip_count == 2


def test_generated_videos_must_be_whole_and_of_one_rate(benchmark, tmp_path):
    short = write_generated(tmp_path / "short", frame_count=10)
    with pytest.raises(StoreError, match="has 10 frames; 15 are"):
        run(benchmark, short, tmp_path)
    mixed = write_generated(tmp_path / "mixed")
    write_video(mixed / f"0002_{VIEWS[1]}_{SCENARIO}.mp4", block_video(40, 15), 24)
    with pytest.raises(SpecError, match=r"has 24, .* has 30"):
        run(benchmark, mixed, tmp_path)


def test_folders_that_do_not_fit_are_refused(benchmark, tmp_path):
    empty = tmp_path / "empty"
    empty.mkdir()
    generated = write_generated(tmp_path / "model")
    with pytest.raises(StoreError, match="testing/30FPS"):
        run(empty, generated, tmp_path)
    with pytest.raises(StoreError, match=r"holds no \.mp4"):
        run(benchmark, empty, tmp_path)
    with pytest.raises(StoreError, match="is not there"):
        run(benchmark, tmp_path / "nowhere", tmp_path)
    with pytest.raises(SpecError, match="one frame or more"):
        run(benchmark, generated, tmp_path, duration=0.0)
    with pytest.raises(SpecError, match="reduce by less"):
        run(benchmark, generated, tmp_path, reduction=100)


def test_names_that_do_not_fit_are_refused(benchmark, tmp_path):
    cases = find_physics_iq_cases(benchmark, fps=30)
    generated = write_generated(tmp_path / "model")
    twin = generated / "0001_again.mp4"
    twin.write_bytes(b"")
    with pytest.raises(StoreError, match="have one id"):
        find_generated(generated, cases)
    twin.rename(generated / "ball.mp4")
    with pytest.raises(StoreError, match="does not begin with the id"):
        find_generated(generated, cases)
    testing = benchmark / "split-videos" / "testing" / "30FPS"
    next(testing.glob("0005_*")).unlink()
    with pytest.raises(StoreError, match=r"lacks a take of trimmed-falling-block \(perspective-center\)"):
        find_physics_iq_cases(benchmark, fps=30)
    (testing / "notes.mp4").write_bytes(b"")
    with pytest.raises(StoreError, match="another name than"):
        find_physics_iq_cases(benchmark, fps=30)


def test_resampling_keeps_the_ends_and_blends_between(tmp_path):
    """Grey levels that rise by 8 a frame come back as the line through the first and the last of them."""
    frames = np.repeat(np.arange(0, 80, 8, dtype=np.uint8), 16 * 16 * 3).reshape(10, 16, 16, 3)
    path = write_video(tmp_path / "ramp.mp4", frames, 10)
    assert (video_fps(path), video_frame_count(path)) == (10.0, 10)
    levels = [float(frame.mean()) for frame in frames_at(path, fps=4.0, duration=1.0)]
    # The codec moves a level by two or so; blends are cut to whole levels.
    assert levels == pytest.approx([0.0, 24.0, 48.0, 72.0], abs=4.0)
    assert len(list(frames_at(path, fps=25.0, duration=0.5))) == 12
    assert len(list(frames_at(path, fps=10.0, duration=9.0))) == 10
    same = np.stack(list(frames_at(path, fps=10.0, duration=1.0)))
    assert np.array_equal(same, np.stack(list(read_frames(path))))


def test_files_that_are_no_videos_are_refused(tmp_path):
    with pytest.raises(StoreError, match="is not there"):
        video_fps(tmp_path / "none.mp4")
    (tmp_path / "text.mp4").write_text("no video")
    with pytest.raises(StoreError, match="cannot be opened"):
        list(read_frames(tmp_path / "text.mp4"))
    path = write_video(tmp_path / "one.mp4", block_video(0, 3), 30)
    with pytest.raises(SpecError, match="above zero"):
        list(frames_at(path, fps=0.0, duration=1.0))

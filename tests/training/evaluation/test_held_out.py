"""A model that knows the truth scores the floor, a random one worse than what knows nothing of motion."""

import numpy as np
import pytest
import torch

from simfactory.errors import SpecError
from tests.training.evaluation.conftest import CLIP
from training.data import ClipQuery, open_source
from training.estimators import load_flow_estimator
from training.evaluation.held_out import Estimators, Reader, common_format, evaluate_clips, still
from training.evaluation.latent_warp import LatentVideo, latent_warp
from training.evaluation.lpips import Lpips
from training.evaluation.metrics import METRICS
from training.evaluation.result import TRUTH, EvalResult, difference_curve, metric_rows, result_curves
from training.evaluation.scoring import score_clip
from training.model import TrainedModel
from training.predicting import Sampling

QUICK = Sampling(step_count=4)
BY_HEADS = Reader(geometry="heads", estimators=Estimators(depth=None, flow=None), sampling=QUICK)


@pytest.fixture(scope="module")
def found(held_out, oracle, random_model):
    source = open_source(held_out, query=ClipQuery(split=("test",)))
    models = {"oracle": oracle, "random": random_model}
    return list(evaluate_clips(models, source, clip=CLIP, reader=BY_HEADS))


def test_the_truth_is_that_of_the_middle_of_the_clip(truths):
    truth = truths[0]
    assert truth.exact.frames.shape == (6, 32, 48, 3)
    assert truth.camera_moves is False
    assert truths[2].camera_moves
    assert len(truth.object_ids) == 1
    assert (truth.instance == truth.object_ids[0]).any(axis=(1, 2)).all()
    assert np.isnan(truth.exact.flow[-1]).all()
    np.testing.assert_allclose(truth.bodies.radius, [0.3])
    # The body's own points, as its depth shows them, are within its radius.
    on_ball = truth.instance == truth.object_ids[0]
    cloud = truth.exact.cloud(truth.intrinsics, truth.camera_to_world, fps=24.0, moving=False)
    seen = np.isfinite(truth.exact.depth)
    points = cloud.position[on_ball[seen]]
    frame = np.rint(points[:, 3] * 24).astype(int)
    distance = np.linalg.norm(points[:, :3] - truth.bodies.position[frame, 0], axis=1)
    np.testing.assert_allclose(np.median(distance), 0.3, atol=0.01)


def test_an_oracle_scores_what_the_truth_does(found):
    for clip in found:
        floor = clip.scores.columns[TRUTH].values
        for column in ("oracle, true video", "oracle, generated"):
            ours = clip.scores.columns[column].values
            for name in set(ours) - {"psnr"}:
                assert ours[name] == pytest.approx(floor[name], rel=0.02, abs=2e-3), (column, name)
        assert clip.scores.columns["oracle, generated"].values["psnr"] > 50.0


def test_every_figure_is_measured(found):
    measured = set().union(*(clip.scores.columns[TRUTH].values for clip in found))
    assert METRICS.keys() - measured == {"latent_warp", "lpips"}


def test_floors_are_where_they_must_be(found):
    fixed = found[0].scores.columns[TRUTH].values
    assert fixed["epe"] == fixed["abs_rel"] == fixed["chamfer"] == fixed["chamfer_moving"] == 0.0
    assert fixed["psnr"] == np.inf
    assert fixed["ssim"] == pytest.approx(1.0)
    assert fixed["warp_visible"] < 0.02 < fixed["warp_paper"]
    assert fixed["tapvid_within"] > 0.9
    # Depth between pixels of one curved surface, and in 16 bits: of the ground, which is far, more than of the ball.
    assert fixed["object_worldline"] < 0.02
    assert fixed["worldline"] < 0.1


def test_a_random_model_is_worse_than_one_that_knows_and_than_nothing_moves(found):
    for clip in found:
        columns = clip.scores.columns
        for name in ("abs_rel", "object_abs_rel", "epe", "object_epe", "warp_visible", "chamfer", "worldline"):
            bad = columns["random, true video"].values[name]
            assert bad > columns["oracle, true video"].values[name], name
            assert bad > columns["still"].values[name], name
        assert columns["random, generated"].values["psnr"] < columns["still"].values["psnr"]
        assert columns["random, generated"].values["psnr"] < columns["oracle, generated"].values["psnr"]


def test_trivial_predictors_are_beside(found):
    columns = found[0].scores.columns
    assert {"abs_rel", "object_abs_rel"} <= columns["background"].values.keys()
    assert "epe" not in columns["background"].values
    # Without objects nothing is wrong but the object.
    assert columns["background"].values["object_abs_rel"] > 3 * columns["background"].values["abs_rel"] > 0
    assert columns["still"].values["object_epe"] > 0.5 > columns["still"].values["epe"]
    assert "background" not in found[2].scores.columns


def test_estimators_read_videos_of_models_without_heads(held_out, random_model, oracle):
    source = open_source(held_out, query=ClipQuery(split=("test",)))
    reader = Reader(
        geometry="estimators",
        estimators=Estimators(depth=None, flow=load_flow_estimator("dis_flow")),
        sampling=QUICK,
    )
    bare = TrainedModel(backbone=oracle.backbone, clip=CLIP)
    clip = next(iter(evaluate_clips({"bare": bare}, source, clip=CLIP, reader=reader)))
    read, made = (clip.scores.columns[f"bare, {kind}"].values for kind in ("true video", "generated"))
    assert "abs_rel" not in read
    assert read["epe"] == pytest.approx(made["epe"], abs=0.05)
    assert 0.0 < read["object_epe"] < clip.scores.columns["still"].values["object_epe"]


def test_without_heads_there_is_a_video_alone(held_out, oracle):
    source = open_source(held_out, query=ClipQuery(split=("test",)))
    bare = TrainedModel(backbone=oracle.backbone, clip=CLIP)
    clip = next(iter(evaluate_clips({"bare": bare}, source, clip=CLIP, reader=BY_HEADS)))
    assert "bare, true video" not in clip.scores.columns
    assert clip.scores.columns["bare, generated"].values.keys() == {"psnr", "psnr_changing", "ssim"}


def test_clips_that_are_too_short_or_small_are_refused(held_out, random_model):
    from dataclasses import replace

    source = open_source(held_out, query=ClipQuery(split=("test",)))
    for change, message in (({"frame_count": 8}, "has 7 frames"), ({"height": 128}, "enlarging")):
        with pytest.raises(SpecError, match=message):
            next(evaluate_clips({"m": random_model}, source, clip=replace(CLIP, **change), reader=BY_HEADS))


def test_models_of_different_clips_are_not_compared(random_model):
    from dataclasses import replace

    other = replace(random_model, clip=replace(CLIP, frame_count=5))
    assert common_format({"a": random_model, "b": TrainedModel(backbone=random_model.backbone)}) == CLIP
    assert common_format({"b": TrainedModel(backbone=random_model.backbone)}) is None
    with pytest.raises(SpecError, match="different sizes"):
        common_format({"a": random_model, "b": other})


def test_the_sky_of_a_still_prediction_is_finite(truths):
    assert np.isfinite(still(truths[0]).depth).all()
    assert score_clip(truths[0], still(truths[0]), is_video=True).values["novel_coverage"] > 0.9


def test_tables_have_floors_intervals_and_cameras_at_rest_apart(found):
    result = EvalResult(title="t", notes=[], clips=[clip.scores for clip in found])
    rows = {row.name: row for row in metric_rows(result)}
    assert rows["flow EPE"].floor == 0.0
    assert rows["PSNR"].floor == 100.0
    interval = rows["flow EPE"].values["random, true video"]
    values = [clip.scores.columns["random, true video"].values["epe"] for clip in found]
    assert interval.mean == pytest.approx(np.mean(values))
    assert interval.low <= interval.mean <= interval.high
    fixed = rows["flow EPE, camera at rest"].values["random, true video"]
    assert (fixed.clip_count, fixed.mean) == (2, pytest.approx(np.mean(values[:2])))


def test_curves_are_means_over_clips_and_over_pixels(found):
    result = EvalResult(title="t", notes=[], clips=[clip.scores for clip in found])
    drift, motion = result_curves(result)
    own = [clip.scores.columns["random, true video"].drift for clip in found]
    np.testing.assert_allclose(drift.series["random, true video"], np.mean(own, axis=0))
    assert len(drift.x) == 6
    assert motion.series["still"][0] < 1.0 < motion.series["still"][1] < 4.0
    pixels = [clip.scores.columns["still"].motion[0] for clip in found]
    wanted = sum(one.epe * one.pixel_count for one in pixels) / sum(one.pixel_count for one in pixels)
    assert motion.series["still"][0] == pytest.approx(wanted)


def test_results_come_back_from_their_file(found, tmp_path):
    result = EvalResult(title="t", notes=["n"], clips=[clip.scores for clip in found])
    result.save(tmp_path)
    again = EvalResult.load(tmp_path)
    assert (again.title, [*again.notes], again.columns) == ("t", ["n"], result.columns)
    assert metric_rows(again) == metric_rows(result)


def test_differences_are_paired(found):
    result = EvalResult(title="t", notes=[], clips=[clip.scores for clip in found])
    curve = difference_curve(result)
    assert curve.name == "Paired differences from still"
    at = [name.startswith("flow EPE") for name in curve.x].index(True)
    differences = [
        clip.scores.columns["random, true video"].values["epe"] - clip.scores.columns["still"].values["epe"]
        for clip in found
    ]
    assert curve.series["random, true video difference"][at] == pytest.approx(np.mean(differences))
    assert curve.series["random, true video decided"][at] == 1.0


def test_latents_are_warped_along_the_flow_of_their_frames():
    """Four frames and four pixels in a latent: a texture that moves by a latent in four frames is brought back."""
    rng = np.random.default_rng(0)
    first = rng.standard_normal((5, 9, 2)).astype(np.float32)
    latents = np.stack([first, np.roll(first, 1, axis=1)])
    flow = np.zeros((5, 20, 36, 2), np.float32)
    flow[..., 0] = 1.0
    video = LatentVideo(latents=latents, temporal_stride=4, spatial_stride=4)
    assert latent_warp(video, flow).l1 == pytest.approx(0.0, abs=1e-6)
    assert latent_warp(video, 0 * flow).l1 > 0.5


class Network(torch.nn.Module):
    """Stands for the network of the lpips package, which is not installed here."""

    def __init__(self):
        super().__init__()
        self.weight = torch.nn.Parameter(torch.ones(1))

    def forward(self, ours, theirs):
        return (ours - theirs).abs().mean(dim=(1, 2, 3)) * self.weight


def test_lpips_is_asked_in_its_range(held_out, oracle):
    source = open_source(held_out, query=ClipQuery(split=("test",)))
    reader = Reader(
        geometry="heads", estimators=Estimators(depth=None, flow=None), sampling=QUICK, lpips=Lpips(Network())
    )
    clip = next(iter(evaluate_clips({"o": oracle}, source, clip=CLIP, reader=reader)))
    truth, unmoved = clip.truth.exact.frames.astype(float), still(clip.truth).frames.astype(float)
    wanted = np.abs(truth - unmoved).mean() / 127.5
    assert clip.scores.columns["still"].values["lpips"] == pytest.approx(wanted, rel=1e-4)
    assert clip.scores.columns[TRUTH].values["lpips"] == 0.0
    assert clip.scores.columns["o, generated"].values["lpips"] < 0.01
    assert "lpips" not in clip.scores.columns["o, true video"].values

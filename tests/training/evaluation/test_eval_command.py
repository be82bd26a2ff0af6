"""`eval` and `report` write reports with pictures, and say in one line what they cannot do."""

import importlib.util
import json
from dataclasses import replace

import cv2
import numpy as np
import pytest
import typer
from typer.testing import CliRunner

from simfactory.errors import SimfactoryError, SpecError, StoreError
from simfactory.store import create_dataset
from tests.training.evaluation.test_physics_iq_run import write_benchmark, write_generated
from training.cli import eval as eval_module
from training.cli import report as report_module
from training.evaluation.result import EvalResult
from training.model import GeometryHeads, HeadsConfig, TrainedModel
from training.testing.backbone import randomise


def run(module, *arguments):
    """Run a command; what it raises on purpose comes out."""
    app = typer.Typer()
    app.command()(module.COMMAND)
    done = CliRunner().invoke(app, [str(argument) for argument in arguments])
    if isinstance(done.exception, SimfactoryError):
        raise done.exception
    assert done.exit_code == 0, done.output
    return done.output


@pytest.fixture(scope="module")
def models(random_model, tmp_path_factory):
    """Folders of a model, of one with other heads, and of one without."""
    root = tmp_path_factory.mktemp("runs")
    heads = GeometryHeads(random_model.backbone.shape, HeadsConfig(depth_width=8, initial_depth=6.0))
    randomise(heads, seed=5)
    random_model.save(root / "one" / "model")
    replace(random_model, heads=heads).save(root / "two" / "model")
    TrainedModel(backbone=random_model.backbone, clip=random_model.clip).save(root / "bare" / "model")
    return root


@pytest.fixture(scope="module")
def evaluated(models, held_out, tmp_path_factory):
    root = tmp_path_factory.mktemp("evaluated")
    for name, pictures in (("one", 1), ("two", 0)):
        given = ("--model", models / name / "model", "--data", held_out, "--steps", 2, "--pictures", pictures)
        run(eval_module, *given, "--out", root / name / "eval")
    return root


def test_a_report_has_all_columns_floors_curves_and_a_picture(evaluated):
    folder = evaluated / "one" / "eval"
    told = json.loads((folder / "report.json").read_text())
    rows = {row["name"]: row for row in told["rows"]}
    columns = {name for row in told["rows"] for name in row["values"]}
    assert columns == {"still", "background", "one, true video", "one, generated"}
    assert rows["flow EPE"]["floor"] == 0.0
    assert rows["flow EPE"]["values"]["one, true video"]["clip_count"] == 3
    assert "flow EPE, camera at rest" in rows
    assert [curve["name"] for curve in told["curves"]] == [
        "fvd_random of all 3 videos (random3d 1)",
        "Worldline drift [m] over time",
        "Flow EPE [px] by size of true motion",
    ]
    assert any("t = 0.1" in note for note in told["notes"])
    assert told["curves"][0]["x"] == ["still", "one, generated"]
    near, far = told["curves"][0]["series"]["fvd_random"]
    assert 0 < near < far
    (picture,) = told["pictures"]
    image = cv2.imread(str(folder / picture["path"]))
    # Colour, depth, flow and points of the truth, of the true video and of the generated one; colours only of two.
    assert image.shape[0] == 11 * (15 + 96 + 3)
    assert picture["path"] in (folder / "report.html").read_text()
    # The truth's depth has sky, black, and is painted differently from what the model says.
    rows_of_depth = image[2 * 114 + 15 : 2 * 114 + 111], image[3 * 114 + 15 : 3 * 114 + 111]
    assert np.abs(rows_of_depth[0].astype(int) - rows_of_depth[1]).mean() > 20


def test_joined_evaluations_are_compared_clip_by_clip(evaluated, tmp_path):
    run(report_module, "--runs", evaluated / "one", "--runs", evaluated / "two", "--out", tmp_path)
    told = json.loads((tmp_path / "report.json").read_text())
    names = {name for row in told["rows"] for name in row["values"]}
    assert names == {"still", "background"} | {f"{m}, {k}" for m in ("one", "two") for k in ("true video", "generated")}
    difference = told["curves"][0]
    assert difference["name"].startswith("Paired differences from one, ")
    depth = next(i for i, name in enumerate(difference["x"]) if name.startswith("depth AbsRel [1]"))
    rows = {row["name"]: row for row in told["rows"]}
    first = difference["name"].removeprefix("Paired differences from ")
    values = rows["depth AbsRel"]["values"]
    wanted = values["two, generated"]["mean"] - values[first]["mean"]
    assert difference["series"]["two, generated difference"][depth] == pytest.approx(wanted)
    assert EvalResult.load(tmp_path).columns[0] == first


def test_another_column_can_come_first(evaluated, tmp_path):
    given = ("--runs", evaluated / "one", "--runs", evaluated / "two", "--out", tmp_path)
    run(report_module, *given, "--first", "still")
    assert "Paired differences from still" in (tmp_path / "report.md").read_text()
    with pytest.raises(SpecError, match="no column 'nobody'"):
        run(report_module, *given, "--first", "nobody")


def test_evaluations_with_equal_names_keep_apart(evaluated, tmp_path):
    one = evaluated / "one"
    (tmp_path / "copy").mkdir()
    (tmp_path / "copy" / "eval.json").write_text((one / "eval" / "eval.json").read_text())
    run(report_module, "--runs", one, "--runs", tmp_path / "copy", "--out", tmp_path / "out")
    columns = EvalResult.load(tmp_path / "out").columns
    assert f"{one}: one, true video" in columns
    assert f"{tmp_path / 'copy'}: one, true video" in columns


def test_evaluations_of_other_clips_or_sizes_are_not_joined(evaluated, tmp_path):
    result = EvalResult.load(evaluated / "one")
    replace(result, clips=[replace(clip, clip_id="other") for clip in result.clips]).save(tmp_path / "other")
    with pytest.raises(SpecError, match="no clip is in all"):
        run(report_module, "--runs", evaluated / "one", "--runs", tmp_path / "other", "--out", tmp_path / "out")
    (tmp_path / "bad").mkdir()
    (tmp_path / "bad" / "eval.json").write_text("{}")
    for folder, message in ((tmp_path / "bad", "damaged"), (tmp_path / "nothing", "holds no eval.json")):
        with pytest.raises(StoreError, match=message):
            run(report_module, "--runs", folder, "--out", tmp_path / "out")


def test_estimators_read_what_a_model_without_heads_makes(models, held_out, tmp_path):
    given = ("--model", f"plain={models / 'bare' / 'model'}", "--data", held_out, "--steps", 1, "--limit", 1)
    run(eval_module, *given, "--geometry", "estimators", "--out", tmp_path)
    told = json.loads((tmp_path / "report.json").read_text())
    rows = {row["name"]: row["values"] for row in told["rows"]}
    assert {"plain, true video", "plain, generated", "still"} == rows["flow EPE"].keys()
    assert any("dis_flow, OpenCV" in note for note in told["notes"])


def test_a_model_without_heads_is_judged_by_its_video(models, held_out, tmp_path):
    given = ("--model", models / "bare" / "model", "--data", held_out, "--steps", 1, "--limit", 1)
    run(eval_module, *given, "--out", tmp_path)
    told = json.loads((tmp_path / "report.json").read_text())
    assert any("Without heads, so without geometry: bare" in note for note in told["notes"])
    assert "bare, generated" in next(row for row in told["rows"] if row["name"] == "PSNR")["values"]


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        ({"--split": "val"}, StoreError, r"split val.*test \(3\)"),
        ({"--model": "nothing"}, SpecError, "nothing"),
        ({"--geometry": "guesses"}, SpecError, "heads or estimators"),
        ({"--geometry": "estimators", "--depth": "magic"}, SpecError, "no DepthEstimator 'magic'"),
        ({"--geometry": "estimators", "--flow": "magic"}, SpecError, "dis_flow"),
        ({"--features": "magic"}, SpecError, "random3d"),
        ({"--physics-iq": "folder"}, SpecError, "--videos"),
        ({"--data": None}, SpecError, "--model and --data"),
        ({"--steps": "0"}, AssertionError, "steps"),
    ],
)
def test_what_cannot_be_evaluated_is_a_clear_error(change, error, message, models, held_out, tmp_path):
    options = {"--model": models / "one" / "model", "--data": held_out, "--out": tmp_path / "out", **change}
    with pytest.raises(error, match=message):
        run(eval_module, *[word for name, value in options.items() if value is not None for word in (name, value)])


def test_generated_videos_are_scored_on_physics_iq(tmp_path):
    benchmark, videos = write_benchmark(tmp_path / "benchmark"), write_generated(tmp_path / "videos")
    given = ("--physics-iq", benchmark, "--videos", videos, "--seconds", 0.5, "--out", tmp_path / "out")
    said = run(eval_module, *given)
    told = json.loads((tmp_path / "out" / "physics_iq.json").read_text())
    # The generated videos are the real ones of take 1.
    assert f"Physics-IQ {told['score']['score']:.1f}" in said
    assert told["score"]["score"] > 90.0
    next(videos.iterdir()).unlink()
    assert "1 cases have none" in run(eval_module, *given, "--allow-missing")


@pytest.mark.skipif(importlib.util.find_spec("lpips") is not None, reason="lpips is installed")
def test_lpips_says_what_to_install(models, held_out, tmp_path):
    with pytest.raises(SpecError, match="pip install lpips"):
        run(eval_module, "--model", models / "one" / "model", "--data", held_out, "--out", tmp_path, "--lpips")


def test_two_models_of_one_name_are_told_apart_or_refused(models, held_out, tmp_path):
    path = models / "one" / "model"
    with pytest.raises(SpecError, match="two models are called 'one'"):
        run(eval_module, "--model", path, "--model", path, "--data", held_out, "--out", tmp_path)


def test_an_empty_dataset_is_a_clear_error(models, tmp_path):
    create_dataset(tmp_path / "empty")
    with pytest.raises(StoreError, match="empty"):
        run(eval_module, "--model", models / "one" / "model", "--data", tmp_path / "empty", "--out", tmp_path / "out")

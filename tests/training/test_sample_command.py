"""`sample` writes clips that every other command takes; `export` merges without changing what the model says."""

import cv2
import numpy as np
import pytest
import torch
import typer
from typer.testing import CliRunner

from simfactory import cli as simfactory_cli
from simfactory.dataset import open_dataset
from simfactory.engine import Engine
from simfactory.errors import AssetError, SimfactoryError, SpecError, StoreError
from simfactory.recording import open_writer
from simfactory.store import create_dataset
from simfactory.testing.specs import make_body, make_camera, make_spec
from training.cli import export as export_module
from training.cli import sample as sample_module
from training.data import ClipQuery, open_source
from training.model import ClipFormat, GeometryHeads, HeadsConfig, TrainedModel, load_backbone, velocity_and_geometry
from training.model.backbones.tiny import TinyBackbone, TinyConfig
from training.testing.backbone import randomise
from training.testing.tiny_pipelines import write_tiny_pipeline

CLIP = ClipFormat(frame_count=4, height=16, width=24, fps=8.0)


def tiny_model(*, adapter=False):
    backbone = TinyBackbone(TinyConfig(width=96, block_count=1, head_count=2, patch=(1, 4, 4)))
    randomise(backbone)
    heads = GeometryHeads(backbone.shape, HeadsConfig(depth_width=8))
    randomise(heads)
    if adapter:
        backbone.add_adapter()
        randomise(backbone, seed=2)
    return TrainedModel(backbone=backbone, heads=heads, clip=CLIP)


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    folder = tmp_path_factory.mktemp("model")
    tiny_model().save(folder)
    return folder


@pytest.fixture(scope="module")
def picture(tmp_path_factory):
    path = tmp_path_factory.mktemp("picture") / "first.png"
    cv2.imwrite(str(path), np.random.default_rng(0).integers(0, 256, (40, 48, 3)).astype(np.uint8))
    return path


def run(module, *arguments):
    """Run a command; what it raises on purpose comes out."""
    app = typer.Typer()
    app.command()(module.COMMAND)
    done = CliRunner().invoke(app, [str(argument) for argument in arguments], catch_exceptions=True)
    if isinstance(done.exception, SimfactoryError):
        raise done.exception
    assert done.exit_code == 0, done.output
    return done.output


@pytest.fixture(scope="module")
def sampled(model, picture, tmp_path_factory):
    out = tmp_path_factory.mktemp("sampled") / "set"
    run(
        sample_module,
        "--model",
        model,
        "--image",
        picture,
        "--prompt",
        "a ball",
        "--out",
        out,
        "--count",
        2,
        "--steps",
        2,
    )
    return out


def test_samples_are_clips_of_a_model(sampled):
    source = open_source(sampled, query=ClipQuery(source=("model",)))
    clips = list(source.dataset)
    assert len(clips) == 2
    for clip in clips:
        assert clip.modalities == ("camera", "depth", "flow_forward", "points", "rgb", "time")
        assert (clip.source, clip.caption, clip.fps, clip.frame_count) == ("model", "a ball", 8.0, 4)
        assert clip.attributes["origin"]["seed"] in (0, 1)
        assert clip.window(0, 4, modalities=["points"])["points/offsets"][-1] > 0
    first = [clip.window(0, 1, modalities=["rgb"])["rgb"] for clip in clips]
    np.testing.assert_array_equal(*first)


def test_other_commands_take_samples(sampled):
    for command in ("verify", "inspect", "preview"):
        done = CliRunner().invoke(simfactory_cli.app, [command, str(sampled)])
        assert done.exit_code == 0, done.output


def test_a_sample_that_is_there_is_not_made_again(sampled, model, picture):
    again = ("--model", model, "--image", picture, "--prompt", "a ball", "--out", sampled, "--steps", 2)
    assert run(sample_module, *again).startswith("seed 0: is there already")
    assert "clip" in run(sample_module, *again, "--seed", 7).splitlines()[0]


def test_a_clip_gives_its_first_frame_caption_split_and_camera(model, tmp_path):
    spec = make_spec(bodies=[make_body("ball")], cameras=[make_camera(size=(48, 48))], frame_count=3)
    spec = spec.model_copy(update={"split": "test", "caption": "A box falls."})
    folder = create_dataset(tmp_path / "true")
    list(Engine(backend="mock").run([spec], open_recorder=lambda header: open_writer(folder, header), gate=False))
    true = open_dataset(folder)[0]
    run(sample_module, "--model", model, "--clip", true.path, "--out", tmp_path / "made", "--steps", 1)
    made = open_dataset(tmp_path / "made", split="test")[0]
    assert made.caption == "A box falls."
    # 48 x 48 px are halved to 24 x 24, of which 4 rows above and below are cut off.
    k, wanted = made.read("camera/K"), true.read("camera/K")[0]
    np.testing.assert_allclose(k[0, :2, :2], wanted[:2, :2] / 2)
    np.testing.assert_allclose(k[0, :2, 2], wanted[:2, 2] / 2 - (0, 4))
    # The clip has 3 frames, the model makes 4: the camera stays where it was.
    np.testing.assert_allclose(made.read("camera/camera_to_world")[[2, 3]], true.read("camera/camera_to_world")[[2, 2]])


def test_a_model_without_heads_gives_colours_alone(picture, tmp_path):
    TrainedModel(backbone=tiny_model().backbone).save(tmp_path / "bare")
    options = (
        "--image",
        picture,
        "--out",
        tmp_path / "set",
        "--steps",
        1,
        "--frames",
        3,
        "--size",
        "20x16",
        "--fps",
        6,
    )
    assert "no heads" in run(sample_module, "--model", tmp_path / "bare", *options)
    clip = open_dataset(tmp_path / "set")[0]
    assert (clip.modalities, clip.width, clip.height, clip.fps) == (("camera", "rgb", "time"), 20, 16, 6.0)


@pytest.mark.parametrize(
    ("given", "error", "message"),
    [
        (["--image", "nothing.png"], AssetError, "PNG or JPEG"),
        ([], SpecError, "one of --image and --clip"),
        (["--clip", "set/clips/abc/no.zarr"], StoreError, "no"),
        (["--image", "PICTURE", "--device", "abacus"], SpecError, "abacus"),
        (["--image", "PICTURE", "--geometry-time", "0"], SpecError, "t ="),
    ],
)
def test_what_cannot_be_sampled_is_a_clear_error(given, error, message, model, picture, tmp_path):
    given = [picture if word == "PICTURE" else word for word in given]
    with pytest.raises(error, match=message):
        run(sample_module, "--model", model, "--out", tmp_path / "set", *given)


def told(model, clip):
    generator = torch.Generator().manual_seed(0)
    shape = model.backbone.shape.grid.latent_shape(*clip)
    x_t = torch.randn(1, model.backbone.shape.latent_channels, *shape, generator=generator)
    text = model.backbone.encode_text(["a ball falls"])
    with torch.no_grad():
        return velocity_and_geometry(model.backbone, model.heads, x_t, torch.tensor([0.7]), first_frame=None, text=text)


def assert_same(first, second, clip):
    (velocity, geometry), (other, other_geometry) = told(first, clip), told(second, clip)
    torch.testing.assert_close(velocity, other, rtol=1e-3, atol=1e-4)
    torch.testing.assert_close(geometry.depth, other_geometry.depth, rtol=1e-3, atol=1e-4)
    torch.testing.assert_close(geometry.flow, other_geometry.flow, rtol=1e-3, atol=1e-4)


def test_an_exported_model_says_the_same_without_an_adapter(tmp_path):
    model = tiny_model(adapter=True)
    model.save(tmp_path / "run")
    run(export_module, "--model", tmp_path / "run", "--out", tmp_path / "merged")
    merged = TrainedModel.load(tmp_path / "merged")
    assert (merged.backbone.adapter, merged.clip) == (None, CLIP)
    assert_same(model, merged, (4, 16, 24))
    with model.backbone.without_adapter():
        assert (told(model, (4, 16, 24))[0] - told(merged, (4, 16, 24))[0]).abs().max() > 1e-2
    with pytest.raises(SpecError, match="not empty"):
        run(export_module, "--model", tmp_path / "run", "--out", tmp_path / "merged")


def test_an_exported_pipeline_is_a_folder_of_diffusers(tmp_path):
    from diffusers import DiffusionPipeline

    backbone = load_backbone(write_tiny_pipeline("wan_t2v", tmp_path / "wan"))
    backbone.add_adapter()
    randomise(backbone)
    heads = GeometryHeads(backbone.shape, HeadsConfig(depth_width=8))
    randomise(heads)
    model = TrainedModel(backbone=backbone, heads=heads)
    model.save(tmp_path / "run")
    run(export_module, "--model", tmp_path / "run", "--out", tmp_path / "merged")
    assert_same(model, TrainedModel.load(tmp_path / "merged"), (5, 32, 32))
    assert type(DiffusionPipeline.from_pretrained(tmp_path / "merged")).__name__ == "WanPipeline"

"""Backbones of diffusers' classes, on tiny random pipelines: the contract, and what is special to each."""

import json
import shutil

import pytest
import torch

from simfactory.errors import SpecError
from training.model import AdapterConfig, euler_integrate, load_backbone, sample_video
from training.model.prediction import schedule_positions, variance_preserving, velocity_from_v_prediction
from training.testing.backbone import BackboneContract, randomise
from training.testing.tiny_pipelines import PIPELINE_KINDS, write_tiny_pipeline


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    root = tmp_path_factory.mktemp("pipelines")
    return {kind: write_tiny_pipeline(kind, root / kind) for kind in PIPELINE_KINDS}


class PipelineContract(BackboneContract):
    frame_count, size = 5, (32, 32)
    pipeline = ""

    @pytest.fixture(autouse=True)
    def _folder(self, folders):
        self.folder = folders[self.pipeline]

    def make(self):
        return load_backbone(self.folder)


class TestWanTextAndImageToVideo(PipelineContract):
    pipeline = "wan_ti2v"
    size = (32, 64)


class TestWanTwoExperts(PipelineContract):
    pipeline = "wan_two_experts"


class TestCogVideoX(PipelineContract):
    frame_count = 9
    pipeline = "cogvideox_i2v"
    holds_first_frame = False


class TestCosmos(PipelineContract):
    pipeline = "cosmos"
    size = (32, 48)


@pytest.mark.parametrize("kind", ["wan_t2v", "wan_i2v", "cogvideox_t2v"])
def test_the_other_kinds_train_a_step_and_sample(folders, kind, tmp_path):
    backbone = load_backbone(folders[kind])
    backbone.add_adapter(AdapterConfig(rank=2))
    video = torch.zeros(1, 3, 9, 32, 32)
    first = backbone.encode_first_frame(video[:, :, 0], frame_count=9) if kind == "wan_i2v" else None
    text = backbone.encode_text(["a ball falls"])
    optimiser = torch.optim.Adam(backbone.trainable.values(), lr=1e-2)
    latents = torch.randn(1, 4, 3, 4, 4, generator=torch.Generator().manual_seed(0))
    losses = []
    for _ in range(5):
        loss = (backbone(latents, torch.ones(1), first_frame=first, text=text) - latents).square().mean()
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        losses.append(loss.item())
    assert losses[-1] < losses[0]
    backbone.save(tmp_path)
    options = {"prompts": ["a"], "frame_count": 9, "size": (32, 32), "step_count": 2}
    options["first_frame"] = video[:, :, 0] if kind == "wan_i2v" else None
    sample = sample_video(backbone, **options)
    assert sample.shape == video.shape
    assert torch.equal(sample, sample_video(load_backbone(tmp_path), **options))


@pytest.mark.parametrize("kind", PIPELINE_KINDS)
def test_half_precision_is_kept_through_a_step(folders, kind, tmp_path):
    backbone = load_backbone(folders[kind], dtype=torch.bfloat16)
    backbone.add_adapter(AdapterConfig(rank=2))
    video = torch.zeros(1, 3, 9, 32, 32)
    latents = backbone.encode(video)
    first = None if kind.endswith("t2v") else backbone.encode_first_frame(video[:, :, 0], frame_count=9)
    assert latents.dtype == torch.bfloat16
    # Small steps would be rounded away: what is trained is float32.
    assert {parameter.dtype for parameter in backbone.trainable.values()} == {torch.float32}
    # Noise and times are float32, as losses are.
    x_t = torch.randn(latents.shape, generator=torch.Generator().manual_seed(0))
    velocity = backbone(x_t, torch.ones(1), first_frame=first, text=backbone.encode_text(["a"]))
    velocity.float().square().mean().backward()
    assert all(torch.isfinite(parameter.grad).all() for parameter in backbone.trainable.values())
    backbone.save(tmp_path / "saved")
    backbone.export(tmp_path / "exported")
    dtypes = {parameter.dtype for parameter in load_backbone(tmp_path / "exported", dtype=torch.bfloat16).parameters()}
    # Wan's scale tables stay in float32.
    assert torch.bfloat16 in dtypes
    again = load_backbone(tmp_path / "saved", dtype=torch.bfloat16)
    assert torch.equal(again(x_t, torch.ones(1), first_frame=first, text=again.encode_text(["a"])), velocity)


def test_the_first_latent_is_that_of_the_first_frame(folders):
    backbone = load_backbone(folders["wan_t2v"])
    video = torch.rand(1, 3, 5, 32, 32, generator=torch.Generator().manual_seed(0)) * 2 - 1
    latents = backbone.encode(video)
    first = backbone.encode_first_frame(video[:, :, 0], frame_count=5)
    # A causal autoencoder: the same sums, in convolutions of other sizes.
    torch.testing.assert_close(first, latents[:, :, :1], rtol=1e-4, atol=1e-5)


def test_latents_are_scaled_as_the_pipeline_scales_them(folders):
    backbone = load_backbone(folders["wan_t2v"])
    vae = backbone.parts.vae
    video = torch.zeros(1, 3, 1, 32, 32)
    raw = vae.encode(video).latent_dist.mode()
    latents = backbone.encode(video)
    for channel, (mean, deviation) in enumerate(zip([0.1, -0.2, 0.0, 0.3], [0.5, 0.6, 0.7, 0.8], strict=True)):
        torch.testing.assert_close(latents[:, channel], (raw[:, channel] - mean) / deviation)
    torch.testing.assert_close(backbone.decode(latents), vae.decode(raw).sample, rtol=1e-4, atol=1e-5)


def test_diffusers_own_pipeline_reads_the_adapter_and_samples_the_same(folders, tmp_path):
    """Our sampler, at the scheduler's times, ends where the pipeline does."""
    from diffusers import WanPipeline

    backbone = load_backbone(folders["wan_t2v"])
    backbone.add_adapter(AdapterConfig(rank=2, alpha=2))
    randomise(backbone)
    backbone.save(tmp_path)
    pipeline = WanPipeline.from_pretrained(folders["wan_t2v"])
    pipeline.load_lora_weights(tmp_path)
    pipeline.set_progress_bar_config(disable=True)
    noise = torch.randn(1, 4, 3, 4, 4, generator=torch.Generator().manual_seed(0))
    text = backbone.encode_text(["a ball falls."])
    expected = pipeline(
        prompt="a ball falls.", height=32, width=32, num_frames=9, num_inference_steps=3, guidance_scale=1.0,
        latents=noise, output_type="latent",
    ).frames  # fmt: skip
    with torch.no_grad():
        latents = euler_integrate(
            lambda x, t: backbone(x, t, first_frame=None, text=text), noise, pipeline.scheduler.sigmas
        )
        plain = load_backbone(folders["wan_t2v"])(noise, torch.ones(1), first_frame=None, text=text)
        assert not torch.allclose(backbone(noise, torch.ones(1), first_frame=None, text=text), plain, atol=1e-3)
    # The same velocities; steps in float32, whose sums are ordered otherwise.
    torch.testing.assert_close(latents, expected, rtol=1e-4, atol=1e-4)


def test_experts_share_the_times_at_the_boundary(folders):
    backbone = load_backbone(folders["wan_two_experts"])
    x = torch.randn(3, 4, 2, 4, 4, generator=torch.Generator().manual_seed(0))
    text = backbone.encode_text(["a", "b", "c"])
    t = torch.tensor([0.2, 0.875, 0.874])
    mixed = backbone(x, t, first_frame=None, text=text)
    for index, expert in enumerate([backbone.transformer_2, backbone.transformer, backbone.transformer_2]):
        one = slice(index, index + 1)
        (alone,) = expert(x[one], t[one] * 1000, text[one], return_dict=False)
        # Batched matrix products sum in another order.
        torch.testing.assert_close(mixed[one], alone, rtol=1e-4, atol=1e-5)
    with pytest.raises(SpecError, match="one side of the boundary"), backbone.capture([0]):
        backbone(x, t, first_frame=None, text=text)
    backbone.add_adapter()
    assert not any("transformer_2" in name for name in backbone.trainable)


def test_cosmos_predicts_what_its_pipeline_reads_from_it(folders):
    """x₀ = c_skip x + c_out F with x = x₀ + σ ε: the same x₀ as x_t − t u."""
    backbone = load_backbone(folders["cosmos"])
    generator = torch.Generator().manual_seed(0)
    data, noise = torch.randn(2, 1, 4, 2, 4, 4, generator=generator)
    sigma = 3.0
    t = sigma / (1 + sigma)
    x_t = (1 - t) * data + t * noise
    text = backbone.encode_text(["a"])
    velocity = backbone(x_t, torch.tensor([t]), first_frame=None, text=text)
    mask = torch.zeros(1, 1, 2, 4, 4)
    (output,) = backbone.transformer(
        torch.cat([(data + sigma * noise) / (1 + sigma), mask, mask], dim=1), torch.full((1, 1, 2, 1, 1), t), text,
        fps=16, return_dict=False,
    )  # fmt: skip
    denoised = (1 - t) * (data + sigma * noise) - t * output
    # float32 numbers of order 1.
    torch.testing.assert_close(x_t - t * velocity, denoised, rtol=1e-4, atol=1e-5)


def test_an_exported_cosmos_pads_as_before(folders, tmp_path):
    load_backbone(folders["cosmos"]).export(tmp_path)
    config = json.loads((tmp_path / "transformer" / "config.json").read_text())
    assert config["concat_padding_mask"] is True


def test_v_predictions_of_a_real_schedule_become_velocities(folders):
    scheduler = load_backbone(folders["cogvideox_t2v"]).parts.scheduler
    generator = torch.Generator().manual_seed(0)
    data, noise = torch.randn(2, 3, 4, 2, 4, 4, generator=generator)
    steps = torch.tensor([10, 500, 999])
    signal = scheduler.alphas_cumprod[steps].sqrt().float()
    t = (1 - signal**2).sqrt() / (signal + (1 - signal**2).sqrt())
    # Interpolated in double precision between times that are float32.
    torch.testing.assert_close(schedule_positions(t, scheduler.alphas_cumprod), steps.float(), rtol=0, atol=1e-2)
    times = t.reshape(-1, 1, 1, 1, 1)
    state = variance_preserving((1 - times) * data + times * noise, t)
    # float32 square roots of numbers near 0 and 1.
    torch.testing.assert_close(state.sample, scheduler.add_noise(data, noise, steps), rtol=1e-3, atol=1e-3)
    velocity = velocity_from_v_prediction(scheduler.get_velocity(data, noise, steps), state)
    torch.testing.assert_close(velocity, noise - data, rtol=1e-3, atol=2e-3)


@pytest.mark.parametrize(("kind", "given"), [("wan_i2v", False), ("cogvideox_i2v", False), ("cogvideox_t2v", True)])
def test_a_first_frame_is_given_where_it_is_taken(folders, kind, given):
    backbone = load_backbone(folders[kind])
    x = torch.zeros(1, 4, 1, 4, 4)
    with pytest.raises(SpecError, match="first frame"):
        backbone(x, torch.ones(1), first_frame=x if given else None, text=backbone.encode_text(["a"]))


@pytest.fixture
def damaged(folders, tmp_path):
    """A pipeline's folder whose index may be changed."""

    def damage(kind, **changes):
        folder = tmp_path / kind
        shutil.copytree(folders[kind], folder)
        index = json.loads((folder / "model_index.json").read_text())
        (folder / "model_index.json").write_text(json.dumps(index | changes))
        return folder

    return damage


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"_class_name": "AllegroPipeline"}, "AllegroPipeline.*WanPipeline"),
        ({"vae": [None, None]}, "has no vae"),
        ({"vae": ["os", "system"]}, "library 'os'"),
        ({"vae": ["diffusers", "NoSuchAutoencoder"]}, "does not have"),
    ],
)
def test_folders_that_cannot_be_read_are_refused(damaged, changes, message):
    with pytest.raises(SpecError, match=message):
        load_backbone(damaged("wan_t2v", **changes))


def test_a_missing_part_is_named(damaged):
    folder = damaged("wan_t2v")
    shutil.rmtree(folder / "transformer")
    with pytest.raises(SpecError, match="transformer of"):
        load_backbone(folder)


def test_an_unknown_tiny_pipeline_is_refused(tmp_path):
    with pytest.raises(SpecError, match="wan_t2v"):
        write_tiny_pipeline("sora", tmp_path)

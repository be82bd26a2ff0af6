"""The conformance suite of backbones: what every model keeps to, whatever is inside."""

from abc import ABC, abstractmethod
from pathlib import Path
from typing import ClassVar

import pytest
import torch
from torch import Tensor, nn

from simfactory.errors import SpecError
from training.model.adapter import AdapterConfig
from training.model.backbone import Backbone
from training.model.heads import GeometryHeads, HeadsConfig, velocity_and_geometry
from training.model.registry import load_backbone
from training.model.sampling import sample_video

__all__ = ["BackboneContract", "randomise"]


def randomise(module: nn.Module, *, seed: int = 1, scale: float = 0.05) -> None:
    """Add noise to what is trained, so that no layer is zero as many are at first."""
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for parameter in module.parameters():
            if parameter.requires_grad:
                parameter.add_(scale * torch.randn(parameter.shape, generator=generator))


class BackboneContract(ABC):
    """Subclass it, say how the model is made and what clips it takes; pytest does the rest.

    Attributes:
        frame_count: Frames of the clips.
        size: Their rows and columns [px].
        takes_first_frame: Whether a first frame is given.
        holds_first_frame: Whether samples begin with that very frame.
    """

    frame_count: int
    size: tuple[int, int]
    takes_first_frame: bool = True
    _inputs: ClassVar[tuple[tuple[Tensor, Tensor], dict[str, Tensor | None]]]
    holds_first_frame: bool = True

    @abstractmethod
    def make(self) -> Backbone:
        """Return the model, the same one each time, with no layer zero."""

    @pytest.fixture
    def backbone(self) -> Backbone:
        """The model."""
        return self.make()

    def video(self) -> Tensor:
        """Return clips `(2, 3, frame, height, width)` in −1 … 1."""
        generator = torch.Generator().manual_seed(2)
        return torch.rand(2, 3, self.frame_count, *self.size, generator=generator) * 2 - 1

    def inputs(self, backbone: Backbone) -> tuple[tuple[Tensor, Tensor], dict[str, Tensor | None]]:
        """Return x_t and t, first frame and text of two clips at high noise; made once, for no codec is trained."""
        cls = type(self)
        if "_inputs" not in vars(cls):
            cls._inputs = self._make_inputs(backbone)
        return cls._inputs

    def _make_inputs(self, backbone: Backbone) -> tuple[tuple[Tensor, Tensor], dict[str, Tensor | None]]:
        video = self.video()
        latents = backbone.encode(video)
        t = torch.tensor([0.9, 0.95])
        noise = torch.randn(latents.shape, generator=torch.Generator().manual_seed(3))
        times = t.reshape(-1, 1, 1, 1, 1)
        first_frame = None
        if self.takes_first_frame:
            first_frame = backbone.encode_first_frame(video[:, :, 0], frame_count=self.frame_count)
        text = backbone.encode_text(["a ball falls", ""])
        return ((1 - times) * latents + times * noise, t), {"first_frame": first_frame, "text": text}

    def velocity(self, backbone: Backbone) -> Tensor:
        """Return the velocity at `inputs`."""
        arguments, options = self.inputs(backbone)
        velocity: Tensor = backbone(*arguments, **options)
        return velocity

    def step(self, backbone: Backbone) -> dict[str, Tensor]:
        """Take two optimiser steps; return the gradients of the last one."""
        optimiser = torch.optim.AdamW(backbone.trainable.values(), lr=1e-2, weight_decay=0.1)
        for _ in range(2):
            optimiser.zero_grad()
            self.velocity(backbone).square().mean().backward()
            optimiser.step()
        return {name: value.grad for name, value in backbone.named_parameters() if value.grad is not None}

    def test_codec_and_velocity_have_the_shapes_that_the_grid_says(self, backbone: Backbone) -> None:
        """Latents, velocity and decoded video are as `TokenGrid` computes them, and finite."""
        grid = backbone.shape.grid
        latents = backbone.encode(self.video())
        assert latents.shape == (2, backbone.shape.latent_channels, *grid.latent_shape(self.frame_count, *self.size))
        assert grid.frame_count(latents.shape[2]) == self.frame_count
        velocity = self.velocity(backbone)
        assert velocity.shape == latents.shape
        assert torch.isfinite(velocity).all()
        assert backbone.decode(latents).shape == self.video().shape

    def test_text_changes_the_velocity(self, backbone: Backbone) -> None:
        """Other words, another velocity."""
        arguments, options = self.inputs(backbone)
        other = backbone.encode_text(["a cloth hangs", "water"])
        assert options["text"] is not None
        assert other.shape == options["text"].shape
        assert not torch.equal(backbone(*arguments, **options), backbone(*arguments, **{**options, "text": other}))

    def test_time_changes_the_velocity(self, backbone: Backbone) -> None:
        """Another time, another velocity."""
        (x_t, t), options = self.inputs(backbone)
        assert not torch.equal(backbone(x_t, t, **options), backbone(x_t, t + 0.03, **options))

    def test_clips_of_a_batch_do_not_mix(self, backbone: Backbone) -> None:
        """A clip's velocity does not depend on its neighbours."""
        (x_t, t), options = self.inputs(backbone)
        alone = backbone(
            x_t[:1], t[:1], **{name: None if value is None else value[:1] for name, value in options.items()}
        )
        # Batched matrix products sum in another order.
        torch.testing.assert_close(self.velocity(backbone)[:1], alone, rtol=1e-4, atol=1e-5)

    def test_no_time_gives_a_number_that_is_none(self, backbone: Backbone) -> None:
        """The ends t = 1 and t = 0 are allowed, each for a whole batch."""
        (x_t, t), options = self.inputs(backbone)
        for end in (1.0, 0.0):
            assert torch.isfinite(backbone(x_t, torch.full_like(t, end), **options)).all()

    def test_hooks_see_the_output_of_their_block(self, backbone: Backbone) -> None:
        """What is added to a block's output appears in its features and not in those before it."""

        def add_one(_module: nn.Module, _inputs: object, output: Tensor | tuple[Tensor, ...]) -> object:
            return (output[0] + 1, *output[1:]) if isinstance(output, tuple) else output + 1

        arguments, options = self.inputs(backbone)
        last = backbone.shape.block_count - 1
        with backbone.capture([0, last]) as features:
            backbone(*arguments, **options)
            before = dict(features)
            handle = backbone.blocks[last].register_forward_hook(add_one, prepend=True)
            backbone(*arguments, **options)
            handle.remove()
        time, height, width = backbone.shape.grid.token_shape(
            backbone.shape.grid.latent_shape(self.frame_count, *self.size)
        )
        assert before[0].shape == (2, time, backbone.shape.inner_width, height, width)
        assert torch.equal(features[0], before[0])
        assert torch.equal(features[last], before[last] + 1)
        assert not torch.equal(before[0], before[last])

    def test_hooks_are_gone_after_the_context(self, backbone: Backbone) -> None:
        """Nothing is captured outside."""
        with backbone.capture([0]) as features:
            self.velocity(backbone)
        captured = features[0]
        with torch.no_grad():
            self.velocity(backbone)
        assert features[0] is captured
        assert captured.requires_grad

    def test_an_unknown_block_is_refused(self, backbone: Backbone) -> None:
        """The message says which there are."""
        with (
            pytest.raises(SpecError, match=f"blocks 0 … {backbone.shape.block_count - 1}"),
            backbone.capture([backbone.shape.block_count]),
        ):
            pass

    def test_a_new_adapter_changes_nothing(self, backbone: Backbone) -> None:
        """B is zero: the velocity is bit for bit that of the base."""
        before = self.velocity(backbone)
        backbone.add_adapter(AdapterConfig(rank=4))
        assert torch.equal(self.velocity(backbone), before)

    def test_gradients_reach_exactly_what_is_trainable(self, backbone: Backbone) -> None:
        """With an adapter only its weights change; all others stay as they were, bit for bit."""
        backbone.add_adapter(AdapterConfig(rank=4))
        before = {name: value.detach().clone() for name, value in backbone.named_parameters()}
        trainable = backbone.trainable
        gradients = self.step(backbone)
        assert gradients.keys() == trainable.keys()
        assert all("lora_" in name for name in trainable)
        changed = {name for name, value in backbone.named_parameters() if not torch.equal(value.detach(), before[name])}
        assert changed == trainable.keys()

    def test_without_its_adapter_it_is_the_base(self, backbone: Backbone) -> None:
        """After training: the adapted velocity differs, the reference's is bit for bit that of before."""
        before = self.velocity(backbone).detach()
        backbone.add_adapter(AdapterConfig(rank=4))
        self.step(backbone)
        adapted = self.velocity(backbone).detach()
        trainable = backbone.trainable.keys()
        with backbone.without_adapter():
            reference = self.velocity(backbone)
        assert torch.equal(reference, before)
        assert not torch.equal(adapted, before)
        assert torch.equal(self.velocity(backbone), adapted)
        assert backbone.trainable.keys() == trainable

    def test_targets_that_match_nothing_are_refused(self, backbone: Backbone) -> None:
        """The message names layers that there are."""
        with pytest.raises(SpecError, match=r"nowhere.*to_q"):
            backbone.add_adapter(AdapterConfig(targets=("nowhere",)))

    def test_an_adapter_is_saved_bit_for_bit(self, backbone: Backbone, tmp_path: Path) -> None:
        """Loaded again, the velocity is the same."""
        backbone.add_adapter(AdapterConfig(rank=4, alpha=8))
        self.step(backbone)
        backbone.save(tmp_path)
        loaded = load_backbone(tmp_path)
        assert torch.equal(self.velocity(loaded), self.velocity(backbone))
        assert loaded.trainable.keys() == backbone.trainable.keys()

    def test_all_weights_are_saved_bit_for_bit(self, backbone: Backbone, tmp_path: Path) -> None:
        """Without an adapter the network is saved as it is."""
        self.step(backbone)
        backbone.save(tmp_path)
        assert torch.equal(self.velocity(load_backbone(tmp_path)), self.velocity(backbone))

    def test_an_adapter_of_a_trained_model_is_saved_with_it(self, backbone: Backbone, tmp_path: Path) -> None:
        """The base that it was added to comes back, too."""
        self.step(backbone)
        backbone.save(tmp_path / "trained")
        trained = load_backbone(tmp_path / "trained")
        trained.add_adapter(AdapterConfig(rank=4))
        randomise(trained)
        trained.save(tmp_path / "adapted")
        assert torch.equal(self.velocity(load_backbone(tmp_path / "adapted")), self.velocity(trained))

    def test_an_exported_model_computes_what_the_adapted_one_does(self, backbone: Backbone, tmp_path: Path) -> None:
        """Merged into the weights, the adapter gives the same velocity up to the order of sums."""
        backbone.add_adapter(AdapterConfig(rank=4))
        self.step(backbone)
        backbone.export(tmp_path)
        exported = load_backbone(tmp_path)
        assert exported.adapter is None
        # W x + B A x and (W + B A) x differ in rounding alone.
        torch.testing.assert_close(self.velocity(exported), self.velocity(backbone), rtol=1e-3, atol=1e-4)

    def test_recomputed_activations_give_the_same_gradients(self, backbone: Backbone) -> None:
        """The same operations run again on the same numbers."""
        backbone.add_adapter(AdapterConfig(rank=4))
        randomise(backbone)
        expected = self.gradients(backbone)
        backbone.recompute_activations()
        backbone.train()
        again = self.gradients(backbone)
        assert expected.keys() == again.keys()
        for name, gradient in expected.items():
            torch.testing.assert_close(again[name], gradient, rtol=1e-5, atol=1e-8)

    def gradients(self, backbone: Backbone) -> dict[str, Tensor]:
        """Return the gradients of one pass."""
        names, values = zip(*backbone.trainable.items(), strict=True)
        return dict(zip(names, torch.autograd.grad(self.velocity(backbone).square().mean(), values), strict=True))

    def test_heads_speak_for_every_frame_and_pixel(self, backbone: Backbone) -> None:
        """Depth and motion at the rate of the video; gradients reach the heads and not a frozen model."""
        backbone.freeze()
        heads = GeometryHeads(backbone.shape, HeadsConfig(depth_width=16))
        arguments, options = self.inputs(backbone)
        _, geometry = velocity_and_geometry(
            backbone, heads, *arguments, first_frame=options["first_frame"], text=_given(options["text"])
        )
        image = (2, self.frame_count, *self.size)
        assert geometry.depth.shape == geometry.depth_change.shape == geometry.visibility.shape == image
        assert geometry.flow.shape == (2, self.frame_count, 2, *self.size)
        (geometry.depth.mean() + geometry.flow.mean()).backward()
        assert all(parameter.grad is None for parameter in backbone.parameters())
        assert heads.motion.project.weight.grad is not None

    def test_samples_are_of_their_seed_and_begin_with_the_frame(self, backbone: Backbone) -> None:
        """The same seed, the same video; another, another; the first frame stays where the model is shown it."""
        first = self.video()[:, :, 0] if self.takes_first_frame else None

        def sample(seed: int) -> Tensor:
            return sample_video(
                backbone,
                prompts=["a ball", "a cloth"],
                frame_count=self.frame_count,
                size=self.size,
                first_frame=first,
                seed=seed,
                guidance=2.0,
                step_count=2,
            )

        video = sample(0)
        assert video.shape == self.video().shape
        assert torch.equal(video, sample(0))
        assert not torch.equal(video, sample(1))
        if first is not None and self.holds_first_frame:
            expected = backbone.decode(backbone.encode(first.unsqueeze(2))).clamp(-1, 1)
            # Two Euler steps end at the latent up to rounding; a decoder is not steep.
            torch.testing.assert_close(video[:, :, :1], expected, rtol=0, atol=1e-3)


def _given(text: Tensor | None) -> Tensor:
    assert text is not None
    return text

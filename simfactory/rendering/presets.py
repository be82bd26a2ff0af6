"""Quality presets: how much work goes into an image, one row each."""

from dataclasses import dataclass

from simfactory.errors import SpecError

__all__ = ["Preset", "find_preset", "preset_names"]


@dataclass(frozen=True, kw_only=True, slots=True)
class Preset:
    """Parameters of shading.

    Attributes:
        name: What users write.
        edge_samples: Further samples in pixels that differ from a neighbour.
        edge_contrast: Smallest difference to a neighbour, in display values 0–1, that asks for them.
        smooth_contrast: Pixels whose neighbours' display values 0–1 differ less take their mean; 0 shades every pixel.
        traced_roughness: Materials smoother than this get a reflection ray.
        samples: Paths per pixel; 0 = light without paths.
        block_samples: Paths per block of pixels that share them; 0 = none do. About what mirrors, shines through or
            has a shiny relief, and where an aperture or shutter is open, paths are followed from every pixel anyway.
        mirror_samples: Further paths in pixels that see a mirror or glass; half as many in pictures of which these fill
            but a small part.
        more_samples: Largest number of further paths in pixels whose light is uncertain after these; four times as
            many where base colours change from pixel to pixel, and in pixels that see a mirror or glass.
        more_mirror_samples: The same in pictures that mirrors and glass fill to a good part.
        noise: Root mean square error of a pixel's light that is wanted before denoising, in display values 0–255.
        detail_noise: The same where base colours change from pixel to pixel.
        mirror_noise: The same in pixels that see a mirror or glass: what these show has no guide, the denoiser helps it
            less.
        texture_samples: Places in a pixel at which a texture is read, more of simple patterns and one of grains; 0 =
            those of the paths.
        filter_width: Width over which textures are filtered [px]: less than one where samples lie within a pixel.
        instants: Over how many instants an open shutter spreads them, at least one path each.
        depth: Mirror and glass bounces of a path.
        mirror_roughness: Materials smoother than this are followed as mirrors.
        split: Whether a path follows both what is mirrored and what is not at its first surface, if both are seen.
        brightest: Limit on the light of one path: a cut on rare bright ones, which a mean of few would show as dots.
        denoiser: Effort of the denoiser (`fast`, `balanced`, `high`), or None for none.
        animated_samples: Whether sample positions change from frame to frame; still ones do not shimmer.
        exposure: Factor on light before the tone curve.
        contrast: Exponent of the tone curve.
    """

    name: str
    edge_samples: int
    edge_contrast: float
    smooth_contrast: float
    traced_roughness: float
    samples: int
    block_samples: int
    mirror_samples: int
    more_samples: int
    more_mirror_samples: int
    noise: float
    detail_noise: float
    mirror_noise: float
    texture_samples: int
    filter_width: float
    instants: int
    depth: int
    mirror_roughness: float
    split: bool
    brightest: float
    denoiser: str | None
    animated_samples: bool
    exposure: float
    contrast: float


_PRESETS = {
    preset.name: preset
    for preset in (
        Preset(
            name="draft",
            edge_samples=4,
            edge_contrast=0.06,
            smooth_contrast=0.02,
            traced_roughness=0.35,
            samples=0,
            block_samples=0,
            mirror_samples=0,
            more_samples=0,
            more_mirror_samples=0,
            noise=0.0,
            detail_noise=0.0,
            mirror_noise=0.0,
            texture_samples=0,
            filter_width=1.0,
            instants=0,
            depth=0,
            mirror_roughness=0.35,
            split=False,
            brightest=0.0,
            denoiser=None,
            animated_samples=False,
            exposure=1.15,
            contrast=1.3,
        ),
        Preset(
            name="standard",
            edge_samples=3,
            edge_contrast=0.0,
            smooth_contrast=0.0,
            traced_roughness=0.35,
            samples=1,
            block_samples=3,
            mirror_samples=6,
            more_samples=0,
            more_mirror_samples=0,
            noise=0.0,
            detail_noise=0.0,
            mirror_noise=0.0,
            texture_samples=4,
            filter_width=1.0,
            instants=8,
            depth=4,
            mirror_roughness=0.3,
            split=True,
            brightest=30.0,
            denoiser="fast",
            animated_samples=True,
            exposure=1.15,
            contrast=1.3,
        ),
        Preset(
            name="high",
            edge_samples=4,
            edge_contrast=0.0,
            smooth_contrast=0.0,
            traced_roughness=0.35,
            samples=3,
            block_samples=0,
            mirror_samples=4,
            more_samples=4,
            more_mirror_samples=160,
            noise=8.0,
            detail_noise=3.0,
            mirror_noise=1.5,
            texture_samples=8,
            filter_width=1.0,
            instants=16,
            depth=4,
            mirror_roughness=0.3,
            split=False,
            brightest=30.0,
            denoiser="balanced",
            animated_samples=True,
            exposure=1.15,
            contrast=1.3,
        ),
        # For judging the others: the mean of many such frames, each with its own random numbers, is the truth.
        Preset(
            name="reference",
            edge_samples=0,
            edge_contrast=0.0,
            smooth_contrast=0.0,
            traced_roughness=0.35,
            samples=64,
            block_samples=0,
            mirror_samples=0,
            more_samples=0,
            more_mirror_samples=0,
            noise=0.0,
            detail_noise=0.0,
            mirror_noise=0.0,
            texture_samples=0,
            filter_width=1.0,
            instants=16,
            depth=4,
            mirror_roughness=0.3,
            split=False,
            brightest=1e6,
            denoiser=None,
            animated_samples=True,
            exposure=1.15,
            contrast=1.3,
        ),
    )
}


def preset_names() -> tuple[str, ...]:
    """Return the names of all presets, cheapest first."""
    return tuple(_PRESETS)


def find_preset(name: str) -> Preset:
    """Return a preset.

    Raises:
        SpecError: There is none of this name.
    """
    if name not in _PRESETS:
        raise SpecError(f"there is no preset {name!r}; allowed are: {', '.join(_PRESETS)}")
    return _PRESETS[name]

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
        animated_samples: Whether sample positions change from frame to frame; still ones do not shimmer.
        exposure: Factor on light before the tone curve.
        contrast: Exponent of the tone curve.
    """

    name: str
    edge_samples: int
    edge_contrast: float
    smooth_contrast: float
    traced_roughness: float
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
            animated_samples=False,
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

"""The figures of a held-out clip: their names, units, and which direction is better."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal, final

__all__ = ["HEADLINES", "METRICS", "Metric", "aligned"]

ALIGNMENTS = {"none": "", "median": ", median", "least_squares": ", least squares"}


@final
@dataclass(frozen=True, kw_only=True, slots=True)
class Metric:
    """One figure.

    Attributes:
        label: How tables name it.
        unit: Its unit, `1` for none.
        better: Which direction is better.
    """

    label: str
    unit: str = "1"
    better: Literal["lower", "higher"] = "lower"


def aligned(name: str, alignment: str) -> str:
    """Return the name of a figure of depth after an alignment."""
    return name if alignment == "none" else f"{name}/{alignment}"


def _depth(name: str, label: str, unit: str = "1", better: Literal["lower", "higher"] = "lower") -> dict[str, Metric]:
    return {
        aligned(name, alignment): Metric(label=label + suffix, unit=unit, better=better)
        for alignment, suffix in ALIGNMENTS.items()
    }


METRICS: Mapping[str, Metric] = MappingProxyType(
    {
        # Tier 1: single frames
        "psnr": Metric(label="PSNR", unit="dB", better="higher"),
        "psnr_changing": Metric(label="PSNR where it changes", unit="dB", better="higher"),
        "ssim": Metric(label="SSIM", better="higher"),
        "lpips": Metric(label="LPIPS"),
        **_depth("abs_rel", "depth AbsRel"),
        **_depth("rmse", "depth RMSE", "m"),
        **_depth("delta1", "depth δ < 1.25", "1", "higher"),
        **_depth("delta2", "depth δ < 1.25²", "1", "higher"),
        **_depth("delta3", "depth δ < 1.25³", "1", "higher"),
        **_depth("object_abs_rel", "object depth AbsRel"),
        # Tier 2: neighbours in time
        "epe": Metric(label="flow EPE", unit="px"),
        "fl_all": Metric(label="flow Fl-all"),
        "outlier_1px": Metric(label="flow > 1 px"),
        "object_epe": Metric(label="object flow EPE", unit="px"),
        "object_fl_all": Metric(label="object flow Fl-all"),
        "warp": Metric(label="depth warp L1", unit="m"),
        "warp_charbonnier": Metric(label="depth warp Charbonnier", unit="m"),
        "warp_visible": Metric(label="depth warp L1, visible", unit="m"),
        "warp_occluded": Metric(label="depth warp L1, occluded", unit="m"),
        "warp_paper": Metric(label="depth warp L1, without Δz", unit="m"),
        "warp_self": Metric(label="depth warp L1, against itself", unit="m"),
        "rgb_warp": Metric(label="RGB warp L1"),
        "latent_warp": Metric(label="latent warp L1"),
        # Tier 3: the whole clip in space and time
        "chamfer": Metric(label="4D Chamfer, all points", unit="m"),
        "chamfer_moving": Metric(label="4D Chamfer, moving points", unit="m"),
        "worldline": Metric(label="worldline L2", unit="m"),
        "worldline_drift": Metric(label="worldline mean drift", unit="m"),
        "worldline_final": Metric(label="worldline final drift", unit="m"),
        "worldline_failure": Metric(label="worldline failure rate"),
        "worldline_length": Metric(label="worldline valid length", unit="frames", better="higher"),
        "object_worldline": Metric(label="object worldline L2", unit="m"),
        "chained_worldline": Metric(label="worldline L2, along own flow", unit="m"),
        "chained_failure": Metric(label="worldline failure rate, along own flow"),
        "novel_depth": Metric(label="novel time, depth error", unit="m"),
        "novel_abs_rel": Metric(label="novel time, AbsRel"),
        "novel_warp": Metric(label="novel time, warp error", unit="m"),
        "novel_coverage": Metric(label="novel time, coverage", better="higher"),
        # Beyond the papers
        "tapvid_aj": Metric(label="TAP-Vid AJ", better="higher"),
        "tapvid_within": Metric(label="TAP-Vid δ", better="higher"),
        "tapvid_oa": Metric(label="TAP-Vid OA", better="higher"),
        "momentum": Metric(label="momentum residual", unit="m/s²"),
        "energy": Metric(label="energy residual", unit="J/kg"),
        "energy_gain": Metric(label="energy from nowhere", unit="J/kg"),
        "penetration_rate": Metric(label="penetration rate"),
        "penetration_depth": Metric(label="penetration, mean depth", unit="m"),
    }
)
# What is shown a second time for clips whose camera is at rest.
HEADLINES = ("psnr", "abs_rel", "object_abs_rel", "epe", "object_epe", "warp_visible", "chamfer", "object_worldline")

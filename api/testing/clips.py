"""Small clips of real simulations, made once and looked at by many tests."""

import subprocess
import sys
from pathlib import Path

__all__ = ["make_clips"]


def make_clips(
    out: Path,
    *,
    scene: str,
    category: str = "rigid",
    clips: int = 2,
    views: int = 2,
    frames: int = 16,
    size: int = 96,
    seed: int = 5,
    backend: str = "newton",
    more: tuple[str, ...] = (),
) -> Path:
    """Generate clips into a dataset and return its folder.

    Raises:
        RuntimeError: It failed.
    """
    options = {
        "--category": category, "--scene": scene, "--clips": clips, "--views": views, "--frames": frames,
        "--size": f"{size}x{size}", "--seed": seed, "--backend": backend, "--workers": 1,
    }  # fmt: skip
    words = [str(word) for pair in options.items() for word in pair]
    command = [sys.executable, "-m", "simfactory", "generate", "--out", str(out), *words, *more]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"{' '.join(command)}: {done.stderr[-2000:]}")
    return out

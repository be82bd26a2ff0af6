"""`simfactory doctor`: what is installed here, what it can do, what is missing."""

import json
import platform
import sys
import tempfile
from collections.abc import Callable
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Annotated

import typer

from simfactory.errors import SimfactoryError

__all__ = ["doctor"]

PACKAGES = (
    "numpy",
    "pydantic",
    "zarr",
    "tensorstore",
    "pyarrow",
    "trimesh",
    "opencv-python-headless",
    "warp-lang",
    "newton",
)


def doctor(as_json: Annotated[bool, typer.Option("--json", help="Print as JSON.")] = False) -> None:
    """Check this machine: packages, backends, devices, disk, one frame simulated and stored."""
    checks: list[tuple[str, bool, str]] = [("python", sys.version_info >= (3, 11), platform.python_version())]
    for name in PACKAGES:
        try:
            checks.append((name, True, version(name)))
        except PackageNotFoundError:
            checks.append((name, False, f"not installed: pip install {name}"))
    checks += [_tried("backend mock", lambda: _simulate("mock")), _tried("backend newton", lambda: _simulate("newton"))]
    checks += [_tried("devices", _devices), _tried("modalities", _modalities), _tried("dataset", _write_dataset)]
    if as_json:
        typer.echo(json.dumps([{"check": name, "ok": ok, "detail": detail} for name, ok, detail in checks], indent=1))
    else:
        for name, ok, detail in checks:
            typer.echo(f"{'ok  ' if ok else 'FAIL'}  {name:<24}{detail}")
    if not all(ok for _, ok, _ in checks):
        raise typer.Exit(code=1)


def _tried(name: str, check: Callable[[], str]) -> tuple[str, bool, str]:
    try:
        return name, True, check()
    except (SimfactoryError, ImportError, OSError) as error:
        return name, False, str(error)


def _simulate(backend: str) -> str:
    from simfactory.simulation import simulate
    from simfactory.simulators import backend_class
    from simfactory.testing.specs import make_spec

    episode = simulate(make_spec(frame_count=2, size=(16, 16)), backend=backend)
    return f"{backend_class(backend).version()}; {len(episode.clips[0].arrays)} arrays recorded"


def _devices() -> str:
    import warp

    return ", ".join(f"{device.alias} ({device.name})" for device in warp.get_devices())


def _modalities() -> str:
    from simfactory.annotations import annotation_names

    return ", ".join(annotation_names())


def _write_dataset() -> str:
    from simfactory.store import create_dataset

    with tempfile.TemporaryDirectory() as folder:
        create_dataset(Path(folder) / "dataset")
        return f"can be written below {tempfile.gettempdir()}"

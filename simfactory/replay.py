"""Simulate committed clips again and compare what comes out, byte by byte."""

import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import cast

from simfactory.dataset import Clip
from simfactory.processes import Job, Progress, run_job
from simfactory.spec import SceneSpec, parse_spec
from simfactory.store import create_dataset, read_record

__all__ = ["replay_clips"]


def replay_clips(clips: Sequence[Clip]) -> list[str]:
    """Return one line per clip whose arrays differ from a fresh simulation of its spec.

    Arrays are compared by the digests of their stored files. On CPU they are equal bit by bit, given the versions
    in the commit record; other versions or devices may differ in the last bits.

    Raises:
        BackendUnavailable: A clip's backend is not installed here.
    """
    findings: list[str] = []
    groups: dict[tuple[str, str, str], list[Clip]] = {}
    for clip in clips:
        key = (str(clip.attributes["backend"]), str(clip.attributes["preset"]), str(clip.record["profile"]))
        groups.setdefault(key, []).append(clip)
    for (backend, preset, profile), members in groups.items():
        with tempfile.TemporaryDirectory(prefix="simfactory-replay-") as folder:
            create_dataset(folder, profile=profile)  # type: ignore[arg-type]  # it was valid when it was written
            job = Job(dataset=Path(folder), profile=profile, backend=backend, preset=preset, device="cpu", workers=1)
            silent = Progress(on_prepared=lambda seconds: None, on_frames=lambda count: None)
            list(run_job(job, list(_specs(members)), progress=silent))
            for clip in members:
                findings += _differences(clip, Path(folder))
    return findings


def _specs(clips: Sequence[Clip]) -> list[SceneSpec]:
    """One spec per episode, with just the cameras whose clips are there."""
    episodes: dict[str, SceneSpec] = {}
    for clip in clips:
        spec = parse_spec(clip.spec)
        wanted = tuple(camera for camera in spec.cameras if camera.name == clip.attributes["camera_name"])
        key = spec.digest(cameras=False)
        cameras = (*episodes[key].cameras, *wanted) if key in episodes else wanted
        episodes[key] = spec.model_copy(update={"cameras": cameras})
    return list(episodes.values())


def _differences(clip: Clip, folder: Path) -> list[str]:
    if clip.id not in {name.stem for name in (folder / "commits").rglob("*.json")}:
        return [f"{clip.id} replay: the quality gate refuses the episode now"]
    again = _digests(read_record(folder, clip.id)["files"])
    stored = _digests(clip.record["files"])
    arrays = sorted(
        {name.split("/")[0] for name in stored.keys() | again.keys() if stored.get(name) != again.get(name)}
    )
    return [f"{clip.id} replay: {', '.join(arrays)} differ"] if arrays else []


def _digests(files: object) -> dict[str, str]:
    entries = cast(dict[str, dict[str, str]], files)
    return {name: entry["sha256"] for name, entry in entries.items() if not name.endswith("zarr.json")}

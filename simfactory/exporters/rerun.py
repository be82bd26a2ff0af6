"""A Rerun recording: pictures, depth, ids, flow, the camera, 4D points, tracks, bodies and curves over time."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, final

import numpy as np
import numpy.typing as npt

from simfactory.dataset import Clip
from simfactory.errors import StoreError
from simfactory.exporters.base import Exporter
from simfactory.exporters.painting import instance_colour, painters
from simfactory.store.disk import disk_errors

if TYPE_CHECKING:
    from rerun import RecordingStream

__all__ = ["EXPORTER", "TIMELINE"]

TIMELINE = "time"  # [s]
APPLICATION = "simfactory"
CAMERA = "world/camera"
IMAGE = f"{CAMERA}/image"
TRACKS_MAX = 1000  # as trails
TRAIL = 12  # frames
WINDOW = 8  # frames that are read at a time: the store's chunk
PAINTED = ("flow_forward", "flow_backward", "normal")

Float64 = npt.NDArray[np.float64]
Window = dict[str, npt.NDArray[np.generic]]


@final
class _Rerun(Exporter):
    suffix = ".rrd"

    def export(self, clip: Clip, path: Path) -> Path:
        recording = _new_recording(clip)
        temporary = path.with_name(f".{path.name}.part")
        with disk_errors(path, needed=sum(clip.stored_bytes().values())):
            path.parent.mkdir(parents=True, exist_ok=True)
            try:
                temporary.touch()  # so that what the disk refuses is told as for every format
                recording.save(temporary)
                _write(recording, clip)
                recording.flush()
                recording.disconnect()
                temporary.replace(path)
            finally:
                temporary.unlink(missing_ok=True)
        return path


def _new_recording(clip: Clip) -> "RecordingStream":
    """Return an empty recording.

    Raises:
        StoreError: Rerun is not installed.
    """
    try:
        from rerun import RecordingStream
    except ImportError as error:
        raise StoreError("Rerun is not installed: run `pip install 'simfactory[rerun]'`") from error
    return RecordingStream(APPLICATION, recording_id=clip.id)


def _write(recording: "RecordingStream", clip: Clip) -> None:
    _write_constants(recording, clip)
    painted = [name for name in PAINTED if name in clip.signals]
    paint = painters(clip, range(0, clip.frame_count, 4), names=painted) if painted else {}
    writers = [write for name, write in _WRITERS.items() if name in clip.modalities]
    names = [name for name in ("camera", *_WRITERS, *painted) if name in clip.modalities]
    shown = sorted({*names} - {"tracks"})
    for start in range(0, clip.frame_count, WINDOW):
        count = min(WINDOW, clip.frame_count - start)
        window = clip.window(start, count, modalities=shown) if shown else {}
        for k in range(count):
            recording.set_time(TIMELINE, duration=(start + k) / clip.fps)
            _write_camera(recording, clip, window, k)
            for write in writers:
                write(recording, clip, window, k)
            for name, colours in paint.items():
                _write_image(recording, f"{IMAGE}/{name}" if "camera/K" in window else name, colours(window[name][k]))
    if "tracks/position" in clip.signals:
        _write_tracks(recording, clip)


def _write_constants(recording: "RecordingStream", clip: Clip) -> None:
    import rerun

    recording.log("world", rerun.ViewCoordinates.RIGHT_HAND_Z_UP, static=True)
    named = clip.attributes.get("instances")
    names = {each: name for name, each in named.items() if isinstance(each, int)} if isinstance(named, dict) else {}
    classes = [
        rerun.AnnotationInfo(id=each, label=str(name), color=instance_colour(each)) for each, name in names.items()
    ]
    recording.log("/", rerun.AnnotationContext([rerun.AnnotationInfo(id=0, label="sky"), *classes]), static=True)
    if clip.caption:
        recording.log("caption", rerun.TextDocument(clip.caption), static=True)


def _write_camera(recording: "RecordingStream", clip: Clip, window: Window, k: int) -> None:
    if "camera/K" not in window:
        return
    import rerun

    pose = window["camera/camera_to_world"][k].astype(np.float64)
    recording.log(CAMERA, rerun.Transform3D(translation=pose[:3, 3], mat3x3=pose[:3, :3]))
    pinhole = rerun.Pinhole(
        image_from_camera=window["camera/K"][k].astype(np.float64),
        resolution=[clip.width, clip.height],
        camera_xyz=rerun.ViewCoordinates.RDF,
    )
    recording.log(IMAGE, pinhole)


def _write_image(recording: "RecordingStream", entity: str, image: npt.NDArray[np.generic]) -> None:
    import rerun

    recording.log(entity, rerun.Image(np.ascontiguousarray(image)))


def _entity(window: Window, name: str) -> str:
    return f"{IMAGE}/{name}" if "camera/K" in window else name


def _rgb(recording: "RecordingStream", clip: Clip, window: Window, k: int) -> None:
    _write_image(recording, _entity(window, "rgb"), window["rgb"][k])


def _depth(recording: "RecordingStream", clip: Clip, window: Window, k: int) -> None:
    import rerun

    depth = np.ascontiguousarray(window["depth"][k].astype(np.float32))
    recording.log(_entity(window, "depth"), rerun.DepthImage(depth, meter=1.0))


def _instance(recording: "RecordingStream", clip: Clip, window: Window, k: int) -> None:
    import rerun

    ids = np.ascontiguousarray(window["instance"][k].astype(np.uint16))
    recording.log(_entity(window, "instance"), rerun.SegmentationImage(ids, opacity=0.6))


def _points(recording: "RecordingStream", clip: Clip, window: Window, k: int) -> None:
    import rerun

    first, last = (int(each) for each in window["points/offsets"][k : k + 2])
    ids = window.get("points/instance")
    points = rerun.Points3D(
        window["points/position"][first:last, :3].astype(np.float32),
        class_ids=None if ids is None else ids[first:last].astype(np.uint16),
        radii=rerun.Radius.ui_points(2.0),
    )
    recording.log("world/points", points)
    if "points/velocity" in window:
        speed = np.linalg.norm(window["points/velocity"][first:last].astype(np.float64), axis=-1)
        recording.log("plots/points/mean_speed", rerun.Scalars(float(speed.mean()) if len(speed) else 0.0))


def _bodies(recording: "RecordingStream", clip: Clip, window: Window, k: int) -> None:
    import rerun

    states = {"bodies/instance", "bodies/mass", "bodies/quat_xyzw", "bodies/position", "bodies/linear_velocity"}
    if not states <= window.keys():
        return
    mass = window["bodies/mass"].astype(np.float64)
    for index, identity in enumerate(window["bodies/instance"]):
        name = f"world/bodies/{int(identity)}"
        quat = rerun.Quaternion(xyzw=window["bodies/quat_xyzw"][k, index].astype(np.float64))
        place = window["bodies/position"][k, index].astype(np.float64)
        recording.log(name, rerun.Transform3D(translation=place, quaternion=quat))
        if np.isfinite(mass[index]):
            velocity = window["bodies/linear_velocity"][k, index].astype(np.float64)
            recording.log(f"plots/speed/{int(identity)}", rerun.Scalars(float(np.linalg.norm(velocity))))
            energy = 0.5 * float(mass[index]) * float(velocity @ velocity)
            recording.log(f"plots/translational_energy/{int(identity)}", rerun.Scalars(energy))


def _contacts(recording: "RecordingStream", clip: Clip, window: Window, k: int) -> None:
    import rerun

    first, last = (int(each) for each in window["contacts/offsets"][k : k + 2])
    recording.log("plots/contacts/count", rerun.Scalars(float(last - first)))
    impulse = window["contacts/impulse"][first:last].astype(np.float64)
    if np.isfinite(impulse).all():
        recording.log("plots/contacts/impulse", rerun.Scalars(float(impulse.sum())))
    recording.log("world/contacts", rerun.Points3D(window["contacts/point"][first:last].astype(np.float32)))


def _write_tracks(recording: "RecordingStream", clip: Clip) -> None:
    import rerun

    position = clip.read("tracks/position").astype(np.float32).transpose(1, 2, 0)  # (point, time, xyz)
    moves = np.flatnonzero(np.ptp(position, axis=1).max(axis=-1) > 0.01)
    shown = moves[:: max(1, -(-len(moves) // TRACKS_MAX))]
    for frame in range(clip.frame_count):
        recording.set_time(TIMELINE, duration=frame / clip.fps)
        trails = position[shown, max(0, frame - TRAIL) : frame + 1]
        recording.log("world/tracks/now", rerun.Points3D(position[shown, frame]))
        recording.log("world/tracks/trails", rerun.LineStrips3D(list(trails) if frame else []))


_Writer = Callable[["RecordingStream", Clip, Window, int], Any]  # Any: nothing is returned
_WRITERS: dict[str, _Writer] = {
    "rgb": _rgb,
    "depth": _depth,
    "instance": _instance,
    "points": _points,
    "bodies": _bodies,
    "contacts": _contacts,
}

EXPORTER = _Rerun()

"""The 4D points of a clip: its still surroundings once, and what moves at every frame, quantised.

Still is what carries no body that ever moves. Points come from the stored `points` where there are any; whatever else
the camera sees of these bodies, and all that is still, is unprojected depth at pixel centres.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from api.problems import ProblemError
from api.viewer.packing import pack, quantise
from simfactory.annotations import keyframes
from simfactory.dataset import Clip
from simfactory.episode import FIRST_BODY
from simfactory.transforms import invert_pose, pixel_centers, project, transform_points, unproject

__all__ = ["POINTS_MAX", "CloudPoints", "background_points", "cloud_payload", "frame_points"]

POINTS_MAX = 200_000  # of one frame
MOVING_SHARE = 0.7  # of the points wanted, for what moves; the rest is for what does not
UNKNOWN = -128  # a velocity that the clip does not tell
SAME_DEPTH = 0.02  # relative: a point this close to an earlier frame's depth was seen there already
GREY = 150
GOLDEN = 0.618033988749895

Window = dict[str, NDArray[np.generic]]
Pixels = NDArray[np.bool_]


@dataclass(frozen=True, kw_only=True, slots=True)
class CloudPoints:
    """Points of one frame.

    Attributes:
        position: `(point, 3)` [m], world frame.
        colour: `(point, 3)` uint8, of the rgb at the point's own pixel; grey without rgb.
        instance: `(point,)` id; 0 without.
        velocity: `(point, 3)` [m/s]; NaN where the clip does not tell.
        stored: How many of the first are of the clip's `points`.
    """

    position: NDArray[np.float64]
    colour: NDArray[np.uint8]
    instance: NDArray[np.uint16]
    velocity: NDArray[np.float64]
    stored: int = 0

    def chosen(self, limit: int) -> "CloudPoints":
        """Return at most so many of them, evenly spread."""
        keep = _spread(len(self.position), limit)
        return CloudPoints(
            position=self.position[keep],
            colour=self.colour[keep],
            instance=self.instance[keep],
            velocity=self.velocity[keep],
            stored=int(np.count_nonzero(keep < self.stored)),
        )


def cloud_payload(clip: Clip, start: int, count: int, limit: int, *, background: bool) -> bytes:
    """Return the message that holds the points of some frames, and the still ones with them if wanted.

    Raises:
        ProblemError: The clip has neither points nor depth.
        CorruptClip: Its bytes are damaged.
    """
    if "points/position" not in clip.signals and not _has_depth(clip):
        missing = "neither points nor depth with its camera"
        raise ProblemError(404, f"clip {clip.id} has {missing}; it has {', '.join(clip.modalities)}")
    moving = moving_instances(clip)
    moving_limit = max(1, int(limit * MOVING_SHARE), limit - _still_count(clip, moving))
    frames = [each.chosen(moving_limit) for each in frame_points(clip, start, count, moving)]
    joined = _joined(frames)
    quantised = quantise(joined.position)
    fastest = float(np.nanmax(np.abs(joined.velocity), initial=0.0))
    speed_step = max(fastest, 1e-6) / 127.0
    header = {
        "clip": clip.id,
        "frame_count": clip.frame_count,
        "start": start,
        "count": count,
        "position": {**quantised.header(), "unit": "m", "coding": "uint16, differences along each axis"},
        "velocity": {"step": speed_step, "unit": "m/s", "unknown": UNKNOWN},
        "stored": [each.stored for each in frames],
        "sources": _sources(clip),
    }
    arrays: dict[str, NDArray[np.generic]] = {
        "offsets": np.cumsum([0, *(len(each.position) for each in frames)], dtype=np.uint32),
        "position": quantised.delta(),
        "colour": joined.colour,
        "instance": narrow(joined.instance),
        "velocity": _signed_bytes(joined.velocity, speed_step),
    }
    if background:
        most = max(len(each.position) for each in frames)
        still, seen = background_points(clip, limit - most, moving)
        places = quantise(still.position)
        header["background"] = {**places.header(), "seen": seen}
        arrays |= {"background_position": places.delta(), "background_colour": still.colour}
        arrays["background_instance"] = narrow(still.instance)
    return pack(header, arrays)


def moving_instances(clip: Clip) -> NDArray[np.uint16]:
    """Return the ids of what ever moves: by the stored points, else all bodies."""
    if "points/instance" in clip.signals:
        return np.unique(clip.read("points/instance")).astype(np.uint16)
    if "instance" not in clip.signals:
        return np.empty(0, np.uint16)
    named = clip.attributes.get("instances")
    ids = [each for each in named.values() if isinstance(each, int)] if isinstance(named, dict) else []
    return np.array([each for each in ids if each >= FIRST_BODY], np.uint16)


def frame_points(clip: Clip, start: int, count: int, moving: NDArray[np.uint16]) -> list[CloudPoints]:
    """Return what moves at each of some frames."""
    window = _window(clip, start, count, ("points", "depth", "instance", "rgb", "scene_flow", "camera"))
    return [_moving_at(clip, window, k, moving) for k in range(count)]


def background_points(clip: Clip, limit: int, moving: NDArray[np.uint16]) -> tuple[CloudPoints, list[int]]:
    """Return what never moves, at most `limit` points of it, and the frames that show it.

    A camera that moves sees more later: of later keyframes those points come along that no earlier one shows.
    """
    if not _has_background(clip):
        return _nothing(), []
    poses = np.asarray(clip.read("camera/camera_to_world"), np.float64)
    is_fixed = bool(np.abs(poses - poses[0]).max() < 1e-9)
    parts: list[CloudPoints] = []
    seen: list[int] = []
    earlier: list[Window] = []
    for frame in [0] if is_fixed else sorted(keyframes(clip.frame_count)):
        window = _window(clip, frame, 1, ("depth", "instance", "rgb", "scene_flow", "camera"))
        wanted = _hit(window, 0) & ~_moves(clip, window, 0, moving)
        points = _unprojected(clip, window, 0, wanted)
        new = np.ones(len(points.position), bool)
        for before in earlier:
            new &= ~_shows(before, points.position)
        parts.append(_taken(points, new))
        seen.append(frame)
        earlier.append(window)
    return _joined(parts).chosen(max(1, limit)), seen


def _still_count(clip: Clip, moving: NDArray[np.uint16]) -> int:
    """Return how many points of what never moves the first frame shows: what they leave is for the rest."""
    if not _has_background(clip):
        return 0
    window = _window(clip, 0, 1, ("depth", "instance", "scene_flow"))
    return int(np.count_nonzero(_hit(window, 0) & ~_moves(clip, window, 0, moving)))


def narrow(ids: NDArray[np.uint16]) -> NDArray[np.generic]:
    """Return ids as bytes where they fit."""
    return ids.astype(np.uint8) if ids.max(initial=0) < 256 else ids


def _moving_at(clip: Clip, window: Window, k: int, moving: NDArray[np.uint16]) -> CloudPoints:
    parts = []
    rest = None
    if _has_depth(clip):
        rest = _hit(window, k)
        if "instance" in window or "scene_flow" in window:
            rest &= _moves(clip, window, k, moving)
    if "points/position" in window:
        parts.append(_stored(window, k, rest, (clip.height, clip.width)))
    if rest is not None:
        parts.append(_unprojected(clip, window, k, rest))
    return _joined(parts, stored=len(parts[0].position) if "points/position" in window else 0)


def _stored(window: Window, k: int, rest: Pixels | None, size: tuple[int, int]) -> CloudPoints:
    """Return the clip's own points of a frame, and take their pixels out of the rest."""
    first, last = (int(each) for each in window["points/offsets"][k : k + 2])
    rows = slice(first, last)
    position = window["points/position"][rows, :3].astype(np.float64)
    found = _nothing(len(position))
    colour, instance, velocity = found.colour, found.instance, found.velocity
    if "camera/K" in window:
        camera = transform_points(invert_pose(window["camera/camera_to_world"][k]), position)
        pixels = np.rint(project(camera, window["camera/K"][k]) - 0.5).astype(np.int64)
        column = np.clip(pixels[:, 0], 0, size[1] - 1)
        row = np.clip(pixels[:, 1], 0, size[0] - 1)
        if "rgb" in window:
            colour = window["rgb"][k][row, column].astype(np.uint8)
        if rest is not None:
            rest[row, column] = False
    if "points/instance" in window:
        instance = window["points/instance"][rows].astype(np.uint16)
    if "points/velocity" in window:
        velocity = window["points/velocity"][rows].astype(np.float64)
    return CloudPoints(position=position, colour=colour, instance=instance, velocity=velocity, stored=len(position))


def _unprojected(clip: Clip, window: Window, k: int, wanted: Pixels) -> CloudPoints:
    """Return the points of wanted pixels."""
    depth = window["depth"][k][wanted].astype(np.float64)
    pixels = pixel_centers(clip.height, clip.width)[wanted]
    seen = unproject(pixels, depth, window["camera/K"][k].astype(np.float64))
    position = transform_points(window["camera/camera_to_world"][k].astype(np.float64), seen)
    empty = _nothing(len(position))
    velocity = empty.velocity
    if "scene_flow" in window:
        velocity = window["scene_flow"][k][:, wanted].T.astype(np.float64) * clip.fps
    return CloudPoints(
        position=position,
        colour=window["rgb"][k][wanted].astype(np.uint8) if "rgb" in window else empty.colour,
        instance=window["instance"][k][wanted].astype(np.uint16) if "instance" in window else empty.instance,
        velocity=velocity,
    )


def _moves(clip: Clip, window: Window, k: int, moving: NDArray[np.uint16]) -> Pixels:
    """Tell which pixels show something that moves: at some time, if the clip has ids, else at this frame."""
    if "instance" in window:
        return np.isin(window["instance"][k], moving)
    from simfactory.annotations.points import MOVING_SPEED

    speed = np.linalg.norm(window["scene_flow"][k].astype(np.float64), axis=0) * clip.fps
    return np.asarray(speed > MOVING_SPEED)


def _shows(earlier: Window, position: NDArray[np.float64]) -> Pixels:
    """Tell which points an earlier frame shows: its nearest pixel has about their depth."""
    depth = earlier["depth"][0]
    height, width = depth.shape
    camera = transform_points(invert_pose(earlier["camera/camera_to_world"][0]), position)
    raster = project(camera, earlier["camera/K"][0])
    inside = (camera[:, 2] > 0.0) & (raster >= 0.0).all(axis=-1) & (raster < (width, height)).all(axis=-1)
    column, row = np.where(inside[:, None], raster, 0.0).astype(np.int64).T
    return np.asarray(inside & (np.abs(depth[row, column] - camera[:, 2]) < SAME_DEPTH * camera[:, 2]))


def _has_depth(clip: Clip) -> bool:
    return {"depth", "camera/K", "camera/camera_to_world"} <= clip.signals.keys()


def _has_background(clip: Clip) -> bool:
    return _has_depth(clip) and ("instance" in clip.signals or "scene_flow" in clip.signals)


def _hit(window: Window, k: int) -> Pixels:
    return np.asarray(np.isfinite(window["depth"][k].astype(np.float64)))


def _window(clip: Clip, start: int, count: int, names: tuple[str, ...]) -> Window:
    return clip.window(start, count, modalities=[name for name in names if name in clip.modalities])


def _sources(clip: Clip) -> dict[str, str]:
    """Tell where each of the values comes from."""
    present = {
        "position": ("points", "depth"),
        "colour": ("rgb",),
        "instance": ("points", "instance"),
        "velocity": ("points", "scene_flow"),
    }
    return {name: " and ".join(each for each in of if each in clip.modalities) for name, of in present.items()}


def _spread(count: int, limit: int) -> NDArray[np.int64]:
    """Return at most `limit` of `count` numbers: a lattice over an image's rows, so that no stripes show."""
    numbers = np.arange(count, dtype=np.int64)
    if count <= limit:
        return numbers
    return numbers[(numbers * GOLDEN) % 1.0 < limit / count][:limit]


def _signed_bytes(velocity: NDArray[np.float64], step: float) -> NDArray[np.int8]:
    known = np.isfinite(velocity).all(axis=-1)
    steps = np.full(velocity.shape, UNKNOWN, np.int8)
    steps[known] = np.rint(velocity[known] / step).astype(np.int8)
    return steps


def _nothing(count: int = 0) -> CloudPoints:
    """Return points of which nothing is known."""
    return CloudPoints(
        position=np.zeros((count, 3)),
        colour=np.full((count, 3), GREY, np.uint8),
        instance=np.zeros(count, np.uint16),
        velocity=np.full((count, 3), np.nan),
    )


def _taken(points: CloudPoints, which: Pixels) -> CloudPoints:
    return CloudPoints(
        position=points.position[which],
        colour=points.colour[which],
        instance=points.instance[which],
        velocity=points.velocity[which],
    )


def _joined(parts: list[CloudPoints], *, stored: int = 0) -> CloudPoints:
    parts = [_nothing(), *parts]
    return CloudPoints(
        position=np.concatenate([part.position for part in parts]),
        colour=np.concatenate([part.colour for part in parts]),
        instance=np.concatenate([part.instance for part in parts]),
        velocity=np.concatenate([part.velocity for part in parts]),
        stored=stored,
    )

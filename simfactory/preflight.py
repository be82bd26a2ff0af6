"""What is refused before simulating: scenes that a backend, the memory or the disk cannot take, blind cameras."""

import os
import shutil
from pathlib import Path

import numpy as np
import numpy.typing as npt

from simfactory.annotations import annotations
from simfactory.cameras import camera_course
from simfactory.episode import Surface, scene_surfaces
from simfactory.errors import BackendUnavailable, ResourceError, SpecError, UnsupportedBody
from simfactory.loose_room import check_room
from simfactory.maps import load_environment, load_image
from simfactory.simulators import backend_class, backend_names, create_simulator
from simfactory.spec import BodyRigid, CameraSpec, ImageTexture, SceneSpec, UvTexture
from simfactory.transforms import quat_to_matrix
from simfactory.views import encloses, is_blind
from simfactory.violations import check_breakable

__all__ = [
    "check_disk",
    "check_environment",
    "check_memory",
    "check_scene",
    "check_solvable",
    "environment_bytes",
    "memory_for_environments",
    "tiles_together",
]

# Measured as growth of the resident set between 320x180 and 1280x720, and rounded up.
RENDER_BYTES_PER_PIXEL = 240  # surface buffers of three instants, motion between them, colours, film
DENOISE_BYTES_PER_PIXEL = {None: 0, "fast": 380, "balanced": 800, "high": 800}  # of one tile at a time
RECORD_BYTES_PER_PIXEL = 64  # one frame of all signals, decoded
STORED_BYTES_PER_PIXEL = {"portable": 2.0, "archive": 6.0}  # measured on clips of plain scenes: a lower bound
CHUNK_FRAMES = 8
KEYFRAME_BYTES_PER_PIXEL = 8 * 6  # instances and depths kept until tracks begin on them
TRACK_BYTES = 40  # of a point at a frame, while tracks are made and encoded
ENVIRONMENT_BYTES = 2 * 2**20  # of a simulator with rigid bodies; measured as growth with every further one
NODE_BYTES = 10 * 2**10  # of a point of a deforming body in it: measured for cloth, others take less
STATE_BYTES, BODY_STATE_BYTES = 24, 100  # of a point's, a body's state at a frame
ENVIRONMENT_SHARE = 0.5  # of the memory that is available is for environments
TILE_BYTES = 2 * 2**30  # device memory for the tiles rendered together


def tiles_together(pixels: int) -> int:
    """Return how many tiles of so many pixels are rendered together."""
    return max(1, TILE_BYTES // (pixels * RENDER_BYTES_PER_PIXEL))


def check_scene(spec: SceneSpec, *, backend: str, preset: str = "draft") -> None:
    """Refuse a scene that cannot be simulated, rendered or seen.

    Raises:
        UnsupportedBody: The backend does not simulate one of the kinds of bodies, joints or flows of air.
        SpecError: A camera is below the ground, in a wall, inside a body, at the point it looks at, or turned away
            from all bodies; a modality or the preset is unknown; the preset lacks depth of field or motion blur;
            grains or a liquid have no floor, or begin where something else is; physics of the category cannot be
            broken.
        AssetError: A user mesh, an environment map, a texture or a normal map is missing or unreadable.
        BackendUnavailable: The backend's packages are not installed, or not the preset's denoiser.
    """
    annotations(spec.sensors.modalities)
    _check_preset(spec, preset)
    _check_maps(spec)
    simulator = backend_class(backend)
    kinds: list[tuple[str, str]] = [(f"bodies.{position}", body.kind) for position, body in enumerate(spec.bodies)]
    kinds += [(f"joints.{position}", joint.kind) for position, joint in enumerate(spec.joints)]
    kinds += [(f"environment.flows.{position}", flow.kind) for position, flow in enumerate(spec.environment.flows)]
    for field, kind in kinds:
        if not simulator.supports(kind):
            able = [name for name in backend_names() if name != backend and _supports(name, kind)]
            raise UnsupportedBody(
                f"{field}.kind is {kind!r}, which backend {backend!r} does not simulate; "
                f"backends that do: {', '.join(able) or 'none'}"
            )
    check_room(spec)
    check_breakable(spec)
    surfaces = scene_surfaces(spec)
    for position, camera in enumerate(spec.cameras):
        _check_camera(spec, camera, surfaces, label=f"cameras.{position} ({camera.name})")


def check_solvable(spec: SceneSpec, *, backend: str) -> None:
    """Refuse a scene that the backend's solvers cannot take; one of rigid bodies alone is always taken.

    Raises:
        SpecError: No solver moves all kinds of its bodies, or a body is too stiff for its mesh and steps.
        AssetError: A body's shape cannot be meshed.
        BackendUnavailable: The backend's packages are not installed.
    """
    if any(body.kind != "rigid" for body in spec.bodies):
        create_simulator(backend).signature(spec)


def check_memory(spec: SceneSpec, *, preset: str, in_memory: bool) -> None:
    """Refuse frames too large to render here, and tracks too long to hold; with `in_memory`, also whole clips.

    Raises:
        ResourceError: More memory would be needed than is available.
        SpecError: The preset is unknown.
    """
    from simfactory.rendering import find_preset  # it takes a second, which not every command has to spend

    pixels = max(camera.width * camera.height for camera in spec.cameras)
    together = min(len(spec.cameras), tiles_together(pixels))
    needed = pixels * (together * RENDER_BYTES_PER_PIXEL + DENOISE_BYTES_PER_PIXEL[find_preset(preset).denoiser])
    total = sum(camera.width * camera.height for camera in spec.cameras)
    needed += total * KEYFRAME_BYTES_PER_PIXEL  # these and tracks stay until all cameras' clips are committed
    tracks = 0
    if "tracks" in [annotation.name for annotation in annotations(spec.sensors.modalities)]:
        tracks = total // spec.sensors.track_spacing**2 * spec.frame_count * TRACK_BYTES
    needed += tracks
    if in_memory:
        needed += total * RECORD_BYTES_PER_PIXEL * spec.frame_count
    else:
        needed += together * pixels * RECORD_BYTES_PER_PIXEL * CHUNK_FRAMES
    available = _available_memory()
    if needed > available:
        size = f"{spec.cameras[0].width}x{spec.cameras[0].height}"
        raise ResourceError(
            f"{len(spec.cameras)} cameras of {size} with {spec.frame_count} frames need {_readable(needed)} of "
            f"memory, {_readable(available)} are available: lower cameras, size or frame_count"
            + (" or generate into a dataset, which streams" if in_memory else "")
            + (f"; {_readable(tracks)} are for tracks: raise track_spacing or leave them out" if tracks else "")
        )


def environment_bytes(spec: SceneSpec) -> int:
    """Return an estimate of the memory that a scene takes while it is simulated: its model and all its states."""
    surfaces = scene_surfaces(spec)
    points = sum(len(surface.mesh.vertices) for surface in surfaces if surface.deforming)
    points += sum(surface.particle_count for surface in surfaces)
    state = points * STATE_BYTES + len(spec.bodies) * BODY_STATE_BYTES
    return ENVIRONMENT_BYTES + points * NODE_BYTES + spec.frame_count * state


def memory_for_environments() -> int:
    """Return the bytes that all environments together may take."""
    return int(ENVIRONMENT_SHARE * _available_memory())


def check_environment(spec: SceneSpec, *, limit: int) -> None:
    """Refuse a scene whose states do not fit into memory even alone.

    Raises:
        ResourceError: The message says what it takes and what there is.
    """
    needed = environment_bytes(spec)
    if needed > limit:
        raise ResourceError(
            f"scene {spec.scene!r} with {spec.frame_count} frames takes {_readable(needed)} while it is simulated, "
            f"{_readable(limit)} are there for environments: lower frame_count, or the resolution of what deforms"
        )


def check_disk(spec: SceneSpec, path: Path, *, profile: str) -> None:
    """Refuse an episode whose clips cannot fit on the disk of a dataset.

    Raises:
        ResourceError: More disk would be needed than is free.
        SpecError: The profile is unknown.
    """
    if profile not in STORED_BYTES_PER_PIXEL:
        raise SpecError(f"profile is {profile!r}; choose one of {', '.join(STORED_BYTES_PER_PIXEL)}")
    pixels = sum(camera.width * camera.height for camera in spec.cameras)
    needed = pixels * spec.frame_count * STORED_BYTES_PER_PIXEL[profile]
    existing = next(folder for folder in (path, *path.absolute().parents) if folder.exists())
    free = shutil.disk_usage(existing).free
    if needed > free:
        raise ResourceError(
            f"{len(spec.cameras)} clips of {spec.frame_count} frames at {spec.cameras[0].width}x"
            f"{spec.cameras[0].height} need at least {_readable(needed)}, {_readable(free)} are free at "
            f"{existing}: lower cameras, size or frame_count, or free some space"
        )


def _readable(count: float) -> str:
    """Bytes in the largest unit that leaves a number above 1."""
    for unit in ("bytes", "KiB", "MiB"):
        if count < 1024:
            return f"{count:.0f} {unit}"
        count /= 1024
    return f"{count:.1f} GiB"


def _check_maps(spec: SceneSpec) -> None:
    """Read every map that the scene names."""
    surroundings = [part for part in (spec.ground, spec.room) if part is not None]
    if spec.sky.environment_map is not None:
        load_environment(spec.sky.environment_map.digest)
    for part in (*spec.bodies, *surroundings):
        if isinstance(part.visual.texture, ImageTexture | UvTexture):
            load_image(part.visual.texture.digest, "texture")
        if part.visual.normal_map is not None:
            load_image(part.visual.normal_map.digest, "normal")


def _supports(name: str, kind: str) -> bool:
    try:
        return backend_class(name).supports(kind)
    except BackendUnavailable:
        return False


def _available_memory() -> int:
    """Bytes that can be taken without swapping: Linux's own estimate where it gives one."""
    meminfo = Path("/proc/meminfo")
    if meminfo.exists():
        for line in meminfo.read_text().splitlines():
            if line.startswith("MemAvailable:"):
                return int(line.split()[1]) * 1024
    return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")


def _check_preset(spec: SceneSpec, name: str) -> None:
    from simfactory.rendering import check_denoiser, find_preset  # see check_memory

    preset = find_preset(name)
    for position, camera in enumerate(spec.cameras):
        if camera.aperture_radius > 0.0 and not preset.samples:
            raise SpecError(
                f"cameras.{position} ({camera.name}) has aperture_radius {camera.aperture_radius:g}, but preset "
                f"{name!r} renders without depth of field: use preset 'standard' or 'high', or an aperture_radius of 0"
            )
        if camera.shutter > 0.0 and not preset.samples:
            raise SpecError(
                f"cameras.{position} ({camera.name}) has shutter {camera.shutter:g}, but preset {name!r} renders "
                "without motion blur: use preset 'standard' or 'high', or a shutter of 0"
            )
    if preset.denoiser is not None:
        check_denoiser(name)


def _check_camera(spec: SceneSpec, camera: CameraSpec, surfaces: tuple[Surface, ...], *, label: str) -> None:
    path, targets = camera_course(camera.path, np.arange(spec.frame_count) / spec.fps)
    if np.linalg.norm(targets - path, axis=-1).min() < 1e-6:
        raise SpecError(f"{label} is at the point it looks at: move its position or its target")
    _check_place(spec, path, surfaces, label=label)
    meshes = [surface.mesh for surface in surfaces if surface.body is not None]
    if is_blind(spec, camera, meshes):
        raise SpecError(
            f"{label} cannot see anything: no body comes into its picture within {spec.duration:.3g} s; "
            f"turn its path's target towards the bodies (the first one is at {spec.bodies[0].position})"
        )


def _check_place(spec: SceneSpec, path: npt.NDArray[np.float64], surfaces: tuple[Surface, ...], *, label: str) -> None:
    if spec.ground is not None and path[:, 2].min() <= 0.0:
        raise SpecError(f"{label} is at z = {path[:, 2].min():.3g} m, below the ground: give its path z > 0")
    if spec.room is not None:
        half = np.array([spec.room.size[0] / 2, spec.room.size[1] / 2])
        reach = np.abs(path[:, :2]).max(axis=0)
        if (reach >= half).any() or (spec.room.ceiling and path[:, 2].max() >= spec.room.size[2]):
            raise SpecError(
                f"{label} is inside a wall or outside the room: it reaches |x| = {reach[0]:.3g}, |y| = {reach[1]:.3g}, "
                f"z = {path[:, 2].max():.3g} m; the room allows < {half[0]:.3g}, {half[1]:.3g}"
                + (f", {spec.room.size[2]:.3g}" if spec.room.ceiling else "")
            )
    for surface in surfaces:
        body = None if surface.body is None else spec.bodies[surface.body]
        if isinstance(body, BodyRigid):
            frames = path if body.mobility == "static" else path[:1]
            local = (frames - np.asarray(body.position)) @ quat_to_matrix(body.orientation)
            if encloses(surface.mesh, local):
                raise SpecError(f"{label} is inside body {body.name!r}: move the camera or the body")

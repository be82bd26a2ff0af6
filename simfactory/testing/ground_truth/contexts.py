"""Frames as the oracle sees them, in the renderer's place: annotations run on them without a renderer."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from simfactory.annotations import Annotation, ClipContext, FrameContext, Keyframe, keyframes
from simfactory.episode import SKY, Trajectory
from simfactory.pixels import Motion, SurfaceBuffer
from simfactory.simulators.mock import MockSimulator
from simfactory.spec import SceneSpec
from simfactory.testing.ground_truth.oracle import Oracle, Target, View

__all__ = ["mock_trajectory", "oracle_contexts", "record"]


def mock_trajectory(spec: SceneSpec) -> Trajectory:
    """Return what the mock backend simulates for a spec."""
    simulator = MockSimulator()
    simulator.load([spec])
    states = [simulator.state(0)]
    for _ in range(1, spec.frame_count):
        simulator.step()
        states.append(simulator.state(0))
    return Trajectory.from_states(states, simulator.properties(0))


def oracle_contexts(oracle: Oracle, trajectory: Trajectory) -> list[FrameContext]:
    """Return one context per frame, rounded to what a renderer delivers; the colour is a grey.

    Args:
        oracle: Exact views of one camera.
        trajectory: All states.
    """
    frame_count = oracle.spec.frame_count
    views = [oracle.view(frame) for frame in range(frame_count)]
    surfaces = [_surface(oracle, view) for view in views]
    clip = ClipContext(
        spec=oracle.spec,
        camera=oracle.camera,
        intrinsics=oracle.intrinsics,
        camera_to_world=oracle.poses,
        surfaces=oracle.surfaces,
        trajectory=trajectory,
        keyframes={
            frame: Keyframe.of(surfaces[frame], spacing=oracle.spec.sensors.track_spacing)
            for frame in keyframes(frame_count)
        },
        visible=lambda points, _instances: _visible(oracle, points),
    )

    def motion(frame: int, other: int) -> Motion | None:
        if not 0 <= other < frame_count:
            return None
        return _motion(oracle.target(views[frame], other))

    rgb = np.full((oracle.camera.height, oracle.camera.width, 3), 128, np.uint8)
    return [
        FrameContext(
            frame=frame,
            clip=clip,
            rgb=rgb,
            surface=surfaces[frame],
            forward=motion(frame, frame + 1),
            backward=motion(frame, frame - 1),
        )
        for frame in range(frame_count)
    ]


def record(contexts: Sequence[FrameContext], annotations: Sequence[Annotation]) -> dict[str, npt.NDArray[np.generic]]:
    """Return the arrays that annotations yield over a clip: stacked, ragged ones joined, with their offsets."""
    arrays: dict[str, npt.NDArray[np.generic]] = {}
    for annotation in annotations:
        if annotation.clip is not None:
            arrays.update(annotation.clip(contexts[0].clip))
        if annotation.frame is None:
            continue
        frames = [annotation.frame(context) for context in contexts]
        for signal in annotation.signals:
            slices = [frame[signal.name] for frame in frames if signal.name in frame]
            if signal.ragged:
                offsets = f"{signal.name.rpartition('/')[0]}/offsets"
                arrays[offsets] = np.cumsum([0, *map(len, slices)], dtype=np.int64)
                arrays[signal.name] = np.concatenate(slices)
            elif slices:
                arrays[signal.name] = np.stack(slices)
    return arrays


def _surface(oracle: Oracle, view: View) -> SurfaceBuffer:
    first = np.zeros(int(view.instance.max()) + 1, np.int64)
    for instance, row in oracle.first_triangle.items():
        if instance < len(first):
            first[instance] = row
    hit = view.instance != SKY
    return SurfaceBuffer(
        instance=view.instance.astype(np.uint16),
        triangle=np.where(hit, view.triangle - first[view.instance], -1).astype(np.int32),
        bary=np.where(hit[..., None], view.weights[..., :2], 0.0).astype(np.float32),
        depth=view.depth.astype(np.float32),
        normal=view.normal.astype(np.float32),
    )


def _motion(target: Target) -> Motion:
    return Motion(
        flow=target.flow.astype(np.float32),
        displacement=target.displacement.astype(np.float32),
        depth=np.where(np.isfinite(target.flow).all(axis=-1), target.depth, np.inf).astype(np.float32),
        occluded=target.occluded,
        outside=target.outside,
    )


def _visible(oracle: Oracle, points: npt.NDArray[np.float32]) -> npt.NDArray[np.bool_]:
    seen = np.zeros(points.shape[:2], np.bool_)
    size = (oracle.camera.width, oracle.camera.height)
    for frame, world in enumerate(points.astype(np.float64)):
        raster, _ = oracle.image(frame, world)
        inside = np.flatnonzero((raster >= 0.0).all(axis=-1) & (raster < size).all(axis=-1))
        unknown = np.full(len(inside), -1, np.int64)
        seen[frame, inside] = oracle.gap(frame, world[inside], unknown) < 1e-5  # float32 positions
    return seen

"""One spec, simulated into memory: the whole way through the house without a dataset."""

from simfactory.engine import Engine
from simfactory.episode import Episode
from simfactory.errors import SimulationError
from simfactory.preflight import check_memory
from simfactory.recording import ClipHeader, MemoryRecorder
from simfactory.spec import SceneSpec

__all__ = ["simulate"]


def simulate(spec: SceneSpec, *, backend: str = "newton", preset: str = "draft", device: str = "cpu") -> Episode:
    """Simulate and record one spec with all its cameras, in memory.

    The clips are returned whether or not the quality gate passes; `Episode.quality` holds its verdict.

    Args:
        spec: The scene.
        backend: Simulator backend, e.g. `newton` or `mock`.
        preset: Render preset.
        device: `cpu` or a CUDA device such as `cuda:0`.

    Raises:
        SpecError: A camera is inside something, or a modality or preset is unknown.
        UnsupportedBody: The backend does not simulate a body kind.
        BackendUnavailable: The backend's packages are not installed.
        ResourceError: The clips do not fit into memory.
        SimulationError: The simulator or the renderer failed.
    """
    check_memory(spec, preset=preset, in_memory=True)
    recorders: list[MemoryRecorder] = []

    def open_recorder(header: ClipHeader) -> MemoryRecorder:
        recorders.append(MemoryRecorder(header))
        return recorders[-1]

    engine = Engine(backend=backend, preset=preset, device=device)
    (outcome,) = engine.run([spec], open_recorder=open_recorder, gate=False)
    if outcome.failure or outcome.trajectory is None:
        raise SimulationError(f"scene {spec.scene!r} could not be recorded: {outcome.failure}")
    clips = tuple(recorder.recording for recorder in recorders if recorder.recording is not None)
    return Episode(spec=spec, trajectory=outcome.trajectory, clips=clips, quality=outcome.quality)

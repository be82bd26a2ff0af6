"""Workers, and what their slots do."""

from simfactory.protocol.base import ApiModel, Count, Finite

__all__ = ["Slot", "Span", "Worker"]


class Slot(ApiModel):
    """What a slot of a worker does.

    Attributes:
        slot: Its number.
        stage: `load`, `simulate`, or `wait` where those after it have no room.
        scene: Base scene of its episode; empty while it waits to begin one.
        episode: Number of the episode within its job, after a point that of the replacement.
        frame: Frames simulated.
        frames: Frames that the episode has at most.
    """

    slot: Count
    stage: str
    scene: str = ""
    episode: str = ""
    frame: Count = 0
    frames: Count = 0


class Span(ApiModel):
    """A stretch of time in which a slot, or a stage after the slots, did one thing for one episode.

    Attributes:
        row: Number of the slot, or `render`, `encode`, `commit`.
        stage: As in `Slot`, or that of the row.
        label: Scene and number of the episode; empty while it waits for one.
        begin: On the worker's `clock` [s].
        end: Likewise.
    """

    row: str
    stage: str
    label: str
    begin: Finite
    end: Finite


class Worker(ApiModel):
    """A worker that reported within its lease.

    Attributes:
        name: Its name.
        state: `starting`, `idle`, `preparing` (compiling kernels), `working`, `draining`.
        host: Machine.
        pid: Process.
        version: Of simfactory.
        backends: What it serves.
        device: Where it computes.
        environments: Its slots.
        slots: What each slot does, for those in use; the first 64.
        spans: What each row did in the last 90 s, as far as somebody looks; where there is none it was idle.
        clock: Time on the clock of the spans when it told of them [s].
        shards: Ids of the shards it works on.
        jobs: Ids of their jobs.
        clips: Clips committed since it started.
        frames: Frames recorded since it started.
        failures: Shards in a row that broke.
        since: When it started [s].
        beat: When it last reported [s].
        memory_bytes: Resident memory [B].
        cpu_percent: Use of one core [%].
        gpu: Use of the GPU, where there is one with a driver.
    """

    name: str
    state: str
    host: str
    pid: int
    version: str
    backends: list[str]
    device: str
    environments: int
    slots: list[Slot] = []
    spans: list[Span] = []
    clock: Finite = 0.0
    shards: list[str] = []
    jobs: list[str] = []
    clips: int = 0
    frames: int = 0
    failures: int = 0
    since: float
    beat: float
    memory_bytes: int | None = None
    cpu_percent: float | None = None
    gpu: dict[str, float] | None = None

"""Wire schemas of figures over time, and of what workers show of their work."""

from pydantic import Field

from simfactory.protocol import ApiModel, Count

__all__ = ["LiveFrame", "Telemetry", "TelemetrySample"]


class LiveFrame(ApiModel):
    """What a worker shows of what it renders, while somebody looks.

    Attributes:
        worker: Its name.
        state: Its state.
        count: Grows with every frame shown; None while it shows none.
        pictures: What there is of the frame: any of `rgb`, `depth`, `flow_forward`, `instance`.
        scene: Base scene.
        episode: Number of the episode within its job, after a point that of the replacement.
        camera: The camera.
        frame: Index of the frame.
        frames: Frames of the clip.
    """

    worker: str
    state: str
    count: Count | None = None
    pictures: list[str] = Field(default_factory=list)
    scene: str = ""
    episode: str = ""
    camera: str = ""
    frame: Count = 0
    frames: Count = 0


class TelemetrySample(ApiModel):
    """What the service did at a moment; what is unknown is None, never zero.

    Attributes:
        at: When [s].
        clips_per_hour: Clips committed, over the last minute [1/h].
        frames_per_second: Frames committed, likewise [Hz].
        steps_per_second: Frames simulated by all environments, likewise [Hz].
        bytes_per_second: Bytes committed, likewise [B/s].
        workers: Workers that report; None while the queue's server is away.
        slots: Environment slots by state: `load`, `simulate`, `wait`, `idle`.
        cpu_percent: CPU use of all workers together; 100 = one core [%].
        memory_bytes: Resident memory of all workers [B].
        gpu_percent: Use of the GPUs, on average [%].
        gpu_memory_bytes: Their memory in use [B].
        queue_shards: Shards that wait for a worker.
        open_shards: Shards handed out without a result.
        jobs_running: Jobs that run.
        disk_free: Free bytes of the datasets' disk [B].
        disk_seconds: Time until it is full at the rate of the last ten minutes [s].
    """

    at: float
    clips_per_hour: float | None = None
    frames_per_second: float | None = None
    steps_per_second: float | None = None
    bytes_per_second: float | None = None
    workers: Count | None = None
    slots: dict[str, int] = Field(default_factory=dict)
    cpu_percent: float | None = None
    memory_bytes: Count | None = None
    gpu_percent: float | None = None
    gpu_memory_bytes: Count | None = None
    queue_shards: Count | None = None
    open_shards: Count = 0
    jobs_running: Count = 0
    disk_free: Count | None = None
    disk_seconds: float | None = None


class Telemetry(ApiModel):
    """The last hour, for charts.

    Attributes:
        at: Times, oldest first [s].
        series: Figure of `TelemetrySample` → its value at each time, None where unknown; slots as `slots_idle` etc. A
            figure that nobody told is left out.
        step: Time between points, at least [s].
    """

    at: list[float]
    series: dict[str, list[float | None]]
    step: float

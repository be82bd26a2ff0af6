"""Jobs: what is asked for, what it would take, how far it is."""

from typing import Annotated, Any, Literal, TypeAlias

from pydantic import Field, StringConstraints

from simfactory.protocol.base import ApiModel, Count, Finite, Identifier, Name, Text

__all__ = [
    "Estimate",
    "EstimatePart",
    "Failure",
    "Job",
    "JobItem",
    "JobPage",
    "JobProgress",
    "JobRequest",
    "JobState",
    "Priority",
]

# Low and high of a range, or width and height of an image.
Pair: TypeAlias = Annotated[list[Finite], Field(min_length=2, max_length=2)]
Values: TypeAlias = Annotated[list[Finite], Field(min_length=2, max_length=32)]
Priority: TypeAlias = Literal["high", "default", "low"]
JobState: TypeAlias = Literal["running", "paused", "completed", "cancelled", "failed"]


class JobItem(ApiModel):
    """So many clips of one category or base scene.

    Attributes:
        category: Physics category.
        scene: Base scene; None = all of the category.
        tier: Curriculum tier; None = drawn 30/35/35 %.
        clips: Clips wanted; one camera's recording of one episode each.
    """

    category: Identifier
    scene: Identifier | None = None
    tier: Literal["single", "two_body", "multi_object"] | None = None
    clips: Annotated[int, Field(ge=1, le=100_000_000)]


class JobRequest(ApiModel):
    """What a job is to make.

    Attributes:
        dataset: Dataset that the clips go to; made if missing.
        name: What people call the job.
        items: What is sampled; empty only with `specs` or a template.
        template: A named request whose fields are taken where this one leaves them out, e.g. `phys4d-full`.
        specs: Resolved scene specs, instead of sampling.
        seeds: One set of all items for each.
        frames: Frames of a clip.
        fps: Frames per second [Hz].
        size: Image width and height [px].
        cameras: Camera rigs, in order of preference.
        views: Cameras of an episode; None = the usual number of each rig.
        modalities: Signals (sensors) to record; empty = all.
        until_rest: End an episode once nothing moves any more.
        ranges: Parameter (material, gravity, environment, layout) → smallest and largest value.
        sweeps: Parameter → values; all items are made for every combination of them.
        siblings: Parameter → values; each episode is made once for every value, all else equal.
        split: Shares of train, val and test [%].
        hold_out: Parameter → range that is kept out of training; None = the usual ones.
        assets: Id of an asset set whose meshes stand in for the shapes of rigid bodies; None = no user meshes.
        backend: Simulator backend.
        preset: Render preset.
        profile: Precision profile of a new dataset; None = that of the dataset, `portable` for a new one.
        priority: Which jobs come first.
        max_workers: Shards of this job that are worked on at a time, at most; None = as many as there are.
        tags: Labels to find the job by.
    """

    dataset: Name
    name: Text = ""
    items: Annotated[list[JobItem], Field(max_length=1000)] = []
    template: Identifier | Name | None = None
    specs: Annotated[list[dict[str, Any]], Field(max_length=1000)] = []  # Any: specs are checked as SceneSpec
    seeds: Annotated[list[Annotated[int, Field(ge=0, le=2**31 - 1)]], Field(min_length=1, max_length=1000)] = [0]
    frames: Annotated[int, Field(ge=2, le=100_000)] = 48
    fps: Annotated[float, Field(ge=0.01, le=1000, allow_inf_nan=False)] = 24.0
    size: Annotated[list[Annotated[int, Field(ge=16, le=8192)]], Field(min_length=2, max_length=2)] = [256, 256]
    cameras: Annotated[list[Identifier], Field(min_length=1, max_length=32)] = ["ring", "orbit"]
    views: Annotated[int, Field(ge=1, le=64)] | None = None
    modalities: Annotated[list[Identifier], Field(max_length=64)] = []
    until_rest: bool = False
    ranges: dict[Identifier, Pair] = {}
    sweeps: dict[Identifier, Values] = {}
    siblings: dict[Identifier, Values] = {}
    split: Annotated[str, StringConstraints(pattern=r"^[0-9.]{1,8}/[0-9.]{1,8}/[0-9.]{1,8}$")] = "90/5/5"
    hold_out: dict[Identifier, Pair] | None = None
    assets: Identifier | None = None
    backend: Identifier = "newton"
    preset: Identifier = "draft"
    profile: Literal["portable", "archive"] | None = None
    priority: Priority = "default"
    max_workers: Annotated[int, Field(ge=1, le=100_000)] | None = None
    tags: Annotated[list[Name], Field(max_length=32)] = []


class EstimatePart(ApiModel):
    """What one category of a job takes.

    Attributes:
        category: Physics category.
        episodes: Simulated episodes.
        clips: Clips.
        frames: Recorded frames.
        bytes: Stored size [B].
        seconds: Time on one worker [s].
    """

    category: str
    episodes: Count
    clips: Count
    frames: Count
    bytes: Count
    seconds: float


class Estimate(ApiModel):
    """What a job would take, by the calibration table.

    Attributes:
        clips: Clips.
        episodes: Simulated episodes.
        frames: Recorded frames.
        bytes: Stored size [B].
        cpu_hours: On CPU workers, one a core [h].
        gpu_hours: On GPU workers [h]; see `gpu_basis`.
        workers: CPU workers now at hand.
        eta_seconds: Time to the end with these [s]; None without any.
        gpus_for_a_week: GPUs that would make it within a week, by `gpu_hours`.
        basis: Where the rates of CPU workers and sizes come from: `measured` here for all categories of the job, each
            from at least 1,000 frames of its backend and preset, or in part or whole the `shipped` table.
        gpu_basis: Where the rate of GPU workers comes from: `measured` here in the same way, or `assumed`: 5,000 clips
            of ten seconds an hour on one GPU, whatever their size. Phys4D (appendix H) states that for its own
            pipeline; for ours it is an aim that no run on a GPU has confirmed.
        parts: By category.
    """

    clips: Count
    episodes: Count
    frames: Count
    bytes: Count
    cpu_hours: float
    gpu_hours: float
    workers: Count
    eta_seconds: float | None
    gpus_for_a_week: Count
    basis: Literal["measured", "shipped"]
    gpu_basis: Literal["measured", "assumed"]
    parts: list[EstimatePart]


class JobProgress(ApiModel):
    """How far a job is.

    Attributes:
        clips_wanted: Clips asked for.
        clips_done: Clips committed, also by others before.
        frames: Frames committed.
        bytes: Bytes committed [B].
        replaced: Episodes that the quality gate refused; each was replaced.
        reasons: Why, by reason.
        failed: Episodes that were given up.
        in_flight: Shards queued or worked on.
        clips_per_hour: Present rate; None before there is any.
        eta_seconds: Time to the end at this rate [s], with its interval [low, high]; None before there is any.
        eta_interval: See above.
    """

    clips_wanted: Count
    clips_done: Count
    frames: Count
    bytes: Count
    replaced: Count
    reasons: dict[str, int]
    failed: Count
    in_flight: Count
    clips_per_hour: float | None = None
    eta_seconds: float | None = None
    eta_interval: list[float] | None = None


class Job(ApiModel):
    """A job.

    Attributes:
        id: Its id.
        state: `running` includes waiting for its turn; `failed` = an episode could not even be sampled.
        reason: Why it is paused or has failed; empty otherwise.
        request: What was asked for, with the template filled in.
        created: When it came [s].
        finished: When it ended [s].
        progress: How far it is.
    """

    id: str
    state: JobState
    reason: str
    request: JobRequest
    created: float
    finished: float | None
    progress: JobProgress


class JobPage(ApiModel):
    """Jobs, newest first; `next` continues."""

    items: list[Job]
    next: str | None = None


class Failure(ApiModel):
    """An episode that was given up: `reason` is a code, `detail` a sentence."""

    part: Count
    index: Count
    attempt: Count
    reason: str
    detail: str
    at: float

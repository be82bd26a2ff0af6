"""Training runs: what a run says of itself in its `run.json`."""

from typing import Annotated, Literal, TypeAlias

from pydantic import Field, JsonValue, StringConstraints

from simfactory.protocol.base import ApiModel, Count

__all__ = ["DatasetReference", "RunRecord", "RunState"]

RunState: TypeAlias = Literal["running", "completed", "failed", "stopped"]
Time: TypeAlias = Annotated[float, Field(ge=0.0, le=2.0**33, allow_inf_nan=False)]
Words: TypeAlias = Annotated[str, StringConstraints(max_length=500)]


class DatasetReference(ApiModel):
    """A dataset that a run reads.

    Attributes:
        dataset: Its folder, address or name.
        version: The frozen version; None = what was there.
        split: The split; empty = all.
        clips: Clips read of it, where known.
    """

    dataset: Words
    version: Count | None = None
    split: Words = ""
    clips: Count | None = None


class RunRecord(ApiModel):
    """What a run says of itself (`run.json`).

    Attributes:
        format: Version of this form.
        name: Its name for people.
        kind: What kind of training it is, e.g. `pretrain`, `sft`, `rl`, `dpo`, `eval`.
        state: How it goes; `stopped` = ended from outside.
        started: When it began first [s].
        heartbeat: When it last said something [s].
        ended: When it ended [s].
        silence_limit: Silence after which a running run counts as lost [s].
        step: Last step told.
        steps: Steps that it is to take in all; None = open.
        resumed: How often it went on from an earlier state.
        detail: Why it failed or stopped.
        config: Its configuration, whole.
        datasets: What it reads.
        host: Where it runs.
        pid: Its process.
    """

    format: Literal[1] = 1
    name: Annotated[str, StringConstraints(min_length=1, max_length=200)]
    kind: Annotated[str, StringConstraints(pattern=r"^[a-z0-9_]{1,32}$")]
    state: RunState = "running"
    started: Time
    heartbeat: Time
    ended: Time | None = None
    silence_limit: Annotated[float, Field(gt=0.0, le=1e6)] = 300.0
    step: Count = 0
    steps: Count | None = None
    resumed: Count = 0
    detail: Annotated[str, StringConstraints(max_length=2000)] = ""
    config: dict[str, JsonValue] = Field(default_factory=dict)
    datasets: list[DatasetReference] = Field(default_factory=list, max_length=100)
    host: Words = ""
    pid: Count = 0

"""Fill a dataset with sampled episodes: who owns the sampling, and replaces what the quality gate refuses."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from simfactory import catalog
from simfactory.annotations import annotations
from simfactory.dataset import open_dataset
from simfactory.deadline import Deadline
from simfactory.errors import SimulationError, SpecError
from simfactory.preflight import check_disk, check_memory, check_scene
from simfactory.processes import Job, Progress, run_job
from simfactory.recording import ClipHeader
from simfactory.siblings import read_groups, record_group
from simfactory.spec import SceneSpec, Violation
from simfactory.store import JSON, committed_ids, digest, read_rejections, record_rejection
from simfactory.violations import loser

__all__ = ["ATTEMPTS_MAX", "FileSpecs", "Generation", "Losers", "SampledSpecs", "Specs", "generate", "require_complete"]

ATTEMPTS_MAX = 10  # replacements tried for one episode before the run gives up on it


class Specs(Protocol):
    """Where specs come from: a sampler or a file."""

    def __len__(self) -> int:
        """Return the number of episodes, or of groups of siblings."""

    def together(self, index: int, attempt: int) -> tuple[SceneSpec, ...]:
        """Return the specs of an episode's or a group's attempt; none if there is no such replacement."""


@dataclass(slots=True)
class Losers:
    """What became of the episodes that were to break a law.

    Attributes:
        asked: How many there were to be: one for each intact episode.
        kept: How many of them are committed.
        refused: Reason code → number of refused ones, of this run or an earlier one.
    """

    asked: int = 0
    kept: int = 0
    refused: Counter[str] = field(default_factory=Counter)


@dataclass(slots=True)
class Generation:
    """What a run did.

    Attributes:
        clip_ids: Every clip of the request, new or not, in order.
        added: Number of clips this run committed.
        refused: Reason code → number of refused episodes of this run.
        losers: Violation → what became of the episodes that were to break this law.
        loser_ids: Every clip that breaks a law, new or not, in order.
        failed: Indices of episodes for which no attempt passed.
        broken: What simulating or rendering failed with, by the episode's index; the next run tries it again.
        stopped: Whether the run was told to stop before it was done.
        prepare_seconds: Wall time for compiling or loading kernels [s].
        cpu_seconds: CPU time by stage, all processes [s].
    """

    clip_ids: list[str] = field(default_factory=list)
    added: int = 0
    refused: Counter[str] = field(default_factory=Counter)
    losers: dict[str, Losers] = field(default_factory=dict)
    loser_ids: list[str] = field(default_factory=list)
    failed: list[int] = field(default_factory=list)
    broken: dict[int, str] = field(default_factory=dict)
    stopped: bool = False
    prepare_seconds: float = 0.0
    cpu_seconds: Counter[str] = field(default_factory=Counter)


class Observer(Protocol):
    """Is told how a run goes."""

    def planned(self, frames: int) -> None:
        """So many frames are still to be recorded in this round."""

    def prepared(self, seconds: float) -> None:
        """Kernels are ready after a wall time [s]."""

    def recorded(self, frames: int) -> None:
        """So many frames were just recorded."""


@dataclass(frozen=True, slots=True)
class _Try:
    """One attempt at one episode, or at a group of siblings, which is kept or replaced as a whole."""

    index: int
    specs: tuple[SceneSpec, ...]
    clip_ids: tuple[str, ...]


def generate(
    specs: Specs,
    job: Job,
    *,
    observer: Observer,
    deadline: Deadline | None = None,
    violations: Sequence[Violation] = (),
) -> Generation:
    """Record every episode that is not in the dataset yet, then for each violation the same episodes once more.

    Rounds: all first attempts, then replacements of the refused ones, until none is left. Repeating a run adds
    nothing: clips are known by their ids, refused attempts by their records. Once the deadline is set nothing new is
    begun; the next run goes on. An episode that is to break a law and is refused has no replacement: it would not be
    like the intact one, which stays.

    Raises:
        SpecError: A spec is impossible; the message names the field.
        ResourceError: Memory or disk do not suffice.
        SimulationError: A worker process died.
    """
    generation = Generation()
    final: dict[int, _Try] = {}
    known = read_rejections(job.dataset)
    attempts = dict.fromkeys(range(len(specs)), 0)
    deadline = deadline or Deadline()
    while attempts and not generation.stopped:
        tries = list(_next_tries(specs, job, attempts, known, generation.failed))
        final.update({one.index: one for one in tries})
        done = committed_ids(job.dataset)
        wanted = [one for one in tries if not done.issuperset(one.clip_ids)]
        refused = _run_round(wanted, job, generation, observer, done, deadline)
        attempts = {one.index: one.specs[0].attempt + 1 for one in refused}
        for one in refused:
            known[_episode_key(one.specs[0], job)] = ()
    if violations and not generation.stopped:
        _add_losers([final[index] for index in sorted(final)], violations, job, generation, observer, deadline)
    catalog.update(job.dataset)
    lost = [one.index for one in final.values() if not committed_ids(job.dataset).issuperset(one.clip_ids)]
    for index in lost:
        final.pop(index)
    generation.clip_ids = [clip for index in sorted(final) for clip in final[index].clip_ids]
    _compare_siblings(job, [final[index] for index in sorted(final)])
    return generation


def _compare_siblings(job: Job, tries: Sequence[_Try]) -> None:
    """Keep for every group of siblings how much they differ; a group is complete once it is committed."""
    known = read_groups(job.dataset)
    for one in tries:
        label = one.specs[0].sibling
        if label is not None and label.group not in known:
            dataset = open_dataset(job.dataset)
            record_group(job.dataset, [dataset[clip_id] for clip_id in one.clip_ids])


def _next_tries(
    specs: Specs, job: Job, attempts: dict[int, int], known: dict[str, tuple[str, ...]], failed: list[int]
) -> Iterator[_Try]:
    for index, first in attempts.items():
        for attempt in range(first, ATTEMPTS_MAX):
            together = specs.together(index, attempt)
            if not together:
                failed.append(index)
                break
            if not any(_episode_key(spec, job) in known for spec in together):
                yield _Try(index, together, tuple(clip_id for spec in together for clip_id in _clip_ids(spec, job)))
                break
        else:
            failed.append(index)


def _run_round(
    tries: Sequence[_Try],
    job: Job,
    generation: Generation,
    observer: Observer,
    done: set[str],
    deadline: Deadline,
) -> list[_Try]:
    owners = [(one, spec) for one in tries for spec in one.specs]
    for _, spec in owners:
        check_scene(spec, backend=job.backend, preset=job.preset)
        check_memory(spec, preset=job.preset, in_memory=False)
        check_disk(spec, job.dataset, profile=job.profile)
    observer.planned(sum(one.specs[0].frame_count * len(set(one.clip_ids) - done) for one in tries))

    def prepared(seconds: float) -> None:
        generation.prepare_seconds += seconds
        observer.prepared(seconds)

    refused: set[int] = set()
    progress = Progress(on_prepared=prepared, on_frames=observer.recorded)
    results = 0
    for result in run_job(job, [spec for _, spec in owners], progress=progress, deadline=deadline):
        results += 1
        generation.cpu_seconds.update(result.cpu_seconds)
        generation.added += len(result.committed)
        one, spec = owners[result.position]
        if result.failure:
            generation.broken[one.index] = result.failure
        if result.reasons:
            counted = generation.refused if spec.violation is None else generation.losers[spec.violation].refused
            counted.update(result.reasons)
            record_rejection(
                job.dataset, _identity(spec, job), reasons=result.reasons, spec=spec.model_dump(mode="json")
            )
            refused.add(id(one))
    generation.stopped = results < len(owners)
    return [one for one in tries if id(one) in refused]


def _add_losers(
    intact: Sequence[_Try],
    violations: Sequence[Violation],
    job: Job,
    generation: Generation,
    observer: Observer,
    deadline: Deadline,
) -> None:
    """Record the committed episodes again with a law broken, one after the other violation of each."""
    known, done = read_rejections(job.dataset), committed_ids(job.dataset)
    losers = [
        (violation, loser(one.specs[0], violation))
        for one in intact
        if done.issuperset(one.clip_ids)
        for violation in violations
    ]
    tries = [_Try(spec.index, (spec,), _clip_ids(spec, job)) for _, spec in losers]
    generation.losers = {violation: Losers() for violation in violations}
    wanted = []
    for one, (violation, spec) in zip(tries, losers, strict=True):
        counted = generation.losers[violation]
        counted.asked += 1
        if reasons := known.get(_episode_key(spec, job)):
            counted.refused.update(reasons)
        elif not done.issuperset(one.clip_ids):
            wanted.append(one)
    _run_round(wanted, job, generation, observer, done, deadline)
    done = committed_ids(job.dataset)
    for one, (violation, _) in zip(tries, losers, strict=True):
        generation.losers[violation].kept += done.issuperset(one.clip_ids)
        generation.loser_ids += [clip for clip in one.clip_ids if clip in done]


def _identity(spec: SceneSpec, job: Job) -> dict[str, JSON]:
    return {"scene": spec.digest(), "backend": job.backend, "preset": job.preset}


def _episode_key(spec: SceneSpec, job: Job) -> str:
    return digest(_identity(spec, job))[:32]


def _clip_ids(spec: SceneSpec, job: Job) -> tuple[str, ...]:
    active = annotations(spec.sensors.modalities, spec=spec)
    headers = (
        ClipHeader.of(spec, camera, active, backend=job.backend, preset=job.preset, profile=job.profile)
        for camera in spec.cameras
    )
    return tuple(header.clip_id for header in headers)


def require_complete(generation: Generation) -> None:
    """Raise if an episode broke off, or found no attempt that passes.

    Raises:
        SimulationError: The message names the episodes and the reasons.
    """
    if generation.broken:
        index, failure = min(generation.broken.items())
        raise SimulationError(
            f"{len(generation.broken)} episodes broke off, the first one, {index}, with: {failure}; the other clips "
            "are committed. Run the same command again: what broke off is tried again"
        )
    if generation.failed:
        reasons = ", ".join(f"{reason} ({count})" for reason, count in generation.refused.most_common())
        raise SimulationError(
            f"episodes {sorted(generation.failed)} found no attempt that passes the quality gate"
            f"{': ' + reasons if reasons else ''}; the other clips are committed. Choose another seed, or read the "
            "refused specs in the dataset's rejections/ folder"
        )


@dataclass(frozen=True, kw_only=True, slots=True)
class FileSpecs:
    """Specs given as they are: a refused one has no replacement."""

    specs: Sequence[SceneSpec]

    def __len__(self) -> int:
        """Return the number of episodes."""
        return len(self.specs)

    def together(self, index: int, attempt: int) -> tuple[SceneSpec, ...]:
        """Return a spec for the first attempt only."""
        return (self.specs[index],) if attempt == 0 else ()


@dataclass(frozen=True, kw_only=True, slots=True)
class SampledSpecs:
    """Sampled specs that together give a number of clips; the last episode may give fewer.

    Attributes:
        clip_count: Clips wanted.
        options: Keyword arguments of `scenes.sample`, the category under `category`.
    """

    clip_count: int
    options: dict[str, object]

    def __post_init__(self) -> None:
        """Refuse a count without clips."""
        if self.clip_count < 1:
            raise SpecError(f"clips is {self.clip_count}; ask for at least 1")

    def __len__(self) -> int:
        """Return the number of episodes."""
        return -(-self.clip_count // self._views)

    @property
    def _views(self) -> int:
        return len(self._sample(0, 0).cameras)

    def together(self, index: int, attempt: int) -> tuple[SceneSpec, ...]:
        """Return an episode's spec."""
        return (self.spec(index, attempt),)

    def spec(self, index: int, attempt: int) -> SceneSpec:
        """Return an episode's spec; the last one keeps only the cameras that are wanted."""
        spec = self._sample(index, attempt)
        views = len(spec.cameras)  # as many in every episode
        return spec.model_copy(update={"cameras": spec.cameras[: min(views, self.clip_count - index * views)]})

    def _sample(self, index: int, attempt: int) -> SceneSpec:
        from scenes.sample import sample

        options = dict(self.options)
        return sample(options.pop("category"), index=index, attempt=attempt, **options)  # type: ignore[arg-type]  # the options are sample()'s own

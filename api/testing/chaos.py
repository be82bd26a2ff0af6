"""What a service goes through, one trial each: a name, what is done to it, and what must be true at the end.

Real processes, a real queue's server, clips of closed-form motion (or Newton's where a trial says so). Each trial
returns its account: what was asked for, counted, catalogued, committed, doubled, damaged; and figures of its own.
"""

import random
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import redis

from api.testing.factory import Factory, small_job

__all__ = ["TRIALS", "Account", "failures_of"]

Account = dict[str, Any]  # Any: counts and figures
WORKERS = 2


def failures_of(account: Account) -> list[str]:
    """Return what must be true of every trial and is not."""
    wanted = account["wanted"] - account.get("quarantined_clips", 0)
    counts = {name: account[name] for name in ("counted", "catalogued", "committed")}
    wrong = [f"{name} {count} instead of {wanted}" for name, count in counts.items() if count != wanted]
    wrong += [f"{name}: {account[name]}" for name in ("doubled", "damaged") if account[name]]
    wrong += [f"not so: {name}" for name, holds in account.get("must", {}).items() if not holds]
    return wrong


def killed_workers(folder: Path, *, kills: int = 10, seed: int = 0, clips: int = 400, lease: float = 3.0) -> Account:
    """Workers are killed at random moments, and others started."""
    draw = random.Random(seed)
    with Factory(folder, lease=lease) as factory:
        for _ in range(WORKERS):
            factory.start_worker()
        factory.until(lambda: len(factory.call("/v1/workers")) == WORKERS, what="workers")
        job = factory.submit(small_job(clips, seeds=[seed]))
        killed: dict[str, float] = {}
        while len(killed) < kills and factory.job(job)["state"] == "running":
            time.sleep(draw.uniform(0.0, 0.5))
            busy = {worker["pid"]: worker["name"] for worker in factory.call("/v1/workers") if worker["shards"]}
            victims = [process for process in factory.workers if process.poll() is None and process.pid in busy]
            if victims:
                victim = draw.choice(victims)
                factory.kill(victim)
                killed[busy[victim.pid]] = time.time()
                factory.start_worker()
        factory.until_done(job, seconds=600.0)
        expired = [event for event in factory.events("lease_expired") if event["worker"] in killed]
        waits = [event["at"] - killed[event["worker"]] for event in expired]
        account = factory.account(job)
    slowest = max(waits, default=0.0)
    return {
        **account,
        "kills": len(killed),
        "taken_back": len(waits),
        "slowest_s": round(slowest, 2),
        "must": {
            "taken back within lease + 2 s": slowest <= lease + 2.0,
            "all were killed at work": len(killed) == kills,
        },
    }


def replaced_episodes(folder: Path, *, clips: int = 40) -> Account:
    """Episodes that the quality gate refuses are replaced by the planner: same number, next attempt."""
    with Factory(folder) as factory:
        factory.start_worker()
        scene = {"category": "rigid", "scene": "ramp_slide", "clips": clips}  # in some of these nothing is seen to move
        job = factory.submit(small_job(clips, items=[scene]))
        told = factory.until_done(job, seconds=240.0)
        clips_ = factory.clips(job)
        account = factory.account(job)
    numbers = {clip["index"] for clip in clips_}
    return {
        **account,
        "replaced": told["progress"]["replaced"],
        "reasons": told["progress"]["reasons"],
        "must": {"some were refused": told["progress"]["replaced"] > 0, "every number is there": len(numbers) == clips},
    }


def queue_away(folder: Path, *, seconds: float = 10.0, clips: int = 300) -> Account:
    """The queue's server is killed under load and comes back after a while."""
    with Factory(folder) as factory:
        workers = [factory.start_worker() for _ in range(WORKERS)]
        job = factory.submit(small_job(clips))
        _until_clips(factory, job, 10)
        factory.kill(factory.redis)
        time.sleep(seconds)
        alive = sum(worker.poll() is None for worker in workers)
        ready = _status(factory)
        factory.start_redis()
        factory.until_done(job)
        account = factory.account(job)
    must = {"workers live on": alive == WORKERS, "the API says so": ready == 503}
    return {**account, "away_s": seconds, "workers_alive": alive, "must": must}


def queue_emptied(folder: Path, *, clips: int = 300) -> Account:
    """All that the queue's server holds is deleted."""
    with Factory(folder) as factory:
        for _ in range(WORKERS):
            factory.start_worker()
        job = factory.submit(small_job(clips))
        _until_clips(factory, job, 10)
        redis.Redis.from_url(factory.environment["REDIS_URL"]).flushall()
        factory.until_done(job)
        return factory.account(job)


def api_killed(folder: Path, *, clips: int = 300, kills: int = 2) -> Account:
    """The API is killed in the middle of a job and started again."""
    with Factory(folder) as factory:
        for _ in range(WORKERS):
            factory.start_worker()
        job = factory.submit(small_job(clips))
        for _ in range(kills):
            _until_clips(factory, job, factory.job(job)["progress"]["clips_done"] + 10)
            factory.kill(factory.api)
            time.sleep(1.0)
            factory.start_api()
        factory.until_done(job)
        return {**factory.account(job), "kills": kills}


def lock_held(folder: Path, *, lease: float = 3.0) -> Account:
    """A call into C holds the interpreter's lock for twice the lease: the heartbeat goes on, the work is done once."""
    with Factory(folder, lease=lease) as factory:
        factory.start_worker("hold", str(2.0 * lease))
        job = factory.submit(small_job(8))
        factory.until_done(job)
        expired = len(factory.events("lease_expired"))
        account = factory.account(job)
    return {**account, "held_s": 2.0 * lease, "leases_expired": expired, "must": {"no lease expired": expired == 0}}


def poisoned(folder: Path, *, clips: int = 24, index: int = 5) -> Account:
    """One episode kills every worker that begins it: it is set aside, and the job completes without it."""
    with Factory(folder) as factory:
        workers = [factory.start_worker("poison", str(index))]
        job = factory.submit(small_job(clips))

        def done() -> bool:
            if workers[-1].poll() is not None:
                workers.append(factory.start_worker("poison", str(index)))
            return str(factory.job(job)["state"]) == "completed"

        factory.until(done, what="the job to complete")
        failures = factory.call(f"/v1/jobs/{job}/failures")
        account = factory.account(job)
    return {
        **account,
        "quarantined_clips": 1,
        "workers_lost": len(workers) - 1,
        "must": {
            "it alone was given up": [(each["index"], each["reason"]) for each in failures] == [(index, "quarantined")],
            "it took no more than four workers": len(workers) - 1 <= 4,
        },
    }


def disk_full(folder: Path, *, clips: int = 200) -> Account:
    """The disk has less room than shall stay free: the job pauses and says so, and goes on when there is room."""
    with Factory(folder) as factory:
        for _ in range(WORKERS):
            factory.start_worker()
        job = factory.submit(small_job(clips))
        _until_clips(factory, job, 10)
        factory.kill(factory.api)
        factory.start_api(SIMFACTORY_DISK_RESERVE=str(1 << 60))
        factory.until(lambda: factory.job(job)["state"] == "paused", what="the job to pause")
        reason = factory.job(job)["reason"]
        factory.until(
            lambda: not any(worker["shards"] for worker in factory.call("/v1/workers")), what="workers to stop"
        )
        stood = factory.job(job)["progress"]["clips_done"]
        factory.kill(factory.api)
        factory.start_api()
        factory.until_done(job)
        account = factory.account(job)
    must = {"the reason names the disk": reason.startswith("disk: "), "it stood still": stood < clips}
    return {**account, "reason": reason, "must": must}


def clock_jumps(folder: Path, *, clips: int = 100, seconds: float = 86_400.0) -> Account:
    """A worker's wall clock jumps by a day to and fro: leases are counted, not timed."""
    with Factory(folder) as factory:
        factory.start_worker("clock", str(seconds))
        factory.start_worker()
        job = factory.submit(small_job(clips))
        factory.until_done(job)
        expired = len(factory.events("lease_expired"))
        account = factory.account(job)
    return {**account, "jump_s": seconds, "leases_expired": expired, "must": {"no lease expired": expired == 0}}


def killed_newton(folder: Path, *, kills: int = 2, clips: int = 12) -> Account:
    """Workers that simulate with Newton are killed."""
    with Factory(folder) as factory:
        for _ in range(WORKERS):
            factory.start_worker()
        job = factory.submit(small_job(clips, backend="newton", frames=6, size=[32, 32], modalities=[]))
        for kill in range(kills):
            _until_clips(factory, job, kill + 1)
            running = [worker for worker in factory.workers if worker.poll() is None]
            factory.kill(running[0])
            factory.start_worker()
        factory.until_done(job, seconds=400.0)
        return {**factory.account(job), "kills": kills}


def _until_clips(factory: Factory, job: str, count: int) -> None:
    factory.until(lambda: factory.job(job)["progress"]["clips_done"] >= count, what=f"{count} clips", seconds=300.0)


def _status(factory: Factory) -> int:
    try:
        factory.call("/readyz")
    except RuntimeError as error:
        return int(str(error).split(": ")[1].split(" ")[0])
    return 200


TRIALS: dict[str, Callable[..., Account]] = {
    trial.__name__: trial
    for trial in (
        killed_workers,
        replaced_episodes,
        queue_away,
        queue_emptied,
        api_killed,
        lock_held,
        poisoned,
        disk_full,
        clock_jumps,
        killed_newton,
    )
}

"""The sampler: (category, seed, index) → one fully resolved scene spec."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from types import MappingProxyType
from typing import Any

import numpy as np
from pydantic import ValidationError

from layouts import Region, Stage, Streams, action_region, certify, certify_cameras, lamps
from layouts.cameras import farthest, place_cameras
from layouts.lights import illuminate
from scenes.captions import caption
from scenes.category import BaseScene, Member
from scenes.curriculum import TIERS, draw_tier
from scenes.flows import stirred
from scenes.listing import find_category, find_scenes
from scenes.splits import USUAL, SplitRules, check_delivered, choose_split
from scenes.surroundings import environment, floor, heated, is_indoors, settings, walls
from simfactory.errors import SpecError
from simfactory.parameters import PARAMETERS, Range, checked_ranges
from simfactory.rng import Stream, stream
from simfactory.spec import BodyRigid, CameraSpec, Environment, Ground, SceneSpec, Sensors, Tier

__all__ = ["sample"]

ROBOT_RATE = 480.0  # [Hz] solver steps of scenes with a robot among rigid bodies: its arm is a long chain
ROUNDS = 20  # layouts tried before an episode is given up


def sample(
    category: str,
    *,
    tier: Tier | None = None,
    scene: str | None = None,
    seed: int,
    index: int = 0,
    attempt: int = 0,
    frame_count: int = 48,
    fps: float = 24.0,
    size: tuple[int, int] = (256, 256),
    rigs: Sequence[str] = ("ring", "orbit"),
    views: int | None = None,
    modalities: Sequence[str] = (),
    until_rest: bool = False,
    ranges: Mapping[str, Range] = MappingProxyType({}),
    split_rules: SplitRules = USUAL,
) -> SceneSpec:
    """Return the spec of one episode; the same arguments give the same spec on any machine.

    Cameras, image size, frames and modalities change nothing but themselves; a range moves the values of its own
    parameter and of nothing else that is drawn. Attempts of one index share split, tier and base scene and differ in
    everything else.

    Args:
        category: Name of a physics category, e.g. "rigid".
        tier: Curriculum tier; None = drawn, 30 % single, 35 % two_body, 35 % multi_object.
        scene: Name of a base scene; None = drawn among those of the category and tier.
        seed: Seed of the job.
        index: Number of the episode within the job.
        attempt: Number of the replacement; 0 = first try.
        frame_count: Frames to record.
        fps: Frames per second [Hz].
        size: Image width and height [px].
        rigs: Camera rigs, in order of preference.
        views: How many cameras, taken from the rigs in turns; None = the usual number of each rig.
        modalities: Names of the signals to record; empty = all.
        until_rest: Whether an episode ends early once nothing moves any more.
        ranges: Name of a parameter (`simfactory.parameters`) → smallest and largest value, instead of the usual ones.
        split_rules: Shares of the splits, and what is held out of training.

    Raises:
        SpecError: An argument is unknown or out of range, no layout without overlap was found, or no scene can be laid
            out within the ranges.
    """
    kind = find_category(category)
    if tier is not None and tier not in TIERS:
        raise SpecError(f"tier {tier!r} is unknown; allowed are {list(TIERS)}: name one or leave it open")
    if seed < 0 or index < 0 or attempt < 0:
        raise SpecError(f"seed {seed}, index {index}, attempt {attempt}: allowed are integers from 0: give such")
    named = find_scenes(kind, scene=scene, tier=tier)
    draw = partial(stream, seed, category, index)
    split = choose_split(category, draw, named, checked_ranges(ranges), split_rules)
    if tier is None:
        tier = draw_tier(draw("tier"), [name for name in TIERS if any(name in row.tiers for row in split.scenes)])
    recording = _Recording(
        frame_count=frame_count,
        fps=fps,
        size=size,
        rigs=rigs,
        views=views,
        modalities=tuple(modalities),
        until_rest=until_rest,
    )
    labels = {"category": category, "tier": tier, "seed": seed, "index": index, "attempt": attempt, "split": split.name}
    rows = [row for row in split.scenes if tier in row.tiers]
    row = draw("scene").choice(rows)
    episode = partial(stream, seed, category, index, spans=split.spans)
    while True:
        try:
            spec = _spec(row, tier, recording, labels, streams=partial(episode, row.name, attempt))
            check_delivered(spec, ranges)
        except SpecError:
            rows.remove(row)
            if not ranges or not rows:  # only a range that was asked for may pass a scene over
                raise
            row = draw("scene", len(rows)).choice(rows)
        else:
            return spec


@dataclass(frozen=True, kw_only=True, slots=True)
class _Recording:
    """How an episode is filmed; see `sample`."""

    frame_count: int
    fps: float
    size: tuple[int, int]
    rigs: Sequence[str]
    views: int | None
    modalities: tuple[str, ...]
    until_rest: bool


def _spec(
    row: BaseScene,
    tier: Tier,
    recording: _Recording,
    labels: dict[str, Any],  # Any: fields of a spec
    *,
    streams: Streams,
) -> SceneSpec:
    """Return the spec of a base scene, with every camera clear of all bodies."""
    world = _world(row, tier, streams=streams)
    region: Region = world.pop("region")

    def place(attempt: int) -> tuple[CameraSpec, ...]:
        again = partial(streams, "view", attempt) if attempt else streams
        return place_cameras(recording.rigs, views=recording.views, region=region, size=recording.size, streams=again)

    try:
        spec = SceneSpec(
            scene=row.name,
            frame_count=recording.frame_count,
            fps=recording.fps,
            until_rest=recording.until_rest,
            cameras=place(0),
            sensors=Sensors(modalities=recording.modalities),
            phenomena=row.phenomena,
            substeps=_substeps(world, recording.fps),
            **labels,
            **world,
        )
    except ValidationError as error:
        where = f"(seed {labels['seed']}, index {labels['index']})"
        raise SpecError(f"no valid spec of scene {row.name!r} {where}: {error}") from error
    return _clear_cameras(spec, region, place)


def _substeps(world: Mapping[str, Any], fps: float) -> int | None:  # Any: fields of a spec
    """Return the steps per frame of scenes whose robot is held together by joints; None = the usual number."""
    rigid = all(isinstance(body, BodyRigid) for body in world["bodies"])
    return math.ceil(ROBOT_RATE / fps) if world["robot"] is not None and rigid else None


def _clear_cameras(spec: SceneSpec, region: Region, place: Callable[[int], Sequence[CameraSpec]]) -> SceneSpec:
    """Return the spec with every camera clear of all bodies and their ways; one in the way is placed anew.

    Args:
        spec: The scene with its cameras of the first round.
        region: Where the action is.
        place: Returns the cameras of a round.
    """
    courses = np.concatenate([region.centers, region.ways]), np.concatenate([region.radii, region.way_radii])
    cameras = list(spec.cameras)
    for seat in range(len(cameras)):
        for attempt in range(1, ROUNDS + 1):
            try:
                certify_cameras(
                    [cameras[seat]], spec.bodies, spec.ground, spec.room, duration=spec.duration, courses=courses
                )
            except SpecError:
                if attempt == ROUNDS:
                    raise
                cameras[seat] = place(attempt)[seat]
            else:
                break
    return spec.model_copy(update={"cameras": tuple(cameras)})


def _world(row: BaseScene, tier: Tier, *, streams: Streams) -> dict[str, Any]:  # Any: fields of a spec
    """Everything but cameras and recording, and the region of the action."""
    cast = _cast(row, tier, streams=streams)
    indoors = is_indoors(streams=streams)
    ground = floor(indoors=indoors, streams=streams)
    surroundings = environment(row.gravity, air=row.air, wind=row.wind, streams=streams)
    stage = _staged(row, cast, ground, surroundings, streams=streams)
    ground, surroundings, stage = heated(row, ground, surroundings, stage, streams=streams)
    surroundings = stirred(row, surroundings, stage, streams=streams)
    region = action_region(stage)
    draw = streams("camera")
    widest = max(
        farthest(region),
        draw.within("camera_distance", PARAMETERS["camera_distance"].usual[1]) if draw.asks("camera_distance") else 0.0,
    )
    room = walls(region, farthest=widest, streams=streams) if indoors else None
    certify(stage.bodies, ground, room, joints=stage.joints, robot=stage.robot)
    light = illuminate(region, settings=settings(ground, room), streams=streams)
    return {
        "environment": surroundings,
        "ground": ground,
        "room": room,
        "sky": light.sky,
        "lights": lamps(room, region, streams=streams) if room is not None and room.ceiling else light.lights,
        "bodies": stage.bodies,
        "motions": stage.motions,
        "joints": stage.joints,
        "triggers": stage.triggers,
        "robot": stage.robot,
        "caption": caption(row.caption, cast),
        "region": region,
    }


def _cast(row: BaseScene, tier: Tier, *, streams: Streams) -> dict[str, list[Member]]:
    cast: dict[str, list[Member]] = {}
    rank = 0
    for role in row.roles:
        cast[role.name] = []
        for name in role.body_names(tier, streams=streams):
            cast[role.name].append(role.cast(name, rank=rank, streams=streams))
            rank += 1
    return cast


def _staged(
    row: BaseScene, cast: dict[str, list[Member]], ground: Ground, surroundings: Environment, *, streams: Streams
) -> Stage:
    """Lay the scene out; a layout that does not work out is drawn anew, up to `ROUNDS` times."""
    reasons: list[SpecError] = []
    for attempt in range(ROUNDS):
        stage = Stage(gravity=np.asarray(surroundings.gravity))
        try:
            for roles, placement in row.layout:
                bodies = tuple(member.body for role in roles for member in cast[role])
                stage = placement.place(roles[-1], bodies, stage, streams=partial(streams, "layout", attempt))
            certify(stage.bodies, ground, joints=stage.joints, robot=stage.robot)
            _check_motion(stage, streams("layout"))
        except SpecError as error:
            reasons.append(error)
        else:
            return stage
    raise SpecError(f"scene {row.name!r} found no layout in {ROUNDS} rounds; the last reason: {reasons[-1]}")


def _check_motion(stage: Stage, draw: Stream) -> None:
    """Check what placements decide on themselves: friction on ramps, speeds of throws, spins of what rolls.

    Raises:
        SpecError: A value is outside the range that was asked for.
    """
    for body in stage.bodies:
        values = [("friction", body.physical.static_friction), ("friction", body.physical.dynamic_friction)]
        if body.mobility == "dynamic":
            rates = (("speed", math.hypot(*body.linear_velocity)), ("spin", math.hypot(*body.angular_velocity)))
            values += [(name, rate) for name, rate in rates if rate > 0.0]
        for name, value in values:
            if not draw.allows(name, value):
                raise SpecError(
                    f"body {body.name!r} would have {name} {value:.4g}, outside the range asked for: widen it"
                )

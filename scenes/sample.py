"""The sampler: (category, seed, index) → one fully resolved scene spec."""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import numpy as np
from pydantic import ValidationError

from layouts import Region, Stage, Streams, action_region, certify, certify_cameras, lamps
from layouts.cameras import farthest, place_cameras
from layouts.lights import illuminate
from scenes.captions import caption
from scenes.category import BaseScene, Member
from scenes.curriculum import TIERS, draw_tier
from scenes.listing import find_category, find_scenes
from scenes.surroundings import environment, floor, is_indoors, settings, walls
from simfactory.errors import SpecError
from simfactory.rng import stream
from simfactory.spec import CameraSpec, Environment, Ground, SceneSpec, Sensors, Tier

__all__ = ["sample"]

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
) -> SceneSpec:
    """Return the spec of one episode; the same arguments give the same spec on any machine.

    Cameras, image size, frames and modalities change nothing but themselves. Attempts of one index share
    tier and base scene and differ in everything else.

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

    Raises:
        SpecError: An argument is unknown or out of range, or no layout without overlap was found.
    """
    kind = find_category(category)
    if tier is not None and tier not in TIERS:
        raise SpecError(f"tier {tier!r} is unknown; allowed are {list(TIERS)}: name one or leave it open")
    if seed < 0 or index < 0 or attempt < 0:
        raise SpecError(f"seed {seed}, index {index}, attempt {attempt}: allowed are integers from 0: give such")
    episode = partial(stream, seed, category, index)
    options = find_scenes(kind, scene=scene, tier=tier)
    if tier is None:
        tier = draw_tier(episode("tier"), [name for name in TIERS if any(name in row.tiers for row in options)])
        options = find_scenes(kind, scene=scene, tier=tier)
    row = episode("scene").choice(options)
    streams = partial(episode, row.name, attempt)
    world = _world(row, tier, streams=streams)
    region: Region = world.pop("region")

    def place(attempt: int) -> tuple[CameraSpec, ...]:
        again = partial(streams, "view", attempt) if attempt else streams
        return place_cameras(rigs, views=views, region=region, size=size, streams=again)

    try:
        spec = SceneSpec(
            scene=row.name,
            category=category,
            tier=tier,
            seed=seed,
            index=index,
            attempt=attempt,
            frame_count=frame_count,
            fps=fps,
            cameras=place(0),
            sensors=Sensors(modalities=tuple(modalities)),
            phenomena=row.phenomena,
            **world,
        )
    except ValidationError as error:
        raise SpecError(f"no valid spec of scene {row.name!r} (seed {seed}, index {index}): {error}") from error
    return _clear_cameras(spec, region, place)


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
    surroundings = environment(row.gravity, air=row.air, streams=streams)
    stage = _staged(row, cast, ground, surroundings, streams=streams)
    region = action_region(stage)
    room = walls(region, farthest=farthest(region), streams=streams) if indoors else None
    certify(stage.bodies, ground, room)
    light = illuminate(region, settings=settings(ground, room), streams=streams)
    return {
        "environment": surroundings,
        "ground": ground,
        "room": room,
        "sky": light.sky,
        "lights": lamps(room, region, streams=streams) if room is not None and room.ceiling else light.lights,
        "bodies": stage.bodies,
        "motions": stage.motions,
        "triggers": stage.triggers,
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
            certify(stage.bodies, ground)
        except SpecError as error:
            reasons.append(error)
        else:
            return stage
    raise SpecError(f"scene {row.name!r} found no layout in {ROUNDS} rounds; the last reason: {reasons[-1]}")

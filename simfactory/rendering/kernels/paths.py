"""Paths of light: from the eye over mirrors and glass and one diffuse bounce to what shines."""

import warp as wp

from simfactory.rendering.kernels.draws import draw, draw_pair
from simfactory.rendering.kernels.eye import bent, brightest
from simfactory.rendering.kernels.lamps import SHARP, lamps_light, lamps_met
from simfactory.rendering.kernels.lobes import (
    cosine_direction,
    is_sharp,
    lobe_alpha,
    lobe_density,
    masking_ratio,
    visible_normal,
)
from simfactory.rendering.kernels.look import Look
from simfactory.rendering.kernels.options import OPTIONS
from simfactory.rendering.kernels.reflectance import environment_reflectance, fresnel
from simfactory.rendering.kernels.shade import FAR, ambient_light, horizon_light, reflectance_at_normal
from simfactory.rendering.kernels.skylight import sky_radiance, sun_glow
from simfactory.rendering.kernels.spots import Spot, find_spot
from simfactory.rendering.kernels.world import CLOSED, Hit, World, closest_hit

__all__ = ["Seen", "path_light"]

wp.set_module_options(OPTIONS)

# How a ray came about decides what it may see. The sun's disk and lamps count where nothing else counts them.
STRAIGHT = wp.constant(0)  # from the eye, also through glass: sky with the sun's disk
MIRRORED = wp.constant(1)  # by a smooth surface: sky with the glow about the sun, lamps by their share
GATHERED = wp.constant(2)  # by a rough surface: sky; what it meets is lit without a further ray, and ends the path

# Highlights of what a rough surface sees are spread at least so far: no ray from it could find a lamp's mirror image,
# and the rare one that did would be a dot. Light focused by mirrors and glass is left out for the same reason.
DULL = wp.constant(0.5)

AHEAD = wp.constant(2.0e-4)  # start of a ray above its surface [m]


@wp.struct
class Leg:
    """A ray of a path."""

    start: wp.vec3
    along: wp.vec3  # unit
    weight: wp.vec3  # what share of its light reaches the eye
    width: wp.float32  # where it starts [m]
    angle: wp.float32  # by which it widens [rad]; textures are filtered by its width
    density: wp.float32  # with which a mirrored ray was drawn [1/sr]; 0 = it may not meet lamps
    kind: wp.int32
    ahead: wp.int32  # whether it is the one that shows the surface behind a mirror or glass


@wp.struct
class Seen:
    """What a path brings: light, and the guides for the denoiser."""

    light: wp.vec3
    albedo: wp.vec3
    normal: wp.vec3


@wp.func
def distant_light(look: Look, environment: int, direction: wp.vec3, kind: int):
    """Return what a ray of some kind sees where it hits nothing."""
    light = sky_radiance(look, environment, direction, 0.0)
    if kind != GATHERED:
        glow, disk = sun_glow(look, environment, direction)
        if kind == STRAIGHT:
            glow = glow + disk
        light = light + look.sceneries[environment].sun_glow * glow
    return light


@wp.func
def diffuse_leg(spot: Spot, f0: wp.vec3, u: wp.vec2):
    """Draw a ray of the diffuse lobe."""
    leg = Leg()
    leg.kind = GATHERED
    leg.angle = 0.3
    leg.along = cosine_direction(spot.normal, u)
    middle = wp.normalize(leg.along + spot.toward_eye)
    f = fresnel(f0, wp.dot(middle, leg.along))
    share = (1.0 - spot.metallic) * (1.0 - spot.transmission)
    leg.weight = wp.cw_mul(spot.base * share, wp.vec3(1.0, 1.0, 1.0) - f)
    leg.start = spot.position + spot.face * AHEAD
    if wp.dot(leg.along, spot.face) <= 0.0:
        leg.weight = wp.vec3(0.0, 0.0, 0.0)
    return leg


@wp.func
def mirror_leg(look: Look, spot: Spot, f0: wp.vec3, chance: float, u: wp.vec2):
    """Draw a ray of the specular lobe, which is drawn with a chance."""
    leg = Leg()
    alpha = lobe_alpha(spot.roughness)
    sharp = is_sharp(spot.roughness)
    facet = spot.normal
    if not sharp:
        facet = visible_normal(spot.normal, spot.toward_eye, alpha, u)
        leg.angle = alpha
    across = wp.dot(facet, spot.toward_eye)
    leg.along = wp.normalize(facet * (2.0 * across) - spot.toward_eye)
    nv = wp.max(wp.dot(spot.normal, spot.toward_eye), 0.02)
    nl = wp.dot(spot.normal, leg.along)
    leg.weight = fresnel(f0, across) * masking_ratio(alpha, nv, wp.max(nl, 1.0e-4))
    leg.start = spot.position + spot.face * AHEAD
    leak = wp.dot(leg.along, spot.face)
    if leak < 1.0e-3:  # a smooth normal leans over an edge: along the surface instead of into it
        leg.along = wp.normalize(leg.along + spot.face * (1.0e-3 - leak))
    leg.kind = GATHERED
    if spot.roughness < look.mirror_roughness:
        leg.kind = MIRRORED
        leg.density = 10.0 * SHARP
        if not sharp:
            leg.density = chance * lobe_density(alpha, nv, wp.clamp(wp.dot(spot.normal, facet), 0.0, 1.0))
    return leg


@wp.func
def glass_leg(spot: Spot, closed: int, kind: int):
    """Follow a ray into or out of a glass body, or through a pane that has no inside.

    On the way in, the reflection is a leg of its own. On the way out a ray is mirrored only where it is wholly
    mirrored: the few percent that are left out elsewhere would cost more noise than they add to the picture.
    """
    leg = Leg()
    leg.kind = kind
    leg.weight = wp.vec3(1.0, 1.0, 1.0)
    leg.along = -spot.toward_eye
    leg.start = spot.position - spot.face * AHEAD
    if closed != 0:
        ratio = 1.0 / spot.refractive_index
        if spot.leaving != 0:
            ratio = spot.refractive_index
        cosine = wp.clamp(wp.dot(spot.normal, spot.toward_eye), 0.0, 1.0)
        if ratio * ratio * (1.0 - cosine * cosine) < 1.0:
            leg.along = bent(-spot.toward_eye, spot.normal, ratio)
        else:
            leg.along = wp.normalize(spot.normal * (2.0 * cosine) - spot.toward_eye)
            leg.start = spot.position + spot.face * AHEAD
    return leg


@wp.func
def eye_leg(direction: wp.vec3d, angle: float):
    """Return the ray that leaves the eye."""
    leg = Leg()
    leg.along = wp.normalize(wp.vec3(direction))
    leg.angle = angle
    leg.weight = wp.vec3(1.0, 1.0, 1.0)
    leg.kind = STRAIGHT
    leg.ahead = 1
    return leg


@wp.func
def body_leg(world: World, spot: Spot, f0: wp.vec3, clear: float, before: Leg, lobe: float, u: wp.vec2):
    """Draw the ray of what a surface does not mirror: into glass, out of it, or diffuse."""
    leg = Leg()
    inside = spot.leaving != 0 and clear > 0.0
    if inside or lobe < clear:
        leg = glass_leg(spot, world.instances[spot.item].flags & CLOSED, before.kind)
        if not inside:
            passed = wp.vec3(1.0, 1.0, 1.0) - fresnel(f0, wp.max(wp.dot(spot.normal, spot.toward_eye), 0.02))
            leg.weight = wp.cw_mul(spot.base, passed)
        leg.ahead = before.ahead
    else:
        leg = diffuse_leg(spot, f0, u)
        if clear < 1.0:
            leg.weight = leg.weight / (1.0 - clear)
    return leg


@wp.func
def mirror_chance(look: Look, spot: Spot, kind: int, bounce: int, mirrored: float, body: float, clear: float):
    """Return how often the mirrored ray is followed, and whether the other one is followed too."""
    smooth = spot.roughness < look.mirror_roughness or clear > 0.5
    split = look.split != 0 and bounce == 0 and smooth and body > 0.01 and mirrored > 0.01
    chance = float(1.0)
    if not split and body > 0.0:
        chance = wp.clamp(mirrored / (mirrored + body), 0.1, 0.9)
    if kind == GATHERED:
        chance = 0.0
    return chance, split


@wp.func
def guide_albedo(spot: Spot, mirrored: float):
    """Return what the denoiser takes for a surface's colour."""
    share = wp.max(mirrored - 0.04, 0.0) * (1.0 - spot.metallic)
    return wp.lerp(spot.base, wp.vec3(1.0, 1.0, 1.0), share)


@wp.func
def lit_spot(
    world: World,
    look: Look,
    environment: int,
    root: int,
    spot: Spot,
    chance: float,
    bounce: int,
    key: wp.uint32,
    sample: int,
    dimension: int,
):
    """Return the light of lamps that a spot sends to the eye; `chance` is that of its mirrored ray."""
    share = float(0.0)
    if spot.roughness < look.mirror_roughness:
        share = chance
    one = int(0)
    if bounce > 0 or (look.split == 0 and look.sceneries[environment].light_count > 1):
        one = 1
    return lamps_light(world, look, environment, root, spot, share, one, key, sample, dimension)


@wp.func
def onward(
    world: World,
    look: Look,
    spot: Spot,
    f0: wp.vec3,
    clear: float,
    chance: float,
    split: bool,
    mirror: bool,
    before: Leg,
    width: float,
    key: wp.uint32,
    sample: int,
    dimension: int,
):
    """Draw the ray that follows a leg at a spot, and beside it the mirrored one if both are followed."""
    lobe = draw(look, key, sample, dimension + 1)
    u = draw_pair(look, key, sample, dimension + 2)
    spread = before.angle + 2.0 * spot.curvature * width
    inside = spot.leaving != 0 and clear > 0.0
    mirrored = Leg()
    take_mirror = not inside and (split or draw(look, key, sample, dimension) < chance)
    if take_mirror:
        mirrored = mirror_leg(look, spot, f0, chance, u)
        mirrored.weight = wp.cw_mul(before.weight, mirrored.weight) / chance
        mirrored.width = width
        mirrored.angle += spread
        if mirror:
            mirrored.ahead = before.ahead
    leg = mirrored
    if split or not take_mirror:
        leg = body_leg(world, spot, f0, clear, before, lobe, u)
        leg.weight = wp.cw_mul(before.weight, leg.weight)
        if not split and not inside:
            leg.weight = leg.weight / (1.0 - chance)
        leg.width = width
        leg.angle += spread
    return leg, mirrored


@wp.func
def path_light(
    world: World,
    look: Look,
    environment: int,
    key: wp.uint32,
    sample: int,
    origin: wp.vec3d,
    direction: wp.vec3d,
    angle: float,
    first: Hit,
    known: int,
):
    """Follow one path from the eye; the ray widens by an angle [rad] and filters textures by its width.

    What it meets first is given if it is known: then the ray meets that triangle's plane, within a pixel of it.
    """
    root = world.roots[environment]
    seen = Seen()
    leg = eye_leg(direction, angle)
    later = Leg()
    waiting = bool(False)
    start = origin
    dimension = int(4)
    lamps = 2 * look.sceneries[environment].light_count + 1
    bounce = int(0)
    going = bool(True)
    while going:
        going = False
        hit = first
        if known == 0 or bounce > 0:
            hit = closest_hit(world, root, start, wp.vec3d(leg.along), FAR)
        if leg.density > 0.0:
            met = lamps_met(look, environment, leg.start, leg.along, hit.distance, leg.density)
            seen.light += wp.cw_mul(leg.weight, met)
        if hit.item < 0:
            seen.light += wp.cw_mul(leg.weight, distant_light(look, environment, leg.along, leg.kind))
            if leg.ahead != 0:
                seen.albedo += leg.weight
        else:
            spot = find_spot(world, look, environment, hit, start, wp.vec3d(leg.along), leg.width, leg.angle)
            if bounce == 0:
                seen.normal = spot.normal
            weight = leg.weight
            if spot.fade > 0.0:
                seen.light += wp.cw_mul(weight, horizon_light(look, environment, spot)) * spot.fade
                weight = weight * (1.0 - spot.fade)
            f0 = reflectance_at_normal(spot)
            nv = wp.max(wp.dot(spot.normal, spot.toward_eye), 0.02)
            mirrored = brightest(environment_reflectance(f0, spot.roughness, nv))
            body = brightest(spot.base) * (1.0 - spot.metallic)
            clear = spot.transmission * (1.0 - spot.metallic)
            last = (leg.kind == GATHERED and clear < 0.5) or bounce >= look.depth
            inside = spot.leaving != 0 and clear > 0.0
            mirror = spot.roughness < look.mirror_roughness and (spot.metallic > 0.5 or clear > 0.5)
            if leg.ahead != 0 and (not mirror or last):
                seen.albedo += wp.cw_mul(leg.weight, guide_albedo(spot, mirrored))
            chance = float(0.0)
            split = bool(False)
            if not last and not inside:
                chance, split = mirror_chance(look, spot, leg.kind, bounce, mirrored, body, clear)
            if leg.kind == GATHERED:
                spot.roughness = wp.max(spot.roughness, DULL)
            if not inside:
                lit = lit_spot(world, look, environment, root, spot, chance, bounce, key, sample, dimension)
                seen.light += wp.cw_mul(weight, lit)
            dimension += lamps
            if last:
                seen.light += wp.cw_mul(weight, ambient_light(world, look, environment, root, spot, 1.0))
            else:
                width = leg.width + leg.angle * wp.length(spot.position - wp.vec3(start))
                leg.weight = weight
                leg, other = onward(
                    world, look, spot, f0, clear, chance, split, mirror, leg, width, key, sample, dimension
                )
                dimension += 4
                if split:
                    later = other
                    waiting = True
                bounce += 1
                going = brightest(leg.weight) > 1.0e-3
        if not going and waiting:
            leg = later
            waiting = False
            bounce = 1
            going = brightest(leg.weight) > 1.0e-3
        start = wp.vec3d(leg.start)
    return seen

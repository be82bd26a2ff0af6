"""Paths of light: from the eye over mirrors and glass and one diffuse bounce to what shines."""

import warp as wp

from simfactory.rendering.kernels.draws import draw, draw_pair
from simfactory.rendering.kernels.eye import brightest
from simfactory.rendering.kernels.lamps import lamps_light, lamps_met
from simfactory.rendering.kernels.legs import (
    GATHERED,
    Leg,
    Site,
    diffuse_leg,
    distant_light,
    even_light,
    even_part,
    eye_leg,
    glass_leg,
    mirror_leg,
    rough_leg,
)
from simfactory.rendering.kernels.look import Look
from simfactory.rendering.kernels.options import OPTIONS
from simfactory.rendering.kernels.reflectance import environment_reflectance, fresnel
from simfactory.rendering.kernels.shade import FAR, ambient_light, horizon_light, reflectance_at_normal
from simfactory.rendering.kernels.spots import Spot, find_spot
from simfactory.rendering.kernels.world import CLOSED, Hit, World, next_hit

__all__ = ["First", "Seen", "path_light"]

wp.set_module_options(OPTIONS)

# Highlights of what a rough surface sees are spread at least so far: no ray from it could find a lamp's mirror image,
# and the rare one that did would be a dot. Light focused by mirrors and glass is left out for the same reason.
DULL = wp.constant(0.5)

SHEEN = wp.constant(0.2)  # roughness from which on a weak mirror image is too blurred to be worth a ray of its own
GUIDING = wp.constant(0.08)  # roughness from which on a mirror's own colour guides the denoiser


@wp.struct
class First:
    """What is known of the first thing on a path."""

    known: wp.int32  # 0 = nothing, 1 = the hit, 2 = the base colour over the pixel too, 3 = all: the spot
    hit: Hit
    base: wp.vec3
    spot: Spot


@wp.struct
class Seen:
    """What a path brings: light, and the guides for the denoiser."""

    light: wp.vec3
    albedo: wp.vec3
    normal: wp.vec3
    vector: wp.vec3  # light vector of what the first surface sends to the eye of the light of lamps


@wp.func
def body_leg(world: World, look: Look, environment: int, site: Site, before: Leg, lobe: float, u: wp.vec2):
    """Draw the ray of what a smooth surface does not mirror: into glass, out of it, or diffuse."""
    spot = site.spot
    leg = Leg()
    if site.inside != 0 or lobe < site.clear:
        leg = glass_leg(spot, world.instances[spot.item].flags & CLOSED, before.kind)
        if site.inside == 0:
            passed = wp.vec3(1.0, 1.0, 1.0) - fresnel(site.f0, wp.max(wp.dot(spot.normal, spot.toward_eye), 0.02))
            leg.weight = wp.cw_mul(spot.base, passed)
        leg.ahead = before.ahead
    else:
        leg = diffuse_leg(look, environment, site, u)
        leg.weight = leg.weight / (1.0 - site.clear)
        leg.owed = leg.owed / (1.0 - site.clear)
    return leg


@wp.func
def site_of(look: Look, spot: Spot, leg: Leg, bounce: int):
    """Return how a path goes on at a spot."""
    site = Site()
    site.spot = spot
    site.f0 = reflectance_at_normal(spot)
    site.reflected = environment_reflectance(
        site.f0, spot.roughness, wp.max(wp.dot(spot.normal, spot.toward_eye), 0.02)
    )
    site.clear = spot.transmission * (1.0 - spot.metallic)
    if spot.leaving != 0 and site.clear > 0.0:
        site.inside = 1
    mirrored = brightest(site.reflected)
    body = brightest(spot.base) * (1.0 - spot.metallic)
    clearly = spot.roughness < SHEEN or site.clear > 0.5 or mirrored > 0.15 * (mirrored + body)
    if look.split != 0 and bounce == 0 and is_smooth(look, site) and body > 0.01 and mirrored > 0.01 and clearly:
        site.split = 1
    site.chance = 1.0
    if site.split == 0 and body > 0.0:
        least = float(0.1)
        if not is_smooth(look, site):
            least = 0.3  # most of the diffuse light is even: the rest of the noise is in the mirrored one
        site.chance = wp.clamp(mirrored / (mirrored + body), least, 0.9)
    if (leg.kind == GATHERED and site.clear < 0.5) or bounce >= look.depth:
        site.last = 1
    if site.inside != 0 or site.last != 0 or leg.kind == GATHERED:
        site.chance = 0.0
    if leg.kind == GATHERED:
        site.spot.roughness = wp.max(spot.roughness, DULL)
    return site


@wp.func
def is_smooth(look: Look, site: Site):
    """Return whether what a surface mirrors is followed apart from what it scatters."""
    return site.spot.roughness < look.mirror_roughness or site.clear > 0.0


@wp.func
def guide_albedo(site: Site):
    """Return what the denoiser takes for a surface's colour."""
    share = wp.max(brightest(site.reflected) - 0.04, 0.0) * (1.0 - site.spot.metallic)
    return wp.lerp(site.spot.base, wp.vec3(1.0, 1.0, 1.0), share)


@wp.func
def shows_others(spot: Spot, clear: float):
    """Return whether the denoiser is guided by what a surface shows: of a sharp mirror or glass alone it is sharp."""
    return spot.roughness < GUIDING and (spot.metallic > 0.5 or clear > 0.5)


@wp.func
def lit_spot(
    world: World,
    look: Look,
    environment: int,
    root: int,
    site: Site,
    bounce: int,
    key: wp.uint32,
    sample: int,
    dimension: int,
):
    """Return the light of lamps that a surface sends to the eye, and its light vector."""
    share = float(0.0)
    if site.spot.roughness < look.mirror_roughness:
        share = site.chance
    one = int(0)
    if look.sceneries[environment].light_count > 1:
        one = 1
    return lamps_light(world, look, environment, root, site.spot, share, one, key, sample, dimension)


@wp.func
def onward(
    world: World,
    look: Look,
    environment: int,
    site: Site,
    before: Leg,
    width: float,
    key: wp.uint32,
    sample: int,
    dimension: int,
):
    """Draw the ray that follows a leg at a surface, and beside it the mirrored one if both are followed."""
    lobe = draw(look, key, sample, dimension)
    other_lobe = draw(look, key, sample, dimension + 1)
    u = draw_pair(look, key, sample, dimension + 2)
    spot = site.spot
    mirrored = Leg()
    leg = Leg()
    if not is_smooth(look, site):
        leg = rough_leg(look, environment, site, lobe, u)
        leg.angle += before.angle
    else:
        take_mirror = site.split != 0 or lobe < site.chance
        if take_mirror:
            mirrored = mirror_leg(site, u)
            mirrored.weight = mirrored.weight / site.chance
            mirrored.angle += before.angle + 2.0 * spot.curvature * width
            if shows_others(spot, site.clear):
                mirrored.ahead = before.ahead
        leg = mirrored
        if site.split != 0 or not take_mirror:
            leg = body_leg(world, look, environment, site, before, other_lobe, u)
            if site.split == 0:
                leg.weight = leg.weight / (1.0 - site.chance)
                leg.owed = leg.owed / (1.0 - site.chance)
            # A refracted ray turns by less than the surface does, a mirrored one by twice as much.
            leg.angle += before.angle + wp.abs(1.0 - 1.0 / spot.refractive_index) * spot.curvature * width
        mirrored.weight = wp.cw_mul(before.weight, mirrored.weight)
        mirrored.width = width
    leg.weight = wp.cw_mul(before.weight, leg.weight)
    leg.owed = wp.cw_mul(before.weight, leg.owed)
    leg.width = width
    return leg, mirrored


@wp.func
def met_spot(
    world: World, look: Look, environment: int, hit: Hit, start: wp.vec3d, leg: Leg, first: First, bounce: int
):
    """Return the surface point that a leg meets, the first one as far as it is known."""
    if bounce == 0 and first.known == 3:
        return first.spot
    known = int(0)
    if bounce == 0 and first.known == 2:
        known = 1
    along = wp.vec3d(leg.along)
    return find_spot(world, look, environment, hit, start, along, leg.width, leg.angle, known, first.base)


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
    first: First,
):
    """Follow one path from the eye; the ray widens by an angle [rad] and filters textures by its width.

    Where the first hit is known, the ray meets that triangle's plane.
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
        hit = first.hit
        if first.known == 0 or bounce > 0:
            hit = next_hit(world, root, start, wp.vec3d(leg.along), FAR, leg.within - 1)
        if leg.kind == GATHERED:
            seen.light -= even_part(look, environment, leg)
        if leg.density > 0.0:
            met = lamps_met(look, environment, leg.start, leg.along, hit.distance, leg.density)
            seen.light += wp.cw_mul(leg.weight, met)
        if hit.item < 0:
            seen.light += wp.cw_mul(leg.weight, distant_light(look, environment, leg.along, leg.kind))
            if leg.ahead != 0:
                seen.albedo += leg.weight
        else:
            spot = met_spot(world, look, environment, hit, start, leg, first, bounce)
            if bounce == 0:
                seen.normal = spot.normal * (1.0 - spot.fade)
            site = site_of(look, spot, leg, bounce)
            weight = leg.weight * (1.0 - spot.fade)
            if spot.fade > 0.0:
                faded = leg.weight * spot.fade
                seen.light += wp.cw_mul(faded, horizon_light(look, environment, spot))
                seen.albedo += faded * float(leg.ahead)
            if leg.ahead != 0 and (site.last != 0 or not shows_others(spot, site.clear)):
                seen.albedo += wp.cw_mul(weight, guide_albedo(site))
            if site.inside == 0:
                lit, vector = lit_spot(world, look, environment, root, site, bounce, key, sample, dimension)
                seen.light += wp.cw_mul(weight, lit)
                if bounce == 0:
                    seen.vector = vector * (1.0 - spot.fade)
            dimension += lamps
            if site.last != 0:
                seen.light += wp.cw_mul(weight, ambient_light(world, look, environment, root, site.spot, 1.0))
            else:
                if leg.kind != GATHERED and site.inside == 0:
                    seen.light += wp.cw_mul(weight, even_light(look, environment, site))
                width = leg.width + leg.angle * wp.length(spot.position - wp.vec3(start))
                leg.weight = weight
                leg, other = onward(world, look, environment, site, leg, width, key, sample, dimension)
                dimension += 4
                if site.split != 0:
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

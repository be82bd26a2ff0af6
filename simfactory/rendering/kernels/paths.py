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
from simfactory.rendering.kernels.reflectance import environment_reflectance, fresnel, specular
from simfactory.rendering.kernels.shade import FAR, INVERSE_PI, ambient_light, horizon_light, reflectance_at_normal
from simfactory.rendering.kernels.skylight import even_irradiance, even_radiance, sky_radiance, sun_glow
from simfactory.rendering.kernels.spots import Spot, find_spot
from simfactory.rendering.kernels.world import CLOSED, Hit, World, closest_hit

__all__ = ["First", "Seen", "path_light"]

wp.set_module_options(OPTIONS)

# How a ray came about decides what it may see. The sun's disk and lamps count where nothing else counts them.
STRAIGHT = wp.constant(0)  # from the eye, also through glass: sky with the sun's disk
MIRRORED = wp.constant(1)  # by a smooth surface: sky with the glow about the sun, lamps by their share
GATHERED = wp.constant(2)  # by a rough surface: sky; what it meets is lit without a further ray, and ends the path

# Highlights of what a rough surface sees are spread at least so far: no ray from it could find a lamp's mirror image,
# and the rare one that did would be a dot. Light focused by mirrors and glass is left out for the same reason.
DULL = wp.constant(0.5)

# What part of the surroundings' even light is counted exactly; all of it would be best in the open, none in shadow.
COUNTED = wp.constant(0.7)

GUIDING = wp.constant(0.08)  # roughness from which on a mirror's own colour guides the denoiser

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
    owed: wp.vec3  # what share of the even part of its light was counted before
    ahead: wp.int32  # whether it is the one that shows the surface behind a mirror or glass


@wp.struct
class Site:
    """A surface on a path, and how the path goes on there."""

    spot: Spot
    f0: wp.vec3  # reflectance at normal incidence
    reflected: wp.vec3  # share of evenly arriving light that is mirrored
    clear: wp.float32  # share of the rest that enters the body as light through glass
    chance: wp.float32  # how often the mirrored ray is followed
    split: wp.int32  # whether the other one is followed too
    inside: wp.int32  # whether the path comes from within glass
    last: wp.int32  # whether the path ends


@wp.struct
class First:
    """What is known of the first thing on a path."""

    known: wp.int32  # 0 = nothing, 1 = the hit, 2 = the base colour over the pixel too
    hit: Hit
    base: wp.vec3


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
def is_open(look: Look, environment: int):
    """Return whether sky and ground surround everything, not a room."""
    return look.sceneries[environment].room[2] == 0.0


@wp.func
def above_face(along: wp.vec3, face: wp.vec3):
    """Bend a unit direction that a smooth normal leans over an edge: along the surface instead of into it."""
    leak = wp.dot(along, face)
    result = along
    if leak < 1.0e-3:
        result = wp.normalize(along + face * (1.0e-3 - leak))
    return result


@wp.func
def diffuse_share(spot: Spot, reflected: wp.vec3):
    """Return what share of the light that arrives evenly a surface scatters back; the rest is mirrored or absorbed."""
    body = spot.base * ((1.0 - spot.metallic) * (1.0 - spot.transmission))
    return wp.cw_mul(body, wp.vec3(1.0, 1.0, 1.0) - reflected)


@wp.func
def rough_leg(look: Look, environment: int, site: Site, lobe: float, u: wp.vec2):
    """Draw a ray that a rough surface scatters: from its diffuse or its specular lobe, and weighed by both.

    Source: E. Veach, L. Guibas, "Optimally combining sampling techniques" (1995): one sample, balance heuristic.
    """
    spot = site.spot
    alpha = lobe_alpha(spot.roughness)
    leg = Leg()
    leg.kind = GATHERED
    leg.angle = 0.3
    leg.start = spot.position + spot.face * AHEAD
    if lobe < site.chance:
        facet = visible_normal(spot.normal, spot.toward_eye, alpha, u)
        leg.along = wp.normalize(facet * (2.0 * wp.dot(facet, spot.toward_eye)) - spot.toward_eye)
    else:
        leg.along = cosine_direction(spot.normal, u)
    leg.along = above_face(leg.along, spot.face)
    nv = wp.max(wp.dot(spot.normal, spot.toward_eye), 0.02)
    nl = wp.max(wp.dot(spot.normal, leg.along), 1.0e-4)
    middle = wp.normalize(leg.along + spot.toward_eye)
    nh = wp.clamp(wp.dot(spot.normal, middle), 0.0, 1.0)
    density = site.chance * lobe_density(alpha, nv, nh) + (1.0 - site.chance) * nl * INVERSE_PI
    share = nl / wp.max(density, 1.0e-6)
    body = diffuse_share(spot, site.reflected) * (INVERSE_PI * share)
    shine = fresnel(site.f0, wp.dot(middle, leg.along)) * (specular(spot.roughness, nv, nl, nh) * share)
    leg.weight = body + shine
    if is_open(look, environment):
        leg.owed = body * COUNTED
    return leg


@wp.func
def diffuse_leg(look: Look, environment: int, site: Site, u: wp.vec2):
    """Draw a ray of the diffuse lobe alone."""
    leg = Leg()
    leg.kind = GATHERED
    leg.angle = 0.3
    leg.along = above_face(cosine_direction(site.spot.normal, u), site.spot.face)
    leg.weight = diffuse_share(site.spot, site.reflected)
    leg.start = site.spot.position + site.spot.face * AHEAD
    if is_open(look, environment):
        leg.owed = leg.weight * COUNTED
    return leg


@wp.func
def even_light(look: Look, environment: int, site: Site):
    """Return the light of the open surroundings' even part that a surface scatters to the eye.

    It is exact; the diffuse ray then only brings what its own direction differs by (a control variate).

    Source: H. Kahn, A. Marshall, "Methods of reducing sample size in Monte Carlo computations" (1953).
    """
    light = wp.vec3(0.0, 0.0, 0.0)
    if is_open(look, environment):
        irradiance = even_irradiance(look, environment, site.spot.normal)
        light = wp.cw_mul(diffuse_share(site.spot, site.reflected), irradiance) * (INVERSE_PI * COUNTED)
    return light


@wp.func
def mirror_leg(site: Site, u: wp.vec2):
    """Draw a ray of a smooth surface's specular lobe."""
    spot = site.spot
    leg = Leg()
    leg.kind = MIRRORED
    leg.density = 10.0 * SHARP
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
    leg.weight = fresnel(site.f0, across) * masking_ratio(alpha, nv, wp.max(nl, 1.0e-4))
    leg.start = spot.position + spot.face * AHEAD
    leg.along = above_face(leg.along, spot.face)
    if not sharp:
        leg.density = site.chance * lobe_density(alpha, nv, wp.clamp(wp.dot(spot.normal, facet), 0.0, 1.0))
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
    if look.split != 0 and bounce == 0 and is_smooth(look, site) and body > 0.01 and mirrored > 0.01:
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
    """Return the light of lamps that a surface sends to the eye."""
    share = float(0.0)
    if site.spot.roughness < look.mirror_roughness:
        share = site.chance
    one = int(0)
    if bounce > 0 or look.sceneries[environment].light_count > 1:
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
            hit = closest_hit(world, root, start, wp.vec3d(leg.along), FAR)
        if leg.kind == GATHERED:
            seen.light -= wp.cw_mul(leg.owed, even_radiance(look, environment, leg.along))
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
                seen.normal = spot.normal * (1.0 - spot.fade)
                if first.known == 2:
                    spot.base = first.base
            site = site_of(look, spot, leg, bounce)
            weight = leg.weight * (1.0 - spot.fade)
            if spot.fade > 0.0:
                faded = leg.weight * spot.fade
                seen.light += wp.cw_mul(faded, horizon_light(look, environment, spot))
                seen.albedo += faded * float(leg.ahead)
            if leg.ahead != 0 and (site.last != 0 or not shows_others(spot, site.clear)):
                seen.albedo += wp.cw_mul(weight, guide_albedo(site))
            if site.inside == 0:
                lit = lit_spot(world, look, environment, root, site, bounce, key, sample, dimension)
                seen.light += wp.cw_mul(weight, lit)
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

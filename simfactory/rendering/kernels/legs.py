"""Rays of paths: how each comes about at a surface, and what it weighs."""

import warp as wp

from simfactory.rendering.kernels.eye import bent
from simfactory.rendering.kernels.lamps import SHARP
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
from simfactory.rendering.kernels.reflectance import fresnel, specular
from simfactory.rendering.kernels.shade import INVERSE_PI
from simfactory.rendering.kernels.skylight import even_irradiance, even_radiance, sky_radiance, sun_glow
from simfactory.rendering.kernels.spots import Spot

__all__ = [
    "GATHERED",
    "STRAIGHT",
    "Leg",
    "Site",
    "diffuse_leg",
    "distant_light",
    "even_light",
    "even_part",
    "eye_leg",
    "glass_leg",
    "mirror_leg",
    "rough_leg",
]

wp.set_module_options(OPTIONS)

# How a ray came about decides what it may see. The sun's disk and lamps count where nothing else counts them.
STRAIGHT = wp.constant(0)  # from the eye, also through glass: sky with the sun's disk
MIRRORED = wp.constant(1)  # by a smooth surface: sky with the glow about the sun, lamps by their share
GATHERED = wp.constant(2)  # by a rough surface: sky; what it meets is lit without a further ray, and ends the path

# What part of the surroundings' even light is counted exactly; all of it would be best in the open, none in shadow.
COUNTED = wp.constant(0.7)

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
    within: wp.int32  # one more than the item in whose glass it starts; 0 = none


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
        leaves = ratio * ratio * (1.0 - cosine * cosine) < 1.0
        if leaves != (spot.leaving != 0):
            leg.within = spot.item + 1
        if leaves:
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
def even_part(look: Look, environment: int, leg: Leg):
    """Return what was counted before of the light that a ray brings."""
    return wp.cw_mul(leg.owed, even_radiance(look, environment, leg.along))

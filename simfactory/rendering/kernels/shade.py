"""Shading: the light that a surface point sends to the eye, and what a display shows of it."""

import warp as wp

from simfactory.rendering.kernels.look import POINT, SUN, Look
from simfactory.rendering.kernels.options import OPTIONS
from simfactory.rendering.kernels.reflectance import environment_reflectance, fresnel, specular
from simfactory.rendering.kernels.skylight import ambient_irradiance, ambient_visibility, sky_radiance
from simfactory.rendering.kernels.spots import Spot
from simfactory.rendering.kernels.world import World, blocks, nonzero

__all__ = [
    "FAR",
    "INVERSE_PI",
    "ambient_light",
    "display_value",
    "horizon_light",
    "light_passing",
    "radiance",
    "reflectance_at_normal",
]

wp.set_module_options(OPTIONS)

INVERSE_PI = wp.constant(0.31830988)
FAR = wp.constant(1.0e30)
GLASS_SHADOW = wp.constant(0.25)  # how much light clear glass still holds back


@wp.func
def light_passing(world: World, look: Look, root: int, spot: Spot, toward: wp.vec3, limit: float):
    """Return the share of a light that arrives: 0 behind a solid body, most of it behind glass."""
    origin = spot.position
    if spot.skip < 0:
        origin = origin + spot.face * 5.0e-4
    start = wp.vec3d(origin)
    along = wp.vec3d(toward)
    item = int(0)
    through = int(0)
    query = wp.bvh_query_ray(world.tree, origin, nonzero(toward), root)
    while wp.bvh_query_next(query, item, limit):
        if item != spot.skip:
            if blocks(world, item, start, along, limit):
                clear = look.materials[item].transmission
                if clear < 0.05:
                    return 0.0
                through += int(1024.0 * (1.0 - clear * (1.0 - GLASS_SHADOW)))
    return wp.max(1.0 - float(through) / 1024.0, 0.0)


@wp.func
def reflectance_at_normal(spot: Spot):
    """Return the specular reflectance at normal incidence (Fresnel for the index; the base colour for metals)."""
    ratio = (spot.refractive_index - 1.0) / (spot.refractive_index + 1.0)
    f0 = ratio * ratio
    return wp.lerp(wp.vec3(f0, f0, f0), spot.base, spot.metallic)


@wp.func
def direct_light(world: World, look: Look, environment: int, root: int, spot: Spot):
    """Return the light of suns and lamps that a spot sends to the eye."""
    total = wp.vec3(0.0, 0.0, 0.0)
    diffuse = spot.base * ((1.0 - spot.metallic) * (1.0 - spot.transmission) * INVERSE_PI)
    f0 = reflectance_at_normal(spot)
    nv = wp.max(wp.dot(spot.normal, spot.toward_eye), 0.02)
    first = look.sceneries[environment].first_light
    for index in range(first, first + look.sceneries[environment].light_count):
        toward = look.lights[index].place
        irradiance = look.lights[index].color
        limit = float(FAR)
        unit = toward
        if look.lights[index].kind != SUN:
            toward = toward - spot.position
            distance = wp.max(wp.length(toward), 1.0e-3)
            unit = toward / distance
            irradiance = irradiance / (distance * distance)
            limit = 0.999
            if look.lights[index].kind != POINT:  # an area shines like a point at its centre
                cosine = wp.max(-wp.dot(unit, look.lights[index].facing), 0.0)
                irradiance = irradiance * (cosine * look.lights[index].area)
        nl = wp.dot(spot.normal, unit)
        if spot.skip < 0 and wp.dot(spot.face, unit) <= 0.0:
            nl = 0.0
        if nl > 1.0e-4:
            passing = light_passing(world, look, root, spot, toward, limit)
            if passing > 0.0:
                middle = wp.normalize(unit + spot.toward_eye)
                nh = wp.clamp(wp.dot(spot.normal, middle), 0.0, 1.0)
                f = fresnel(f0, wp.dot(middle, unit))
                mirrored = f * specular(spot.roughness, nv, nl, nh)
                body = wp.cw_mul(diffuse, wp.vec3(1.0, 1.0, 1.0) - f)
                total += wp.cw_mul(body + mirrored, irradiance) * (nl * passing)
    return total


@wp.func
def mirrored_sky(look: Look, environment: int, spot: Spot):
    """Return the light that arrives from about the mirrored direction, without looking for bodies there."""
    bounce = 2.0 * wp.dot(spot.normal, spot.toward_eye) * spot.normal - spot.toward_eye
    light = sky_radiance(look, environment, wp.normalize(bounce), wp.max(float(spot.roughness), 0.25))
    if look.sceneries[environment].room[2] > 0.0:
        light = ambient_irradiance(look, environment, spot.position, wp.normalize(bounce)) * INVERSE_PI
    return light


@wp.func
def ambient_light(world: World, look: Look, environment: int, root: int, spot: Spot, sky_share: float):
    """Return the light of sky, walls and neighbours that a spot sends to the eye, without a ray for it."""
    reach = look.sceneries[environment].occlusion_reach
    open_share = ambient_visibility(world, root, spot.position, spot.face, spot.item, reach)
    diffuse = spot.base * ((1.0 - spot.metallic) * (1.0 - spot.transmission) * INVERSE_PI * open_share)
    total = wp.cw_mul(diffuse, ambient_irradiance(look, environment, spot.position, spot.normal))
    if sky_share > 0.0:
        nv = wp.max(wp.dot(spot.normal, spot.toward_eye), 0.02)
        reflected = environment_reflectance(reflectance_at_normal(spot), spot.roughness, nv)
        light = mirrored_sky(look, environment, spot)
        total += wp.cw_mul(reflected, light) * (sky_share * wp.lerp(open_share, 1.0, 0.3))
    return total


@wp.func
def horizon_light(look: Look, environment: int, spot: Spot):
    """Return the light of the horizon behind a spot, into which a far ground fades."""
    away = -spot.toward_eye
    return sky_radiance(look, environment, wp.normalize(wp.vec3(away[0], away[1], -0.01)), 0.0)


@wp.func
def radiance(world: World, look: Look, environment: int, root: int, spot: Spot, sky_share: float):
    """Return the light that a spot sends to the eye; `sky_share` of its mirrored light comes from the sky."""
    total = direct_light(world, look, environment, root, spot)
    total += ambient_light(world, look, environment, root, spot, sky_share)
    if spot.fade > 0.0:
        total = wp.lerp(total, horizon_light(look, environment, spot), spot.fade)
    return total


@wp.func
def display_value(look: Look, light: wp.vec3):
    """Return display values 0–255: bright colours lose saturation, then the tone curve acts on each channel."""
    size = look.tone.shape[0] - 1
    bleed = 0.03 * (light[0] + light[1] + light[2])
    mixed = light * 0.91 + wp.vec3(bleed, bleed, bleed)
    knee = look.tone_knee
    r = look.tone[int(mixed[0] / (mixed[0] + knee) * float(size) + 0.5)]
    g = look.tone[int(mixed[1] / (mixed[1] + knee) * float(size) + 0.5)]
    b = look.tone[int(mixed[2] / (mixed[2] + knee) * float(size) + 0.5)]
    return wp.vec3(r, g, b)

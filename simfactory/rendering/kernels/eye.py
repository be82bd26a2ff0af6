"""The light along a camera ray: its surface, what that mirrors, and what shows through it."""

import warp as wp

from simfactory.rendering.kernels.look import Look
from simfactory.rendering.kernels.options import OPTIONS
from simfactory.rendering.kernels.reflectance import environment_reflectance
from simfactory.rendering.kernels.shade import FAR, radiance, reflectance_at_normal
from simfactory.rendering.kernels.skylight import background, sky_radiance
from simfactory.rendering.kernels.spots import Spot, find_spot, pattern_factor
from simfactory.rendering.kernels.world import Hit, World, closest_hit, nonzero

__all__ = ["bent", "brightest", "eye_light"]

wp.set_module_options(OPTIONS)


@wp.func
def brightest(color: wp.vec3):
    """Return the largest component."""
    return wp.max(wp.max(color[0], color[1]), color[2])


@wp.func
def traced_share(look: Look, spot: Spot, reflected: wp.vec3):
    """Return how much of a spot's mirrored light is worth a ray: all for mirrors, none for rough or dim ones."""
    limit = look.traced_roughness
    x = wp.clamp((limit - spot.roughness) / (0.6 * limit), 0.0, 1.0)
    bright = wp.clamp(25.0 * brightest(reflected) - 1.0, 0.0, 1.0)
    return x * x * (3.0 - 2.0 * x) * bright * (1.0 - spot.fade)


@wp.func
def bent(direction: wp.vec3, normal: wp.vec3, ratio: float):
    """Refract a unit direction at a surface it meets from the side of the normal; straight on if it cannot leave.

    Source: Snell's law in vector form.
    """
    cosine = -wp.dot(direction, normal)
    rest = 1.0 - ratio * ratio * (1.0 - cosine * cosine)
    result = direction
    if rest > 0.0:
        result = direction * ratio + normal * (ratio * cosine - wp.sqrt(rest))
    return wp.normalize(result)


@wp.func
def through_glass(world: World, spot: Spot):
    """Follow the eye's ray through a glass body; returns where it leaves and in which direction."""
    inward = bent(-spot.toward_eye, spot.normal, 1.0 / spot.refractive_index)
    start = spot.position - spot.face * 1.0e-3
    rotation = world.instances[spot.item].rotation
    local = (wp.vec3d(start) - world.instances[spot.item].position) @ rotation
    along = wp.vec3(wp.vec3d(inward) @ rotation)
    ray = wp.mesh_query_ray(world.instances[spot.item].mesh, wp.vec3(local), nonzero(along), FAR)
    leave = start
    outward = -spot.toward_eye
    if ray.result:
        leave = start + inward * ray.t
        index = world.instances[spot.item].first_normal + 3 * ray.face
        normal = world.normals[index] * ray.u + world.normals[index + 1] * ray.v
        normal = wp.normalize(normal + world.normals[index + 2] * (1.0 - ray.u - ray.v))
        normal = wp.vec3(rotation @ wp.vec3d(normal))
        if wp.dot(normal, inward) > 0.0:
            normal = -normal
        outward = bent(inward, normal, spot.refractive_index)
        leave = leave + outward * 1.0e-3
    return leave, outward


@wp.func
def eye_light(
    world: World, look: Look, environment: int, hit: Hit, origin: wp.vec3d, direction: wp.vec3d, angle: float
):
    """Return the light along a camera ray (its surface, what that mirrors, what shows through it), and its texture.

    The texture is the factor of the surface's colour over its mean: filtered already, so no edge to look into.
    """
    root = world.roots[environment]
    total = wp.vec3(0.0, 0.0, 0.0)
    pattern = wp.vec3(1.0, 1.0, 1.0)
    first = Spot()
    reflected = wp.vec3(0.0, 0.0, 0.0)
    share = float(0.0)
    weight = wp.vec3(1.0, 1.0, 1.0)
    met = hit
    start = origin
    along = direction
    width = float(0.0)
    branches = int(3)
    branch = int(0)
    while branch < branches:
        if branch > 0:
            away = wp.vec3(0.0, 0.0, 0.0)
            place = first.position + first.face * 1.0e-3
            if branch == 1:
                weight = reflected * share
                away = 2.0 * wp.dot(first.normal, first.toward_eye) * first.normal - first.toward_eye
                leak = wp.dot(away, first.face)
                if leak < 0.01:
                    away = away + first.face * (0.01 - leak)
            else:
                clear = first.transmission * (1.0 - first.metallic)
                weight = wp.cw_mul(first.base, wp.vec3(1.0, 1.0, 1.0) - reflected) * clear
                if clear > 0.0:
                    place, away = through_glass(world, first)
            branch_weight = brightest(weight)
            if branch_weight < 0.005:
                branch += 1
                continue
            start = wp.vec3d(place)
            along = wp.vec3d(wp.normalize(away))
            met = closest_hit(world, root, start, along, FAR)
            width = angle * wp.length(first.position - wp.vec3(origin))
        if met.item < 0:
            if branch == 1:
                total += wp.cw_mul(weight, sky_radiance(look, environment, wp.vec3(along), 0.0))
            else:
                total += wp.cw_mul(weight, background(look, environment, wp.normalize(wp.vec3(along))))
        else:
            spot = find_spot(world, look, environment, met, start, along, width, angle, 0, weight)
            sky_share = float(1.0)
            if branch == 0:
                first = spot
                pattern = wp.lerp(pattern_factor(look, spot.item, spot.base), pattern, spot.fade)
                nv = wp.max(wp.dot(spot.normal, spot.toward_eye), 0.02)
                reflected = environment_reflectance(reflectance_at_normal(spot), spot.roughness, nv)
                share = traced_share(look, spot, reflected)
                sky_share = 1.0 - share
            total += wp.cw_mul(weight, radiance(world, look, environment, root, spot, sky_share))
        if branch == 0 and met.item < 0:
            branches = 1
        branch += 1
    return total, pattern

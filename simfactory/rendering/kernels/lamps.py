"""Light sources as paths meet them: a point of each is drawn, and mirrored rays may run into one."""

import warp as wp

from simfactory.rendering.kernels.draws import draw, draw_pair
from simfactory.rendering.kernels.lobes import cone_direction, disk_point, is_sharp, lobe_alpha, lobe_density
from simfactory.rendering.kernels.look import DISK, POINT, RECTANGLE, SUN, Look
from simfactory.rendering.kernels.options import OPTIONS
from simfactory.rendering.kernels.reflectance import fresnel, specular
from simfactory.rendering.kernels.shade import FAR, INVERSE_PI, light_passing, reflectance_at_normal
from simfactory.rendering.kernels.spots import Spot
from simfactory.rendering.kernels.world import World

__all__ = ["SHARP", "Beam", "balanced", "lamp_beam", "lamps_light", "lamps_met"]

wp.set_module_options(OPTIONS)

TWO_PI = wp.constant(6.2831853)
# Density of a ray that a sharp mirror sends its one way. It alone meets areas; suns, small as they are, are drawn.
SHARP = wp.constant(1.0e9)


@wp.struct
class Beam:
    """Light that arrives from a drawn point of a light source, were nothing in between."""

    toward: wp.vec3  # to the source: unit for a sun, else with the distance as its length
    unit: wp.vec3
    limit: wp.float32  # where the source is, in lengths of `toward`
    light: wp.vec3  # radiance over density: irradiance on a surface that faces it
    density: wp.float32  # of the direction [1/sr]; 0 = a point, which no ray meets by chance


@wp.func
def lamp_beam(look: Look, index: int, position: wp.vec3, u: wp.vec2):
    """Draw a point of a light source."""
    beam = Beam()
    kind = look.lights[index].kind
    beam.light = look.lights[index].color
    if kind == SUN:
        spread = look.lights[index].spread
        beam.unit = cone_direction(look.lights[index].place, spread, u)
        beam.toward = beam.unit
        beam.limit = FAR
        beam.density = 1.0 / (TWO_PI * wp.max(spread, 1.0e-7))
        return beam
    point = look.lights[index].place
    if kind == RECTANGLE:
        point = point + look.lights[index].across * (2.0 * u[0] - 1.0) + look.lights[index].upward * (2.0 * u[1] - 1.0)
    if kind == DISK:
        p = disk_point(u)
        point = point + look.lights[index].across * p[0] + look.lights[index].upward * p[1]
    beam.toward = point - position
    distance = wp.max(wp.length(beam.toward), 1.0e-3)
    beam.unit = beam.toward / distance
    beam.limit = 0.999
    beam.light = beam.light / (distance * distance)
    if kind != POINT:
        cosine = wp.max(-wp.dot(beam.unit, look.lights[index].facing), 0.0)
        beam.light = beam.light * (cosine * look.lights[index].area)
        beam.density = distance * distance / (wp.max(cosine, 1.0e-4) * look.lights[index].area)
    return beam


@wp.func
def balanced(own: float, other: float):
    """Return the share of a strategy of density `own` beside another one.

    Source: E. Veach, L. Guibas, "Optimally combining sampling techniques" (1995): the power heuristic.
    """
    ratio = other / wp.max(own, 1.0e-12)
    return 1.0 / (1.0 + ratio * ratio)


@wp.func
def scattered(look: Look, index: int, spot: Spot, f0: wp.vec3, mirror_share: float, beam: Beam):
    """Return the light of a beam that a spot sends to the eye, were nothing in between."""
    nl = wp.dot(spot.normal, beam.unit)
    if spot.skip < 0 and wp.dot(spot.face, beam.unit) <= 0.0:
        nl = 0.0
    if nl < 1.0e-4:
        return wp.vec3(0.0, 0.0, 0.0)
    diffuse = spot.base * ((1.0 - spot.metallic) * (1.0 - spot.transmission) * INVERSE_PI)
    nv = wp.max(wp.dot(spot.normal, spot.toward_eye), 0.02)
    middle = wp.normalize(beam.unit + spot.toward_eye)
    nh = wp.clamp(wp.dot(spot.normal, middle), 0.0, 1.0)
    f = fresnel(f0, wp.dot(middle, beam.unit))
    mirrored = f * specular(spot.roughness, nv, nl, nh)
    if beam.density > 0.0 and mirror_share > 0.0:
        if not is_sharp(spot.roughness):
            density = mirror_share * lobe_density(lobe_alpha(spot.roughness), nv, nh)
            mirrored = mirrored * balanced(beam.density, density)
        elif look.lights[index].kind != SUN:
            mirrored = wp.vec3(0.0, 0.0, 0.0)
    body = wp.cw_mul(diffuse, wp.vec3(1.0, 1.0, 1.0) - f)
    return wp.cw_mul(body + mirrored, beam.light) * nl


@wp.func
def arriving(world: World, look: Look, root: int, spot: Spot, beam: Beam, scattered_light: wp.vec3):
    """Return what of a beam's light reaches the eye by way of a spot past all that is in between; its light vector."""
    light = wp.vec3(0.0, 0.0, 0.0)
    vector = wp.vec3(0.0, 0.0, 0.0)
    if scattered_light[0] + scattered_light[1] + scattered_light[2] > 1.0e-6:
        light = scattered_light * light_passing(world, look, root, spot, beam.toward, beam.limit)
        across = wp.max(wp.dot(spot.normal, beam.unit), 1.0e-4)
        vector = beam.unit * ((light[0] + light[1] + light[2]) / across)
    return light, vector


@wp.func
def drawn_beam(
    look: Look,
    environment: int,
    spot: Spot,
    f0: wp.vec3,
    mirror_share: float,
    key: wp.uint32,
    sample: int,
    dimension: int,
):
    """Draw one light source by the light that each would give; returns its beam, and light that stands for all."""
    first = look.sceneries[environment].first_light
    chance = draw(look, key, sample, dimension)
    kept = Beam()
    kept_light = wp.vec3(0.0, 0.0, 0.0)
    kept_weight = float(0.0)
    together = float(0.0)
    for step in range(look.sceneries[environment].light_count):
        beam = lamp_beam(look, first + step, spot.position, draw_pair(look, key, sample, dimension + 1 + 2 * step))
        light = scattered(look, first + step, spot, f0, mirror_share, beam)
        weight = light[0] + light[1] + light[2]
        together += weight
        share = weight / wp.max(together, 1.0e-20)
        if weight > 0.0 and chance < share:
            kept = beam
            kept_light = light
            kept_weight = weight
            chance = chance / share
        else:
            chance = (chance - share) / wp.max(1.0 - share, 1.0e-6)
    return kept, kept_light * (together / wp.max(kept_weight, 1.0e-20))


@wp.func
def lamps_light(
    world: World,
    look: Look,
    environment: int,
    root: int,
    spot: Spot,
    mirror_share: float,
    one: int,
    key: wp.uint32,
    sample: int,
    dimension: int,
):
    """Return the light of all light sources that a spot sends to the eye, and its light vector.

    The light vector is the sum of the sources' directions, each weighed by what its light (the three channels' sum)
    would be on a surface that faces it: its product with a normal near the spot's is the light of a surface that
    faces that way.

    Two random numbers are used for each source, and one more.

    Args:
        world: All geometry.
        look: All looks.
        environment: Whose light sources.
        root: The environment's part of the tree.
        spot: The surface point.
        mirror_share: How often a mirrored ray will be drawn here that may meet the light sources by itself.
        one: Whether one source stands for all: drawn by the light that each would give, were nothing in between.
        key: Of the pixel's random numbers.
        sample: Number of the sample.
        dimension: First dimension of the random numbers.

    Sources: A. Gershun, "The light field" (1939), for the light vector; J. Talbot et al., "Importance resampling for
    global illumination" (2005), for `one`.
    """
    total = wp.vec3(0.0, 0.0, 0.0)
    vector = wp.vec3(0.0, 0.0, 0.0)
    f0 = reflectance_at_normal(spot)
    first = look.sceneries[environment].first_light
    count = look.sceneries[environment].light_count
    if one != 0:
        beam, light = drawn_beam(look, environment, spot, f0, mirror_share, key, sample, dimension)
        total, vector = arriving(world, look, root, spot, beam, light)
    else:
        for step in range(count):
            u = draw_pair(look, key, sample, dimension + 1 + 2 * step)
            beam = lamp_beam(look, first + step, spot.position, u)
            light = scattered(look, first + step, spot, f0, mirror_share, beam)
            seen, toward = arriving(world, look, root, spot, beam, light)
            total += seen
            vector += toward
    return total, vector


@wp.func
def lamps_met(look: Look, environment: int, start: wp.vec3, unit: wp.vec3, reach: float, density: float):
    """Return the light of the sources that a mirrored ray runs into before it has gone a distance."""
    total = wp.vec3(0.0, 0.0, 0.0)
    first = look.sceneries[environment].first_light
    for index in range(first, first + look.sceneries[environment].light_count):
        kind = look.lights[index].kind
        if kind == SUN:
            spread = wp.max(look.lights[index].spread, 1.0e-7)
            if density < SHARP and reach >= 0.5 * FAR and 1.0 - wp.dot(unit, look.lights[index].place) < spread:
                own = 1.0 / (TWO_PI * spread)
                total += look.lights[index].color * (own * balanced(density, own))
        elif kind != POINT:
            cosine = -wp.dot(unit, look.lights[index].facing)
            if cosine > 1.0e-4:
                offset = look.lights[index].place - start
                distance = -wp.dot(offset, look.lights[index].facing) / cosine
                at = unit * distance - offset
                across = look.lights[index].across
                upward = look.lights[index].upward
                x = wp.dot(at, across) / wp.dot(across, across)
                y = wp.dot(at, upward) / wp.dot(upward, upward)
                inside = wp.abs(x) < 1.0 and wp.abs(y) < 1.0
                if kind == DISK:
                    inside = x * x + y * y < 1.0
                if inside and distance > 0.0 and distance < reach:
                    own = distance * distance / (cosine * look.lights[index].area)
                    total += look.lights[index].color * balanced(density, own)
    return total

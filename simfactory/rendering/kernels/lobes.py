"""Directions drawn from what surfaces scatter and lights send: cosine, visible GGX normals, cones."""

import warp as wp

from simfactory.rendering.kernels.options import OPTIONS

__all__ = [
    "cone_direction",
    "cosine_direction",
    "disk_point",
    "is_sharp",
    "lobe_alpha",
    "lobe_density",
    "masking_ratio",
    "visible_normal",
]

wp.set_module_options(OPTIONS)

TWO_PI = wp.constant(6.2831853)
PI = wp.constant(3.14159265)


@wp.func
def frame_of(normal: wp.vec3):
    """Return a rotation whose third column is a unit vector.

    Source: T. Duff et al., "Building an orthonormal basis, revisited", J. Computer Graphics Techniques (2017).
    """
    side = float(1.0)
    if normal[2] < 0.0:
        side = -1.0
    a = -1.0 / (side + normal[2])
    b = normal[0] * normal[1] * a
    x = wp.vec3(1.0 + side * normal[0] * normal[0] * a, side * b, -side * normal[0])
    y = wp.vec3(b, side + normal[1] * normal[1] * a, -normal[1])
    return wp.matrix_from_cols(x, y, normal)


@wp.func
def disk_point(u: wp.vec2):
    """Return a point of the unit disk, uniform."""
    radius = wp.sqrt(u[0])
    return wp.vec2(radius * wp.cos(TWO_PI * u[1]), radius * wp.sin(TWO_PI * u[1]))


@wp.func
def cosine_direction(normal: wp.vec3, u: wp.vec2):
    """Return a unit direction about a normal, by cosine."""
    p = disk_point(u)
    local = wp.vec3(p[0], p[1], wp.sqrt(wp.max(1.0 - u[0], 0.0)))
    return wp.normalize(frame_of(normal) @ local)


@wp.func
def cone_direction(axis: wp.vec3, spread: float, u: wp.vec2):
    """Return a unit direction of a cone, uniform; `spread` is 1 - cos of its half angle."""
    away = u[0] * spread
    ring = wp.sqrt(wp.max(away * (2.0 - away), 0.0))
    local = wp.vec3(ring * wp.cos(TWO_PI * u[1]), ring * wp.sin(TWO_PI * u[1]), 1.0 - away)
    return wp.normalize(frame_of(axis) @ local)


@wp.func
def lobe_alpha(roughness: float):
    """Return the GGX width of a roughness; the floor is that of `specular`."""
    return wp.max(roughness * roughness, 0.006)


@wp.func
def is_sharp(roughness: float):
    """Return whether a surface mirrors like glass: its lobe is narrower than the floor of `lobe_alpha`."""
    return roughness * roughness < 0.006


@wp.func
def visible_normal(normal: wp.vec3, toward_eye: wp.vec3, alpha: float, u: wp.vec2):
    """Return a microfacet normal, drawn from those that the eye sees.

    Source: E. Heitz, "Sampling the GGX distribution of visible normals", J. Computer Graphics Techniques (2018).
    """
    frame = frame_of(normal)
    eye = wp.transpose(frame) @ toward_eye
    stretched = wp.normalize(wp.vec3(alpha * eye[0], alpha * eye[1], wp.max(eye[2], 1.0e-4)))
    across = wp.vec3(1.0, 0.0, 0.0)
    length = wp.sqrt(stretched[0] * stretched[0] + stretched[1] * stretched[1])
    if length > 1.0e-6:
        across = wp.vec3(-stretched[1] / length, stretched[0] / length, 0.0)
    other = wp.cross(stretched, across)
    p = disk_point(u)
    half = 0.5 * (1.0 + stretched[2])
    bent = (1.0 - half) * wp.sqrt(wp.max(1.0 - p[0] * p[0], 0.0)) + half * p[1]
    up = wp.sqrt(wp.max(1.0 - p[0] * p[0] - bent * bent, 0.0))
    local = across * p[0] + other * bent + stretched * up
    facet = wp.normalize(wp.vec3(alpha * local[0], alpha * local[1], wp.max(local[2], 1.0e-6)))
    return wp.normalize(frame @ facet)


@wp.func
def smith_lambda(alpha: float, cosine: float):
    """Return Smith's auxiliary function of GGX.

    Source: E. Heitz, "Understanding the masking-shadowing function in microfacet-based BRDFs" (2014).
    """
    c2 = wp.max(cosine * cosine, 1.0e-8)
    return 0.5 * (wp.sqrt(1.0 + alpha * alpha * (1.0 - c2) / c2) - 1.0)


@wp.func
def masking_ratio(alpha: float, nv: float, nl: float):
    """Return joint masking and shadowing over masking: the weight of a direction mirrored at a visible normal."""
    seen = smith_lambda(alpha, nv)
    return (1.0 + seen) / (1.0 + seen + smith_lambda(alpha, nl))


@wp.func
def lobe_density(alpha: float, nv: float, nh: float):
    """Return the density of directions mirrored at visible normals [1/sr]."""
    a2 = alpha * alpha
    width = nh * nh * (a2 - 1.0) + 1.0
    return a2 / (PI * width * width) / ((1.0 + smith_lambda(alpha, nv)) * 4.0 * wp.max(nv, 1.0e-4))

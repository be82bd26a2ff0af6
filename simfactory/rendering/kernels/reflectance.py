"""How surfaces reflect: the metallic-roughness model."""

import warp as wp

from simfactory.rendering.kernels.options import OPTIONS

__all__ = ["environment_reflectance", "fresnel", "specular"]

wp.set_module_options(OPTIONS)

PI = wp.constant(3.14159265)


@wp.func
def fresnel(f0: wp.vec3, cosine: float):
    """Return the reflectance at an angle.

    Source: C. Schlick, "An inexpensive BRDF model for physically-based rendering" (1994).
    """
    m = wp.clamp(1.0 - cosine, 0.0, 1.0)
    m2 = m * m
    return f0 + (wp.vec3(1.0, 1.0, 1.0) - f0) * (m2 * m2 * m)


@wp.func
def specular(roughness: float, nv: float, nl: float, nh: float):
    """Return the GGX distribution times the height-correlated Smith visibility, without Fresnel [1/sr].

    Source: B. Walter et al., "Microfacet models for refraction through rough surfaces" (2007); E. Heitz,
    "Understanding the masking-shadowing function in microfacet-based BRDFs" (2014).
    """
    # A floor on the width: the sun and lamps are not points, and pixels are not either.
    alpha = wp.max(roughness * roughness, 0.006)
    a2 = alpha * alpha
    width = nh * nh * (a2 - 1.0) + 1.0
    distribution = a2 / (PI * width * width)
    masking = nl * wp.sqrt(nv * nv * (1.0 - a2) + a2) + nv * wp.sqrt(nl * nl * (1.0 - a2) + a2)
    return distribution * 0.5 / wp.max(masking, 1.0e-5)


@wp.func
def environment_reflectance(f0: wp.vec3, roughness: float, nv: float):
    """Return the directional albedo of the specular lobe.

    Source: B. Karis, "Physically based shading on mobile" (2014), after D. Lazarov (2013).
    """
    x = 1.0 - roughness
    y = 0.0425 - 0.0275 * roughness
    bend = wp.min(x * x, wp.pow(2.0, -9.28 * nv)) * x + y
    scale = -1.04 * bend + 1.04 - 0.572 * roughness
    bias = 1.04 * bend - 0.04 + 0.022 * roughness
    return f0 * scale + wp.vec3(bias, bias, bias)

def with_meshes(spec, meshes):
    return spec

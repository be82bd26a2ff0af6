"""User meshes by digest: a content-addressed folder that any machine can fill.

Beside `DIGEST.obj` (the file as given; or stl, ply, glb) lie `DIGEST.json` (its record: licence, source, size, what was
repaired), `DIGEST.mesh-2.npz` (the mesh as parsed and repaired) and `DIGEST.parts-….npz` (its convex parts). Only the
first is needed: the others are made again from it, the record without a licence. The package's own meshes lie in its
data the same way.
"""

from simfactory.assets.convex import convex_parts
from simfactory.assets.folder import add_mesh, load_mesh, load_texture_coordinates
from simfactory.assets.images import EDGE_MAX, Pixels, declared_size, decoded, read_image
from simfactory.assets.record import AssetRecord, asset_root, list_records, load_record, shipped_meshes
from simfactory.assets.vault import keep_arrays, kept_arrays

__all__ = [
    "EDGE_MAX",
    "AssetRecord",
    "Pixels",
    "add_mesh",
    "asset_root",
    "convex_parts",
    "declared_size",
    "decoded",
    "keep_arrays",
    "kept_arrays",
    "list_records",
    "load_mesh",
    "load_record",
    "load_texture_coordinates",
    "read_image",
    "shipped_meshes",
]

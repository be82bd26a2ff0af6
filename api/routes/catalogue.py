"""`/v1/scenes`, `/v1/layouts`, `/v1/assets`: what jobs can name."""

import inspect
import time
from pathlib import Path
from typing import Annotated

from fastapi import APIRouter, Depends, File, Form, UploadFile
from sqlalchemy import select

from api.database import new_id, note
from api.routes.dependencies import Stored
from api.security import needs
from api.tables import AssetSetRow
from api.uploads import add_upload
from simfactory.protocol import AssetSet, Scene

__all__ = ["router"]

router = APIRouter(prefix="/v1")
READ = [Depends(needs("read"))]
FILES_MAX = 100
PLAIN = r"^[^\x00-\x1f]{0,200}$"


@router.get("/scenes", tags=["scenes"], dependencies=READ)
def scenes() -> list[Scene]:
    """List the base scenes."""
    from scenes.listing import benchmark_catalogue, catalogue  # see api.app

    return [
        Scene(
            name=entry.name,
            category=entry.category,
            tiers=[*entry.tiers],
            split=entry.split,
            description=entry.description,
            phenomena=[*entry.phenomena],
        )
        for entry in (*catalogue(), *benchmark_catalogue())
    ]


@router.get("/layouts", tags=["layouts"], dependencies=READ)
def layout_list() -> list[dict[str, str]]:
    """List placements, camera rigs and lights."""
    import layouts.cameras  # see api.app
    import layouts.lights
    import layouts.placements

    found = []
    for kind, package in (("placement", layouts.placements), ("camera", layouts.cameras), ("light", layouts.lights)):
        files = sorted(Path(str(package.__file__)).parent.glob("*.py"))
        named = [file for file in files if file.stem not in ("__init__", "base")]
        found += [{"name": file.stem, "kind": kind, "description": _first_line(file)} for file in named]
    return found


@router.post("/assets", status_code=201, responses={507: {}}, tags=["assets"], dependencies=[Depends(needs("submit"))])
def upload(
    files: Annotated[list[UploadFile], File(min_length=1, max_length=FILES_MAX)],
    database: Stored,
    name: Annotated[str, Form(pattern=PLAIN)] = "",
    licence: Annotated[str | None, Form(pattern=PLAIN)] = None,
    source: Annotated[str | None, Form(pattern=PLAIN)] = None,
) -> AssetSet:
    """Take meshes (.obj, .stl, .ply, .glb); each is read by a limited process and kept by its digest."""
    records = [add_upload(file.file, file.filename or "", licence=licence, source=source) for file in files]
    meshes = [record.model_dump(mode="json") for record in records]
    with database.writing() as session:
        row = AssetSetRow(id=new_id("a"), name=name, created=time.time(), meshes=meshes)
        session.add(row)
        note(session, "assets", None, id=row.id, meshes=len(meshes))
    return AssetSet(id=row.id, name=row.name, created=row.created, meshes=row.meshes)


@router.get("/assets", tags=["assets"], dependencies=READ)
def asset_sets(database: Stored) -> list[AssetSet]:
    """List the uploaded asset sets, newest first."""
    with database.reading() as session:
        rows = session.scalars(select(AssetSetRow).order_by(AssetSetRow.created.desc()).limit(1000)).all()
        return [AssetSet(id=row.id, name=row.name, created=row.created, meshes=row.meshes) for row in rows]


def _first_line(module: Path) -> str:
    text = module.read_text().lstrip()
    return inspect.cleandoc(text.split('"""')[1]).splitlines()[0] if text.startswith('"""') else ""

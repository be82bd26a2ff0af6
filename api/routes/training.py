"""`/v1/training/runs`: how trainings go."""

from typing import Annotated, Any, cast

from fastapi import APIRouter, Depends, Path, Query, Request
from fastapi.responses import Response

from api.paging import Cursor, Limit, as_json, with_etag
from api.routes.dependencies import NOT_MODIFIED, Secret
from api.security import needs
from api.training_runs import Runs, TrainingMetrics, TrainingPicture, TrainingRun, TrainingRunPage
from simfactory.protocol import ApiModel

__all__ = ["RunName", "Trained", "router"]

router = APIRouter(prefix="/v1/training/runs", tags=["training"])
READ = [Depends(needs("read"))]
PICTURE: dict[int | str, dict[str, Any]] = {  # Any: OpenAPI
    200: {"content": {"image/png": {"schema": {"type": "string", "format": "binary"}}}}
}


def _runs(request: Request) -> Runs:
    return cast(Runs, request.app.state.runs)


Trained = Annotated[Runs, Depends(_runs)]
RunName = Annotated[str, Path(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]{0,127}$")]
File = Annotated[str, Path(pattern=r"^[a-z0-9][a-z0-9_.-]{0,79}-[0-9]{9,16}\.png$")]
Since = Annotated[str | None, Query(pattern=r"^[0-9]{1,20}-[0-9]{1,15}$", description="`next` of an earlier answer")]


class TrainingRunDetail(ApiModel):
    """A run and its newest pictures."""

    run: TrainingRun
    pictures: list[TrainingPicture]


@router.get("", dependencies=READ, response_model=TrainingRunPage)
def listed(runs: Trained, secret: Secret, cursor: Cursor = None, limit: Limit = 50) -> Response:
    """List training runs; who told something last comes first."""
    return as_json(runs.page(secret, cursor=cursor, limit=limit))


@router.get("/{name}", dependencies=READ, response_model=TrainingRunDetail, responses=NOT_MODIFIED)
def one(name: RunName, request: Request, runs: Trained) -> Response:
    """Tell how a training goes."""
    return with_etag(request, TrainingRunDetail(run=runs.find(name), pictures=runs.pictures(name)))


@router.get("/{name}/metrics", dependencies=READ, response_model=TrainingMetrics)
def metrics(name: RunName, runs: Trained, since: Since = None) -> Response:
    """Send the curves of a training, thinned so that every peak is kept; or what is new since an earlier answer."""
    return as_json(runs.metrics(name, since))


@router.get("/{name}/images/{file}", dependencies=READ, response_class=Response, responses=PICTURE)
def picture(name: RunName, file: File, runs: Trained) -> Response:
    """Send a picture that a training kept."""
    headers = {"cache-control": "private, max-age=60"}
    return Response(runs.picture(name, file), media_type="image/png", headers=headers)

"""`/healthz`, `/readyz`, `/metrics`."""

from fastapi import APIRouter, Depends, Request
from fastapi.responses import JSONResponse, PlainTextResponse, Response

from api.metrics import metrics_text
from api.routes.dependencies import Controlled, Stored
from api.security import needs
from simfactory.protocol import Health
from simfactory.queue import AWAY

__all__ = ["router"]

router = APIRouter(tags=["health"])


@router.get("/healthz", response_model=Health)
def alive() -> Health:
    """Tell that the service runs."""
    return Health(status="ok", parts={"api": "ok"})


@router.get("/readyz", response_model=Health, responses={503: {"model": Health}})
def ready(request: Request, database: Stored, control: Controlled) -> Response:
    """Tell whether all parts work: 200 or 503."""
    parts = {"database": "ok", "queue": "ok", "workers": "ok"}
    try:
        database.is_there()
    except Exception as error:  # noqa: BLE001  # whatever a database's driver raises is a part that does not work
        parts["database"] = f"{type(error).__name__}: {error}"
    try:
        control.queue.connection.ping()
        parts["workers"] = f"{len(control.queue.workers())} registered"
    except AWAY as error:
        parts["queue"] = f"{type(error).__name__}: {error}"
    parts.update(control.health)
    wrong = parts["database"] != "ok" or parts["queue"] != "ok"
    health = Health(status="degraded" if wrong or control.health else "ok", parts=parts)
    return JSONResponse(health.model_dump(), status_code=503 if wrong else 200)


@router.get("/metrics", response_class=PlainTextResponse, dependencies=[Depends(needs("read"))])
def metrics(database: Stored, control: Controlled) -> Response:
    """Tell the figures that Prometheus reads."""
    return PlainTextResponse(metrics_text(database, control), media_type="text/plain; version=0.0.4; charset=utf-8")

"""`/v1/workers`: who works on what; and draining one."""

from typing import Annotated

from fastapi import APIRouter, Depends, Path

from api.problems import ProblemError
from api.routes.dependencies import Controlled
from api.security import needs
from simfactory.protocol import Worker

__all__ = ["router"]

router = APIRouter(prefix="/v1/workers", tags=["workers"])
Name = Annotated[str, Path(pattern=r"^[A-Za-z0-9_.-]{1,200}$")]


@router.get("", dependencies=[Depends(needs("read"))])
def listed(control: Controlled) -> list[Worker]:
    """List the workers that report."""
    control.queue.connection.ping()  # while the queue's server is away nobody knows: that is no empty list
    return control.workers()


@router.post("/{name}:drain", dependencies=[Depends(needs("admin"))])
def drain(name: Name, control: Controlled) -> Worker:
    """Have a worker finish what it has and take nothing more."""
    control.queue.connection.ping()
    found = [worker for worker in control.workers() if worker.name == name]
    if not found:
        raise ProblemError(404, f"there is no worker {name!r}; GET /v1/workers lists them")
    control.queue.drain(name)
    return found[0]

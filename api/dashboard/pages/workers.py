"""`/workers`: who works, on what, and how its slots are used; and draining one."""

import time
from typing import Annotated

from fastapi import APIRouter, Depends, Path, Request
from fastapi.responses import RedirectResponse, Response

from api.dashboard.access import Viewer, sender
from api.dashboard.templating import page
from api.problems import ProblemError
from api.routes.dependencies import Controlled
from api.telemetry import slot_states

__all__ = ["router"]

router = APIRouter(include_in_schema=False)
Name = Annotated[str, Path(pattern=r"^[A-Za-z0-9_.-]{1,200}$")]
TONES = {"working": "good", "preparing": "info", "starting": "info", "draining": "warn"}
LATE_LEASES, LATE_SECONDS = 0.5, 5.0  # of a lease, and at least, after which a silent worker is marked


@router.get("/workers")
def workers(request: Request, viewer: Viewer, control: Controlled) -> Response:
    """Show all workers that report."""
    control.view.watch()
    now, lease = time.time(), request.app.state.settings.lease
    found = control.view.workers()
    return page(
        request,
        "workers.html",
        title="Workers",
        workers=[(worker, slot_states([worker]), max(now - worker.beat, 0.0)) for worker in found],
        tones=TONES,
        late=max(LATE_LEASES * lease, LATE_SECONDS),
        slots=sum(worker.environments for worker in found),
    )


@router.post("/workers/{name}/drain", dependencies=[Depends(sender("admin"))])
def drain(name: Name, control: Controlled) -> Response:
    """Have a worker finish what it has and take nothing more."""
    if name not in {worker.name for worker in control.workers()}:
        raise ProblemError(404, f"there is no worker {name!r} (any more)")
    control.queue.drain(name)
    return RedirectResponse("/workers", status_code=303)

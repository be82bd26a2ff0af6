"""`/jobs/new`: the form of a job, whose fields are those of the schema; `/jobs/{id}` comes after it."""

import re
import secrets
import time
from collections.abc import Callable
from typing import Annotated

from fastapi import APIRouter, Depends, Request
from fastapi.responses import RedirectResponse, Response
from pydantic import ValidationError
from starlette.datastructures import FormData

from api.dashboard.access import Viewer, sender
from api.dashboard.fields import Entered, entered_of, read_request
from api.dashboard.job_fields import job_form
from api.dashboard.templating import page
from api.problems import ProblemError, RequestError, printable
from api.routes.dependencies import Controlled, Stored, Tuned
from api.submission import Taken, estimate_of, take
from simfactory.errors import SimfactoryError
from simfactory.protocol import Estimate, JobRequest, ProblemItem

__all__ = ["router"]

router = APIRouter()
WAIT_SECONDS = 30.0  # for the answer to a form that was sent twice
KEY = re.compile(r"[\w-]{8,64}", re.ASCII)


async def _sent(request: Request) -> FormData:
    return await request.form()


Sent = Annotated[FormData, Depends(_sent)]


@router.get("/jobs/new")
def show(request: Request, scopes: Viewer, database: Stored) -> Response:
    """Show the form, filled in with what stands in the address; to those who may send it."""
    if "submit" not in scopes:
        raise ProblemError(403, "this token allows to look; to submit jobs takes one with the scope `submit`")
    given = {name: request.query_params.getlist(name) for name in request.query_params}
    return _page(request, database, entered_of(JobRequest, given), [])


@router.post("/jobs/new", dependencies=[Depends(sender("submit"))])
def send(request: Request, form: Sent, database: Stored, control: Controlled, settings: Tuned) -> Response:
    """Check a request, or take it as a job; what is wrong is shown beside what was typed."""
    given = {name: [text for text in form.getlist(name) if isinstance(text, str)] for name in form}
    entered = entered_of(JobRequest, given)
    key = next(filter(KEY.fullmatch, given.get("key", [])), None)
    found, problems = read_request(JobRequest, entered)
    try:
        body = JobRequest.model_validate(found)
    except ValidationError as error:
        problems += [
            ProblemItem(pointer="/" + "/".join(map(str, each["loc"])), detail=printable(str(each["msg"])))
            for each in error.errors()
        ]
        body = None
    if body is None or problems:
        return _page(request, database, entered, problems, key=key)
    try:
        if given.get("action") == ["check"]:
            return _page(request, database, entered, [], key=key, estimate=estimate_of(database, control, body))
        taken = _taken_once(lambda: take(database, control, settings, body, key))
    except RequestError as error:
        return _page(request, database, entered, error.errors, key=key)
    except (ProblemError, SimfactoryError) as error:
        status = error.status if isinstance(error, ProblemError) else 422
        return _page(request, database, entered, [], message=str(error), status=status)
    return RedirectResponse(f"/jobs/{taken.location.rpartition('/')[2]}", status_code=303)


def _taken_once(send: Callable[[], Taken]) -> Taken:
    """Return the job of a form; of one that was sent twice at once, the job of the first."""
    deadline = time.monotonic() + WAIT_SECONDS
    while True:
        try:
            return send()
        except ProblemError as error:
            if "retry-after" not in error.headers or time.monotonic() > deadline:
                raise
            time.sleep(0.2)


def _page(
    request: Request,
    database: Stored,
    entered: Entered,
    problems: list[ProblemItem],
    *,
    key: str | None = None,
    estimate: Estimate | None = None,
    message: str = "",
    status: int | None = None,
) -> Response:
    return page(
        request,
        "job_form.html",
        title="New job",
        status=status or (422 if problems else 200),
        form=job_form(database, entered, problems),
        key=key or secrets.token_urlsafe(16),
        estimate=estimate,
        message=message,
    )

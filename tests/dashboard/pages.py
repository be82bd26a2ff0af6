"""All pages of the dashboard, found from the application's routes, with something on each of them."""

import re
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from fastapi.routing import APIRoute
from playwright.sync_api import Page

from api.dashboard import routers
from api.testing.factory import Factory, small_job
from simfactory.runs import RunLog
from tests.runs.descent import new_descent

# Where the first part of a path says what its parameter is.
PARAMETER = re.compile(r"/([a-z]+)/\{[a-z_]+\}")


@dataclass(frozen=True)
class Filled:
    """A service that has made something.

    Attributes:
        service: The service.
        examples: First part of a path → what there is to show of this kind.
    """

    service: Factory
    examples: Mapping[str, str]

    def path(self, template: str) -> str:
        """Return the path of a page with something to show."""
        return PARAMETER.sub(lambda found: f"/{found[1]}/{self.examples[found[1]]}", template)


def templates(method: str = "GET") -> list[str]:
    """Return the paths of all pages, as the application has them; of another method, of all forms' actions."""
    routes = [route for router in routers() for route in router.routes if isinstance(route, APIRoute)]
    return sorted({route.path for route in routes if method in route.methods})


def fill(service: Factory) -> Iterator[Filled]:
    """Make clips, a frozen version and a training run, and a job that waits for ever."""
    job = service.submit(
        {
            **small_job(2, dataset="audit"),
            "name": "Falling balls",
            "tags": ["audit"],
            "frames": 6,
            "size": [64, 64],
            "modalities": ["rgb", "depth", "flow_forward", "instance", "points", "tracks", "bodies", "contacts"],
        }
    )
    service.until_done(job)
    service.call("/v1/datasets/audit/versions", {}, method="POST")
    waiting = service.submit(small_job(100_000, dataset="audit", name="A long one", max_workers=1))
    service.call(f"/v1/jobs/{waiting}:pause", {}, method="POST")
    descent = new_descent()
    with RunLog(service.folder / "runs" / "audit", kind="sft", config={"rate": 0.5}, steps=100) as log:
        for step in range(1, 101):
            log.write(step, descent.step())
    clip = service.clips(job)[0]["id"]
    yield Filled(
        service,
        {
            "jobs": job,
            "clips": clip,
            "datasets": "audit",
            "scenes": "free_drop",
            "training": "audit",
            "workers": "none",
        },
    )
    service.call(f"/v1/jobs/{waiting}:cancel", {}, method="POST")


def wait_until(page: Page, expression: str, *, arg: object = None, timeout: float = 30_000.0) -> None:
    """Wait until an expression is true in a page; Playwright asks by `eval`, which the policy of pages forbids."""
    end = time.monotonic() + timeout / 1000.0
    while not page.evaluate(expression, arg):
        if time.monotonic() > end:
            raise TimeoutError(f"{expression} is not true after {timeout / 1000.0:g} s")
        page.wait_for_timeout(50.0)

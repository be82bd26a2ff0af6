"""A small service on loopback that follows the contract, keeps jobs in memory, and fails as it is told."""

import asyncio
import json
import socket
import threading
import time
from contextlib import contextmanager
from dataclasses import dataclass, field

import uvicorn
from fastapi import FastAPI, Header, Request, UploadFile
from fastapi.responses import FileResponse, JSONResponse, Response, StreamingResponse

from simfactory.catalog import read_table
from simfactory.protocol import Clip, JobRequest
from simfactory.store import read_record

TOKEN = "secret-of-the-tests"
WORKER = {
    "name": "w1", "state": "working", "host": "here", "pid": 7, "version": "0.1.0", "backends": ["newton"],
    "device": "cpu", "environments": 4, "slots": [{"slot": 0, "stage": "simulate"}], "shards": ["s1"], "jobs": ["j1"],
    "clips": 12, "frames": 576, "since": 1.0, "beat": 2.0, "memory_bytes": 2_000_000_000,
}  # fmt: skip
ESTIMATE = {
    "clips": 20, "episodes": 4, "frames": 960, "bytes": 139_000_000, "cpu_hours": 0.5, "gpu_hours": 0.1, "workers": 2,
    "eta_seconds": 900.0, "gpus_for_a_week": 1, "basis": "shipped", "gpu_basis": "assumed",
    "parts": [
        {"category": "cloth", "episodes": 4, "clips": 20, "frames": 960, "bytes": 139_000_000, "seconds": 1800.0},
    ],
}  # fmt: skip


@dataclass
class Fault:
    """What happens to a request instead of, or besides, what should."""

    status: int = 0  # answered so, undone
    headers: dict = field(default_factory=dict)
    lost: bool = False  # done, but the connection is closed without the answer
    cut: int | None = None  # the answer ends after so many bytes
    spoilt: bool = False  # the answer's last byte is another


class Service:
    """What the service knows, and what it was asked."""

    def __init__(self, data):
        self.data = data  # folder of the datasets
        self.url = ""
        self.jobs, self.keys, self.events, self.assets = {}, {}, [], []
        self.steps = [{"clips_done": 20, "state": "completed"}]  # what a job is like each time it is looked at
        self.failures = []
        self.seen = []  # (method, path with query, headers)
        self.faults = []  # (method, part of the path, fault)
        self.events_per_connection = None
        self.has_events = True
        self.closing = False
        self.versions = 0

    def fail(self, method, path, *faults):
        self.faults += [(method, path, fault) for fault in faults]

    def taken_fault(self, method, path):
        for number, (its, part, fault) in enumerate(self.faults):
            if its == method and part in path:
                del self.faults[number]
                return fault
        return None

    def asked(self, method, path):
        return [headers for its, where, headers in self.seen if its == method and path in where]

    def add_job(self, request):
        number = len(self.jobs) + 1
        wanted = sum(item.clips for item in request.items) or 20
        self.jobs[f"j{number}"] = {
            "id": f"j{number}", "state": "running", "reason": "", "created": 100.0 + number, "finished": None,
            "request": request.model_dump(mode="json"), "steps": [dict(step) for step in self.steps],
            "progress": {
                "clips_wanted": wanted, "clips_done": 0, "frames": 48, "bytes": 7_000_000, "replaced": 3,
                "reasons": {"diverged": 2, "camera_inside": 1}, "failed": 0, "in_flight": 1, "clips_per_hour": 120.0,
                "eta_seconds": 600.0, "eta_interval": [540.0, 700.0],
            },
        }  # fmt: skip
        return self.jobs[f"j{number}"]

    def look(self, job):
        """Return a job and let it go on by a step."""
        if job["steps"]:
            for name, value in job["steps"].pop(0).items():
                (job if name in job else job["progress"])[name] = value
            if job["state"] in ("completed", "failed", "cancelled"):
                job["finished"] = job["created"] + 65.0
            self.note("progress", job["id"])
        return told(job)

    def note(self, kind, job=None):
        self.events.append({"id": len(self.events) + 1, "at": time.time(), "kind": kind, "job": job, "data": {}})

    def clips(self, dataset=None, **wanted):
        """Return the rows of all datasets."""
        found = []
        for folder in sorted(path for path in self.data.iterdir() if dataset in (None, path.name)):
            for row in read_table(folder).to_pylist():
                clip = {
                    "id": row["clip_id"], "dataset": folder.name, "job": "j1", "rig": "ring", "caption": "A clip.",
                    "committed": 1000.0,
                    **{name: row[name] for name in Clip.model_fields if name in row}, "preset": "draft",
                }  # fmt: skip
                if all(value in (None, clip[name]) for name, value in wanted.items()):
                    found.append(clip)
        return found


def told(job):
    return {name: value for name, value in job.items() if name != "steps"}


def problem(status, detail, errors=(), headers=None):
    body = {"type": "about:blank", "title": "Oh", "status": status, "detail": detail, "errors": list(errors)}
    return JSONResponse(body, status, headers, "application/problem+json")


def page(items, cursor, limit):
    start = int(cursor or 0)
    more = str(start + limit) if start + limit < len(items) else None
    return {"items": items[start : start + limit], "next": more}


def build(service):
    app = FastAPI()
    _job_routes(app, service)
    _data_routes(app, service)

    @app.get("/v1/workers")
    def workers():
        return [WORKER]

    @app.post("/v1/workers/{name}:drain", status_code=204)
    def drain(name: str):
        return Response(status_code=204)

    @app.post("/v1/assets", status_code=201)
    async def add_assets(request: Request):
        form = await request.form()
        files = [
            entry for entry in form.getlist("files") if isinstance(entry, UploadFile) or hasattr(entry, "filename")
        ]
        meshes = [{"name": file.filename, "bytes": len(await file.read())} for file in files]
        kept = {"id": "a1", "name": form["name"], "created": 1.0, "meshes": meshes}
        service.assets.append(kept | {"unit": form.get("unit"), "licence": form.get("licence")})
        await form.close()
        return kept

    @app.get("/v1/assets")
    def assets():
        return [{name: one[name] for name in ("id", "name", "created", "meshes")} for one in service.assets]

    @app.get("/v1/scenes")
    def scenes():
        return [
            {"name": "drop", "category": "rigid", "tiers": [], "split": "train", "description": "", "phenomena": []}
        ]

    @app.get("/v1/layouts")
    def layouts():
        return [{"name": "ring", "kind": "camera", "description": "Stands."}]

    @app.get("/healthz")
    def health():
        return {"status": "ok", "parts": {"queue": "ok"}}

    @app.get("/readyz")
    def ready():
        return JSONResponse({"status": "degraded", "parts": {"queue": "is away"}}, 503)

    @app.get("/v1/events")
    async def events(request: Request, job: str | None = None):
        if not service.has_events:
            return problem(404, "there are no events")
        last = int(request.headers.get("last-event-id", 0))
        return StreamingResponse(_sent(service, job, last), media_type="text/event-stream")

    return app


async def _sent(service, job, last):
    count = 0
    yield ": hello\r\n\r\n"
    while not service.closing:
        for event in service.events[last:]:
            last = event["id"]
            if job in (None, event["job"]):
                yield f"id: {last}\r\nevent: {event['kind']}\r\ndata: {json.dumps(event)}\r\n\r\n"
                count += 1
                if count == service.events_per_connection:
                    return
        await asyncio.sleep(0.02)


def _job_routes(app, service):
    @app.post("/v1/jobs")
    def submit(body: JobRequest, dry_run: bool = False, idempotency_key: str | None = Header(None)):
        if any(item.category == "clothe" for item in body.items):
            errors = [{"pointer": "/items/0/category", "detail": "'clothe' is unknown; did you mean 'cloth'?"}]
            return problem(422, "the request cannot be fulfilled", errors)
        if dry_run:
            return ESTIMATE
        if idempotency_key not in service.keys:
            service.keys[idempotency_key] = service.add_job(body)
        job = service.keys[idempotency_key]
        return JSONResponse(told(job), 202, {"Location": f"/v1/jobs/{job['id']}"})

    @app.get("/v1/jobs")
    def jobs(state: str | None = None, tag: str | None = None, dataset: str | None = None, cursor: str | None = None,
             limit: int = 2):  # fmt: skip
        found = [
            told(job)
            for job in reversed(service.jobs.values())
            if state in (None, job["state"]) and (tag is None or tag in job["request"]["tags"])
            and dataset in (None, job["request"]["dataset"])
        ]  # fmt: skip
        return page(found, cursor, limit)

    @app.get("/v1/jobs/{job}")
    def one(job: str):
        if job not in service.jobs:
            return problem(404, f"there is no job {job!r}")
        return service.look(service.jobs[job])

    @app.post("/v1/jobs/{job}:{action}")
    def act(job: str, action: str):
        states = {"cancel": "cancelled", "pause": "paused", "resume": "running", "retry": "running"}
        service.jobs[job]["state"] = states[action]
        return told(service.jobs[job])

    @app.get("/v1/jobs/{job}/clips")
    def clips(job: str, cursor: str | None = None, limit: int = 100):
        return page(service.clips(job=job), cursor, min(limit, 2))

    @app.get("/v1/jobs/{job}/failures")
    def failures(job: str):
        return service.failures


def _data_routes(app, service):
    def described(folder):
        rows = service.clips(dataset=folder.name)
        size = sum(row["bytes"] for row in rows)
        return {
            "name": folder.name, "profile": "portable", "created": 1.0, "clips": len(rows), "frames": 1, "bytes": size,
            "categories": {}, "splits": {}, "versions": [],
        }  # fmt: skip

    @app.get("/v1/clips")
    def clips(request: Request, cursor: str | None = None, limit: int = 100):
        names = ("dataset", "category", "scene", "tier", "split", "job")
        wanted = {name: request.query_params.get(name) for name in names}
        return page(service.clips(**wanted), cursor, min(limit, 2))

    @app.get("/v1/clips/{clip}")
    def clip(clip: str):
        found = [row for row in service.clips() if row["id"] == clip]
        return found[0] if found else problem(404, f"there is no clip {clip!r}")

    def record(clip):
        (row,) = [row for row in service.clips() if row["id"] == clip]
        return row["dataset"], read_record(service.data / row["dataset"], clip)

    @app.get("/v1/clips/{clip}/files")
    def files(clip: str):
        return {"files": [{"path": path, **entry} for path, entry in record(clip)[1]["files"].items()]}

    @app.get("/v1/clips/{clip}/files/{path:path}")
    def file(clip: str, path: str):
        dataset, found = record(clip)
        return FileResponse(service.data / dataset / "clips" / clip[:3] / f"{clip}.{found['attempt']}.zarr" / path)

    @app.get("/v1/datasets")
    def datasets():
        return [described(folder) for folder in sorted(service.data.iterdir())]

    @app.get("/v1/datasets/{name}")
    def dataset(name: str):
        folder = service.data / name
        return described(folder) if folder.is_dir() else problem(404, f"there is no dataset {name!r}")

    @app.post("/v1/datasets/{name}/versions")
    def version(name: str):
        service.versions += 1
        return {"version": service.versions, "created": 1.0, "clips": 1, "digest": "0" * 64}

    @app.get("/v1/datasets/{name}/manifest")
    def manifest(name: str, version: int | None = None):
        rows = service.clips(dataset=name)[: version or None]
        return Response("".join(json.dumps(row) + "\n" for row in rows), media_type="application/x-ndjson")

    @app.get("/v1/datasets/{name}/files")
    def listed(name: str, under: str):
        found = sorted((service.data / name / under).glob("*"))
        return {"files": [{"path": f"{under}/{file.name}", "bytes": file.stat().st_size} for file in found]}

    @app.get("/v1/datasets/{name}/files/{path:path}")
    def dataset_file(name: str, path: str):
        file = service.data / name / path
        return FileResponse(file) if file.is_file() else problem(404, f"there is no file {path!r}")


class Failing:
    """Lets requests fail as the service was told, asks for the token, and writes down what comes."""

    def __init__(self, app, service):
        self.app, self.service = app, service

    async def __call__(self, scope, receive, send):
        path, headers = scope["path"], {name.decode(): value.decode() for name, value in scope["headers"]}
        query = scope["query_string"].decode()
        raw = scope["raw_path"].decode()
        self.service.seen.append((scope["method"], f"{raw}?{query}" if query else raw, headers))
        fault = self.service.taken_fault(scope["method"], path)
        if path.startswith("/v1") and headers.get("authorization") != f"Bearer {TOKEN}":
            await problem(401, "no token, or a wrong one")(scope, receive, send)
        elif fault is None:
            await self.app(scope, receive, send)
        elif fault.status:
            await problem(fault.status, "told to fail", headers=fault.headers)(scope, receive, send)
        elif fault.lost:
            await self.app(scope, receive, _nowhere)
            # uvicorn closes a connection whose answer is not the one that was announced.
            await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"9")]})
        else:
            await self.app(scope, receive, _changed(send, fault))


async def _nowhere(message):
    pass


def _changed(send, fault):
    left = fault.cut

    async def changed(message):
        nonlocal left
        if message["type"] == "http.response.body" and left is not None:
            body = message["body"][:left]
            left -= len(body)
            await send(message | {"body": body, "more_body": True})
            if len(body) < len(message["body"]) or not left:
                raise ConnectionAbortedError("told to fail")  # uvicorn closes the connection
            return
        if message["type"] == "http.response.body" and fault.spoilt and message["body"]:
            message = message | {"body": message["body"][:-1] + bytes([message["body"][-1] ^ 1])}
        await send(message)

    return changed


@contextmanager
def running(service):
    """Serve until the block ends."""
    listener = socket.socket()
    listener.bind(("127.0.0.1", 0))
    service.url = f"http://127.0.0.1:{listener.getsockname()[1]}"
    options = {"log_level": "critical", "lifespan": "off", "ws": "none", "timeout_graceful_shutdown": 2}
    server = uvicorn.Server(uvicorn.Config(Failing(build(service), service), **options))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
    thread.start()
    try:
        while not server.started and thread.is_alive():
            time.sleep(0.01)
        yield service
    finally:
        service.closing = True
        server.should_exit = True
        thread.join(timeout=20)
        listener.close()

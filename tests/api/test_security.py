"""Who may do what, from where; and that no file leads out of the house."""

import hmac
import json
import os
import re
import shutil
import socket
import subprocess
import sys

import pytest

import api.security
from api.repair import adopt
from api.security import COOKIE, Tokens, check_bind, is_allowed_host
from api.serve import main as serve
from api.settings import Settings
from api.supervisor import Supervisor, UpOptions
from simfactory.errors import ServiceError
from simfactory.store import create_dataset, read_record
from simfactory.store.commit import clip_key
from simfactory.testing.store import example_id, write_example

CLIP = example_id(1)
SECRET = "what nobody may read"


# ── where it listens ─────────────────────────────────────────────────────────────────────────────────────────────────


def test_default_is_the_loopback(tmp_path):
    assert Settings.of(tmp_path).host == "127.0.0.1"
    check_bind(Settings.of(tmp_path).host, has_token=False)


@pytest.mark.parametrize(
    "host", ["0.0.0.0", "::", "", "10.0.0.1", "example.org", "localhost.example.org", "127.0.0.1.nip.io"]
)
def test_other_addresses_are_refused_without_a_token(host):
    with pytest.raises(ServiceError, match="SIMFACTORY_TOKEN"):
        check_bind(host, has_token=False)


def test_token_from_outside_is_long(monkeypatch):
    monkeypatch.setenv("SIMFACTORY_TOKEN", "x" * 15)
    with pytest.raises(ServiceError, match="at least 16"):
        check_bind("0.0.0.0", has_token=True)
    monkeypatch.setenv("SIMFACTORY_TOKEN", "x" * 16)
    check_bind("0.0.0.0", has_token=True)


def test_no_door_goes_round_this_check(tmp_path):
    with pytest.raises(ServiceError, match="other machines"):
        serve(str(tmp_path), "0.0.0.0", "8000")
    options = UpOptions(
        settings=Settings.of(tmp_path, host="0.0.0.0"), workers=0, backends=("mock",), device="cpu", environments=1
    )
    with pytest.raises(ServiceError, match="other machines"):
        Supervisor(options, print).run()


# ── Host and Origin ──────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    "host",
    ["evil.example", "127.0.0.1.evil.example", "localhost.evil.example", "localhost@evil.example", "evil@localhost",
     "10.0.0.1", "[", "[::1", "", "testserver", "0.0.0.0"],
)  # fmt: skip
def test_names_that_others_point_at_us_are_refused(host):
    assert not is_allowed_host(host, ())


@pytest.mark.parametrize("host", ["localhost", "localhost:8000", "127.0.0.1:1", "127.8.8.8", "[::1]:8000", "LOCALHOST"])
def test_names_of_this_machine_are_allowed(host):
    assert is_allowed_host(host, ())


def test_further_names_are_allowed_where_they_are_given():
    assert is_allowed_host("sim.example:443", ("sim.example",))


@pytest.mark.parametrize("host", ["evil.example", "[", "evil@localhost"])
def test_rebound_name_gets_nothing_even_with_a_token(shared, host):
    answer = shared.client.get("/v1/jobs", headers={"host": host})
    assert answer.status_code == 400
    assert answer.json()["detail"] == "the Host header names another service"


# ── tokens ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_files_of_tokens_are_for_their_owner_alone_and_hold_digests(tmp_path):
    for name in ("token.new", "tokens.new"):
        (tmp_path / name).write_text("left over")
        (tmp_path / name).chmod(0o666)
    old = os.umask(0)
    try:
        Tokens(tmp_path)
    finally:
        os.umask(old)
    token = (tmp_path / "token").read_text().strip()
    assert {path.stat().st_mode & 0o777 for path in tmp_path.iterdir()} == {0o600}
    assert token not in (tmp_path / "tokens.json").read_text()
    assert Tokens(tmp_path).scopes(token) == {"read", "submit", "admin", "worker"}


def test_damaged_tokens_are_a_clear_error(tmp_path):
    (tmp_path / "tokens.json").write_text("[1")
    with pytest.raises(ServiceError, match=r"tokens.json: damaged"):
        Tokens(tmp_path)


def test_every_token_is_compared_in_constant_time(tmp_path, monkeypatch):
    tokens = Tokens(tmp_path)
    for _ in range(3):
        tokens.add(["read"])
    compared = []

    class Counting:
        @staticmethod
        def compare_digest(first, second):
            compared.append(first)
            return hmac.compare_digest(first, second)

    monkeypatch.setattr(api.security, "hmac", Counting)
    assert tokens.scopes((tmp_path / "token").read_text().strip())
    assert len(compared) == 4  # the first one fits, and the others are compared all the same


@pytest.mark.parametrize("scopes", [[], ["reed"], ["read", "root"]])
def test_scopes_that_are_none_are_refused(tmp_path, scopes):
    with pytest.raises(ServiceError, match="choose from"):
        Tokens(tmp_path).add(scopes)


NEEDED = [
    ("GET", "/v1/jobs", "read"),
    ("GET", "/v1/jobs/x", "read"),
    ("GET", "/v1/jobs/x/clips", "read"),
    ("GET", "/v1/jobs/x/failures", "read"),
    ("POST", "/v1/jobs", "submit"),
    ("POST", "/v1/jobs/x:cancel", "submit"),
    ("GET", "/v1/clips", "read"),
    ("GET", "/v1/clips/x/files", "read"),
    ("GET", "/v1/clips/x/files/a", "read"),
    ("GET", "/v1/clips/x/preview/rgb", "read"),
    ("GET", "/v1/clips/x/points/0", "read"),
    ("GET", "/v1/datasets", "read"),
    ("GET", "/v1/datasets/x/files/dataset.json", "read"),
    ("GET", "/v1/datasets/x/manifest", "read"),
    ("POST", "/v1/datasets/x/versions", "submit"),
    ("GET", "/v1/scenes", "read"),
    ("GET", "/v1/assets", "read"),
    ("POST", "/v1/assets", "submit"),
    ("GET", "/v1/workers", "read"),
    ("POST", "/v1/workers/x:drain", "admin"),
    ("GET", "/v1/events?limit=1", "read"),
    ("GET", "/metrics", "read"),
]


@pytest.mark.parametrize(("method", "path", "scope"), NEEDED)
def test_each_route_asks_for_its_scope(shared, method, path, scope):
    others = [other for other in ("read", "submit", "admin", "worker") if other != scope]
    refused = shared.client.request(method, path, headers=shared.make_token(*others))
    assert refused.status_code == 403
    assert f"{scope} is needed" in refused.json()["detail"]
    header = shared.make_token(scope) | {"last-event-id": "0"}
    if "events" not in path:  # a stream has no end
        assert shared.client.request(method, path, headers=header).status_code not in (401, 403)


@pytest.mark.parametrize("header", ["Bearer", "Bearer x", "Basic eDp5", "bearer \xe9", "Bearer " + "x" * 5000])
def test_unknown_tokens_are_refused(shared, header):
    with shared.client_with() as stranger:
        answer = stranger.get("/v1/jobs", headers={"authorization": header.encode("latin-1")})
    assert answer.status_code == 401


def test_a_strangers_body_is_not_read(shared):
    with shared.client_with() as stranger:
        answer = stranger.post("/v1/jobs", content=b"{", headers={"content-type": "application/json"})
    assert answer.status_code == 401  # not 400: nobody looked


# ── the browser's cookie ─────────────────────────────────────────────────────────────────────────────────────────────


@pytest.fixture
def browser(shared):
    with shared.client_with() as client:
        client.headers["origin"] = str(client.base_url).rstrip("/")
        yield client


def test_cookie_logs_a_browser_in_and_out(shared, browser):
    assert browser.get("/v1/session").status_code == 401
    answer = browser.post("/v1/session", json={"token": shared.token})
    assert answer.json() == {"scopes": ["admin", "read", "submit", "worker"]}
    assert {"httponly", "samesite=strict", "path=/"} <= {
        part.strip().lower() for part in answer.headers["set-cookie"].split(";")
    }
    assert browser.get("/v1/session").json() == answer.json()
    assert browser.post("/v1/jobs/missing:cancel").status_code == 404
    gone = browser.delete("/v1/session")
    assert gone.status_code == 204
    assert "max-age=0" in gone.headers["set-cookie"].lower()
    assert COOKIE not in browser.cookies
    assert browser.get("/v1/jobs").status_code == 401


def test_wrong_token_gets_no_cookie(browser):
    answer = browser.post("/v1/session", json={"token": "wrong"})
    assert answer.status_code == 401
    assert "set-cookie" not in answer.headers


@pytest.mark.parametrize("origin", ["http://evil.example", "null", None, "http://127.0.0.1:1"])
def test_pages_of_other_sites_cannot_use_the_cookie(shared, browser, origin):
    browser.post("/v1/session", json={"token": shared.token})
    del browser.headers["origin"]
    headers = {} if origin is None else {"origin": origin}
    assert browser.post("/v1/jobs/missing:cancel", headers=headers).status_code == 403
    assert browser.post("/v1/jobs", json={}, headers=headers).status_code == 403
    assert browser.get("/v1/jobs", headers=headers).status_code == 200  # SameSite keeps the cookie from other sites


def test_pages_of_other_sites_cannot_log_in(shared, browser):
    answer = browser.post("/v1/session", json={"token": shared.token}, headers={"origin": "http://evil.example"})
    assert answer.status_code == 403
    assert browser.delete("/v1/session", headers={"origin": "http://evil.example"}).status_code == 403


# ── files ────────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.fixture
def stored(service):
    """A service with a dataset of two clips, and its folder; a secret lies beside the dataset."""
    root = service.settings.data / "data"
    create_dataset(root)
    assert write_example(root, 1)
    assert write_example(root, 2)
    adopt(service.database, root)
    (service.settings.data / "secret").write_text(SECRET)
    (root / "secret").write_text(SECRET)
    return service, root


def clip_folder(root, clip=CLIP):
    return root / clip_key(clip, read_record(root, clip)["attempt"])


OUTSIDE = [
    "../secret", "..%2Fsecret", "%2e%2e/secret", "%2e%2e%2fsecret", "..%252fsecret", "..%5csecret", "rgb/../../secret",
    "/etc/passwd", "%2Fetc%2Fpasswd", "%00", "zarr.json%00.png", ".", "..", "a" * 5000, "rgb//c/0", "secret",
]  # fmt: skip


@pytest.mark.parametrize("name", OUTSIDE)
def test_names_that_lead_out_are_not_found(stored, name):
    service, root = stored
    prefix = clip_folder(root).relative_to(root)
    (clip_folder(root) / "secret").write_text(SECRET)  # not registered
    for path in (f"clips/{CLIP}/files/{name}", f"datasets/data/files/{prefix}/{name}", f"datasets/data/files/{name}"):
        answer = ask_raw(service, f"/v1/{path}")
        assert answer.startswith(b"HTTP/1.1 404"), (path, answer[:300])
        assert (
            b"secret" not in answer.partition(b"\r\n\r\n")[2].replace(name.encode(), b"").replace(b"/secret", b"")[:60]
        )


def ask_raw(service, path):
    """Send a path as it is: clients tidy it up."""
    with socket.create_connection(("127.0.0.1", service.settings.port), timeout=10) as link:
        head = [
            f"GET {path} HTTP/1.1",
            "host: localhost",
            f"authorization: Bearer {service.token}",
            "connection: close",
        ]
        link.sendall("\r\n".join([*head, "", ""]).encode())
        found = b""
        while block := link.recv(65536):
            found += block
    return found


@pytest.mark.parametrize(
    "folder", ["", "catalog/../", "clips/", "commits/../", "catalog/%2e%2e/", "/", "commits/abc/../"]
)
def test_only_the_catalogue_and_the_records_are_listed(stored, folder):
    service, _ = stored
    assert ask_raw(service, f"/v1/datasets/data/files/{folder}").startswith(b"HTTP/1.1 404")


def test_linked_file_is_not_sent(stored):
    service, root = stored
    path = clip_folder(root) / "zarr.json"
    path.unlink()
    path.symlink_to(root / "secret")
    assert service.client.get(f"/v1/clips/{CLIP}/files/zarr.json").status_code == 404
    name = path.relative_to(root)
    assert service.client.get(f"/v1/datasets/data/files/{name}").status_code == 404


@pytest.mark.parametrize("step", ["clip", "prefix", "clips"])
def test_file_in_a_linked_folder_is_not_sent(stored, step):
    service, root = stored
    clip = clip_folder(root)
    link = {"clip": clip, "prefix": clip.parent, "clips": root / "clips"}[step]
    name = clip.relative_to(root) / "zarr.json"
    assert service.client.get(f"/v1/clips/{CLIP}/files/zarr.json").status_code == 200
    assert service.client.get(f"/v1/datasets/data/files/{name}").status_code == 200
    elsewhere = service.settings.data / "elsewhere"
    shutil.move(link, elsewhere)
    link.symlink_to(elsewhere)
    assert service.client.get(f"/v1/clips/{CLIP}/files/zarr.json").status_code == 404
    assert service.client.get(f"/v1/datasets/data/files/{name}").status_code == 404


def test_linked_catalogue_is_not_listed_or_sent(stored):
    service, root = stored
    names = service.client.get("/v1/datasets/data/files/catalog/").json()["names"]
    assert len(names) == 1
    assert service.client.get(f"/v1/datasets/data/files/catalog/{names[0]}").status_code == 200
    shutil.move(root / "catalog", service.settings.data / "elsewhere")
    (root / "catalog").symlink_to(service.settings.data / "elsewhere")
    assert service.client.get(f"/v1/datasets/data/files/catalog/{names[0]}").status_code == 404


def test_attempt_that_is_not_the_committed_one_is_not_sent(stored):
    service, root = stored
    clip = clip_folder(root)
    other = clip.with_name(f"{CLIP}.{'0' * 26}.zarr")
    shutil.copytree(clip, other)
    assert service.client.get(f"/v1/datasets/data/files/{other.relative_to(root)}/zarr.json").status_code == 404


def test_registered_files_are_sent(stored):
    service, root = stored
    files = service.client.get(f"/v1/clips/{CLIP}/files").json()["files"]
    assert len(files) > 5
    for file in files:
        sent = service.client.get(f"/v1/clips/{CLIP}/files/{file['path']}")
        assert sent.content == (clip_folder(root) / file["path"]).read_bytes()
        assert sent.headers["content-type"] == "application/octet-stream"
    assert service.client.get("/v1/datasets/data/files/dataset.json").json()["profile"] == "portable"
    record = service.client.get(f"/v1/datasets/data/files/commits/{CLIP[:3]}/{CLIP}.json").json()
    assert record["clip_id"] == CLIP


# ── the code itself ──────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.slow
def test_bandit_finds_nothing_of_medium_severity_or_more(repository_root, tmp_path):
    report = tmp_path / "bandit.json"
    command = [sys.executable, "-m", "bandit", "-q", "-r", "-ll", "-f", "json", "-o", report]
    run = subprocess.run(
        [*command, "api", "simfactory", "scenes", "layouts"], cwd=repository_root, capture_output=True, check=False
    )
    told = json.loads(report.read_text())
    assert not told["errors"], run.stderr
    assert told["metrics"]["_totals"]["loc"] > 10_000
    found = [(each["filename"], each["line_number"], each["test_id"], each["issue_text"]) for each in told["results"]]
    assert found == []


def test_every_silenced_finding_has_its_reason(repository_root):
    silenced = [
        f"{path}:{number}: {line.strip()}"
        for package in ("api", "simfactory", "scenes", "layouts")
        for path in sorted((repository_root / package).rglob("*.py"))
        for number, line in enumerate(path.read_text().splitlines(), start=1)
        if "nosec" in line
    ]
    bare = [line for line in silenced if not re.search(r"# nosec B\d{3}(, B\d{3})*  # \w.{8,}", line)]
    assert bare == []

"""compose.yaml: the real Compose accepts each profile, refuses broken files, and what it renders keeps our promises."""

import json
import re
import tomllib
from pathlib import Path

import pytest
import yaml

ALWAYS = {"redis", "api", "worker"}
PROFILES = {
    "gpu": {"worker-gpu"},
    "isaac": {"worker-isaac"},
    "postgres": {"postgres"},
    "monitoring": {"prometheus", "grafana"},
}
NEEDED = ["REDIS_PASSWORD", "SIMFACTORY_TOKEN", "POSTGRES_PASSWORD", "GRAFANA_PASSWORD"]
LICENCE = ("ACCEPT_EULA", "OMNI_KIT_ACCEPT_EULA", "PRIVACY_CONSENT")


@pytest.fixture(scope="module")
def services(compose):
    """All services of all profiles, rendered."""
    return compose.config(*PROFILES).services


def test_without_a_profile_the_queue_the_api_and_a_worker_run(compose):
    assert compose.config().services.keys() == ALWAYS


@pytest.mark.parametrize("profile", PROFILES)
def test_a_profile_adds_its_services(compose, profile):
    assert compose.config(profile).services.keys() == ALWAYS | PROFILES[profile]


def test_all_profiles_work_together(services):
    assert services.keys() == ALWAYS.union(*PROFILES.values())


def test_no_profile_is_untested(repository_root):
    text = yaml.safe_load((repository_root / "compose.yaml").read_text(encoding="utf-8"))
    named = {profile for service in text["services"].values() for profile in service.get("profiles", [])}
    assert named == PROFILES.keys()


@pytest.mark.parametrize("name", NEEDED)
@pytest.mark.parametrize("line", ["", "{name}="], ids=["missing", "empty"])
def test_a_needed_variable_that_is_not_set_is_asked_for(compose, name, line):
    others = [entry for entry in compose.env_file.read_text().splitlines() if not entry.startswith(f"{name}=")]
    rendered = compose.config(env="\n".join([*others, line.format(name=name)]))
    assert rendered.code != 0
    assert f"set {name} in .env" in rendered.error


def test_the_example_is_refused_until_it_is_filled_in(compose, repository_root):
    rendered = compose.config(env=(repository_root / ".env.example").read_text(encoding="utf-8"))
    assert rendered.code != 0
    assert "in .env, see .env.example" in rendered.error


def test_the_documented_command_fills_in_secrets_of_their_own(compose):
    lines = dict(line.split("=", 1) for line in compose.env_file.read_text().splitlines() if re.match(r"[A-Z]", line))
    assert lines.keys() == set(NEEDED)
    assert len(set(lines.values())) == len(NEEDED)
    assert all(re.fullmatch(r"[0-9a-f]{48}", value) for value in lines.values())
    assert compose.env_file.stat().st_mode & 0o077 == 0


def test_the_example_names_every_variable_and_no_other(repository_root):
    used = re.findall(r"\$\{([A-Z_]+)", re.sub(r"\$\$\w+", "", (repository_root / "compose.yaml").read_text()))
    named = re.findall(r"^#?([A-Z_]+)=", (repository_root / ".env.example").read_text(), re.MULTILINE)
    assert len(named) == len(set(named))
    assert set(named) == {*used, *LICENCE, "COMPOSE_PROFILES"}


# What a mistake changes in the file, and what Compose says about it.
MISTAKES = {
    "unknown key of a service": (("services", "api"), {"helthcheck": {}}, "helthcheck"),
    "unknown key at the top": ((), {"servces": {}}, "servces"),
    "bad duration in a health check": (("services", "api", "healthcheck"), {"interval": "often"}, "interval"),
    "unknown key in a health check": (("services", "api", "healthcheck"), {"tries": 3}, "tries"),
    "dependency on a missing service": (
        ("services", "worker", "depends_on"),
        {"rabbit": {"condition": "service_healthy"}},
        "rabbit",
    ),
    "unknown condition": (("services", "worker", "depends_on"), {"redis": {"condition": "alive"}}, "condition"),
    "volume that is not declared": (("services", "api"), {"volumes": ["dta:/data"]}, "dta"),
    "network that is not declared": (("services", "api"), {"networks": ["que"]}, "que"),
    "port that is no number": (("services", "api"), {"ports": ["127.0.0.1:http:8000"]}, "http"),
    "service without an image": (("services",), {"lonely": {"restart": "always"}}, "lonely"),
    "device without capabilities": (
        ("services", "worker-gpu", "deploy", "resources", "reservations", "devices", 0),
        {"capabilities": None},
        "capabilities",
    ),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_broken_file_is_refused(compose, repository_root, tmp_path, mistake):
    text = yaml.safe_load((repository_root / "compose.yaml").read_text(encoding="utf-8"))
    path, change, said = MISTAKES[mistake]
    place = text
    for step in path:
        place = place[step]
    place.update(change)
    (tmp_path / "compose.yaml").write_text(yaml.safe_dump(text, sort_keys=False), encoding="utf-8")
    rendered = compose.config(*PROFILES, file=tmp_path / "compose.yaml")
    assert rendered.code != 0
    assert said in rendered.error


def test_a_file_that_was_only_read_and_written_is_not_refused(compose, repository_root, tmp_path):
    """Otherwise the mistakes above would be refused for another reason."""
    text = yaml.safe_load((repository_root / "compose.yaml").read_text(encoding="utf-8"))
    (tmp_path / "compose.yaml").write_text(yaml.safe_dump(text, sort_keys=False), encoding="utf-8")
    assert compose.config(*PROFILES, file=tmp_path / "compose.yaml").services == compose.config(*PROFILES).services


def test_ports_are_open_to_this_machine_only(services):
    published = {name: service["ports"] for name, service in services.items() if service.get("ports")}
    assert published.keys() == {"api", "prometheus", "grafana"}
    assert {port.get("host_ip") for ports in published.values() for port in ports} == {"127.0.0.1"}
    assert all(service.get("network_mode") is None for service in services.values())


def test_images_have_a_version(services, repository_root):
    version = tomllib.loads((repository_root / "pyproject.toml").read_text())["project"]["version"]
    for name, service in services.items():
        image, _, tag = service["image"].rpartition(":")
        assert image, f"{name} has no version"
        assert re.search(r"\d", tag), f"{name} has the version {tag!r}"
        assert not image.startswith("simfactory") or tag == version


def test_services_come_back_are_watched_and_have_no_privileges(services):
    for name, service in services.items():
        assert service["restart"] == "unless-stopped", name
        assert service["healthcheck"]["test"], name
        assert re.fullmatch(r"[1-9]\d*:\d+", service["user"]), name
        assert service["cap_drop"] == ["ALL"], name
        assert service["security_opt"] == ["no-new-privileges:true"], name
        assert not service.get("privileged"), name
        assert service.get("read_only", False) == (name != "worker-isaac"), name


def test_what_must_last_lies_in_named_volumes(services):
    def volumes(name):
        return {
            volume["target"]: volume["source"] for volume in services[name]["volumes"] if volume["type"] == "volume"
        }

    assert volumes("redis") == {"/data": "redis"}
    assert volumes("api") == {"/data": "data", "/state": "state", "/cache": "kernels"}
    for worker in ("worker", "worker-gpu", "worker-isaac"):
        assert volumes(worker)["/data"] == "data"


def test_mounted_files_exist_and_are_not_written(services):
    binds = [volume for service in services.values() for volume in service["volumes"] if volume["type"] == "bind"]
    assert {Path(bind["source"]).name for bind in binds} == {"prometheus.yml", "datasources", "dashboards"}
    for bind in binds:
        assert Path(bind["source"]).exists()
        assert bind["read_only"]


def test_workers_are_given_time_to_finish(services):
    workers = {name: service["stop_grace_period"] for name, service in services.items() if name.startswith("worker")}
    assert workers == {"worker": "30s", "worker-gpu": "30s", "worker-isaac": "30s"}


def test_gpu_workers_alone_reserve_a_gpu(services):
    reserving = {name: service for name, service in services.items() if "deploy" in service}
    assert reserving.keys() == {"worker-gpu", "worker-isaac"}
    for service in reserving.values():
        (device,) = service["deploy"]["resources"]["reservations"]["devices"]
        assert (device["driver"], device["device_ids"]) == ("nvidia", ["0"])
        assert {"gpu", "compute"} <= set(device["capabilities"])


def test_the_api_keeps_its_state_in_sqlite_unless_told_otherwise(compose):
    assert compose.config().services["api"]["environment"]["DATABASE_URL"].startswith("sqlite:////state/")
    example = (compose.root / ".env.example").read_text(encoding="utf-8")
    (line,) = [line.removeprefix("#") for line in example.splitlines() if line.startswith("#DATABASE_URL=")]
    env = compose.env_file.read_text() + line
    password = re.search(r"^POSTGRES_PASSWORD=(.*)$", env, re.MULTILINE)[1]
    api = compose.config("postgres", env=env).services["api"]
    assert api["environment"]["DATABASE_URL"] == f"postgresql+psycopg://simfactory:{password}@postgres:5432/simfactory"
    assert api["depends_on"]["postgres"]["condition"] == "service_healthy"


def test_the_licence_is_accepted_by_the_user_alone(compose):
    def given(env):
        environment = compose.config("isaac", env=env).services["worker-isaac"]["environment"]
        return {name: environment[name] for name in LICENCE}

    env = compose.env_file.read_text()
    assert given(env) == dict.fromkeys(LICENCE)
    assert given(env + "".join(f"{name}=Y\n" for name in LICENCE)) == dict.fromkeys(LICENCE, "Y")


def test_monitoring_does_not_reach_the_queue(services):
    networks = {name: set(service["networks"]) for name, service in services.items()}
    assert {name for name, joined in networks.items() if "queue" in joined}.isdisjoint({"prometheus", "grafana"})
    assert networks["api"] == {"queue", "monitoring"}


def test_prometheus_reads_metrics_with_the_token_for_them_or_the_first_one(compose):
    def token(env):
        return compose.config("monitoring", env=env).services["prometheus"]["environment"]["METRICS_TOKEN"]

    env = compose.env_file.read_text()
    assert token(env) == re.search(r"^SIMFACTORY_TOKEN=(.*)$", env, re.MULTILINE)[1]
    assert token(env + "SIMFACTORY_METRICS_TOKEN=only-reads\n") == "only-reads"


def test_no_secret_is_an_argument(compose, services):
    secrets = [line.split("=", 1)[1] for line in compose.env_file.read_text().splitlines() if re.match(r"[A-Z]", line)]
    for name, service in services.items():
        arguments = json.dumps([service.get("command"), service.get("entrypoint"), service["healthcheck"]])
        assert not [secret for secret in secrets if secret in arguments], name

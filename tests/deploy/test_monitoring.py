"""Prometheus asks the API alone, Grafana finds what is provisioned, the dashboard asks for metrics that there are."""

import json
import re
import subprocess

import pytest
import yaml

# What /metrics has, with its labels.
METRICS = {
    "sf_clips_total": {"backend", "status", "reason"},
    "sf_frames_total": set(),
    "sf_env_steps_total": set(),
    "sf_bytes_written_total": set(),
    "sf_stage_seconds": {"stage"},
    "sf_slots": {"state"},
    "sf_queue_shards": {"queue"},
    "sf_lease_expired_total": set(),
    "sf_duplicate_commits_total": set(),
}
FUNCTIONS = {"sum", "rate", "increase", "by"}


def read(root, *parts):
    return yaml.safe_load(root.joinpath("deploy", "monitoring", *parts).read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def dashboard(repository_root):
    path = repository_root / "deploy" / "monitoring" / "grafana" / "dashboards" / "simfactory.json"
    return json.loads(path.read_text(encoding="utf-8"))


def words_of(query):
    """Return a query's names outside of matchers and ranges, and its labels by metric."""
    labels = {name: set() for name in METRICS}
    for metric, matchers in re.findall(r"(\w+)\{([^}]*)\}", query):
        labels.setdefault(metric, set()).update(re.findall(r"(\w+)\s*[=!]", matchers))
    grouped = set(re.findall(r"\w+", " ".join(re.findall(r"\bby\s*\(([^)]*)\)", query))))
    bare = re.sub(r"\{[^}]*\}|\[[^\]]*\]|\bby\s*\([^)]*\)", " ", query)
    names = set(re.findall(r"[A-Za-z_]\w*", bare)) - FUNCTIONS
    for name in names:
        labels.setdefault(name, set()).update(grouped)
    return names, labels


def faults_of(query):
    names, labels = words_of(query)
    unknown = names - METRICS.keys()
    return sorted(unknown) + sorted(
        f"{name}.{label}" for name in names - unknown for label in labels[name] - METRICS[name]
    )


def test_the_dashboard_asks_only_for_metrics_and_labels_that_there_are(dashboard):
    queries = [target["expr"] for panel in dashboard["panels"] for target in panel["targets"]]
    assert not {query: faults for query in queries if (faults := faults_of(query))}


def test_the_dashboard_shows_every_metric(dashboard):
    shown = set().union(*(words_of(t["expr"])[0] for panel in dashboard["panels"] for t in panel["targets"]))
    assert shown == METRICS.keys()


@pytest.mark.parametrize(
    ("query", "faults"),
    [
        ("sum by (queue) (sf_queue_shards)", []),
        ("sum(rate(sf_clip_total[5m])) * 3600", ["sf_clip_total"]),
        ("sum by (worker) (sf_slots)", ["sf_slots.worker"]),
        ('rate(sf_frames_total{backend="newton"}[5m])', ["sf_frames_total.backend"]),
        ("sum(up)", ["up"]),
    ],
)
def test_what_a_query_asks_in_vain_is_found(query, faults):
    assert faults_of(query) == faults


def test_legends_name_labels_that_the_query_keeps(dashboard):
    for panel in dashboard["panels"]:
        for target in panel["targets"]:
            kept = set(re.findall(r"\w+", " ".join(re.findall(r"\bby\s*\(([^)]*)\)", target["expr"]))))
            assert set(re.findall(r"\{\{(\w+)\}\}", target["legendFormat"])) == kept, panel["title"]


def test_panels_have_numbers_of_their_own_and_do_not_overlap(dashboard):
    panels = dashboard["panels"]
    assert len({panel["id"] for panel in panels}) == len(panels)
    cells = [
        (x, y)
        for place in (panel["gridPos"] for panel in panels)
        for x in range(place["x"], place["x"] + place["w"])
        for y in range(place["y"], place["y"] + place["h"])
    ]
    assert len(set(cells)) == len(cells)
    assert max(x for x, _ in cells) < 24, "a dashboard has 24 columns"


def test_the_dashboard_asks_the_provisioned_source(dashboard, repository_root, compose):
    (source,) = read(repository_root, "grafana", "datasources", "prometheus.yaml")["datasources"]
    asked = {panel["datasource"]["uid"] for panel in dashboard["panels"]}
    asked |= {target["datasource"]["uid"] for panel in dashboard["panels"] for target in panel["targets"]}
    assert asked == {source["uid"]}
    services = compose.config("monitoring").services
    assert source["url"] == "http://prometheus:9090"
    assert services["prometheus"]["ports"][0]["target"] == 9090


def test_grafana_finds_the_provisioned_files(repository_root, compose):
    mounted = {
        volume["target"]: volume["source"] for volume in compose.config("monitoring").services["grafana"]["volumes"]
    }
    folder = repository_root / "deploy" / "monitoring" / "grafana"
    assert mounted["/etc/grafana/provisioning/datasources"] == str(folder / "datasources")
    assert mounted["/etc/grafana/provisioning/dashboards"] == str(folder / "dashboards")
    (provider,) = read(repository_root, "grafana", "dashboards", "provider.yaml")["providers"]
    assert provider["options"]["path"] == "/etc/grafana/provisioning/dashboards"
    assert [path.name for path in folder.rglob("*.json")] == ["simfactory.json"]


def test_prometheus_asks_the_api_with_a_token(repository_root, compose):
    (job,) = read(repository_root, "prometheus.yml")["scrape_configs"]
    services = compose.config("monitoring").services
    (target,) = [target for targets in job["static_configs"] for target in targets["targets"]]
    name, port = target.split(":")
    assert port == services[name]["command"][services[name]["command"].index("--port") + 1]
    assert job["metrics_path"] == "/metrics"
    assert job["authorization"] == {"type": "Bearer", "credentials_file": "/tmp/token"}


def test_prometheus_is_started_with_its_token_in_a_file_that_others_cannot_read(compose, tmp_path):
    service = compose.config("monitoring").services["prometheus"]
    assert "/tmp" in service["tmpfs"]
    *shell, script, name = [word.replace("$$", "$") for word in service["entrypoint"]]
    stub = tmp_path / "prometheus"
    stub.write_text(f'#!/bin/sh\nprintf "%s\\n" "$@" > {tmp_path}/seen\nenv >> {tmp_path}/seen\n')
    stub.chmod(0o755)
    token = tmp_path / "token"
    assert "/tmp/token" in script
    environment = {"PATH": f"{tmp_path}:/usr/bin:/bin", "METRICS_TOKEN": "secret-of-metrics"}
    command = [*shell, script.replace("/tmp/token", str(token)), name, *service["command"]]
    subprocess.run(command, env=environment, timeout=30, check=True)
    assert token.read_text() == "secret-of-metrics"
    assert token.stat().st_mode & 0o077 == 0
    seen = (tmp_path / "seen").read_text()
    assert "--config.file=/etc/prometheus/prometheus.yml\n" in seen
    assert "secret-of-metrics" not in seen

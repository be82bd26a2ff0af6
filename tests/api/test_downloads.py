"""Downloads: whole, in parts, resumed, and not again."""

import hashlib
import io
import tarfile

import pytest

from api.buckets import Buckets
from api.repair import adopt
from simfactory.store import committed_ids, create_dataset, read_record, validate
from simfactory.store.commit import clip_key
from simfactory.testing.store import example_id, write_example
from tests.api.conftest import running

CLIP = example_id(1)


@pytest.fixture(scope="module")
def stored(valkey, tmp_path_factory):
    """A service with one stored clip."""
    from tests.api.conftest import _settings

    folder = tmp_path_factory.mktemp("stored")
    settings = _settings(folder, f"{valkey}?db=2", f"sqlite:///{folder / 'state.db'}")
    create_dataset(settings.data / "data")
    assert write_example(settings.data / "data", 1)
    with running(settings) as service:
        adopt(service.database, settings.data / "data")
        yield service


@pytest.fixture(scope="module")
def largest(stored):
    """Address and bytes of the clip's largest file."""
    files = stored.client.get(f"/v1/clips/{CLIP}/files").json()["files"]
    file = max(files, key=lambda each: each["bytes"])
    root = stored.settings.data / "data"
    content = (root / clip_key(CLIP, read_record(root, CLIP)["attempt"]) / file["path"]).read_bytes()
    assert hashlib.sha256(content).hexdigest() == file["sha256"]
    return f"/v1/clips/{CLIP}/files/{file['path']}", content


def get(stored, path, **headers):
    return stored.client.get(path, headers={name.replace("_", "-"): value for name, value in headers.items()})


@pytest.mark.parametrize(
    ("wanted", "part"),
    [("bytes=0-0", slice(0, 1)), ("bytes=10-19", slice(10, 20)), ("bytes=-7", slice(-7, None)),
     ("bytes=5-", slice(5, None)), ("bytes=0-99999999", slice(None)), ("bytes=-99999999", slice(None))],
)  # fmt: skip
def test_part_is_sent(stored, largest, wanted, part):
    path, content = largest
    answer = get(stored, path, range=wanted)
    assert answer.status_code == 206
    assert answer.content == content[part]
    begin, end, _ = part.indices(len(content))
    assert answer.headers["content-range"] == f"bytes {begin}-{end - 1}/{len(content)}"


@pytest.mark.parametrize(
    "wanted", ["bytes=", "bytes=-", "bytes=5-1", "bytes=a-b", "lines=1-2", "bytes=0-1,3-4", "bytes=1", "bytes=+1-2"]
)
def test_range_that_is_none_is_answered_with_all_of_it(stored, largest, wanted):
    path, content = largest
    answer = get(stored, path, range=wanted)
    assert (answer.status_code, answer.content) == (200, content)


@pytest.mark.parametrize("wanted", ["bytes={size}-", "bytes=999999999-", "bytes=-0"])
def test_range_behind_the_end_is_a_problem(stored, largest, wanted):
    path, content = largest
    answer = get(stored, path, range=wanted.format(size=len(content)))
    assert answer.status_code == 416
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.headers["content-range"] == f"bytes */{len(content)}"


def test_resumed_download_equals_the_whole(stored, largest):
    path, content = largest
    found, etag = b"", None
    while len(found) < len(content):
        step = f"bytes={len(found)}-{len(found) + 1000}"
        answer = get(stored, path, range=step, **({} if etag is None else {"if_range": etag}))
        assert answer.status_code == 206
        etag = answer.headers["etag"]
        found += answer.content
    assert found == content


def test_resumed_download_of_another_file_begins_anew(stored, largest):
    path, content = largest
    for wanted in ("bytes=10-", "bytes=999999999-"):
        answer = get(stored, path, range=wanted, if_range='"of another file"')
        assert (answer.status_code, answer.content) == (200, content)


def test_known_file_is_not_sent_again(stored, largest):
    path, _ = largest
    etag = get(stored, path).headers["etag"]
    answer = get(stored, path, if_none_match=f'"other", {etag}')
    assert (answer.status_code, answer.content, answer.headers["etag"]) == (304, b"", etag)
    assert get(stored, path, if_none_match='"other"').status_code == 200


def test_etag_is_that_of_the_bytes(stored, largest):
    path, content = largest
    assert get(stored, path).headers["etag"].strip('"') == hashlib.sha256(content).hexdigest()[:32]


def test_files_of_a_dataset_are_sent_in_parts_and_not_again(stored):
    path = "/v1/datasets/data/files/dataset.json"
    whole = get(stored, path)
    assert get(stored, path, range="bytes=2-9").content == whole.content[2:10]
    assert get(stored, path, if_none_match=whole.headers["etag"]).status_code == 304


def test_export_unpacks_into_a_sound_dataset(stored, tmp_path):
    answer = stored.client.get("/v1/datasets/data/export")
    assert answer.headers["content-type"] == "application/x-tar"
    with tarfile.open(fileobj=io.BytesIO(answer.content)) as archive:
        archive.extractall(tmp_path / "copy", filter="data")
    assert committed_ids(tmp_path / "copy") == {CLIP}
    assert list(validate(tmp_path / "copy")) == []


def test_export_that_is_cut_off_has_whole_clips_alone(stored, tmp_path):
    whole = stored.client.get("/v1/datasets/data/export").content
    with tarfile.open(fileobj=io.BytesIO(whole[: len(whole) // 2]), ignore_zeros=True) as archive:
        members = []
        try:
            for member in archive:
                archive.extract(member, tmp_path / "copy", filter="data")
                members.append(member.name)
        except (tarfile.ReadError, OSError, EOFError):
            pass
    assert members[0] == "dataset.json"
    assert committed_ids(tmp_path / "copy") == set()


def test_export_of_a_version_that_is_not_there_names_those_that_are(stored):
    answer = stored.client.get("/v1/datasets/data/export?version=7")
    assert answer.status_code == 404
    assert "no version 7" in answer.json()["detail"]


def test_preview_of_a_frame_is_a_picture_that_is_sent_once(stored):
    path = f"/v1/clips/{CLIP}/preview/rgb?frame=1"
    answer = get(stored, path)
    assert answer.content.startswith(b"\x89PNG")
    assert get(stored, path, if_none_match=answer.headers["etag"]).status_code == 304
    assert get(stored, f"/v1/clips/{'0' * 32}/preview/rgb", if_none_match="*").status_code == 404


def test_those_who_share_a_token_get_so_many_pictures_of_clips(stored):
    path, kept = f"/v1/clips/{CLIP}/preview/rgb", stored.app.state.pictures["clip"]
    stored.app.state.pictures["clip"] = Buckets(rate=0.01, burst=3)
    try:
        tags = [get(stored, path).headers["etag"] for _ in range(3)]
        answer = get(stored, path)
        assert (answer.status_code, answer.headers["retry-after"]) == (429, "100")
        assert get(stored, path, if_none_match=tags[0]).status_code == 304, "what the browser has costs nothing"
    finally:
        stored.app.state.pictures["clip"] = kept


@pytest.mark.parametrize("path", ["preview/none_such", "preview/rgb?frame=999", "points/999", "files/none_such"])
def test_what_a_clip_does_not_have_is_not_found(stored, path):
    answer = get(stored, f"/v1/clips/{CLIP}/{path}")
    assert answer.status_code == 404
    assert CLIP in answer.json()["detail"]


def test_points_of_a_frame_are_told_up_to_a_limit(stored):
    told = get(stored, f"/v1/clips/{CLIP}/points/0?limit=5").json()
    assert told["frame"] == 0
    assert told["count"] >= len(told["position"]) > 0


DAMAGES = [b"", b"{", b"[]", b"null", b'{"schema": 1}', b"\xff\xfe", b"[" * 5000]


@pytest.mark.parametrize("damage", DAMAGES)
def test_damaged_record_is_a_clear_error(stored, damage):
    path = stored.settings.data / "data" / "commits" / CLIP[:3] / f"{CLIP}.json"
    whole = path.read_bytes()
    path.chmod(0o600)
    try:
        path.write_bytes(damage)
        for what in ("files", "files/zarr.json", "preview/rgb", "points/0"):
            answer = get(stored, f"/v1/clips/{CLIP}/{what}")
            assert answer.status_code == 409, (what, answer.text)
            assert "damaged commit record" in answer.json()["detail"]
    finally:
        path.write_bytes(whole)


@pytest.mark.parametrize("damage", DAMAGES)
def test_damaged_dataset_is_a_clear_error(stored, damage):
    path = stored.settings.data / "data" / "dataset.json"
    whole = path.read_bytes()
    path.chmod(0o600)
    try:
        path.write_bytes(damage)
        answer = get(stored, f"/v1/clips/{CLIP}/preview/rgb")
        assert answer.status_code == 409, answer.text
        assert "dataset.json" in answer.json()["detail"]
    finally:
        path.write_bytes(whole)

"""What can be rebuilt is rebuilt, and keeps its place."""

import time

import pytest
from sqlalchemy import delete, select

from api.database import Database
from api.repair import adopt, rebuild_catalogue
from api.settings import Settings
from api.tables import ClipRow, DatasetRow
from simfactory.store import create_dataset
from simfactory.testing.store import write_example


@pytest.fixture
def settings(tmp_path, monkeypatch):
    for name in ("DATABASE_URL", "REDIS_URL", "SIMFACTORY_DATA"):
        monkeypatch.delenv(name, raising=False)
    settings = Settings.of(tmp_path)
    folder = create_dataset(settings.data / "falls")
    for number in (3, 1, 2):
        write_example(folder, number)
        adopt_all(settings)
    return settings


def adopt_all(settings):
    database = Database(settings.database)
    adopt(database, settings.data / "falls")
    database.close()


def rows(settings):
    database = Database(settings.database)
    with database.reading() as session:
        found = session.scalars(select(ClipRow).order_by(ClipRow.number)).all()
        counts = session.scalars(select(DatasetRow)).one()
    database.close()
    return [(row.number, row.id, row.committed, row.bytes) for row in found], (
        counts.clips,
        counts.frames,
        counts.bytes,
    )


def test_a_rebuilt_catalogue_is_the_one_that_was(settings):
    before = rows(settings)
    time.sleep(0.01)
    assert rebuild_catalogue(settings) == (3, 1)
    assert rows(settings) == before


def test_what_was_forgotten_comes_behind_what_was_known(settings):
    (first, second, third), counts = rows(settings)
    database = Database(settings.database)
    with database.writing() as session:
        session.execute(delete(ClipRow).where(ClipRow.number == first[0]))
    database.close()
    assert rebuild_catalogue(settings) == (3, 1)
    listed, again = rows(settings)
    assert listed[:2] == [second, third]
    assert listed[2][1] == first[1]
    assert again == counts


def test_a_clip_that_is_gone_is_listed_no_more(settings):
    listed, _ = rows(settings)
    gone = listed[1][1]
    (settings.data / "falls" / "commits" / gone[:3] / f"{gone}.json").unlink()
    assert rebuild_catalogue(settings) == (2, 1)
    assert [row[1] for row in rows(settings)[0]] == [listed[0][1], listed[2][1]]
    assert rows(settings)[1][0] == 2

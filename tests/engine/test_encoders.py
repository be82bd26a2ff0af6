"""Threads that encode: order within a clip, bounds, errors."""

import threading
import time

import pytest

from simfactory.encoders import WAITING, Encoders


def test_work_on_a_clip_is_done_in_order_and_clips_share_the_threads():
    done = {number: [] for number in range(3)}
    names = set()
    with Encoders(2) as encoders:
        clips = {number: encoders.encoding() for number in done}
        for step in range(20):
            for number, clip in clips.items():

                def work(number=number, step=step):
                    names.add(threading.current_thread().name)
                    done[number].append(step)

                clip.add(work)
        for clip in clips.values():
            clip.wait()
    assert all(steps == list(range(20)) for steps in done.values())
    assert len(names) == 2


def test_whoever_gives_work_waits_while_there_is_no_room():
    go, given = threading.Event(), []
    with Encoders(1) as encoders:
        clip = encoders.encoding()

        def give():
            for number in range(WAITING + 5):
                clip.add(go.wait)
                given.append(number)

        giver = threading.Thread(target=give, daemon=True)
        giver.start()
        time.sleep(0.2)
        assert len(given) == WAITING
        go.set()
        giver.join(5.0)
        assert len(given) == WAITING + 5


def test_after_an_error_no_further_work_on_the_clip_is_done_and_others_go_on():
    done = []

    def fail():
        raise OSError("no space")

    with Encoders(1) as encoders:
        broken, whole = encoders.encoding(), encoders.encoding()
        broken.add(fail)
        broken.add(lambda: done.append("after the error"))
        whole.add(lambda: done.append("another clip"))
        with pytest.raises(OSError, match="no space"):
            broken.wait()
        whole.wait()
    assert done == ["another clip"]

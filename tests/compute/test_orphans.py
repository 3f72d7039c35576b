"""Orphans of a runner are ended, and the caller's own processes are left alone."""

from __future__ import annotations

import os
import subprocess
import sys
import time

import pytest

from dlnrepro.compute.orphans import adopted, children

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="orphans are adopted on Linux only")


def test_a_process_that_has_lost_its_parent_is_ended_and_one_of_the_callers_own_is_not() -> None:
    reading, writing = os.pipe()
    with adopted() as end_orphans, subprocess.Popen(["sleep", "60"]) as own:
        if (parent := os.fork()) == 0:
            os.setsid()
            if os.fork() == 0:
                os.write(writing, f"{os.getpid()}\n".encode())
                time.sleep(60)
            os._exit(0)
        os.waitpid(parent, 0)
        orphan = int(os.read(reading, 100))
        assert orphan in children()
        end_orphans()
        assert children() >= {own.pid}
        assert orphan not in children()
        assert own.poll() is None
        own.kill()
    os.close(reading)
    os.close(writing)


def test_what_was_there_before_is_spared() -> None:
    with subprocess.Popen(["sleep", "60"], start_new_session=True) as before:
        with adopted() as end_orphans:
            end_orphans()
            assert before.poll() is None
        before.kill()

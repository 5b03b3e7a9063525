"""Triton's core with ONNX Runtime behind it, over the Open Inference Protocol. Settings come from the environment:
PEER_MODEL and PEER_PORT; PEER_THREADS of a run; PEER_INSTANCES of the model; PEER_JOINED, the most requests of one run
(1: each alone), and PEER_DELAY_MICROS, how long the first of them waits for others."""

import os

import numpy as np
import onnxruntime as ort
from pytriton.model_config import DynamicBatcher, ModelConfig, Tensor
from pytriton.triton import Triton, TritonConfig, TritonSecurityConfig

ROWS_OF_A_REQUEST = 500
ELEMENTS = {"tensor(int64)": np.int64, "tensor(int32)": np.int32, "tensor(float)": np.float32}

setting = {name: int(os.environ["PEER_" + name]) for name in ("PORT", "THREADS", "INSTANCES", "JOINED", "DELAY_MICROS")}
options = ort.SessionOptions()
options.intra_op_num_threads = setting["THREADS"]
session = ort.InferenceSession(os.environ["PEER_MODEL"], options, providers=["CPUExecutionProvider"])
outputs = ["probabilities"]
joined = setting["JOINED"] > 1


def tensor(node):
    fixed = [d if isinstance(d, int) else -1 for d in node.shape]
    return Tensor(name=node.name, dtype=ELEMENTS[node.type], shape=tuple(fixed[1:] if joined else fixed))


def score(requests):
    """Runs what Triton has put into one batch; its parts are joined here, as Triton leaves that to the model."""
    if len(requests) == 1:
        return [dict(zip(outputs, session.run(outputs, dict(requests[0].data))))]
    names = list(requests[0].data)
    rows = np.cumsum([len(r.data[names[0]]) for r in requests])[:-1]
    values = session.run(outputs, {n: np.concatenate([r.data[n] for r in requests]) for n in names})
    parts = [np.split(v, rows) for v in values]
    return [dict(zip(outputs, part)) for part in zip(*parts)]


batcher = DynamicBatcher(max_queue_delay_microseconds=setting["DELAY_MICROS"])
config = (
    ModelConfig(max_batch_size=ROWS_OF_A_REQUEST * setting["JOINED"], batcher=batcher)
    if joined
    else ModelConfig(batching=False)
)
ports = TritonConfig(
    grpc_address="127.0.0.1",
    http_address="127.0.0.1",
    grpc_port=setting["PORT"],
    http_port=setting["PORT"] + 1,
    metrics_port=setting["PORT"] + 2,
    exit_on_error=True,
)
with Triton(config=ports, security_config=TritonSecurityConfig(access_token="local")) as triton:
    triton.bind(
        model_name="ranker",
        infer_func=[score] * setting["INSTANCES"],
        inputs=[tensor(n) for n in session.get_inputs()],
        outputs=[tensor(n) for n in session.get_outputs() if n.name in outputs],
        config=config,
        strict=False,
    )
    triton.serve()

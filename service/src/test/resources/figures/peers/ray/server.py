"""Ray Serve with ONNX Runtime behind it, over the Open Inference Protocol. Settings come from the environment, as those of
pytriton/server.py."""

import os
import signal

import numpy as np
import ray
from ray import serve
from ray.serve.config import gRPCOptions
from tritonclient.grpc import service_pb2 as protocol

setting = {name: int(os.environ["PEER_" + name]) for name in ("PORT", "THREADS", "INSTANCES", "JOINED", "DELAY_MICROS")}
ELEMENTS = {"INT64": np.int64, "INT32": np.int32, "FP32": np.float32}
OUTPUTS = ["probabilities"]


def inputs(request):
    return {
        t.name: np.frombuffer(raw, ELEMENTS[t.datatype]).reshape(tuple(t.shape))
        for t, raw in zip(request.inputs, request.raw_input_contents)
    }


@serve.deployment(
    num_replicas=setting["INSTANCES"], max_ongoing_requests=64, ray_actor_options={"num_cpus": 1}
)
class Ranker:
    def __init__(self):
        import onnxruntime as ort

        options = ort.SessionOptions()
        options.intra_op_num_threads = setting["THREADS"]
        self.session = ort.InferenceSession(os.environ["PEER_MODEL"], options, providers=["CPUExecutionProvider"])

    @serve.batch(max_batch_size=setting["JOINED"], batch_wait_timeout_s=setting["DELAY_MICROS"] / 1e6)
    async def together(self, requests):
        if len(requests) == 1:
            return [self.session.run(OUTPUTS, requests[0])]
        names = list(requests[0])
        rows = np.cumsum([len(r[names[0]]) for r in requests])[:-1]
        values = self.session.run(OUTPUTS, {n: np.concatenate([r[n] for r in requests]) for n in names})
        return list(zip(*[np.split(v, rows) for v in values]))

    async def ModelInfer(self, request):
        given = inputs(request)
        values = await self.together(given) if setting["JOINED"] > 1 else self.session.run(OUTPUTS, given)
        response = protocol.ModelInferResponse(model_name="ranker")
        for name, value in zip(OUTPUTS, values):
            response.outputs.add(name=name, datatype="FP32", shape=value.shape)
            response.raw_output_contents.append(np.ascontiguousarray(value).tobytes())
        return response

    async def ModelReady(self, request):
        return protocol.ModelReadyResponse(ready=True)


if __name__ == "__main__":
    ray.init(num_cpus=2, include_dashboard=False, object_store_memory=200 << 20, _node_ip_address="127.0.0.1")
    register = "tritonclient.grpc.service_pb2_grpc.add_GRPCInferenceServiceServicer_to_server"
    serve.start(
        http_options={"host": "127.0.0.1", "port": setting["PORT"] + 1},
        grpc_options=gRPCOptions(port=setting["PORT"], grpc_servicer_functions=[register]),
    )
    serve.run(Ranker.bind(), name="ranker", route_prefix="/")
    signal.sigwait({signal.SIGTERM, signal.SIGINT})
    ray.shutdown()

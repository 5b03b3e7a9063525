"""Runs a predict graph under ONNX Runtime for Python, for the benchmark `frappe`.

    predict_onnx.py GRAPH INPUTS OUT

INPUTS (safetensors) holds `rows.<group>` and `slots.candidate.<group>` of all examples; OUT becomes their
probabilities as raw float32.
"""
import json
import sys

import numpy as np
import onnxruntime

BATCH = 4096


def read_safetensors(path):
    types = {"F32": np.float32, "I32": np.int32}
    with open(path, "rb") as file:
        length = int.from_bytes(file.read(8), "little")
        header = json.loads(file.read(length))
        tensors = {}
        for name, entry in sorted(header.items(), key=lambda item: item[1].get("data_offsets", [0])[0]):
            if name != "__metadata__":
                count = int(np.prod(entry["shape"]))
                tensors[name] = np.fromfile(file, types[entry["dtype"]], count).reshape(entry["shape"])
    return tensors


def main():
    graph, inputs, out = sys.argv[1:]
    tensors = read_safetensors(inputs)
    session = onnxruntime.InferenceSession(graph, providers=["CPUExecutionProvider"])
    rows = {name: value for name, value in tensors.items() if name.startswith("rows.")}
    examples = {name: value for name, value in tensors.items() if name not in rows}
    count = len(next(iter(examples.values())))
    answers = []
    for first in range(0, count, BATCH):
        part = {name: value[first : first + BATCH] for name, value in examples.items()}
        answers.append(session.run(["probabilities"], rows | part)[0])
    np.concatenate(answers).astype(np.float32).tofile(out)
    print("ready", onnxruntime.__version__, count, flush=True)


if __name__ == "__main__":
    main()

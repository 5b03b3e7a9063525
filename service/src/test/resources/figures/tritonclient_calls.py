"""Makes every call of tritonclient to a running service; says in one line of JSON how they ended.

python tritonclient_calls.py HOST:PORT FILE, where FILE has for each model its tensors and the probabilities that it must give.
"""
import importlib.metadata
import json
import queue
import sys

import numpy as np
import tritonclient.grpc as triton

TYPES = {"INT64": np.int64, "INT32": np.int32, "FP32": np.float32, "FP64": np.float64, "BOOL": np.bool_, "BYTES": np.object_}
REPEATS = 50

calls = 0
failures = []
difference = 0.0


def check(what, call, good=lambda answer: True):
    """Makes a call; it fails where it raises or its answer is not good."""
    global calls
    calls += 1
    try:
        answer = call()
        if good(answer):
            return answer
        failures.append(f"{what}: the answer is not as it should be: {str(answer)[:200]}")
    except Exception as error:  # Whatever a client library raises is a finding.
        failures.append(f"{what}: {type(error).__name__}: {str(error)[:300]}")
    return None


def tensors(description):
    inputs = []
    for one in description["inputs"]:
        tensor = triton.InferInput(one["name"], one["shape"], one["datatype"])
        tensor.set_data_from_numpy(np.array(one["values"], dtype=TYPES[one["datatype"]]).reshape(one["shape"]))
        inputs.append(tensor)
    return inputs


def probabilities(result, expected, tolerance):
    global difference
    values = result.as_numpy("probabilities")
    if values is None or values.size != len(expected) or values.dtype != np.float32:
        return False
    largest = float(np.max(np.abs(values.ravel().astype(np.float64) - np.array(expected, dtype=np.float64))))
    difference = max(difference, largest)
    return largest <= tolerance


def model(client, description, tolerance):
    name = description["model"]
    expected = description["expected"]
    same = lambda result: probabilities(result, expected, tolerance)
    check(f"is_model_ready {name}", lambda: client.is_model_ready(name), lambda ready: ready is True)
    check(f"is_model_ready {name} 1", lambda: client.is_model_ready(name, "1"), lambda ready: ready is True)
    names = {one["name"]: one["datatype"] for one in description["inputs"]}
    check(f"get_model_metadata {name}", lambda: client.get_model_metadata(name),
          lambda m: names.items() <= {i.name: i.datatype for i in m.inputs}.items() and list(m.versions) == ["1"])
    check(f"get_model_config {name}", lambda: client.get_model_config(name).config,
          lambda c: c.max_batch_size > 0 and {i.name for i in c.input if not i.optional} <= set(names)
          and any(i.optional for i in c.input) and [o.name for o in c.output] == ["probabilities", "logits"])
    inputs = tensors(description)
    before = client.get_inference_statistics(name).model_stats[0]
    for i in range(REPEATS):
        check(f"infer {name}", lambda: client.infer(name, inputs, request_id=str(i)),
              lambda r: same(r) and r.get_response().id == str(i) and r.get_response().model_version == "1")
    check(f"infer {name} of version 1", lambda: client.infer(name, inputs, model_version="1"), same)
    wanted = [triton.InferRequestedOutput("probabilities")]
    check(f"infer {name} with one output", lambda: client.infer(name, inputs, outputs=wanted),
          lambda r: same(r) and r.as_numpy("logits") is None)
    ended = queue.Queue()
    for _ in range(REPEATS):
        client.async_infer(name, inputs, callback=lambda result, error: ended.put((result, error)), client_timeout=20)
    for _ in range(REPEATS):
        def take():
            result, error = ended.get(timeout=30)
            if error is not None:
                raise error
            return result
        check(f"async_infer {name}", take, same)
    check(f"get_inference_statistics {name}", lambda: client.get_inference_statistics(name).model_stats[0],
          lambda s: s.inference_stats.success.count >= before.inference_stats.success.count + 2 * REPEATS
          and s.inference_stats.compute_infer.count == s.inference_stats.success.count)


def main():
    target, file = sys.argv[1:]
    with open(file, encoding="utf-8") as text:
        given = json.load(text)
    with triton.InferenceServerClient(target) as client:
        check("is_server_live", client.is_server_live, lambda live: live is True)
        check("is_server_ready", client.is_server_ready, lambda ready: ready is True)
        check("get_server_metadata", client.get_server_metadata, lambda m: m.name == "wukong")
        for description in given["models"]:
            model(client, description, given["tolerance"])
    print(json.dumps({"version": importlib.metadata.version("tritonclient"), "calls": calls, "failures": failures,
                      "difference": difference}))


main()

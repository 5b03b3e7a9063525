"""The other side of the benchmark `train-step`: the same training in plain PyTorch, eager, float32.

A step looks up the distinct rows of the batch, goes forward, takes the weighted binary cross-entropy,
goes backward, lets torch.optim.Adam change the dense weights and row-wise AdaGrad the rows it looked up.

    train_step.py FILE LAYERS THREADS ADAM

FILE holds the initial weights, the rows and the batches (safetensors). Which rows of the table a batch
needs is prepared there, outside the timed step. ADAM is `default` (PyTorch's own choice) or `fused`.
A line `losses N` on standard input makes N steps and prints their losses, `run N` their milliseconds.
"""
import json
import sys
import time

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn


def read_safetensors(path):
    types = {"F32": np.float32, "I64": np.int64}
    with open(path, "rb") as file:
        length = int.from_bytes(file.read(8), "little")
        header = json.loads(file.read(length))
        tensors = {}
        for name, entry in sorted(header.items(), key=lambda item: item[1].get("data_offsets", [0])[0]):
            if name != "__metadata__":
                count = int(np.prod(entry["shape"]))
                values = np.fromfile(file, types[entry["dtype"]], count)
                tensors[name] = torch.from_numpy(values.reshape(entry["shape"]))
    return tensors


def linear(tensors, name):
    bias = tensors[f"w/{name}/bias"]
    weight = tensors[f"w/{name}/weight"]
    # Ours is [in, out], wide ones [out, in], as PyTorch wants it.
    weight = weight if weight.shape[1] >= 2048 and weight.shape[0] == len(bias) else weight.t()
    layer = nn.Linear(weight.shape[1], weight.shape[0])
    with torch.no_grad():
        layer.weight.copy_(weight)
        layer.bias.copy_(bias)
    return layer


def mlp(tensors, name):
    layers = []
    while f"w/{name}/hidden{len(layers) // 2}/weight" in tensors:
        layers += [linear(tensors, f"{name}/hidden{len(layers) // 2}"), nn.ReLU()]
    return nn.Sequential(*layers, linear(tensors, f"{name}/out"))


def layer_norm(tensors, name):
    scale = tensors[f"w/{name}/norm/scale"]
    layer = nn.LayerNorm(scale.shape[0], eps=1e-5)
    with torch.no_grad():
        layer.weight.copy_(scale)
        layer.bias.copy_(tensors[f"w/{name}/norm/bias"])
    return layer


class WukongLayer(nn.Module):
    """X [B, n, d] -> LayerNorm(concat(FMB(X), LCB(X)) + X), the residual projected where counts differ."""

    def __init__(self, tensors, name):
        super().__init__()
        self.y = nn.Parameter(tensors[f"w/{name}/fm/y"].t().contiguous())  # [n, k]
        self.fm_norm = layer_norm(tensors, f"{name}/fm")
        self.fm_mlp = mlp(tensors, f"{name}/fm")
        self.compress = nn.Parameter(tensors[f"w/{name}/linear/weight"])  # [nL, n]
        residual = tensors.get(f"w/{name}/residual/weight")
        self.residual = None if residual is None else nn.Parameter(residual)
        self.norm = layer_norm(tensors, name)

    def forward(self, x):
        interactions = torch.bmm(x, torch.matmul(x.transpose(1, 2), self.y))  # X (X^T Y) [B, n, k]
        fm = self.fm_mlp(self.fm_norm(interactions.flatten(1))).view(x.shape[0], -1, x.shape[2])
        compressed = torch.matmul(self.compress, x)
        residual = x if self.residual is None else torch.matmul(self.residual, x)
        return self.norm(torch.cat([fm, compressed], dim=1) + residual)


class Wukong(nn.Module):
    def __init__(self, tensors, layers):
        super().__init__()
        self.layers = nn.Sequential(*(WukongLayer(tensors, f"layer{i}") for i in range(layers)))
        self.head = mlp(tensors, "head")

    def forward(self, x):
        return self.head(self.layers(x).flatten(1)).squeeze(1)


class Trainer:
    def __init__(self, tensors, layers, adam):
        self.model = Wukong(tensors, layers)
        self.adam = torch.optim.Adam(self.model.parameters(), lr=0.0001, fused=True if adam == "fused" else None)
        self.table = tensors["rows"]
        self.accumulators = torch.zeros(len(self.table))
        count = sum(1 for name in tensors if name.startswith("index/"))
        self.batches = [tuple(tensors[f"{part}/{i}"] for part in ("rows", "index", "labels", "weights")) for i in range(count)]
        self.next = 0

    def step(self):
        ids, index, labels, weights = self.batches[self.next % len(self.batches)]
        self.next += 1
        rows = self.table[ids].requires_grad_()
        logits = self.model(F.embedding(index, rows))
        loss = F.binary_cross_entropy_with_logits(logits, labels, weights, reduction="sum") / weights.sum()
        self.adam.zero_grad()
        loss.backward()
        self.adam.step()
        with torch.no_grad():
            gradient = rows.grad
            accumulators = self.accumulators[ids] + gradient.square().mean(dim=1)
            self.accumulators[ids] = accumulators
            self.table[ids] = rows - 0.002 * gradient / (accumulators.sqrt() + 1e-8).unsqueeze(1)
        return loss.item()


def main():
    path, layers, threads, adam = sys.argv[1:]
    torch.set_num_threads(int(threads))
    trainer = Trainer(read_safetensors(path), int(layers), adam)
    print("ready", torch.__version__, flush=True)
    for line in sys.stdin:
        what, count = line.split()
        answer = []
        for _ in range(int(count)):
            start = time.perf_counter()
            loss = trainer.step()
            milliseconds = (time.perf_counter() - start) * 1e3
            answer.append(f"{loss:.9g}" if what == "losses" else f"{milliseconds:.4f}")
        print(*answer, flush=True)


if __name__ == "__main__":
    main()

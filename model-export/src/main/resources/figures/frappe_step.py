"""The other side of the benchmark `frappe-step`: eight ranking models in plain PyTorch, eager.

Each model is written from its published formulas: B examples, f fields, embeddings of width d.

    frappe_step.py START BATCHES OURS THEIRS THREADS DEFECT

START (safetensors) holds a fresh model: weights `w/NAME`, tables `t/NAME`, its configuration as metadata. BATCHES
holds ids and labels. A line `clear` on standard input answers for each example of the first batch whether its
gradient is well defined in float32. OURS then holds the weights of the examples in a step's loss, `weights`, and
the model after it, `w/` and `t/` again. A line `parity` computes in float64, without dropout, what that step
computes (loss, gradients, running statistics) and the predictions of OURS, writes all to THEIRS and answers 0. A
line `run N` makes N whole steps in float32 and answers with their milliseconds. DEFECT is `none` or a planted one.
"""
import json
import sys
import time

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn

# Of the root mean square of a layer's values; float32 has rounded them to some 1e-6 of it.
CORNER = 2e-5

NUMPY = {"F32": np.float32, "F64": np.float64, "I64": np.int64}


def read_safetensors(path):
    with open(path, "rb") as file:
        length = int.from_bytes(file.read(8), "little")
        header = json.loads(file.read(length))
        metadata = header.pop("__metadata__", {})
        tensors = {}
        for name, entry in header.items():
            file.seek(8 + length + entry["data_offsets"][0])
            values = np.fromfile(file, NUMPY[entry["dtype"]], int(np.prod(entry["shape"])))
            tensors[name] = torch.from_numpy(values.reshape(entry["shape"]))
    return tensors, metadata


def write_safetensors(path, tensors):
    header, parts, offset = {}, [], 0
    for name, tensor in tensors.items():
        part = tensor.detach().to(torch.float32).contiguous().numpy().astype("<f4").tobytes()
        header[name] = {"dtype": "F32", "shape": list(tensor.shape), "data_offsets": [offset, offset + len(part)]}
        parts.append(part)
        offset += len(part)
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    with open(path, "wb") as file:
        file.write(len(text).to_bytes(8, "little") + text + b"".join(parts))


class Weights:
    """The other side's weights, by its names: which parameter here is which one there, and how it lies."""

    def __init__(self, tensors):
        self.tensors = tensors
        self.parameters = {}  # name -> (parameter, whether it is transposed here)
        self.statistics = {}

    def has(self, name):
        return "w/" + name in self.tensors

    def bind(self, parameter, name, turned=False):
        self.parameters[name] = (parameter, turned)

    def parameter(self, name, turned=False):
        value = self.tensors["w/" + name]
        parameter = nn.Parameter((value.t() if turned else value).clone().contiguous())
        self.bind(parameter, name, turned)
        return parameter

    def load(self, tensors):
        """Takes over the values in `tensors`; what is bound here and what is stored there must be the same set."""
        names = {name[2:] for name in tensors if name.startswith("w/")}
        if names != set(self.parameters) | set(self.statistics):
            raise ValueError(f"weights differ: {sorted(names ^ (set(self.parameters) | set(self.statistics)))}")
        with torch.no_grad():
            for name, (parameter, turned) in self.parameters.items():
                value = tensors["w/" + name]
                parameter.copy_(value.t() if turned else value.reshape(parameter.shape))
            for name, (layer, buffer) in self.statistics.items():
                getattr(layer, buffer).copy_(tensors["w/" + name])

    def gradients(self):
        result = {}
        for name, (parameter, turned) in self.parameters.items():
            shape = self.tensors["w/" + name].shape
            result[name] = parameter.grad.t() if turned else parameter.grad.reshape(shape)
        return result

    def linear(self, name, bias=True):
        shape = self.tensors[f"w/{name}/weight"].shape
        # There [in, out], but [out, in] with 2048 inputs or more; here always [out, in].
        turned = shape[1] < 2048 or (bias and self.tensors[f"w/{name}/bias"].shape[0] == shape[1])
        inputs, outputs = shape if turned else shape[::-1]
        layer = nn.Linear(inputs, outputs, bias=bias)
        self.bind(layer.weight, f"{name}/weight", turned)
        if bias:
            self.bind(layer.bias, f"{name}/bias")
        return layer

    def normalization(self, layer, name):
        self.bind(layer.weight, f"{name}/scale")
        self.bind(layer.bias, f"{name}/bias")
        return layer

    def layer_norm(self, name):
        width = self.tensors[f"w/{name}/norm/scale"].shape[0]
        return self.normalization(nn.LayerNorm(width, eps=1e-5), f"{name}/norm")

    def batch_norm(self, name):
        name += "/batch_norm"
        layer = nn.BatchNorm1d(self.tensors[f"w/{name}/scale"].shape[0], eps=1e-5, momentum=0.1)
        # By layer: a cast of the model replaces the buffers.
        self.statistics[f"{name}/mean"] = (layer, "running_mean")
        self.statistics[f"{name}/variance"] = (layer, "running_var")
        return self.normalization(layer, name)

    def mlp(self, name, config, out=True):
        layers = []
        for i in range(len(config["hidden"])):
            layers.append(self.linear(f"{name}/hidden{i}"))
            if config["batch_norm"]:
                layers.append(self.batch_norm(f"{name}/hidden{i}"))
            layers.append(nn.ReLU())
            if config["dropout"] > 0:
                layers.append(nn.Dropout(config["dropout"]))
        return nn.Sequential(*layers, *([self.linear(f"{name}/out")] if out else []))


class Dlrm(nn.Module):
    """MLP of the fields side by side."""

    def __init__(self, w, config):
        super().__init__()
        if config["interaction"] != "cat":
            raise ValueError("interaction " + config["interaction"])
        self.top = w.mlp("top", config["top"])

    def forward(self, fields):
        return self.top(fields[0].flatten(1))


class DcnV2(nn.Module):
    """x' = x + x0 * (W x + b), and an MLP beside; one linear output of both."""

    def __init__(self, w, config):
        super().__init__()
        if config["structure"] != "parallel" or config["rank"] != 0:
            raise ValueError("structure " + config["structure"])
        self.cross = nn.ModuleList(w.linear(f"cross{i}") for i in range(config["layers"]))
        self.deep = w.mlp("deep", config["deep"], out=False)
        self.out = w.linear("out")

    def forward(self, fields):
        first = fields[0].flatten(1)
        x = first
        for layer in self.cross:
            x = x + first * layer(x)
        return self.out(torch.cat([x, self.deep(first)], dim=1))


class XDeepFm(nn.Module):
    """Compressed interactions, an MLP and a linear model."""

    def __init__(self, w, config):
        super().__init__()
        layers = range(len(config["cin"]))
        self.maps = nn.ParameterList(w.parameter(f"cin{i}/weight") for i in layers)
        self.biases = nn.ParameterList(w.parameter(f"cin{i}/bias") for i in layers)
        self.out = w.linear("cin/out")
        self.deep = w.mlp("deep", config["deep"])
        self.linear = config["linear"]

    def forward(self, fields):
        x = fields[0]
        maps, pooled = x, []
        for weight, bias in zip(self.maps, self.biases):
            pairs = (x.unsqueeze(2) * maps.unsqueeze(1)).flatten(1, 2)  # [B, f h, d], i over fields first
            maps = torch.matmul(weight, pairs) + bias
            pooled.append(maps.sum(dim=2))
        logit = self.out(torch.cat(pooled, dim=1)) + self.deep(x.flatten(1))
        return logit + fields[1].sum(dim=1) if self.linear else logit


class Attention(nn.Module):
    """ReLU(LayerNorm(softmax(Q K^T / sqrt(a / h)) V by head, side by side, + residual))."""

    def __init__(self, w, name, config):
        super().__init__()
        self.q, self.k, self.v = (self.projection(w, f"{name}/{part}") for part in "qkv")
        self.r = self.projection(w, f"{name}/r") if w.has(f"{name}/r") else None
        self.norm = w.layer_norm(name)
        self.relu = nn.ReLU()
        self.dropout = nn.Dropout(config["dropout"])
        self.heads = config["heads"]
        if not (config["scaled"] and config["residual"] and config["norm"]):
            raise ValueError("attention without scale, residual or norm")

    @staticmethod
    def projection(w, name):
        inputs, outputs = w.tensors["w/" + name].shape
        layer = nn.Linear(inputs, outputs, bias=False)
        w.bind(layer.weight, name, turned=True)
        return layer

    def forward(self, x):
        q, k, v = (p(x).unflatten(2, (self.heads, -1)).transpose(1, 2) for p in (self.q, self.k, self.v))
        scores = torch.matmul(q, k.transpose(2, 3)) / q.shape[-1] ** 0.5
        out = torch.matmul(self.dropout(torch.softmax(scores, dim=-1)), v).transpose(1, 2).flatten(2)
        return self.relu(self.norm(out + (x if self.r is None else self.r(x))))


class AutoInt(nn.Module):
    """Layers of attention between fields, and an MLP."""

    def __init__(self, w, config):
        super().__init__()
        if config["linear"]:
            raise ValueError("linear")
        self.attention = nn.Sequential(*(Attention(w, f"attention{i}", config) for i in range(config["layers"])))
        self.out = w.linear("attention/out")
        self.deep = w.mlp("deep", config["deep"])

    def forward(self, fields):
        x = fields[0]
        return self.out(self.attention(x).flatten(1)) + self.deep(x.flatten(1))


class Afn(nn.Module):
    """exp(W log|E|) with batch normalization after both, an MLP on it, an MLP on other embeddings."""

    def __init__(self, w, config):
        super().__init__()
        self.log_norm = w.batch_norm("logarithmic/log")
        self.weight = w.parameter("logarithmic/weight")  # [N, f]
        self.exp_norm = w.batch_norm("logarithmic/exp")
        self.afn = w.mlp("afn", config["afn"])
        self.deep = w.mlp("deep", config["deep"])
        self.ensemble = w.linear("ensemble")

    def forward(self, fields):
        logs = self.log_norm(torch.log(torch.clamp(torch.abs(fields[0]), min=1e-5)))  # [B, f, d]
        products = self.exp_norm(torch.exp(torch.matmul(self.weight, logs)))  # [B, N, d]
        parts = [self.afn(products.flatten(1)), self.deep(fields[1].flatten(1))]
        return self.ensemble(torch.cat(parts, dim=1))


class FinalMlp(nn.Module):
    """Two gated MLP streams joined by a bilinear product in heads."""

    def __init__(self, w, config):
        super().__init__()
        gate = config["selection"]["mlp"]
        self.gates = nn.ModuleList(w.mlp(f"{name}/selection", gate) for name in ("first", "second"))
        self.streams = nn.ModuleList(w.mlp(name, config[name], out=False) for name in ("first", "second"))
        self.outs = nn.ModuleList(w.linear(f"{name}/out") for name in ("first", "second"))
        self.fusion = w.parameter("fusion/weight")  # [H, m, n]

    def forward(self, fields):
        flat = fields[0].flatten(1)
        hidden = []
        for stream, gate, context in zip(self.streams, self.gates, fields[1:]):
            hidden.append(stream(flat * (2 * torch.sigmoid(gate(context.flatten(1))))))
        logit = self.outs[0](hidden[0]) + self.outs[1](hidden[1])
        heads = self.fusion.shape[0]
        left, right = (h.unflatten(1, (heads, -1)).transpose(0, 1) for h in hidden)  # [H, B, m], [H, B, n]
        return logit + (torch.bmm(left, self.fusion) * right).sum(dim=(0, 2)).unsqueeze(1)


class MaskBlock(nn.Module):
    """Dropout(ReLU(LayerNorm(W3 (mask * x)))), the mask made from the embeddings."""

    def __init__(self, w, name, config):
        super().__init__()
        self.mask = nn.Sequential(w.linear(f"{name}/mask/hidden0"), nn.ReLU(), w.linear(f"{name}/mask/out"))
        self.linear = w.linear(name, bias=False)
        self.norm = w.layer_norm(name)
        self.relu = nn.ReLU()
        self.dropout = nn.Dropout(config["dropout"])

    def forward(self, embeddings, x):
        return self.dropout(self.relu(self.norm(self.linear(self.mask(embeddings) * x))))


class MaskNet(nn.Module):
    """Blocks side by side, then an MLP."""

    def __init__(self, w, config):
        super().__init__()
        if config["arrangement"] != "parallel" or config["embedding_norm"] or not config["block_norm"]:
            raise ValueError("arrangement " + config["arrangement"])
        self.blocks = nn.ModuleList(MaskBlock(w, f"block{i}", config) for i in range(len(config["blocks"])))
        self.deep = w.mlp("deep", config["deep"])

    def forward(self, fields):
        x = fields[0].flatten(1)
        return self.deep(torch.cat([block(x, x) for block in self.blocks], dim=1))


class WukongLayer(nn.Module):
    """X' = LayerNorm(concat(FMB(X), LCB(X)) + X), the residual projected where counts differ."""

    def __init__(self, w, name, config):
        super().__init__()
        self.y = w.parameter(f"{name}/fm/y", turned=True)  # [n, k]
        self.fm_norm = w.layer_norm(f"{name}/fm")
        self.fm_mlp = w.mlp(f"{name}/fm", config["fm_mlp"])
        self.compress = w.parameter(f"{name}/linear/weight")  # [nL, n]
        self.residual = w.parameter(f"{name}/residual/weight") if w.has(f"{name}/residual/weight") else None
        self.norm = w.layer_norm(name)

    def forward(self, x):
        interactions = torch.bmm(x, torch.matmul(x.transpose(1, 2), self.y))  # X (X^T Y) [B, n, k]
        fm = self.fm_mlp(self.fm_norm(interactions.flatten(1))).unflatten(1, (-1, x.shape[2]))
        residual = x if self.residual is None else torch.matmul(self.residual, x)
        return self.norm(torch.cat([fm, torch.matmul(self.compress, x)], dim=1) + residual)


class Wukong(nn.Module):
    """The layers, then an MLP."""

    def __init__(self, w, config):
        super().__init__()
        if config["fm"] != "low_rank":
            raise ValueError("fm " + config["fm"])
        self.layers = nn.Sequential(*(WukongLayer(w, f"layer{i}", config) for i in range(config["layers"])))
        self.head = w.mlp("head", config["head"])

    def forward(self, fields):
        return self.head(self.layers(fields[0]).flatten(1))


MODELS = {
    "afn": Afn,
    "autoint": AutoInt,
    "dcnv2": DcnV2,
    "dlrm": Dlrm,
    "finalmlp": FinalMlp,
    "masknet": MaskNet,
    "wukong": Wukong,
    "xdeepfm": XDeepFm,
}


def table_sets(config, features):
    """What a model looks up, in turn: the tables of each feature named."""
    second = [feature + ".2" for feature in features]
    if config["type"] == "afn" or config.get("linear"):
        return [features, second]
    if config["type"] == "finalmlp":
        selection = config["selection"]
        return [features, [f + ".2" for f in selection["first"]], [f + ".2" for f in selection["second"]]]
    return [features]


class Tables(nn.Module):
    """Tables of one width one below the other, so that one lookup serves them all."""

    def __init__(self, tensors, names, features):
        super().__init__()
        self.names = names
        self.sizes = [len(tensors["t/" + name]) for name in names]
        self.rows = nn.Parameter(torch.cat([tensors["t/" + name] for name in names]))
        self.columns = torch.tensor([features.index(name.removesuffix(".2")) for name in names])
        self.offsets = torch.tensor([0] + self.sizes[:-1]).cumsum(0)

    def load(self, tensors):
        with torch.no_grad():
            self.rows.copy_(torch.cat([tensors["t/" + name] for name in self.names]))

    def gradients(self):
        return dict(zip(self.names, self.rows.grad.split(self.sizes)))

    def forward(self, ids):
        return F.embedding(ids[:, self.columns] + self.offsets, self.rows)


class Ranker(nn.Module):
    def __init__(self, tensors, metadata):
        super().__init__()
        self.config = json.loads(metadata["model"])
        features = metadata["features"].split(",")
        self.weights = Weights(tensors)
        self.tables = nn.ModuleList(Tables(tensors, names, features) for names in table_sets(self.config, features))
        self.model = MODELS[self.config["type"]](self.weights, self.config)
        self.load(tensors)

    def load(self, tensors):
        self.weights.load(tensors)
        for tables in self.tables:
            tables.load(tensors)

    def forward(self, ids):
        return self.model([tables(ids) for tables in self.tables]).squeeze(1)

    def loss(self, ids, labels, l2, weights=None):
        """The batch's loss, and what is minimized: with the term over all rows of all tables."""
        if weights is None:
            loss = F.binary_cross_entropy_with_logits(self(ids), labels)
        else:
            loss = F.binary_cross_entropy_with_logits(self(ids), labels, weights, reduction="sum") / weights.sum()
        return loss, loss + l2 / 2 * sum(tables.rows.square().sum() for tables in self.tables)


def exact(start, metadata):
    """The model in float64, without dropout."""
    ranker = Ranker(start, metadata).double()
    for module in ranker.modules():
        if isinstance(module, nn.Dropout):
            module.p = 0.0
    return ranker


def clear_examples(ranker, ids):
    """1 for each example [B] none of whose values is so near to a ReLU's corner that rounding decides its side.

    Such a value changes an example's whole gradient, so the others alone are compared.
    """
    clear = torch.ones(len(ids), dtype=torch.bool)

    def look(_, inputs):
        size = inputs[0].abs()
        clear.logical_and_((size > CORNER * size.square().mean().sqrt()).flatten(1).all(dim=1))

    hooks = [m.register_forward_pre_hook(look) for m in ranker.modules() if isinstance(m, nn.ReLU)]
    with torch.no_grad():
        ranker(ids)
    for hook in hooks:
        hook.remove()
    return clear.float()


def parity(ranker, metadata, ours, ids, labels, defect):
    """What one step computes from `ours["weights"]`, and the predictions of the model in `ours`."""
    if defect == "perturbed-weight":
        with torch.no_grad():
            weight = next(p for p in ranker.model.parameters() if p.dim() > 1)
            weight.view(-1)[0] += 0.1
    l2 = 0.0 if defect == "no-l2" else float(metadata["l2"])
    loss, total = ranker.loss(ids, labels.double(), l2, ours["weights"].double())
    total.backward()
    nn.utils.clip_grad_norm_(ranker.parameters(), float(metadata["clip"]))
    found = {"loss": loss.reshape(1)}
    found.update(("gradient/" + name, value) for name, value in ranker.weights.gradients().items())
    for tables in ranker.tables:
        found.update(("gradient/" + name, value) for name, value in tables.gradients().items())
    for name, (layer, buffer) in ranker.weights.statistics.items():
        found["statistic/" + name] = getattr(layer, buffer).clone()
    ranker.load(ours)
    ranker.eval()
    with torch.no_grad():
        found["probabilities"] = torch.sigmoid(ranker(ids))
    return found


class Trainer:
    def __init__(self, start, metadata, batches):
        self.ranker = Ranker(start, metadata)
        self.l2, self.clip = float(metadata["l2"]), float(metadata["clip"])
        self.adam = torch.optim.Adam(self.ranker.parameters(), lr=float(metadata["rate"]), fused=True)
        size = int(metadata["batch"])
        self.batches = list(zip(batches["ids"].split(size), batches["labels"].split(size)))
        self.next = 0

    def step(self):
        ids, labels = self.batches[self.next % len(self.batches)]
        self.next += 1
        loss, total = self.ranker.loss(ids, labels, self.l2)
        self.adam.zero_grad()
        total.backward()
        nn.utils.clip_grad_norm_(self.ranker.parameters(), self.clip)
        self.adam.step()
        return loss.item()


def main():
    start_path, batches_path, ours_path, theirs_path, threads, defect = sys.argv[1:]
    torch.set_num_threads(int(threads))
    start, metadata = read_safetensors(start_path)
    batches, _ = read_safetensors(batches_path)
    trainer = Trainer(start, metadata, batches)
    print("ready", torch.__version__, flush=True)
    for line in sys.stdin:
        what, *count = line.split()
        ids, labels = trainer.batches[0]
        if what == "clear":
            print(*(int(x) for x in clear_examples(exact(start, metadata), ids)), flush=True)
            continue
        if what == "parity":
            ours = read_safetensors(ours_path)[0]
            write_safetensors(theirs_path, parity(exact(start, metadata), metadata, ours, ids, labels, defect))
            print(0, flush=True)
            continue
        answer = []
        for _ in range(int(count[0])):
            begin = time.perf_counter()
            trainer.step()
            answer.append(f"{(time.perf_counter() - begin) * 1e3:.4f}")
        print(*answer, flush=True)


if __name__ == "__main__":
    main()

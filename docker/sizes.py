"""The sizes of an image by layer, and whether two builds of it are equal: sizes.py FOLDER [FOLDER], OCI layouts of one image each."""

import gzip
import json
import pathlib
import sys

CACHE = "ahead-of-time cache"  # Java's own work is not the same twice.
NAMES = ["base", "user and folders", "ONNX Runtime", "other libraries", "the service", "SBOM", CACHE]


def read(folder, digest):
    return (folder / "blobs" / digest.replace(":", "/")).read_bytes()


def layers(folder):
    """Of an image: what made each layer, its digest, its bytes, and those packed."""
    index = json.loads((folder / "index.json").read_text())
    manifest = json.loads(read(folder, index["manifests"][0]["digest"]))
    config = json.loads(read(folder, manifest["config"]["digest"]))
    makers = [h.get("created_by", "") for h in config["history"] if not h.get("empty_layer")]
    digests = config["rootfs"]["diff_ids"]
    if len(makers) != len(digests):
        sys.exit(f"{folder}: {len(digests)} layers, and the history has {len(makers)}")
    packed = [read(folder, layer["digest"]) for layer in manifest["layers"]]
    return list(zip(makers, digests, (len(gzip.decompress(p)) for p in packed), map(len, packed)))


first, *others = [layers(pathlib.Path(folder)) for folder in sys.argv[1:]]
if len(first) != len(NAMES):
    sys.exit(f"FAILED: {len(first)} layers, want {', '.join(NAMES)}: {[layer[0] for layer in first]}")
print(f"   {'layer':24} {'MB':>8} {'MB packed':>10}")
for name, (_, _, size, packed) in zip(NAMES, first):
    print(f"   {name:24} {size / 1e6:8.1f} {packed / 1e6:10.1f}")
print(f"   {'in all':24} {sum(l[2] for l in first) / 1e6:8.1f} {sum(l[3] for l in first) / 1e6:10.1f}")
for other in others:
    differ = [name for name, a, b in zip(NAMES, first, other) if a[1] != b[1]]
    print(f"   two builds: {len(first) - len(differ)} of {len(first)} layers are equal byte by byte{', not the ' + ', '.join(differ) if differ else ''}")
    if len(first) != len(other) or set(differ) - {CACHE}:
        sys.exit("FAILED: the builds differ")

"""Export a checkpoint to int8 ONNX: `python tests/training/names_export.py FOLDER`."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import torch
from names_data import LABELS, TYPES
from names_net import Layer, Net, Shape
from torch import Tensor, nn
from torch.nn import functional


class Joined(nn.Module):
    """A layer at run time: key and value in one product, no mask (one text at a time, no padding). The queries have a
    product of their own: names_narrow.py asks for those of fewer pieces than have keys.
    """

    def __init__(self, layer: Layer) -> None:
        super().__init__()
        self.layer = layer
        width = layer.query.weight.shape[0]
        self.query, self.joint = nn.Linear(width, width), nn.Linear(width, 2 * width)
        scale = (width // layer.heads) ** -0.5
        with torch.no_grad():
            for part in ("weight", "bias"):
                getattr(self.query, part).copy_(getattr(layer.query, part) * scale)
                getattr(self.joint, part).copy_(torch.cat([getattr(layer.key, part), getattr(layer.value, part)]))

    def forward(self, x: Tensor, mask: Tensor | None) -> Tensor:
        """Run one layer."""
        layer = self.layer
        heads, each = layer.heads, self.query.out_features // layer.heads
        query = self.query(x).view(1, -1, heads, each).transpose(1, 2)
        parts = self.joint(x).view(1, -1, 2, heads, each).permute(2, 0, 3, 1, 4)
        mixed = torch.matmul(torch.softmax(torch.matmul(query, parts[0].transpose(2, 3)), -1), parts[1])
        x = layer.norm1(x + layer.out(mixed.transpose(1, 2).reshape(1, -1, heads * each)))
        return layer.norm2(x + layer.down(functional.gelu(layer.up(x), approximate="tanh")))


def export(folder: Path) -> Path:
    """Write model.onnx (int8 weights by output channel, activations quantised at run time) and config.json."""
    from onnxruntime.quantization import QuantType, quantize_dynamic
    from onnxruntime.quantization.shape_inference import quant_pre_process

    state = torch.load(folder / "checkpoint.pt", weights_only=False)
    net = Net(Shape(**state["shape"]))
    net.load_state_dict(state["net"])
    net.layers = nn.ModuleList(Joined(layer) for layer in net.layers)
    net.eval()
    ids = torch.randint(5, 100, (1, 24))
    kinds = torch.randint(0, 7, (1, 24))
    plain, ready = folder / "plain.onnx", folder / "ready.onnx"
    torch.onnx.export(
        net, (ids, kinds, kinds), str(plain), input_names=["ids", "casing", "lex"], output_names=["scores"],
        dynamic_axes={name: {1: "size"} for name in ("ids", "casing", "lex", "scores")}, opset_version=20, dynamo=False,
    )  # fmt: skip
    quant_pre_process(str(plain), str(ready), skip_symbolic_shape=True)
    quantize_dynamic(
        str(ready), str(folder / "model.onnx"), weight_type=QuantType.QInt8, per_channel=True,
        extra_options={"MatMulConstBOnly": True},
    )  # fmt: skip
    plain.unlink()
    ready.unlink()
    bias = {
        "balanced": {**dict.fromkeys(TYPES, 0.0), "PERSON": -0.3},
        "strict": {**dict.fromkeys(TYPES, 1.5), "PERSON": 3.25},
        "lower": {**dict.fromkeys(TYPES, 0.75), "PERSON": 1.75, "ORGANIZATION": 1.25},
    }
    config = {"version": "names-7.3", "labels": list(LABELS), "bias": bias}
    (folder / "config.json").write_text(json.dumps(config, indent=1) + "\n")
    return folder / "model.onnx"


if __name__ == "__main__":
    print(export(Path(sys.argv[1])).stat().st_size)

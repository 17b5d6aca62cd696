"""The network: a BERT encoder with word-casing and word-list embeddings, explicit attention, a linear head."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from pathlib import Path

import torch
from names_data import LABELS
from pieces import CASINGS, LEXES
from safetensors.torch import load_file
from torch import Tensor, nn
from torch.nn import functional


@dataclass
class Shape:
    """Sizes of the network."""

    vocabulary: int
    layers: int = 4
    width: int = 384
    heads: int = 12
    inner: int = 1536
    positions: int = 256

    def as_dict(self) -> dict[str, int]:
        """Return the sizes for a checkpoint."""
        return asdict(self)


class Layer(nn.Module):
    """Self-attention and a feed-forward part, normalised after each."""

    def __init__(self, shape: Shape) -> None:
        super().__init__()
        width = shape.width
        self.heads = shape.heads
        self.query, self.key, self.value = (nn.Linear(width, width) for _ in range(3))
        self.out = nn.Linear(width, width)
        self.norm1 = nn.LayerNorm(width, 1e-12)
        self.up, self.down = nn.Linear(width, shape.inner), nn.Linear(shape.inner, width)
        self.norm2 = nn.LayerNorm(width, 1e-12)

    def forward(self, x: Tensor, mask: Tensor | None) -> Tensor:
        """Run one layer; the mask is added to the attention scores."""
        batch, size, width = x.shape[0], x.shape[1], x.shape[2]
        each = width // self.heads

        def split(y: Tensor) -> Tensor:
            return y.view(batch, size, self.heads, each).transpose(1, 2)

        query, key, value = split(self.query(x)), split(self.key(x)), split(self.value(x))
        scores = torch.matmul(query * (1 / math.sqrt(each)), key.transpose(2, 3))
        if mask is not None:
            scores = scores + mask
        mixed = torch.matmul(torch.softmax(scores, -1), value)
        x = self.norm1(x + self.out(mixed.transpose(1, 2).reshape(batch, size, width)))
        return self.norm2(x + self.down(functional.gelu(self.up(x), approximate="tanh")))


class Net(nn.Module):
    """Pieces, casings and list classes in; label scores out."""

    def __init__(self, shape: Shape) -> None:
        super().__init__()
        self.shape = shape
        self.words = nn.Embedding(shape.vocabulary, shape.width)
        self.places = nn.Embedding(shape.positions, shape.width)
        self.casing = nn.Embedding(CASINGS, shape.width)
        self.lex = nn.Embedding(LEXES, shape.width)
        self.norm = nn.LayerNorm(shape.width, 1e-12)
        self.drop = nn.Dropout(0.1)
        self.layers = nn.ModuleList(Layer(shape) for _ in range(shape.layers))
        self.head = nn.Linear(shape.width, len(LABELS))
        for table in (self.casing, self.lex, self.head):
            nn.init.normal_(table.weight, std=0.02)

    def forward(self, ids: Tensor, casing: Tensor, lex: Tensor, mask: Tensor | None = None) -> Tensor:
        """Return a score for every piece and label."""
        x = self.words(ids) + self.places.weight[: ids.shape[1]] + self.casing(casing) + self.lex(lex)
        x = self.drop(self.norm(x))
        for layer in self.layers:
            x = layer(x, mask)
        return self.head(self.drop(x))


def pretrained(folder: Path, vocabulary: list[str], added: dict[str, list[int]], layers: list[int]) -> Net:
    """Start from the encoder's weights: kept rows of its vocabulary, new words as means of their pieces."""
    old = {word: at for at, word in enumerate((folder / "vocab.txt").read_text("utf-8").splitlines())}
    weights = load_file(str(folder / "model.safetensors"))
    weights = {name.removeprefix("bert."): value for name, value in weights.items()}
    net = Net(Shape(len(vocabulary), len(layers)))
    table = weights["embeddings.word_embeddings.weight"]
    with torch.no_grad():
        for at, word in enumerate(vocabulary):
            net.words.weight[at] = table[old[word]] if word in old else table[added[word]].mean(0)
        net.places.weight.copy_(weights["embeddings.position_embeddings.weight"][: net.shape.positions])
        net.places.weight.add_(weights["embeddings.token_type_embeddings.weight"][0])
        net.norm.weight.copy_(weights["embeddings.LayerNorm.weight"])
        net.norm.bias.copy_(weights["embeddings.LayerNorm.bias"])
        names = {
            "attention.self.query": "query", "attention.self.key": "key", "attention.self.value": "value",
            "attention.output.dense": "out", "attention.output.LayerNorm": "norm1", "intermediate.dense": "up",
            "output.dense": "down", "output.LayerNorm": "norm2",
        }  # fmt: skip
        for layer, source in zip(net.layers, layers, strict=True):
            for theirs, ours in names.items():
                for part in ("weight", "bias"):
                    getattr(getattr(layer, ours), part).copy_(weights[f"encoder.layer.{source}.{theirs}.{part}"])
    return net

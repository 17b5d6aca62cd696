"""Let a model's last layer read only words that may be part of a name: `names_narrow.py --data DIR FOLDER`.

Three layers know already which words are none, four in five of them. A line drawn through their output (a logistic
regression) keeps the others; the last layer and the head are computed for those alone, with all words in their sight,
so that what they say of a word is what they said of it before. A quarter of the time is saved; `LOST` of the words
that strict mode would call part of a name, those it is least sure of, are never looked at. The idea is that of early
exits (Xin et al. 2020, DeeBERT), word by word.

Changes FOLDER/model.onnx, which names_export.py wrote. Fitted on texts that the model was trained on.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy
import onnx
import onnxruntime
import torch
from onnx import TensorProto, helper, numpy_helper
from torch.nn import functional

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parents[1])]

import score_names  # noqa: E402

from sidecar.drivers import names_model  # noqa: E402
from sidecar.drivers.names.pieces import Lexicon, Pieces, words_of  # noqa: E402

LOST = 0.0005
LAST = "/layers.3"
BEFORE_LAST = "/layers.2/norm2/LayerNormalization_output_0"
"""What the last layer reads, by its name in the exported graph."""
MOST = 250
"""Texts of each set; one in four is read in lower case besides."""


def texts(root: Path) -> list[str]:
    """Texts that the model was trained on, of every kind and language."""
    sets = score_names.held_out(root, "train", MOST)
    found = [score_names.text_of(one)[0] for examples in sets.values() for one in examples]
    found += [text for golds in score_names.code_and_data(root, "train").values() for text, _ in golds[: 2 * MOST]]
    return found + [text.lower() for text in found[::4]]


def read(folder: Path, found: Sequence[str]) -> tuple[torch.Tensor, torch.Tensor]:
    """Of each word what the last layer would read, and by how much strict mode calls it part of a name."""
    model = onnx.load(folder / "model.onnx")
    model.graph.output.append(helper.make_tensor_value_info(BEFORE_LAST, TensorProto.FLOAT, None))
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(model.SerializeToString(), options)
    bias, lower = biases(folder)
    states, margins = [], []
    for feed, firsts, capitals in windows(folder, found):
        scores, state = (rows[0][firsts] for rows in session.run(None, feed))
        scores += bias if capitals else bias + lower
        states.append(state)
        margins.append(scores[:, 1:].max(1) - scores[:, 0])
    return torch.from_numpy(numpy.concatenate(states)), torch.from_numpy(numpy.concatenate(margins))


def biases(folder: Path) -> tuple[Any, Any]:
    """What is added to the scores of the labels in strict mode, and where there are no capitals."""
    config = json.loads((folder / "config.json").read_text())
    kinds = [label[2:] for label in config["labels"]]
    strict, lower = ([config["bias"][mode].get(kind, 0.0) for kind in kinds] for mode in ("strict", "lower"))
    return numpy.array(strict, numpy.float32), numpy.array(lower, numpy.float32)


def windows(folder: Path, found: Sequence[str]) -> Iterator[tuple[dict[str, Any], list[int], bool]]:
    """The model's input for every window, the first pieces of its words, and whether it has capitals."""
    vocabulary = (folder / "vocab.txt").read_text("utf-8").split("\n")
    pieces = Pieces(vocabulary, Lexicon.load(folder / "lexicon.bin"))
    for text in found:
        words = names_model.unwrapped(text, words_of(text))
        encoded = [pieces.encode(word.text) for word in words]
        for start, end, _, _ in names_model.windows(words, encoded):
            rows, firsts = names_model.rows_of(pieces, encoded[start:end])
            capitals = bool(names_model.CAPITALS.intersection(rows["casing"]))
            yield {name: numpy.array([row], numpy.int64) for name, row in rows.items()}, firsts, capitals


def fitted(states: torch.Tensor, margins: torch.Tensor, seed: int) -> tuple[Any, float]:
    """Weights, and the least product with them that a word must reach to be looked at."""
    torch.manual_seed(seed)
    line = torch.nn.Linear(states.shape[1], 1)
    wanted, weight = (margins > 0).float(), torch.tensor(4.0)
    optimizer = torch.optim.AdamW(line.parameters(), 3e-3, weight_decay=1e-3)
    for _ in range(8):
        for rows in torch.randperm(len(states)).split(1024):
            guess = line(states[rows])[:, 0]
            loss = functional.binary_cross_entropy_with_logits(guess, wanted[rows], pos_weight=weight)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
    weights = line.weight.detach()[0]
    reached = states @ weights
    least = float(reached[margins > 0].quantile(LOST))
    print(f"{len(states)} words, {float((reached > least).float().mean()):.3f} of them looked at")
    return weights.numpy(), least


def narrowed(model: onnx.ModelProto, weights: Any, least: float) -> onnx.ModelProto:
    """The model with a further input, `firsts` (where each word begins), and a further output, `kept` (which of the
    words were looked at). `scores` has a row for the first piece of the window, then one for each of these.
    """
    graph = model.graph
    constants = {"weights": weights.reshape(-1, 1), "least": numpy.float32(least)}
    constants |= {"flat": numpy.array([-1]), "first_piece": numpy.array([0])}
    graph.initializer.extend([numpy_helper.from_array(numpy.asarray(value), name) for name, value in constants.items()])
    steps = [
        ("Gather", [BEFORE_LAST, "firsts"], "of_words", {"axis": 1}),
        ("MatMul", ["of_words", "weights"], "products", {}),
        ("Reshape", ["products", "flat"], "reached", {}),
        ("Greater", ["reached", "least"], "may_be", {}),
        ("NonZero", ["may_be"], "places", {}),
        ("Reshape", ["places", "flat"], "kept", {}),
        ("Gather", ["firsts", "kept"], "their_firsts", {}),
        ("Concat", ["first_piece", "their_firsts"], "rows", {"axis": 0}),  # never none
        ("Gather", [BEFORE_LAST, "rows"], "of_rows", {"axis": 1}),
        ("Gather", [f"{LAST}/Gather", "rows"], "queries", {"axis": 1}),
    ]
    made = [helper.make_node(kind, inputs, [output], **more) for kind, inputs, output, more in steps]
    changed = 0
    for node in graph.node:
        if node.output[0] == f"{LAST}/Gather_output_0":
            node.input[0], changed = "queries", changed + 1
        elif node.output[0] == f"{LAST}/Add_output_0":
            node.input[list(node.input).index(BEFORE_LAST)], changed = "of_rows", changed + 1
    assert changed == 2, "the exported graph has other names than it had"
    at = next(at for at, node in enumerate(graph.node) if f"{LAST}/Gather" in node.output)
    for node in reversed(made):
        graph.node.insert(at + 1, node)
    graph.input.append(helper.make_tensor_value_info("firsts", TensorProto.INT64, ["words"]))
    graph.output.append(helper.make_tensor_value_info("kept", TensorProto.INT64, ["kept"]))
    del graph.value_info[:]
    onnx.checker.check_model(model)
    return model


def narrow(folder: Path, root: Path, seed: int = 7) -> None:
    """Fit and rewrite FOLDER/model.onnx."""
    weights, least = fitted(*read(folder, texts(root)), seed)
    onnx.save(narrowed(onnx.load(folder / "model.onnx"), weights, least), folder / "model.onnx")


def main() -> None:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", required=True)
    parser.add_argument("folder")
    args = parser.parse_args()
    narrow(Path(args.folder), Path(args.data))


if __name__ == "__main__":
    main()

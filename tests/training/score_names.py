"""Score a names model on the held-out parts: `python tests/training/score_names.py --data DIR [--model DIR]`.

`--texts DIR` adds text that this project did not write (names_real.py).

Prints precision, recall, F1 (a prediction matches a gold span of its type at an overlap of half of the union) and
the share of gold spans covered (every character inside some prediction, whatever its type), per set and type, with n.
What a corpus marks as a whole without saying whose names stand in it (citations of literature and of rulings in court
decisions, which training leaves out as well) is counted neither right nor wrong.
"""

from __future__ import annotations

import argparse
import json
import random
import re
import sys
from collections import defaultdict
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parents[1])]

import names_data as data  # noqa: E402
import names_real  # noqa: E402

from sidecar.drivers import names_model  # noqa: E402

Gold = tuple[str, list[tuple[int, int, str]]]
MARK = re.compile(r"\[([PLO]):([^\]]+)\]")
KINDS = {"P": "PERSON", "L": "LOCATION", "O": "ORGANIZATION"}
UNTOLD = "?"
TIGHT_BEFORE = set(".,;:!?)]}'%")
TIGHT_AFTER = set("([{'")


def text_of(example: data.Example) -> Gold:
    """Put an example's words back together and give its spans as offsets; UNTOLD for what its corpus leaves open."""
    text, before = "", 0
    spans: list[tuple[int, int, str]] = []
    for word, label in zip(example.words, example.labels, strict=True):
        if text and text[-1] not in TIGHT_AFTER and text[-1] != "\n" and word not in TIGHT_BEFORE and word != "\n":
            text += " "
        start = len(text)
        text += word
        if label > 0 or label == data.IGNORE:
            kind = UNTOLD if label == data.IGNORE else data.LABELS[label][2:]
            if label % 2 == 0 and before and spans[-1][2] == kind:
                spans[-1] = (spans[-1][0], len(text), kind)
            else:
                spans.append((start, len(text), kind))
        before = label
    return text, spans


def overlap(one: tuple[int, int, str], other: tuple[int, int, str]) -> float:
    """Return the overlap of two spans over their union."""
    inner = min(one[1], other[1]) - max(one[0], other[0])
    return inner / (max(one[1], other[1]) - min(one[0], other[0])) if inner > 0 else 0.0


def covered(span: tuple[int, int, str], found: list[tuple[int, int, str]], text: str) -> bool:
    """Tell whether every letter and digit of a span lies in some prediction."""
    marks = [at for at in range(span[0], span[1]) if text[at].isalnum()]
    return all(any(start <= at < end for start, end, _ in found) for at in marks)


def left_open(span: tuple[int, int, str], gold: list[tuple[int, int, str]]) -> bool:
    """Tell whether more than half of a prediction stands where its corpus does not say what is a name."""
    inside = sum(max(0, min(span[1], end) - max(span[0], start)) for start, end, kind in gold if kind == UNTOLD)
    return 2 * inside > span[1] - span[0]


def score(model: names_model.NamesModel, golds: list[Gold]) -> dict[str, tuple[int, float, float, float, float]]:
    """Return, per type: n, precision, recall, F1, covered."""
    count: dict[str, list[int]] = defaultdict(lambda: [0, 0, 0, 0, 0])
    for text, gold in golds:
        found = [(span.start, span.end, span.entity) for span in model.find(text)]
        for kind in data.TYPES:
            want = [span for span in gold if span[2] == kind]
            have = [span for span in found if span[2] == kind and not left_open(span, gold)]
            row = count[kind]
            row[0] += len(want)
            row[1] += len(have)
            row[2] += sum(any(overlap(one, span) >= 0.5 for span in have) for one in want)
            row[3] += sum(any(overlap(one, span) >= 0.5 for span in want) for one in have)
            row[4] += sum(covered(one, found, text) for one in want)
    result = {}
    for kind, (want, have, hit, right, whole) in count.items():
        recall, precision = hit / want if want else 0.0, right / have if have else 0.0
        f1 = 2 * precision * recall / (precision + recall) if precision + recall else 0.0
        result[kind] = (want, precision, recall, f1, whole / want if want else 0.0)
    return result


def own_sentences() -> dict[str, list[Gold]]:
    """Return the sentences written for this test, in encyclopaedia and chat style; never trained on."""
    found: dict[str, list[Gold]] = {}
    for path in sorted((HERE / "names_held").glob("*.txt")):
        golds = found.setdefault(f"{path.stem} own sentences", [])
        for line in path.read_text("utf-8").splitlines():
            text, at = "", 0
            spans: list[tuple[int, int, str]] = []
            for match in MARK.finditer(line):
                text += line[at : match.start()]
                spans.append((len(text), len(text) + len(match[2]), KINDS[match[1]]))
                text += match[2]
                at = match.end()
            golds.append((text + line[at:], spans))
    return found


def held_out(root: Path, part: str, most: int) -> dict[str, list[data.Example]]:
    """Return the held-out examples by set: the corpora's, and generated texts of held-out templates."""
    from names_gen import Generator
    from names_lists import LANGS

    sets: dict[str, list[data.Example]] = defaultdict(list)
    for one in data.corpora(root):
        if one.part == part:
            name = "europeana" if one.source.startswith("europeana") else one.source
            sets[f"{one.lang} {name}"].append(one)
    made = Generator(root, HERE / "names_templates", 4242)
    for lang in LANGS:
        sets[f"{lang} templates"] = [made.example(lang, part) for _ in range(min(most, 400))]
    for name, examples in sets.items():
        sets[name] = random.Random(5).sample(examples, most) if len(examples) > most else examples
    return dict(sorted(sets.items()))


def code_and_data(root: Path, part: str) -> dict[str, list[Gold]]:
    """Return held-out machine text as it stands, with its line breaks: every template twice, in all languages."""
    from names_gen import Generator
    from names_lists import LANGS

    made = Generator(root, HERE / "names_templates", 4243)
    lines = made.templates["any"][part] * 2
    return {"code and data": [made.filled(line, LANGS[at % len(LANGS)]) for at, line in enumerate(lines)]}


def main() -> None:
    """Read the command line, print one table."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--data", required=True)
    parser.add_argument("--texts", default="", help="folder of the unpacked packages named in names_real.py")
    parser.add_argument("--model", default="")
    parser.add_argument("--part", default="test")
    parser.add_argument("--most", type=int, default=1500)
    parser.add_argument("--only", default="")
    parser.add_argument("--json", default="")
    args = parser.parse_args()
    if args.model:
        names_model.HOME = Path(args.model)
    models = {"balanced": names_model.NamesModel(), "strict": names_model.NamesModel(mode=names_model.Mode.STRICT)}
    table = {}
    print(
        "| set | type | n | P | R | F1 | covered | strict P | strict covered | lower covered | lower strict covered |"
    )
    print("|---|---|---|---|---|---|---|---|---|---|---|")
    sets = own_sentences() | (names_real.read(Path(args.texts)) if args.texts else {})
    for name, examples in held_out(Path(args.data), args.part, args.most).items():
        sets[name] = [text_of(one) for one in examples]
    sets |= code_and_data(Path(args.data), args.part)
    for name, golds in sets.items():
        if args.only not in name:
            continue
        lower = [(text.lower(), gold) for text, gold in golds if len(text.lower()) == len(text)]
        plain, strict = (score(models[mode], golds) for mode in models)
        low, low_strict = (score(models[mode], lower) for mode in models)
        for kind in data.TYPES:
            n, precision, recall, f1, whole = plain[kind]
            if n < 5:
                continue
            row = [precision, recall, f1, whole, strict[kind][1], strict[kind][4], low[kind][4], low_strict[kind][4]]
            table[f"{name} {kind}"] = [n, *row]
            print(f"| {name} | {kind} | {n} | " + " | ".join(f"{value:.2f}" for value in row) + " |", flush=True)
    if args.json:
        Path(args.json).write_text(json.dumps(table, indent=1))


if __name__ == "__main__":
    main()

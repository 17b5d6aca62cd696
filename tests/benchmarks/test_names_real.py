"""The real text's labels: well formed, found again by digest, and a clear word where the text is not there."""

from __future__ import annotations

import struct
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "training"))

import names_real

GAME_TEXT = "Karl  Marx\nwurde in Trier geboren."
HISTORY_TEXT = "<p>Ian  Murdock gr&uuml;ndete <em>das</em> Projekt.</p><p>Nichts.</p>"


def catalogue(text: str) -> bytes:
    """A message catalogue of gettext's with one entry, the source string `x`."""
    raw = text.encode()
    head = struct.pack("<7I", 0x950412DE, 0, 2, 28, 44, 0, 0)
    meta = b"Content-Type: text/plain; charset=UTF-8\n"
    at = 60
    keys = struct.pack("<4I", 0, at, 1, at + 1)
    values = struct.pack("<4I", len(meta), at + 3, len(raw), at + 3 + len(meta) + 1)
    return head + keys + values + b"\0x\0" + meta + b"\0" + raw + b"\0"


@pytest.fixture
def texts(tmp_path: Path) -> Path:
    game = tmp_path / names_real.GAME.format(lang="de", part="nations")
    history = tmp_path / names_real.HISTORY.format(lang="de", part="intro")
    for path in (game, history):
        path.parent.mkdir(parents=True)
    game.write_bytes(catalogue(GAME_TEXT))
    history.write_text(HISTORY_TEXT)
    return tmp_path


def test_paragraphs_of_both_packages_are_read(texts: Path) -> None:
    found = list(names_real.paragraphs(texts, "de"))
    assert "Karl Marx wurde in Trier geboren." in found
    assert found[-2:] == ["Ian Murdock gründete das Projekt.", "Nichts."]


def test_labels_find_their_text(texts: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    text = "Karl Marx wurde in Trier geboren."
    labels = tmp_path / "labels"
    labels.mkdir()
    (labels / "de.txt").write_text(f"{names_real.digest(text)} P:0-9 L:19-24\n")
    monkeypatch.setattr(names_real, "HERE", labels)
    assert names_real.read(texts) == {"de real text": [(text, [(0, 9, "PERSON"), (19, 24, "LOCATION")])]}


def test_a_folder_without_the_text_is_named(tmp_path: Path) -> None:
    with pytest.raises(SystemExit, match=r"90 of 90 paragraphs \(de\) are not in"):
        names_real.read(tmp_path)


@pytest.mark.parametrize("path", sorted(names_real.HERE.glob("*.txt")), ids=lambda path: path.stem)
def test_labels_are_well_formed(path: Path) -> None:
    lines = [line.split() for line in path.read_text("utf-8").splitlines()]
    assert len(lines) > 70
    assert len({line[0] for line in lines}) == len(lines)
    for digest, *marks in lines:
        assert len(digest) == 16
        spans = [names_real._span(mark) for mark in marks]
        ends = [0] + [end for _, end, _ in spans]
        assert all(start >= before and end > start for (start, end, _), before in zip(spans, ends, strict=False))

"""The labelled sets of the scorecard: only what was held back from rules and model.

Names: the test part of names_data.py (by digest of sentence, document or template). Formats: the half of
presidio-research that was held back while the rules were written. Words of column files are put together again as
tests/training/score_names.py does it. Own sentences were not trained on, but the strict mode's bias was chosen with
them. Generated numbers and drawn secrets are no independent test: they say that a form is known, not how often it is
met. What a set does not label is not scored on it.
"""

from __future__ import annotations

import gzip
import json
import random
import re
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT), str(ROOT / "tests" / "training")]

import names_data  # noqa: E402
import names_real  # noqa: E402
import score_names  # noqa: E402

from sidecar.inspection.scoring import Example, Label, named  # noqa: E402
from sidecar.inspection.secrets import API_KEY, ENTITIES, entropy  # noqa: E402
from tests.inspection.drawing import matching  # noqa: E402
from tests.inspection.test_secrets import JWT, KEY, NO_SAMPLE, WRITTEN  # noqa: E402

NAMES = ("PERSON", "LOCATION", "ORGANIZATION")
STREET = "STREET_ADDRESS"
CHECKED = ("CREDIT_CARD", "IBAN_CODE", "US_SSN", "IP_ADDRESS")
FORMATS = (*CHECKED, "EMAIL_ADDRESS", "PHONE_NUMBER", "US_DRIVER_LICENSE", "DATE_TIME", "URL")
CLINICAL = {
    "CORREO_ELECTRONICO": "EMAIL_ADDRESS",
    "NUMERO_TELEFONO": "PHONE_NUMBER",
    "NUMERO_FAX": "PHONE_NUMBER",
    "ID_SUJETO_ASISTENCIA": "MEDICAL_RECORD_NUMBER",
    "ID_ASEGURAMIENTO": "ES_SOCIAL_SECURITY",
    "ID_TITULACION_PERSONAL_SANITARIO": "ES_MEDICAL_LICENSE",
}
GENERATED = (
    ("de", "IBAN_CODE", "de_DE", "iban", "IBAN"),
    ("de", "DE_VAT_ID", "de_DE", "vat_id", "USt-IdNr."),
    ("de", "AT_SOCIAL_SECURITY", "de_AT", "ssn", "SVNR"),
    ("en", "CREDIT_CARD", "en_US", "credit_card_number", "card"),
    ("en", "US_SSN", "en_US", "ssn", "SSN"),
    ("en", "UK_NINO", "en_GB", "ssn", "national insurance"),
    ("en", "IP_ADDRESS", "en_US", "ipv6", "host"),
    ("en", "MAC_ADDRESS", "en_US", "mac_address", "mac"),
    ("es", "ES_NIF", "es_ES", "nif", "NIF"),
    ("es", "ES_NIE", "es_ES", "nie", "NIE"),
    ("fr", "IBAN_CODE", "fr_FR", "iban", "IBAN"),
    ("fr", "FR_NIR", "fr_FR", "ssn", "NIR"),
    ("it", "IT_FISCAL_CODE", "it_IT", "ssn", "codice fiscale"),
    ("nl", "NL_BSN", "nl_NL", "ssn", "BSN"),
    ("nl", "BE_NATIONAL_NUMBER", "nl_BE", "ssn", "rijksregisternummer"),
    ("pl", "PL_PESEL", "pl_PL", "pesel", "PESEL"),
    ("pl", "PL_NIP", "pl_PL", "nip", "NIP"),
    ("sv", "SE_PERSONNUMMER", "sv_SE", "ssn", "personnummer"),
    ("fi", "FI_PERSONAL_IDENTITY_CODE", "fi_FI", "ssn", "hetu"),
)
"""Language, type, Faker's locale and maker, the word before the number."""
LANGUAGES = ("en", "de", "fr", "es", "it", "nl", "pl", "sv", "fi")


@dataclass(frozen=True, slots=True)
class LabelledSet:
    """`types` are those that it labels and that are scored."""

    name: str
    language: str
    types: tuple[str, ...]
    examples: list[Example]

    def lowered(self) -> LabelledSet:
        kept = [example for example in self.examples if len(example.text.lower()) == len(example.text)]
        return replace(self, name=f"{self.name}, lower case", examples=[_lowered(example) for example in kept])


def _lowered(example: Example) -> Example:
    return Example(example.text.lower(), example.labels)


def sets(root: Path, most: int, texts: Path | None = None) -> Iterator[LabelledSet]:
    """All there are, each in its own case and in lower case; what the folder does not hold is left out.

    `texts` is the folder of names_real.py.
    """
    for part in (*_presidio(root), *_columns(root), *_clinical(root), *_own(texts)):
        if part.examples:
            yield part if part.types == FORMATS else _cut(part, most)
            yield _cut(part, most).lowered()
    yield from _generated(min(most, 40))
    yield _cut(_secrets(), 2 * most)


def _cut(part: LabelledSet, most: int) -> LabelledSet:
    if len(part.examples) <= most:
        return part
    return replace(part, examples=random.Random(5).sample(part.examples, most))


def _presidio(root: Path) -> Iterator[LabelledSet]:
    path = root / "presidio_research" / "generated_large.json"
    if not path.is_file():
        return
    rows = json.loads(path.read_text("utf-8"))
    random.Random(7).shuffle(rows)  # as tests/inspection/test_scorecard.py
    held = rows[len(rows) // 2 :]
    unseen, both = ([row for row in some if _is_test_template(row)] for some in (rows, held))
    yield LabelledSet("presidio, held-back half", "en", FORMATS, list(map(_sentence, held)))
    yield LabelledSet("presidio, test templates", "en", (*NAMES, STREET), list(map(_sentence, unseen)))
    yield LabelledSet("presidio, test templates of that half", "en", (STREET,), list(map(_sentence, both)))


def _is_test_template(row: Mapping[str, Any]) -> bool:
    return names_data.part_of(f"presidio|{row['template_id']}") == "test"


def _sentence(row: Mapping[str, Any]) -> Example:
    """Parts of one address that stand side by side are one, as the model learned them."""
    text, labels = row["full_text"], list[Label]()
    for span in sorted(row["spans"], key=lambda span: int(span["start_position"])):
        label = Label(span["start_position"], span["end_position"], named(span["entity_type"]))
        last = labels[-1] if labels else None
        if last and last.entity == label.entity == STREET and not text[last.end : label.start].strip(" \n,"):
            labels[-1] = last._replace(end=label.end)
        else:
            labels.append(label)
    return Example(text, tuple(labels))


def _columns(root: Path) -> Iterator[LabelledSet]:
    for source in ("wikigold", "btc", "germeval2014"):
        files = {name: language for name, language in names_data.FILES.items() if name.startswith(f"{source}/")}
        found = [
            Example(text, tuple(Label(*span) for span in spans))
            for name, language in files.items()
            if (root / name).is_file()
            for one in names_data.conll(root / name, language, source)
            if one.part == "test"
            for text, spans in [score_names.text_of(one)]
        ]
        yield LabelledSet(source, next(iter(files.values())), NAMES, found)


def _clinical(root: Path) -> Iterator[LabelledSet]:
    """Whole documents, as an application would send them."""
    path = root / "meddocan_es" / "dev.jsonl.gz"
    if not path.is_file():
        return
    with gzip.open(path, "rt", encoding="utf-8") as lines:
        rows = [row for row in map(json.loads, lines) if names_data.part_of(f"meddocan|{row['id']}") == "test"]
    kinds = {**names_data.MEDDOCAN, **CLINICAL}
    found = [
        Example(
            row["text"], tuple(Label(start, end, kinds[kind]) for start, end, kind in row["spans"] if kind in kinds)
        )
        for row in rows
    ]
    yield LabelledSet("meddocan", "es", (*NAMES, STREET, *dict.fromkeys(CLINICAL.values())), found)


def _own(texts: Path | None) -> Iterator[LabelledSet]:
    """Sentences written for this project, and the text that it only labelled."""
    for name, golds in (score_names.own_sentences() | (names_real.read(texts) if texts else {})).items():
        found = [Example(text, tuple(Label(*span) for span in spans)) for text, spans in golds]
        yield LabelledSet(name[3:], name[:2], NAMES, found)


def _generated(count: int) -> Iterator[LabelledSet]:
    """Valid numbers after their name, made by Faker."""
    import faker

    for language in LANGUAGES:
        rows = [row for row in GENERATED if row[0] == language]
        found: list[Example] = []
        for _, entity, locale, maker, word in rows:
            source = faker.Faker(locale)
            source.seed_instance(23)
            values = [str(getattr(source, maker)()) for _ in range(count)]
            before = len(word) + 2
            found += [Example(f"{word}: {it}", (Label(before, before + len(it), entity),)) for it in values]
        if found:
            yield LabelledSet("generated numbers", language, tuple(row[1] for row in rows), found)


def _secrets() -> LabelledSet:
    """Strings of each gitleaks rule, of the entropy that it demands; written ones where none can be drawn."""
    rows = json.loads((ROOT / "sidecar" / "inspection" / "secrets_rules.json").read_text("utf-8"))["rules"]
    found = [example for row in rows if row["id"] not in NO_SAMPLE for example in _of_rule(row)]
    key = f"{KEY}\n-----END RSA PRIVATE KEY-----"
    for value, entity in ((key, "PRIVATE_KEY"), (JWT, "JWT"), *((value, API_KEY) for value in WRITTEN.values())):
        start = 2 if value is key else 2 + value.rfind(" ") + 1
        found.append(Example(f"x\n{value}\n", (Label(start, 2 + len(value), entity),)))
    types = tuple(sorted({label.entity for example in found for label in example.labels}))
    return LabelledSet("secrets drawn from gitleaks' rules", "en", types, found)


def _of_rule(row: Mapping[str, Any]) -> list[Example]:
    regex = row["regex"].replace("(?-i:", "(?:").replace("(?i:", "(?:")
    found = []
    for text in matching(regex, 12):
        match = re.search(row["regex"], text, re.ASCII)
        if match is None or not any(word in text.lower() for word in row["keywords"]):
            continue
        group = row["group"] or next((at for at in range(1, match.re.groups + 1) if match[at]), 0)
        if entropy(match[group]) >= max(row["entropy"], 3.4):
            start, end = match.span(group)
            found.append(Example(f"x\n{text}\n", (Label(start + 2, end + 2, ENTITIES.get(row["id"], API_KEY)),)))
    return found[:3]

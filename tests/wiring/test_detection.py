"""What is configured to be found is found, or the sidecar does not start; what is not looked for is said everywhere."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from pathlib import Path
from typing import Any, cast

import aiohttp
import orjson
import pytest

from sidecar.config import ConfigError, DetectionSettings, load
from sidecar.drivers.clock import SystemClock, SystemEntropy
from sidecar.drivers.inspector import Inspector
from sidecar.drivers.inspector_pool import Worker
from sidecar.errors import OwnError
from sidecar.inspection.catalogue import COUNTRIES
from sidecar.inspection.countries import COUNTRY_NAMES, national_missing, national_types
from sidecar.inspection.national import national_rules
from sidecar.inspection.presidio_rules import presidio_rules
from sidecar.model import Part, Place, Role
from sidecar.wiring.detection import inspecting, inspector_of
from tests.e2e import processes

TAX_ID = "Steuer-ID 86095742719"


def made(**settings: Any) -> Inspector:
    flags = {f"detection.{name}": value for name, value in {"names": False, **settings}.items()}
    return inspector_of(load(flags, environ={}).config.detection, SystemClock(), SystemEntropy())


def refused(**settings: Any) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        made(**settings)
    return str(caught.value).splitlines()


@pytest.mark.parametrize(
    ("settings", "start"),
    [
        ({"entities": ["EMAIL"]}, "detection.entities: no detector finds EMAIL; did you mean EMAIL_ADDRESS"),
        ({"entities": ["URL", "iban"]}, "detection.entities: no detector finds iban; did you mean IBAN_CODE"),
        ({"entities": ["AGE"]}, "detection.entities: no detector finds AGE"),
        ({"entities": ["QQQQ"]}, "detection.entities: no detector finds QQQQ; `sidecar serve` lists at its start"),
        ({"entities": ["PERSON"]}, "detection.entities: PERSON needs the names model"),
        ({"entities": ["DE_TAX_ID"], "locales": ["fr"]}, "detection.entities: DE_TAX_ID needs de in detection.locales"),
        ({"entities": ["+EMAIL"]}, "detection.entities: no detector finds EMAIL; did you mean EMAIL_ADDRESS"),
        ({"entities": ["-EMAIL"]}, "detection.entities: no detector finds EMAIL; did you mean EMAIL_ADDRESS"),
        ({"entities": ["URL", "-EMAIL_ADDRESS"]}, "detection.entities: name either all types that are wanted, or only"),
        ({"entities": ["+DE_TAX_ID"], "locales": ["fr"]}, "detection.entities: DE_TAX_ID needs de in detection.local"),
        ({"entities": ["-X"], "deny": {"X": ["y"]}}, "detection.entities: -X: deny, words or a recogniser finds it"),
        ({"thresholds": {"EMAIL_ADDRES": 0.9}}, "detection.thresholds: no detector finds EMAIL_ADDRES; did you mean E"),
        ({"locales": ["germany"]}, "detection.locales: no country germany; did you mean de?"),
        ({"locales": ["UK"]}, "detection.locales: no country uk; did you mean gb"),
        ({"words": {"STAFF": "/nope.txt"}}, "detection.words.STAFF: /nope.txt: No such file"),
        ({"words": {"STAFF": sys.executable}}, "detection.words.STAFF: "),
        ({"recognisers": [{"kind": "gliner", "entities": ["X"]}]}, "detection.recognisers.0: `kind` must be"),
        ({"recognisers": [{"kind": "remote", "entities": ["X"]}]}, "detection.recognisers.0: `url` is needed"),
        ({"recognisers": [{"kind": "remote", "url": "http://h"}]}, "detection.recognisers.0: must name its"),
        (
            {"recognisers": [{"kind": "remote", "url": "h:3000", "entities": ["X"]}]},
            "detection.recognisers.0: `url` mu",
        ),
        (
            {"recognisers": [{"kind": "remote", "url": "http://h", "entities": ["X"], "timout_s": 1}]},
            "detection.recognisers.0: there is no setting `timout_s` for this kind; did you mean timeout_s",
        ),
        (
            {"recognisers": [{"kind": "remote", "url": "http://h", "entities": ["X"], "timeout_s": "1 s"}]},
            "detection.recognisers.0: `timeout_s` must be",
        ),
        (
            {"recognisers": [{"kind": "remote", "url": "https://me:pw@h", "entities": ["X"]}]},
            "detection.recognisers.0: `url` must not hold a user or password, which would not be sent; see `key_file`",
        ),
        (
            {"recognisers": [{"kind": "remote", "url": "https://h", "entities": ["X"], "ca": "/nope.pem"}]},
            "detection.recognisers.0: /nope.pem: No such file",
        ),
        (
            {"recognisers": [{"kind": "remote", "url": "https://h", "entities": ["X"], "ca": __file__}]},
            f"detection.recognisers.0: {__file__}: must hold certificates in PEM",
        ),
        (
            {"recognisers": [{"kind": "remote", "url": "https://h", "entities": ["X"], "key_file": "/nope"}]},
            "detection.recognisers.0: /nope: No such file",
        ),
        (
            {"recognisers": [{"kind": "remote", "url": "https://h", "entities": ["X"], "key_file": __file__}]},
            f"detection.recognisers.0: {__file__} must hold a key",
        ),
    ],
)
def test_what_nobody_can_find_is_refused(settings: dict[str, Any], start: str) -> None:
    [line] = refused(**settings)
    assert line.startswith(start)


def test_types_of_the_customer_s_own_are_known(tmp_path: Path) -> None:
    (tmp_path / "staff.txt").write_text("Grüner\n")
    remote = {"kind": "remote", "url": "http://h", "entities": ["BADGE"]}
    own = {"deny": {"PROJECT": ["x"]}, "words": {"STAFF": str(tmp_path / "staff.txt")}, "recognisers": [remote]}
    types = ["PROJECT", "STAFF", "BADGE"]
    inspector = made(**own, entities=types, thresholds=dict.fromkeys(types, 0.5))
    assert set(types) <= set(inspector.looked_for)


@pytest.mark.parametrize("locales", [["DE"], ["de"], []])
async def test_a_country_counts_however_it_is_written(locales: list[str]) -> None:
    inspector = made(locales=locales)
    part = Part(place=Place(path=("x",), label="x"), role=Role.USER, text=TAX_ID)
    found = await inspector.inspect([part])
    await inspector.close()
    assert [finding.entity for finding in found.findings] == ["DE_TAX_ID"]


def test_signed_types_change_the_usual_ones() -> None:
    usual = set(made().looked_for)
    changed = made(entities=["+SPECIAL_HEALTH", "-URL", "-DE_PLZ"])
    assert set(changed.looked_for) == usual - {"URL", "DE_PLZ"} | {"SPECIAL_HEALTH"}
    assert {"URL", "DE_PLZ", "SPECIAL_UNION"} <= set(changed.not_looked_for)
    assert "SPECIAL_HEALTH" not in changed.not_looked_for


def test_the_table_of_national_types_is_that_of_the_rules() -> None:
    assert set(national_types()) == set(COUNTRY_NAMES) >= set(COUNTRIES)
    for country, types in national_types().items():
        assert types == {rule.entity for rule in (*presidio_rules([country]), *national_rules([country]))}


def test_countries_that_are_left_out_are_not_looked_for() -> None:
    others = {"NATIONAL_IDS_" + country.upper() for country in COUNTRY_NAMES}
    assert {name for name in made().not_looked_for if name.startswith("NATIONAL_")} == {
        "NATIONAL_IDS_" + country for country in ("AU", "CA", "CH", "IN", "LU", "NO", "SG")
    }
    assert set(national_missing(made(locales=["de"]).looked_for)) == others - {"NATIONAL_IDS_DE"}
    assert set(national_missing(made(locales=["es"]).looked_for)) == others - {"NATIONAL_IDS_ES"}
    assert set(made(entities=["URL"]).not_looked_for) >= others


def test_of_a_country_looked_for_in_part_the_rest_is_named() -> None:
    missing = made(entities=["DE_TAX_ID"]).not_looked_for
    assert {"DE_PASSPORT", "DE_ID_CARD", "NATIONAL_IDS_FR"} <= set(missing)
    assert not {"DE_TAX_ID", "NATIONAL_IDS_DE", "FR_NIR"} & set(missing)


def test_what_is_said_of_the_countries_stays_small() -> None:
    assert sum(map(len, national_missing(()))) < 400


async def test_start_records_and_scan_say_the_same(tmp_path: Path) -> None:
    detection = {"locales": ["DE"], "names": False}
    with (
        processes.stub(tmp_path / "stub") as stub,
        processes.sidecar(tmp_path / "run", stub.url, config={"detection": detection}) as sidecar,
    ):
        body = {"model": "stub-model", "messages": [{"role": "user", "content": TAX_ID}]}
        async with aiohttp.ClientSession() as session, session.post(f"{sidecar.base}/chat/completions", json=body) as r:
            assert r.status == 200
        shown = orjson.loads(sidecar.audit("show", "--last", "--json").stdout)
        told = sidecar.output()
    text = tmp_path / "letter.txt"
    text.write_text(TAX_ID)
    command = [sys.executable, "-m", "sidecar", "pii", "scan", str(text)]
    command += ["--config", str(tmp_path / "run" / "sidecar.yaml")]
    scan = await asyncio.to_thread(subprocess.run, command, capture_output=True, text=True, check=False)
    expected = ", ".join(made(**detection).not_looked_for)
    assert "NATIONAL_IDS_FR" in expected and "NATIONAL_IDS_DE" not in expected
    assert f"NOT looked for              {expected}\n" in told
    assert ", ".join(shown["redaction"]["not_looked_for"]) == expected
    assert f"not looked for: {expected}\n" in scan.stderr


def test_scan_names_the_setting_that_is_wrong(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text("detection: {entities: [EMAIL]}\n")
    command = [sys.executable, "-m", "sidecar", "pii", "scan", "-", "--config", str(tmp_path / "a.yaml")]
    done = subprocess.run(command, capture_output=True, text=True, check=False, input="x")
    assert done.returncode == 2
    assert "detection.entities: no detector finds EMAIL; did you mean EMAIL_ADDRESS" in done.stderr


def test_a_recogniser_that_does_not_load_stops_the_start(tmp_path: Path) -> None:
    """Not the first call, and every one after it."""
    recogniser = {"kind": "recognizer", "class": "no_such_module:Recogniser", "entities": ["X"]}
    config = {"detection": {"names": False, "recognisers": [recogniser]}}
    with pytest.raises(AssertionError, match="INSPECTOR_ERROR"):
        processes.Sidecar(tmp_path, "http://127.0.0.1:9", config=config)


def test_settings_that_hold_alone_hold_together() -> None:
    """Every type of every country may be asked for, where its country is."""
    everything = sorted(set().union(*national_types().values()))
    settings = DetectionSettings(entities=tuple(everything), locales=tuple(COUNTRY_NAMES), names=False)
    inspector = inspector_of(settings, SystemClock(), SystemEntropy())
    assert set(everything) <= set(inspector.looked_for)
    assert national_missing(inspector.looked_for) == ()


@pytest.fixture
def workers(monkeypatch: pytest.MonkeyPatch) -> list[Worker]:
    """Every worker that is started, in order."""
    started: list[Worker] = []
    start = Worker.__init__

    def noted(worker: Worker, command: tuple[str, ...]) -> None:
        start(worker, command)
        started.append(worker)

    monkeypatch.setattr(Worker, "__init__", noted)
    return started


async def test_a_worker_loads_while_the_rest_of_the_sidecar_is_opened(tmp_path: Path, workers: list[Worker]) -> None:
    """It loads for a second: one after the other, the start took 3.2 s with the names model. Whatever else fails at the
    start, no process stays behind."""
    (tmp_path / "staff").write_text("Wilhelmine Obermoser")
    settings = DetectionSettings(names=False, words={"EMPLOYEE": str(tmp_path / "staff")})

    async def start() -> None:
        async with inspecting(settings, SystemClock(), SystemEntropy()) as (_, loading):
            assert not cast(asyncio.Task[object], loading).done()
            os.kill(workers[0].pid, 0)
            raise OSError("the store")

    with pytest.raises(OSError, match="the store"):
        await start()
    with pytest.raises(ProcessLookupError):
        os.kill(workers[0].pid, 0)


async def test_who_waits_for_the_worker_is_told_that_it_cannot_load(workers: list[Worker]) -> None:
    recogniser = {"kind": "recognizer", "class": "no_such_module:Recogniser", "entities": ["X"]}
    settings = DetectionSettings(names=False, recognisers=(recogniser,))
    async with inspecting(settings, SystemClock(), SystemEntropy()) as (_, loading):
        with pytest.raises(OwnError, match="INSPECTOR_ERROR"):
            await loading
    assert len(workers) == 1


async def test_no_worker_is_started_before_a_call_needs_one(workers: list[Worker]) -> None:
    async with inspecting(DetectionSettings(names=False), SystemClock(), SystemEntropy()) as (_, loading):
        await loading
    assert workers == []

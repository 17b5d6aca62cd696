"""Reading the settings: what is misspelt, given twice or of the wrong form is refused, and nothing secret is quoted."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

import pytest

from sidecar import cli, config
from sidecar.config import NAMES, VARIABLES, ConfigError, explain, load
from sidecar.config_sources import FILE_LIMIT, is_text

SECRET = "sk-planted-91f3"


def written(folder: Path, text: str) -> Path:
    path = folder / "sidecar.yaml"
    path.write_text(text)
    return path


def refused(flags: dict[str, Any] | None = None, **sources: Any) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        load(flags or {}, **{"environ": {}, **sources})
    return str(caught.value).splitlines()


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("callers: {required: true}\nlisten: a:1\ncallers: {tenant_header: x}\n", "line 3"),
        ("callers:\n  required: true\n  required: false\n", "line 3"),
        ("policy:\n  data:\n    a: {b: 1, c: 2, b: 3}\n", "line 3"),
        ("callers: {required: true}\ncallers.required: false\n", "callers.required"),
    ],
)
def test_a_setting_given_twice_is_refused(tmp_path: Path, text: str, place: str) -> None:
    [line] = refused(file=written(tmp_path, text))
    assert place in line and "say it once" in line


def test_what_a_merge_brings_may_be_given_again(tmp_path: Path) -> None:
    text = "policy:\n  data:\n    x: {inner: &a {<<: &z {n: 1}, n: 2}}\n    y: {<<: *a, n: 3}\n    z: {<<: *z, n: 4}\n"
    loaded = load({}, file=written(tmp_path, text), environ={})
    assert loaded.config.policy.data == {"x": {"inner": {"n": 2}}, "y": {"n": 3}, "z": {"n": 4}}


@pytest.mark.parametrize("text", [f"upstream: {{key: {SECRET}", f"upstream:\n  key: *{SECRET}", f"a: !{SECRET} 1"])
def test_a_file_that_is_no_yaml_is_placed_and_not_quoted(tmp_path: Path, text: str) -> None:
    [line] = refused(file=written(tmp_path, text))
    assert "not YAML in line" in line
    assert SECRET not in line


def test_a_file_that_is_none_of_settings_is_refused(tmp_path: Path) -> None:
    assert refused(file=tmp_path / "gone.yaml") == [f"--config {tmp_path}/gone.yaml: No such file or directory"]
    assert "larger than" in refused(file=written(tmp_path, "#" * (FILE_LIMIT + 1)))[0]
    assert "must be a mapping" in refused(file=written(tmp_path, "- side: inbound\n"))[0]


def patterns(schema: object) -> set[str]:
    if isinstance(schema, list):
        return set().union(*map(patterns, schema))
    if not isinstance(schema, dict):
        return set()
    own = {schema["pattern"]} if isinstance(schema.get("pattern"), str) else set()
    return own.union(*map(patterns, schema.values()))


def test_every_pattern_is_told_in_words() -> None:
    assert patterns(config.Config.model_json_schema()) == set(config.FORMS)


def test_a_misspelt_section_is_told_what_was_meant(tmp_path: Path) -> None:
    [line] = refused(file=written(tmp_path, "upstrem: {url: http://h}"))
    assert "did you mean upstream " in line


@pytest.mark.parametrize("name", ["SIDECAR_REDACTION_TOOLS", "SIDECAR_DETECTION_DENY"])
def test_a_variable_that_is_no_yaml_is_refused_and_not_quoted(name: str) -> None:
    """Passed over it would be unset: `redaction.tools` unset means every tool."""
    [line] = refused(environ={name: f"[{SECRET}"})
    assert line.startswith(f"{name}: not YAML in line 1")
    assert SECRET not in line


def test_a_file_that_says_nothing_yet_changes_nothing(tmp_path: Path) -> None:
    assert load({}, file=written(tmp_path, "# upstream:\n"), environ={}).config == load({}, environ={}).config


def test_every_problem_is_told_at_once(tmp_path: Path) -> None:
    text = "limits: {body: none, drian: 3}\nside: left\ndetection: {thresholds: {URL: 40}}\nredaction: [a]\n"
    lines = refused(file=written(tmp_path, text), environ={"SIDECAR_CALLER_REQUIRED": "true"})
    starts = [line.split(" (")[0].split(": ")[0] for line in lines]
    assert sorted(starts) == sorted(
        ["limits.drian", "redaction", "SIDECAR_CALLER_REQUIRED", "side", "limits.body", "detection.thresholds.URL"]
    )
    assert any("did you mean limits.drain" in line for line in lines)


@pytest.mark.parametrize(
    ("variable", "meant"),
    [
        ("SIDECAR_CALLER_REQUIRED", "SIDECAR_CALLERS_REQUIRED"),
        ("SIDECAR_DETECTION_MODES", "SIDECAR_DETECTION_MODE"),
        ("SIDECAR_POLICY_BUNDEL", "SIDECAR_POLICY_BUNDLE"),
        ("SIDECAR_STATEDIR", "SIDECAR_STATE"),
    ],
)
def test_a_misspelt_variable_is_refused(variable: str, meant: str) -> None:
    [line] = refused(environ={variable: SECRET})
    assert line.startswith(f"{variable}: no such setting; did you mean {meant}")
    assert SECRET not in line


def test_other_variables_of_the_prefix_are_warned_of() -> None:
    """What begins like a setting that has nothing below it is another's, too."""
    others = {"SIDECAR_TEST_ALL": "1", "SIDECAR_PORT": "8400", "SIDECAR_STATE_BACKUP_BUCKET": "b"}
    loaded = load({}, environ={**others, "SIDE": "1", "SIDECAR_LISTEN": "a:1"})
    assert [line.split(":")[0] for line in loaded.warnings] == sorted(others)


def test_a_variable_without_its_section_is_told_where_it_belongs() -> None:
    [line] = load({}, environ={"SIDECAR_KIND": "vllm"}).warnings
    assert "no such setting; did you mean SIDECAR_UPSTREAM_KIND" in line


def test_what_kubernetes_says_of_services_is_no_setting() -> None:
    """As the kubelet sets them for services called `sidecar`, `sidecar-admin` and `sidecar-policy`."""
    environ = {
        "SIDECAR_SERVICE_HOST": "10.0.0.11",
        "SIDECAR_SERVICE_PORT": "8400",
        "SIDECAR_SERVICE_PORT_HTTP": "8400",
        "SIDECAR_PORT": "tcp://10.0.0.11:8400",
        "SIDECAR_PORT_8400_TCP": "tcp://10.0.0.11:8400",
        "SIDECAR_PORT_8400_TCP_PROTO": "tcp",
        "SIDECAR_PORT_8400_TCP_PORT": "8400",
        "SIDECAR_PORT_8400_TCP_ADDR": "10.0.0.11",
        "SIDECAR_ADMIN_PORT": "tcp://10.0.0.12:8401",
        "SIDECAR_POLICY_SERVICE_HOST": "10.0.0.13",
        "SIDECAR_POLICY_PORT_8181_TCP_ADDR": "10.0.0.13",
    }
    assert load({}, environ=environ).warnings == ()


def test_variables_are_text_or_yaml_by_the_type_of_the_setting() -> None:
    environ = {
        "SIDECAR_REDACTION_TOOLS": "[a, b]",
        "SIDECAR_REDACTION_KEY": "0" * 32,
        "SIDECAR_UPSTREAM_KEY": "12345",
        "SIDECAR_UPSTREAM_URL": "http://h",
        "SIDECAR_DETECTION_NAMES": "false",
        "SIDECAR_DETECTION_DENY": "{STAFF: [ann]}",
        "SIDECAR_SIDE": "inbound",
        "SIDECAR_STATE": "1",
    }
    found = load({}, environ=environ).config
    assert found.redaction.tools == ("a", "b")
    assert (found.redaction.key, found.upstream.key, found.upstream.url) == ("0" * 32, "12345", "http://h")
    assert (found.detection.names, found.detection.deny) == (False, {"STAFF": ("ann",)})
    assert (found.side, found.state) == ("inbound", Path("1"))


def test_each_setting_without_a_default_is_read_by_its_type() -> None:
    texts = {name for name, field in NAMES.items() if field.default is None and is_text(field.annotation)}
    others = {name for name, field in NAMES.items() if field.default is None} - texts
    assert others == {"redaction.tools", "detection.names", "limits.text"}
    assert all(VARIABLES[f"SIDECAR_{name.upper().replace('.', '_')}"] == name for name in NAMES)


def flags_of(parser: argparse.ArgumentParser) -> dict[str, str]:
    found: dict[str, str] = {}
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            for child in action.choices.values():
                found |= flags_of(child)
        elif action.dest in NAMES:
            found[action.dest] = action.option_strings[0]
    return found


def test_a_problem_names_the_flag_as_it_is_called() -> None:
    assert refused({"upstream.url": "ftp://h"}) == [
        "upstream.url (flag --upstream): must begin with http:// or https://"
    ]
    found = flags_of(cli.build_parser())
    assert found == {name: config.FLAGS[name] for name in found}


@pytest.mark.parametrize("password", ["planted", "pla/nted", "pla@nted", "pla:nted?#"])
def test_users_of_urls_are_not_printed(password: str) -> None:
    url = f"http://planted:{password}@host:1/v1"
    flags = {"upstream.url": url, "policy.audit_url": url, "detection.recognisers": [{"options": {"at": [url]}}]}
    told = explain(load(flags, environ={}))
    assert "planted" not in told and "nted" not in told
    assert told.count("://(hidden)@host:1/v1") == 3


def test_countries_may_be_written_in_capitals() -> None:
    assert load({"detection.locales": ["DE", "at"]}, environ={}).config.detection.locales == ("de", "at")


@pytest.mark.parametrize("name", sorted(NAMES))
def test_an_empty_variable_is_neither_unset_nor_a_value(name: str) -> None:
    """`SIDECAR_UPSTREAM_KEY=$KEY` without KEY sent the callers' own keys, `SIDECAR_STATE=` meant the working folder."""
    [line] = refused(environ={next(variable for variable in VARIABLES if VARIABLES[variable] == name): ""})
    assert line.startswith(f"{name} (environment SIDECAR_")
    assert "must not be empty" in line


def test_an_empty_setting_of_the_file_is_refused_too(tmp_path: Path) -> None:
    text = "state: ''\nupstream: {key: ''}\ncallers:\n  peers: [{uid: 1, tenant: ''}]\n"
    lines = refused({"policy.bundle": ""}, file=written(tmp_path, text))
    assert sorted(line.split(" ")[0] for line in lines) == [
        "callers.peers.0.tenant",
        "policy.bundle",
        "state",
        "upstream.key",
    ]


@pytest.mark.parametrize(
    "key", ["sk-planted\n", " sk-planted", "Bearer sk-planted", "sk-\u00fcplanted", "sk-plan\x00ted"]
)
def test_a_key_that_no_header_can_hold_is_refused_at_the_start(key: str) -> None:
    """A file of a secret ends with a line break: every call was answered 502, as the model server's fault."""
    [line] = refused(environ={"SIDECAR_UPSTREAM_KEY": key})
    assert line.startswith("upstream.key (environment SIDECAR_UPSTREAM_KEY): ") and "the key alone" in line
    assert "plan" not in line


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("detection: {locales: [us, no]}", "detection.locales.1 (file F): must be text; write it in quotes"),
        ("callers: {trusted: 10.0.0.0/8}", "callers.trusted (file F): must be a list, such as [A, B]"),
        ("callers: {keys: [planted]}", "callers.keys.0 (file F): must be a mapping of names to values"),
        ("policy: {data: planted}", "policy.data (file F): must be a mapping of names to values"),
        ("detection: {thresholds: {URL: on}}", "detection.thresholds.URL (file F): must be a number"),
        ("limits: {body: many}", "limits.body (file F): must be a whole number"),
        ("limits: {body: 0}", "limits.body (file F): must be greater than 0"),
        ("policy: {fallback: maybe}", "policy.fallback (file F): must be true or false"),
        ("side: outbound", "side (file F): must be 'egress' or 'inbound'"),
        ("callers: {peers: [{uid: 1}]}", "callers.peers.0.tenant (file F): is needed"),
        (
            "callers: {keys: [{sha256: abc, tenant: x}]}",
            "callers.keys.0.sha256 (file F): must be a SHA-256 in 64 small hex digits: printf %s KEY | sha256sum",
        ),
        (
            "callers: {origins: [app.example]}",
            "callers.origins.0 (file F): must be an origin such as https://app.example, without a path",
        ),
        ("redaction: {key: xyz}", "redaction.key (file F): must be at least 32 small hex digits: openssl rand -hex 32"),
        (
            "origin: my domain",
            "origin (file F): must be a domain such as acme.example: letters, digits, dots and hyphens",
        ),
        ("environment: 2024-01-01", "environment (file F): must be text; write it in quotes"),
    ],
)
def test_a_setting_of_the_wrong_form_is_told_how_to_write_it(tmp_path: Path, text: str, told: str) -> None:
    file = written(tmp_path, text)
    assert refused(file=file) == [told.replace("F", str(file))]

"""What a configuration file and the environment say, before config.py checks it: strict YAML, names, nothing quoted."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from difflib import get_close_matches
from pathlib import Path
from types import NoneType, UnionType
from typing import Any, Literal, NamedTuple, Union, get_args, get_origin

import yaml

PREFIX = "SIDECAR_"
FILE_LIMIT = 1024 * 1024
LIKE = 0.5
"""How alike (difflib's ratio) a name is that may have been meant: EMAIL and EMAIL_ADDRESS are 0.56."""
MEANT = 0.75
"""How alike a variable is that must have been meant: CALLER_REQUIRED and CALLERS_REQUIRED are 0.97."""
KUBERNETES = re.compile(r"(?:.+_)?(?:SERVICE_(?:HOST|PORT(?:_\w+)?)|PORT_\d+_(?:TCP|UDP|SCTP)(?:_[A-Z]+)?)")
"""What each container is told about a service called `sidecar` or `sidecar-...` (Kubernetes, environment variables of
services); `..._PORT` belongs to it where it holds an address."""
SERVICE_ADDRESS = re.compile(r"(?:tcp|udp|sctp)://")
USER = re.compile(r"://.*@", re.DOTALL)
"""Up to the last @: an unescaped slash in a password must not end it."""

QUOTED = re.compile(r"'[^'\s,\[\]]{2,}'")
"""What PyYAML quotes of the text: names of tags and anchors, which an unquoted key may look like."""


class Problem(NamedTuple):
    """A setting that cannot be used: its dotted name, and what would do. Never a value that may be secret."""

    name: str
    what: str

    def __str__(self) -> str:
        return f"{self.name}: {self.what}"


class ConfigError(Exception):
    """Settings that cannot be used: each argument is a line that names one and says what would do."""

    def __str__(self) -> str:
        return "\n".join(map(str, self.args))


def nearest(word: str, known: Mapping[str, str]) -> str:
    """`; did you mean X?`, or nothing where nothing known looks like it. Upper and lower case are alike.

    `known` maps what may have been written to what should have been.
    """
    spelled = {name.casefold(): meant for name, meant in known.items()}
    found = get_close_matches(word.casefold(), spelled, 3, LIKE)
    return f"; did you mean {' or '.join(dict.fromkeys(spelled[name] for name in found))}?" if found else ""


def masked(value: Any) -> Any:
    """The value as it may be printed: without the user information of URLs, at any depth."""
    if isinstance(value, str):
        return USER.sub("://(hidden)@", value)
    if isinstance(value, Mapping):
        return {key: masked(inner) for key, inner in value.items()}
    return type(value)(map(masked, value)) if isinstance(value, list | tuple) else value


def file_tree(file: Path) -> dict[Any, Any]:
    """The mapping in a YAML file. Raises ConfigError, with the place of what is wrong and nothing of the text there."""
    try:
        text = file.read_bytes()
    except OSError as error:
        raise ConfigError(f"--config {file}: {error.strerror}") from None
    if len(text) > FILE_LIMIT:
        raise ConfigError(f"--config {file}: larger than {FILE_LIMIT} bytes")
    try:
        tree = parsed(text) or {}
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        raise ConfigError(f"--config {file}: {_fault(error)}") from None
    if not isinstance(tree, dict):
        raise ConfigError(f"--config {file}: must be a mapping of settings")
    return tree


class _Twice(yaml.MarkedYAMLError):
    """A mapping that names a key twice."""


def parsed(text: bytes | str) -> Any:
    """YAML in which a mapping names each key once: of two `callers:` sections PyYAML keeps the last without a word.

    Raises yaml.YAMLError, ValueError (a date of no calendar), RecursionError.
    """
    loader = yaml.SafeLoader(text)
    try:
        node = loader.get_single_node()
        if node is None:
            return None
        for key in _keys_given_twice(node):
            raise _Twice(problem="a key is given twice, here for the second time", problem_mark=key.start_mark)
        return loader.construct_document(node)
    finally:
        loader.dispose()


def _keys_given_twice(root: yaml.Node) -> Iterator[yaml.Node]:
    """Looked for in the nodes as written: what `<<` merges in may be given again."""
    waiting, seen = [root], set[int]()
    while waiting:
        node = waiting.pop()
        if id(node) in seen or isinstance(node, yaml.ScalarNode):
            continue
        seen.add(id(node))
        keys = [key for key, _ in node.value] if isinstance(node, yaml.MappingNode) else []
        names = set[tuple[str, str]]()
        for key in keys:
            if isinstance(key, yaml.ScalarNode):
                if (key.tag, key.value) in names:
                    yield key
                names.add((key.tag, key.value))
        waiting += [inner for _, inner in node.value] if keys else node.value


def _fault(error: Exception) -> str:
    """PyYAML's own message shows the lines around the fault, which may hold a key."""
    mark = getattr(error, "problem_mark", None)
    place = f" in line {mark.line + 1}, column {mark.column + 1}" if mark else ""
    if isinstance(error, _Twice):
        return f"{error.problem}{place}; say it once"
    problem = getattr(error, "problem", None) or "it cannot be read"
    return f"not YAML{place}: {QUOTED.sub('(...)', problem)}"


def from_environment(variable: str, text: str, annotation: Any) -> Any:
    """A variable's value: text where the setting is a text, else YAML (SIDECAR_POLICY_DATA='{models: {...}}').

    Nothing is no YAML either: as its null it would unset what unset means everything (redaction.tools).
    """
    if is_text(annotation) or not text:
        return text
    try:
        return parsed(text)
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        raise ConfigError(f"{variable}: {_fault(error)}") from None


def is_text(annotation: Any) -> bool:
    """Whether a setting of this type is written as it is: str, Path, an enumeration of words; None beside them."""
    kinds = get_args(annotation) if get_origin(annotation) in (Union, UnionType) else (annotation,)
    return all(
        get_origin(kind) is Literal or (isinstance(kind, type) and issubclass(kind, str | Path))
        for kind in kinds
        if kind is not NoneType
    )


def unknown_variables(environ: Mapping[str, str], known: Mapping[str, str]) -> tuple[list[str], list[str]]:
    """SIDECAR_* variables that are no setting: those that must have been meant as one, and the others.

    `known` maps variables to settings. The first are errors, for a misspelt protection is none. The others are worth a
    warning only: others may use the prefix, too. What Kubernetes says about services of this name is neither.
    """
    sections = {f"{PREFIX}{name.split('.')[0].upper()}_" for name in known.values() if "." in name}
    names = {variable.removeprefix(PREFIX): variable for variable in known}
    hints = {name.partition("_")[2] or name: variable for name, variable in names.items()} | names
    wrong: list[str] = []
    strange: list[str] = []
    for variable in sorted(environ):
        if not variable.startswith(PREFIX) or variable in known or _is_kubernetes(variable, environ[variable]):
            continue
        bare = variable.removeprefix(PREFIX)
        line = f"{variable}: no such setting{nearest(bare, hints)}"
        meant = variable.startswith(tuple(sections)) or get_close_matches(bare, names, 1, MEANT)
        (wrong if meant else strange).append(line)
    return wrong, strange


def _is_kubernetes(variable: str, value: str) -> bool:
    if KUBERNETES.fullmatch(variable.removeprefix(PREFIX)):
        return True
    return variable.endswith("_PORT") and SERVICE_ADDRESS.match(value) is not None

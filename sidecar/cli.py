"""The `sidecar` command: thin. Each subcommand parses its flags, calls wiring, prints.

The proxy side is imported inside `serve` and `demo` only, so that auditing runs without it.
"""

from __future__ import annotations

import argparse
import io
import os
import sys
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path

from sidecar import cli_audit, cli_pii, config
from sidecar.ledger.report import printable

SIDECAR = """\
A governance and audit sidecar for model servers: redaction, Rego policy, a signed record.

    sidecar demo --once                                 what it does, shown on this machine
    sidecar serve --upstream https://api.openai.com     run it; `sidecar COMMAND --help` has an example for each
    sidecar audit query --since 1h                      what was called, found, refused"""

SERVE = """\
Run the sidecar. With no file at all, the defaults protect: everything a detector marks is replaced by a surrogate
before a call leaves, content nobody can inspect is refused, every exchange is recorded before it is sent.

    sidecar serve --upstream https://api.openai.com
    OPENAI_BASE_URL=http://127.0.0.1:8400/v1 python your_application.py

Other settings: --config FILE (YAML) or SIDECAR_* variables; `sidecar config check` lists and explains them all."""

AUDIT = """\
Ask the record. Every subcommand takes --state DIR (or SIDECAR_STATE) and may be used while the sidecar is writing.

    sidecar audit query --since 1h --verdict deny      what was refused in the last hour
    sidecar audit show --last                          one exchange, whole, with the rules that decided
    sidecar audit verify                               prove that nothing was changed or removed
    sidecar audit export --to DIR                      the log in C2SP tlog-tiles form, for tools of others"""

CHECK = """\
Print each setting, its value and where it came from, and every problem that would keep `sidecar serve` from starting.
Nothing is opened for calls, and nothing is written.

    sidecar config check --config sidecar.yaml

Exit status: 0 it would start, 2 it would not. Settings that are lists or tables: docs/operations.md."""

DEMO = """\
Show the main job on this machine: a stub model server (it says that it is one), the sidecar in front of it, a call
full of personal data, a refused call, the record of each, a verification that passes and one that finds a changed byte.
It stays up until interrupted, so that you can point a client of your own at it.

    SIDECAR_UPSTREAM_KEY=sk-... sidecar demo --upstream https://api.openai.com --model gpt-4o-mini"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command. Returns the exit status: 2 for a usage error, else what the command says."""
    options, code = build_parser().parse_args(arguments), 0
    _stdout()
    try:
        code = options.run(options)
        if sys.stdout is not None:
            sys.stdout.flush()
    except config.ConfigError as error:
        for line in str(error).splitlines():
            print(f"sidecar: {line}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:  # whoever read us has left: no fault
        sys.stdout = None
    except OSError as fault:
        sys.stdout = None  # what it holds back would fail once more at the end, and change the exit status
        with suppress(OSError):
            why = f"{fault.filename or 'input or output'}: {fault.strerror or type(fault).__name__}"
            print(f"sidecar: {printable(why)}", file=sys.stderr)
        return 2
    return code


def _stdout() -> None:
    """One that was closed at the start (`>&-`) takes all and keeps nothing: a verification that holds has to end with 0
    there, too. For people, a character that the locale lacks is no fault."""
    if sys.__stdout__ is None:
        sys.stdout = Path(os.devnull).open("w", encoding="utf-8")  # noqa: SIM115  until the process ends
    elif isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="replace")


def build_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="sidecar", description=SIDECAR, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    commands = _group(parser)
    _serve_parser(_command(commands, "serve", "run the proxy", SERVE, serve))
    _demo_parser(_command(commands, "demo", "watch the main job on this machine", DEMO, demo))
    settings = _group(_command(commands, "config", "explain the effective configuration", None, None))
    _config_flags(_command(settings, "check", "each setting, its value and where it came from", CHECK, config_check))
    cli_audit.add_parsers(_group(_command(commands, "audit", "query, show, export, verify the record", AUDIT, None)))
    cli_pii.add_parsers(_group(_command(commands, "pii", "what the detectors find", None, None)))
    return parser


Run = Callable[[argparse.Namespace], int]


def _command(
    group: argparse._SubParsersAction[argparse.ArgumentParser], name: str, help_: str, text: str | None, run: Run | None
) -> argparse.ArgumentParser:
    parser = group.add_parser(
        name, help=help_, description=text or help_, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    if run is not None:
        parser.set_defaults(run=run)
    return parser


def _group(parser: argparse.ArgumentParser) -> argparse._SubParsersAction[argparse.ArgumentParser]:
    return parser.add_subparsers(metavar="COMMAND", required=True)


def _config_flags(parser: argparse.ArgumentParser) -> None:
    """The flags that name settings; `dest` is the setting's dotted name."""
    flag = parser.add_argument
    flag("--config", type=Path, metavar="FILE", help="settings in YAML")
    flag("--upstream", dest="upstream.url", metavar="URL", help="model server or API; /v1 may be left out")
    flag("--kind", dest="upstream.kind", choices=["openai", "vllm"], help="openai; or vllm: health and metrics pass")
    flag("--side", choices=["egress", "inbound"], help="before a hosted API, or beside an own server (egress)")
    flag("--listen", metavar="HOST:PORT", help="where applications connect (127.0.0.1:8400); unix:PATH for a socket")
    flag("--admin", metavar="HOST:PORT", help="health, metrics, receipts (127.0.0.1:8401)")
    flag("--state", metavar="DIR", help="folder of the ledger and its key (sidecar-state)")


def _loaded(options: argparse.Namespace) -> config.Loaded:
    return config.load({name: getattr(options, name, None) for name in config.FLAGS}, file=options.config)


def _serve_parser(parser: argparse.ArgumentParser) -> None:
    _config_flags(parser)
    parser.add_argument("--ready-file", type=Path, metavar="FILE", help="write the bound addresses here, as JSON")


def serve(options: argparse.Namespace) -> int:
    loaded = _loaded(options)
    _warn(loaded)
    from sidecar.wiring import serving

    return serving.run(loaded, ready_file=options.ready_file)


def _demo_parser(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--once", action="store_true", help="exit after the story")
    parser.add_argument("--upstream", metavar="URL", help="a real server instead of the bundled stub")
    parser.add_argument("--model", metavar="NAME", help="the model to ask for (the first one that the server lists)")


def demo(options: argparse.Namespace) -> int:
    from sidecar import demo as story

    return story.run(upstream=options.upstream, once=options.once, model=options.model)


def config_check(options: argparse.Namespace) -> int:
    """Everything that `serve` would refuse is told, nothing is opened or written: 0 when it would start."""
    loaded = _loaded(options)
    print(config.explain(loaded))
    _warn(loaded)
    from sidecar.wiring import banner, checking

    checking.refuse_problems(loaded)
    print(f"\nPOST /v1/chat/completions goes to {banner.goes_to(loaded.config)}/chat/completions")
    return 0


def _warn(loaded: config.Loaded) -> None:
    """A stderr that takes nothing is no reason not to start."""
    with suppress(OSError):
        for line in loaded.warnings:
            print(f"sidecar: warning: {line}", file=sys.stderr, flush=True)

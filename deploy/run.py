"""Set everything up in `.venv` and run the demonstration, the tests, or any `sidecar` command.

    python3 deploy/run.py demo          the main job, on embedded defaults (add --once to exit after the story)
    python3 deploy/run.py test          the tests (further arguments go to pytest)
    python3 deploy/run.py serve ...     any other `sidecar` command

Only the standard library is used here. What is installed is pinned with hashes in the two .lock files; `lock` makes
them anew from pyproject.toml.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
BIN = VENV / ("Scripts" if os.name == "nt" else "bin")
MINORS = range(11, 15)  # of Python 3: those that every pinned package with compiled parts has wheels for
LOCKS = {"run": ROOT / "deploy" / "requirements.lock", "test": ROOT / "tests" / "requirements.lock"}


def main(arguments: list[str]) -> int:
    if not arguments or arguments[0] in ("-h", "--help"):
        print(__doc__)
        return 0 if arguments else 2
    command, *rest = arguments
    if command == "lock":
        return lock()
    set_up("test" if command == "test" else "run")
    if command == "test":
        return run("python", "-m", "pytest", *rest)
    return run("sidecar", command, *rest)


def run(program: str, *arguments: str) -> int:
    """In place of this process where the system can: as a child it would be killed 0.25 s after Ctrl-C, with its calls
    unrecorded, and SIGTERM would not reach it at all."""
    command = [str(BIN / program), *arguments]
    if os.name != "nt":
        os.chdir(ROOT)
        os.execv(command[0], command)  # noqa: S606  no shell is wanted
    return subprocess.run(command, cwd=ROOT, check=False).returncode


def set_up(kind: str) -> None:
    """Install what the lock says, unless exactly that has been installed already."""
    wanted = hashlib.sha256(LOCKS[kind].read_bytes() + (ROOT / "pyproject.toml").read_bytes()).hexdigest()
    stamp = VENV / f".installed-{kind}"
    if stamp.exists() and stamp.read_text() == wanted:
        return
    if not (BIN / "python").exists():
        print("Creating .venv", flush=True)
        create()
    print("Installing the pinned packages (about a minute the first time)", flush=True)
    pip("--require-hashes", "-r", str(LOCKS[kind]))
    pip("--no-deps", "--no-build-isolation", "--editable", str(ROOT))
    stamp.write_text(wanted)


def create() -> None:
    """Debian's and Ubuntu's Python comes without ensurepip; what is half made would look whole the next time."""
    if subprocess.run([interpreter(), "-m", "venv", str(VENV)], check=False).returncode:
        shutil.rmtree(VENV, ignore_errors=True)
        sys.exit("This Python cannot make virtual environments with pip: on Debian and Ubuntu install python3-venv.")


def interpreter() -> str:
    """This Python, or one beside it on the PATH where this one is too old, or too new for the pinned packages."""
    if sys.version_info[0] == 3 and sys.version_info[1] in MINORS:
        return sys.executable
    for minor in reversed(MINORS):
        found = shutil.which(f"python3.{minor}")
        if found and not subprocess.run([found, "-c", ""], capture_output=True, check=False).returncode:  # a pyenv shim
            print(f"Python 3.{minor} is used: {found}", flush=True)
            return found
    names = f"3.{MINORS[0]} to 3.{MINORS[-1]}"
    sys.exit(
        f"Python {names} is needed, and found by itself as python3.{MINORS[-1]} and the like on the PATH; "
        f"this is {sys.version.split()[0]}."
    )


def pip(*arguments: str) -> None:
    command = [BIN / "python", "-m", "pip", "install", "--quiet", "--disable-pip-version-check", *arguments]
    done = subprocess.run(command, cwd=ROOT, check=False)
    if done.returncode:
        sys.exit("The packages could not be installed: see above. Is a package index reachable?")


def lock() -> int:
    """Pin what pyproject.toml asks for, for every platform and Python from 3.11 on; needs `uv` on the PATH."""
    common = ["uv", "pip", "compile", "--quiet", "--universal", "--python-version=3.11", "--generate-hashes"]
    common += ["--no-header", "--no-emit-index-url", "--no-emit-find-links", "--no-annotate", "pyproject.toml"]
    common += ["deploy/build-requirements.in"]
    codes = [
        subprocess.run([*common, *extra, "-o", str(LOCKS[kind])], cwd=ROOT, check=False).returncode
        for kind, extra in (("run", []), ("test", ["--extra=dev"]))
    ]
    return max(codes)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

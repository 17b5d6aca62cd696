"""Words of programming that the names model takes for names now and then, above all in strict mode."""

WORDS = frozenset({
    "aiohttp", "args", "argv", "asynccontextmanager", "asyncio", "builtin", "builtins", "chdir", "classmethod",
    "contextmanager", "dataclass", "dict", "elseif", "endif", "endswith", "enum", "fprintf", "frozenset", "fsync",
    "getattr", "hasattr", "ifdef", "ifndef", "isinstance", "kubectl", "kwargs", "linux", "localhost", "macos",
    "malloc", "mkdir", "noqa", "nullptr", "numpy", "onnxruntime", "orjson", "pathlib", "posix", "printf", "println",
    "pydantic", "pytest", "regex", "setattr", "sizeof", "sqlalchemy", "sqlite", "startswith", "staticmethod",
    "stderr", "stdin", "stdlib", "stdout", "struct", "sys", "tuple", "typedef", "urllib", "utf", "vars",
})  # fmt: skip
"""No words of a language that the model reads, and nobody's name (Elif is one)."""

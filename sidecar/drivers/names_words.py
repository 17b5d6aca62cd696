"""Words of programming and labels of forms that the names model takes for names, above all in strict mode."""

WORDS = frozenset({
    "aiohttp", "args", "argv", "asynccontextmanager", "asyncio", "builtin", "builtins", "chdir", "classmethod",
    "contextmanager", "dataclass", "dict", "elseif", "endif", "endswith", "enum", "fprintf", "frozenset", "fsync",
    "getattr", "hasattr", "ifdef", "ifndef", "isinstance", "kubectl", "kwargs", "linux", "localhost", "macos",
    "malloc", "mkdir", "noqa", "nullptr", "numpy", "onnxruntime", "orjson", "pathlib", "posix", "printf", "println",
    "pydantic", "pytest", "regex", "setattr", "sizeof", "sqlalchemy", "sqlite", "startswith", "staticmethod",
    "stderr", "stdin", "stdlib", "stdout", "struct", "sys", "tuple", "typedef", "urllib", "utf", "vars",
    # what numbers and fields are called
    "ahv", "avs", "bic", "blz", "bsn", "bsnr", "btw", "burgerservicenummer", "cif", "cpr", "cvc", "cvr", "cvv",
    "dateofbirth", "dni", "dob", "dowodu", "dowód", "ein", "firstname", "geburtsdatum", "guid", "hetu", "iban",
    "idnr", "imei", "insee", "itin", "iva", "kontonummer", "krs", "kvnr", "lanr", "lastname", "nachname", "nhs",
    "nie", "nif", "nip", "nir", "niss", "nuss", "osobistego", "osobisty", "personnummer", "pesel", "plz", "postcode",
    "pps", "ppsn", "rachunek", "regon", "rijksregisternummer", "rvnr", "siret", "ssn", "steuerid", "steuernummer",
    "kod", "pocztowy", "num", "numer", "CF", "RUT", "mdp", "morada", "Morada", "portable", "Portable", "prénom",
    "Prénom", "exp", "konto", "Konto", "kontot", "Kontot",
    "svnr", "tva", "uid", "username", "ustid", "utr", "uuid", "vat", "vorname", "zipcode",
    # services, as sentences about them have it (BerriAI/litellm 21949)
    "AKS", "C4", "EC2", "ECS", "EKS", "GKE", "IAM", "K8S", "K8s", "KMS", "S3", "SQS", "VPC",
    "aks", "ec2", "ecs", "eks", "gke", "iam", "k8s", "kms", "s3", "sqs", "vpc",
})  # fmt: skip
"""No words of a language that the model reads, and nobody's name (Elif is one)."""

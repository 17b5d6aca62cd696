"""The inspector that configuration asks for: the same for the proxy and for `sidecar pii`."""

from __future__ import annotations

from sidecar.config import DetectionSettings
from sidecar.drivers.inspector import Inspector
from sidecar.inspection.catalogue import COUNTRIES
from sidecar.ports import Clock, Entropy


def inspector_of(settings: DetectionSettings, clock: Clock, entropy: Entropy) -> Inspector:
    """Raises ValueError for a type, country or recogniser that does not exist. The cache's key is new every time."""
    return Inspector(
        secret=entropy.token(32),
        clock=clock,
        entities=settings.entities or None,
        mode=settings.mode,
        locales=settings.locales or COUNTRIES,
        names=settings.names,
        recognisers=settings.recognisers,
        thresholds=settings.thresholds,
        allow=settings.allow,
        deny=settings.deny,
        word_files=settings.words,
        consistent=settings.consistent,
        deadline_s=settings.deadline,
    )

"""Street addresses by rules alone, as letters, forms and chats write them; and what only looks like one."""

from __future__ import annotations

import pytest

from sidecar.inspection.catalogue import Settings
from sidecar.inspection.engine import Engine

ENGINE = Engine(Settings())


def found(text: str) -> list[str]:
    return [text[span.start : span.end] for span in ENGINE.find(text) if span.entity == "STREET_ADDRESS"]


@pytest.mark.parametrize(
    "address",
    [
        "221B Baker Street", "17 Maple Ridge", "8714 Mann Plaza", "240 Hale Park, Suite 5", "3 Priory Gardens",
        "Hauptstraße 5", "Alter Markt 3", "Kerkstraat 12 bus 3, 9000 Gent", "Milanpad 752", "Kessellei 2",
        "12 rue de la Paix, 75002 Paris", "Calle Mayor 12 Piso 3 Puerta 2", "Rambla de Catalunya 95",
        "Via Roma 12", "Piazza Vezzali, 115 Appartamento 9", "Lungotevere Flaminio 22", "Storgatan 3", "ul. Długa 7/2",
    ],
)  # fmt: skip
def test_the_address_is_found_whole(address: str) -> None:
    assert found(f"Please send it to {address}.") == [address]
    assert found(f'{{"address": "{address}"}}') == [address]


@pytest.mark.parametrize(
    "text",
    [
        "2012 Olympic Park was full",
        "In 1984 Silicon Valley grew",
        "Notepad 7 and iPad 12",
        "au cours de la Première Guerre Mondiale. En 1968, la France",
        "We met at Times Square in 2010",
        "the road was 12 km long",
    ],
)
def test_what_is_no_address(text: str) -> None:
    assert found(text) == []

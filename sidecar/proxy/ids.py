"""Record ids: UUID version 7 (RFC 9562 5.7), so that ids sort by time and say nothing else."""

from __future__ import annotations

from sidecar.ports import Clock, Entropy


def uuid7(clock: Clock, entropy: Entropy) -> str:
    """A new id: 48 bits of milliseconds, 12 of the sub-millisecond fraction (method 3), 62 random."""
    millis, micros = divmod(clock.now(), 1000)
    value = (millis & 0xFFFFFFFFFFFF) << 80
    value |= 0x7 << 76 | (micros * 4096 // 1000) << 64
    value |= 0b10 << 62 | int.from_bytes(entropy.token(8)) & 0x3FFFFFFFFFFFFFFF
    text = f"{value:032x}"
    return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"

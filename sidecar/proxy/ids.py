"""Record ids: UUID version 7 (RFC 9562 5.7), so that ids sort by time and say nothing else."""

from __future__ import annotations

from sidecar.ports import Clock, Entropy


def uuid7(clock: Clock, entropy: Entropy) -> str:
    """A new id: 48 bits of milliseconds, 12 of the sub-millisecond fraction (method 3), 62 random."""
    millis, micros = divmod(clock.now(), 1000)
    time = f"{millis & 0xFFFFFFFFFFFF:012x}"
    chance = f"{0b10 << 62 | int.from_bytes(entropy.token(8)) & 0x3FFFFFFFFFFFFFFF:016x}"
    return f"{time[:8]}-{time[8:]}-7{micros * 4096 // 1000:03x}-{chance[:4]}-{chance[4:]}"

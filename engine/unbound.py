"""An identity for passes over many profiles: it binds nothing, so memory does not grow with them."""

from __future__ import annotations

from engine.identity import Identity


class Unbound(Identity):
    """An identity that remembers no binding: for it memory would grow with every profile."""

    __slots__ = ()

    def bind(self, imsi: str, msisdn: str, at: int = 0) -> str | None:
        """Return the key, as `Identity` does."""
        return self.of_imsi(imsi) if self.e164(msisdn) is not None else None

"""What a server's name says: PRODUCT, or PRODUCT-explicit, PRODUCT-implicit, and any of these with -6 behind it."""

import re
from dataclasses import dataclass

from .settings import HOST

HOST_6 = "::1"


@dataclass(frozen=True)
class Name:
    """One server: a product, how it uses TLS, and over which protocol it is reached."""

    product: str
    tls: str = "off"
    """off, explicit (required for login and data), or implicit."""
    family: int = 4

    def __str__(self):
        return self.product + ("" if self.tls == "off" else f"-{self.tls}") + ("-6" if self.family == 6 else "")

    @property
    def host(self):
        return HOST_6 if self.family == 6 else HOST


def parse(text, products):
    """The server of that name; None when there is none. `products`: name → the ways of TLS that it has."""
    match = re.fullmatch(r"(.+?)(?:-(explicit|implicit))?(?:-(6))?", text)
    if not match:
        return None
    name = Name(match.group(1), match.group(2) or "off", 6 if match.group(3) else 4)
    return name if name.tls in products.get(name.product, []) else None

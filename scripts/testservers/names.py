"""What a server's name says: PRODUCT, or PRODUCT-explicit, PRODUCT-implicit, these with -tls12, and any with -6 behind it."""

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
    newest: str = ""
    """tls12: no newer version of TLS."""
    family: int = 4

    def __str__(self):
        parts = [self.product, "" if self.tls == "off" else self.tls, self.newest, "6" if self.family == 6 else ""]
        return "-".join(part for part in parts if part)

    @property
    def host(self):
        return HOST_6 if self.family == 6 else HOST


def parse(text, products):
    """The server of that name; None when there is none. `products`: name → the ways of TLS that it has."""
    match = re.fullmatch(r"(.+?)(?:-(explicit|implicit)(?:-(tls12))?)?(?:-(6))?", text)
    if not match:
        return None
    name = Name(match.group(1), match.group(2) or "off", match.group(3) or "", 6 if match.group(4) else 4)
    return name if name.tls in products.get(name.product, []) else None

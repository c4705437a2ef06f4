"""How SmartVend signs its webhooks: the canonical form of the body, under a key whose public half its settings show."""

import json
from base64 import b64encode

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

PRIVATE_KEY = Ed25519PrivateKey.from_private_bytes(b"\x07" * 32)
WEBHOOK_PUBLIC_KEY = PRIVATE_KEY.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo).hex()


def sign(body: bytes) -> dict[str, str]:
    return {"x-signature": b64encode(PRIVATE_KEY.sign(canonical(body))).decode()}


def canonical(body: bytes) -> bytes:
    """As the vendor's JavaScript has it, for what is sent here: names are words, and numbers small and whole."""
    return json.dumps(json.loads(body), sort_keys=True, ensure_ascii=False, separators=(",", ":")).encode()

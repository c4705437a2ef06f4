"""An issuer of tokens, on a real socket: its keys, the tokens that it signs, and those that others forge."""

import base64
import hashlib
import hmac
import json
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from jwt.algorithms import ECAlgorithm, OKPAlgorithm, RSAAlgorithm
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from sandbox.server import start

ISSUER = "https://login.example.com/"
AUDIENCE = "vendgraph"
RSA_KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)
OTHER_RSA_KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)
SMALL_RSA_KEY = rsa.generate_private_key(public_exponent=65537, key_size=1024)  # noqa: S505  to be refused
EC_KEY = ec.generate_private_key(ec.SECP256R1())
OTHER_EC_KEY = ec.generate_private_key(ec.SECP256R1())
LONG_EC_KEY = ec.generate_private_key(ec.SECP384R1())
ED_KEY = ed25519.Ed25519PrivateKey.generate()
SIGNING: Mapping[str, tuple[str, Any]] = {"RS256": ("r-1", RSA_KEY), "ES256": ("e-1", EC_KEY), "EdDSA": ("o-1", ED_KEY)}


def jwk(key: Any, **members: Any) -> dict[str, Any]:
    """The public half."""
    algorithms: tuple[Any, ...] = (RSAAlgorithm, ECAlgorithm, OKPAlgorithm)
    kinds = (rsa.RSAPrivateKey, ec.EllipticCurvePrivateKey, ed25519.Ed25519PrivateKey)
    told = next(one for one, kind in zip(algorithms, kinds, strict=True) if isinstance(key, kind))
    return {**told.to_jwk(key.public_key(), as_dict=True), **members}


def published() -> list[dict[str, Any]]:
    return [jwk(key, kid=kid, use="sig") for kid, key in SIGNING.values()]


@dataclass(slots=True)
class Issuer:
    """`asked` counts the questions for its keys; `answer` is given instead of them."""

    base: str = ""
    keys: list[dict[str, Any]] = field(default_factory=published)
    asked: int = 0
    answer: Response | None = None

    @property
    def jwks_url(self) -> str:
        return f"{self.base}/jwks.json"

    async def jwks(self, _: Request) -> Response:
        self.asked += 1
        return self.answer or Response(json.dumps({"keys": self.keys}), media_type="application/json")

    async def elsewhere(self, _: Request) -> Response:
        self.asked += 1000
        return Response(json.dumps({"keys": published()}), media_type="application/json")

    def redirects(self) -> None:
        self.answer = RedirectResponse(f"{self.base}/elsewhere.json")


@contextmanager
def issuing() -> Iterator[Issuer]:
    issuer = Issuer()
    routes = [Route("/jwks.json", issuer.jwks), Route("/elsewhere.json", issuer.elsewhere)]
    with start(Starlette(routes=routes)) as server:
        issuer.base = server.base
        yield issuer


def claims(**changed: Any) -> dict[str, Any]:
    """What is None is left out."""
    now = int(time.time())
    told = {
        "iss": ISSUER,
        "aud": AUDIENCE,
        "sub": "user-17",
        "iat": now,
        "exp": now + 600,
        "role": "operator",
        "organizations": ["acme"],
    }
    return {name: value for name, value in (told | changed).items() if value is not None}


def token(algorithm: str = "RS256", headers: Mapping[str, Any] | None = None, **changed: Any) -> str:
    """As the issuer signs it."""
    kid, key = SIGNING[algorithm]
    return jwt.encode(claims(**changed), key, algorithm, headers={"kid": kid, **(headers or {})})


def b64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def part(value: Any) -> str:
    return b64(json.dumps(value).encode())


def assembled(header: Mapping[str, Any], signature: bytes | str, **changed: Any) -> str:
    """Of parts that need not fit."""
    signed = signature if isinstance(signature, str) else b64(signature)
    return f"{part(header)}.{part(claims(**changed))}.{signed}"


def hmac_signed(header: Mapping[str, Any], secret: bytes) -> str:
    body = f"{part(header)}.{part(claims())}"
    return f"{body}.{b64(hmac.new(secret, body.encode(), hashlib.sha256).digest())}"


def pem(key: Any) -> bytes:
    found: bytes = key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    return found


def der(key: Any) -> bytes:
    found: bytes = key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return found


def _signed_by(key: Any, algorithm: str, headers: Mapping[str, Any], **changed: Any) -> str:
    return jwt.encode(claims(**changed), key, algorithm, headers=dict(headers))


def _tampered() -> str:
    head, _, signature = token().split(".")
    return f"{head}.{part(claims(role='admin'))}.{signature}"


def forgeries(base: str) -> dict[str, str]:
    """By what is wrong with each. `base`: where a key of a forger's can be fetched, if anybody would."""
    now = int(time.time())
    own = {"kid": "forged"}
    good = token()
    head, body, signature = good.split(".")
    order = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551  # of the curve P-256
    return {
        "none": assembled({"alg": "none"}, "AA"),
        "none with a kid": assembled({"alg": "none", "kid": "r-1"}, signature),
        "None": assembled({"alg": "None", "kid": "r-1"}, signature),
        "no algorithm": assembled({"kid": "r-1"}, signature),
        "a list of algorithms": assembled({"alg": ["RS256"], "kid": "r-1"}, signature),
        "a number as algorithm": assembled({"alg": 256, "kid": "r-1"}, signature),
        "HS256 with the public key": hmac_signed({"alg": "HS256", "kid": "r-1"}, pem(RSA_KEY)),
        "HS256 with the public key in DER": hmac_signed({"alg": "HS256", "kid": "r-1"}, der(RSA_KEY)),
        "HS256 with the modulus": hmac_signed({"alg": "HS256", "kid": "r-1"}, jwk(RSA_KEY)["n"].encode()),
        "HS256 with nothing": hmac_signed({"alg": "HS256", "kid": "r-1"}, b""),
        "HMAC said to be RS256": hmac_signed({"alg": "RS256", "kid": "r-1"}, pem(RSA_KEY)),
        "RS384": _signed_by(RSA_KEY, "RS384", {"kid": "r-1"}),
        "PS256": _signed_by(RSA_KEY, "PS256", {"kid": "r-1"}),
        "ES384": _signed_by(LONG_EC_KEY, "ES384", {"kid": "e-1"}),
        "RS256 with another key": _signed_by(OTHER_RSA_KEY, "RS256", {"kid": "r-1"}),
        "ES256 with another key": _signed_by(OTHER_EC_KEY, "ES256", {"kid": "e-1"}),
        "ES256 of the RSA key's id": _signed_by(EC_KEY, "ES256", {"kid": "r-1"}),
        "a key of its own in the header": _signed_by(OTHER_RSA_KEY, "RS256", {**own, "jwk": jwk(OTHER_RSA_KEY)}),
        "a known id over a key of its own": _signed_by(
            OTHER_RSA_KEY, "RS256", {"kid": "r-1", "jwk": jwk(OTHER_RSA_KEY, kid="r-1")}
        ),
        "jku": _signed_by(OTHER_RSA_KEY, "RS256", {**own, "jku": f"{base}/elsewhere.json"}),
        "x5u": _signed_by(OTHER_RSA_KEY, "RS256", {**own, "x5u": f"{base}/elsewhere.json"}),
        "x5c": _signed_by(OTHER_RSA_KEY, "RS256", {**own, "x5c": [base64.b64encode(der(OTHER_RSA_KEY)).decode()]}),
        "an id that is a path": _signed_by(OTHER_RSA_KEY, "RS256", {"kid": "../../../../dev/null"}),
        "an id that is SQL": _signed_by(OTHER_RSA_KEY, "RS256", {"kid": "x' UNION SELECT 'k"}),
        "an id that is an address": _signed_by(OTHER_RSA_KEY, "RS256", {"kid": f"{base}/elsewhere.json"}),
        "an id that is a list": assembled({"alg": "RS256", "kid": ["r-1"]}, signature),
        "an id that is empty": _signed_by(OTHER_RSA_KEY, "RS256", {"kid": ""}),
        "zeros as signature": assembled({"alg": "ES256", "kid": "e-1"}, bytes(64)),
        "the curve's order as signature": assembled(
            {"alg": "ES256", "kid": "e-1"}, order.to_bytes(32, "big") + order.to_bytes(32, "big")
        ),
        "zeros in DER as signature": assembled({"alg": "ES256", "kid": "e-1"}, bytes.fromhex("3006020100020100")),
        "zeros for Ed25519": assembled({"alg": "EdDSA", "kid": "o-1"}, bytes(64)),
        "zeros for RSA": assembled({"alg": "RS256", "kid": "r-1"}, bytes(256)),
        "unencoded payload": token(headers={"b64": False, "crit": ["b64"]}),
        "unencoded payload, unsaid": token(headers={"b64": False}),
        "something critical": token(headers={"crit": ["exp"]}),
        "nothing critical": token(headers={"crit": []}),
        "of another type": token(headers={"typ": "logout+jwt"}),
        "a type that is a number": assembled({"alg": "RS256", "kid": "r-1", "typ": 1}, signature),
        "tampered": _tampered(),
        "a signature cut short": good[:-4],
        "a signature of another token": f"{head}.{part(claims(sub='user-18'))}.{signature}",
        "another issuer": token(iss="https://evil.example.com/"),
        "an issuer that begins alike": token(iss=f"{ISSUER}evil"),
        "issuers": _signed_by(RSA_KEY, "RS256", {"kid": "r-1"}, iss=None, issuer=ISSUER),
        "no issuer": token(iss=None),
        "a list of issuers": assembled({"alg": "RS256", "kid": "r-1"}, signature, iss=[ISSUER]),
        "another audience": token(aud="another"),
        "other audiences": token(aud=["another", "a third"]),
        "no audience": token(aud=None),
        "expired": token(exp=now - 120),
        "expired long ago": token(exp=0),
        "without an end": token(exp=None),
        "an end that is no number": token(exp="tomorrow"),
        "an end beyond all numbers": f"{head}.{b64(json.dumps(claims()).replace(str(now + 600), '1e999').encode())}.AA",
        "not yet": token(nbf=now + 120),
        "of the future": token(iat=now + 120),
        "no subject": token(sub=None),
        "an empty subject": token(sub=""),
        "a subject of two lines": token(sub="user\nadmin"),
        "a long subject": token(sub="u" * 256),
        "no role": token(role=None),
        "an unknown role": token(role="root"),
        "a role that is an object": token(role={"admin": True}),
        "no organization": token(organizations=None),
        "an unknown organization": token(organizations=["nobodys"]),
        "every organization": token(organizations=["*"]),
        "a huge one": token(padding="x" * 20_000),
        "huge nesting": f"{head}.{b64(b'[' * 5000)}.{signature}",
        "no JSON": f"{head}.{b64(b'acme')}.{signature}",
        "JSON that is a list": f"{head}.{part([claims()])}.{signature}",
        "five parts": f"{good}.{body}.{signature}",
        "padded": f"{head}=.{body}=.{signature}=",
        "two parts": f"{head}.{body}",
        "an empty signature": f"{head}.{body}.",
        "an empty payload": f"{head}..{signature}",
        "three dots": "...",
        "base64 of another alphabet": f"{head}.{body}.{'+/' * 20}",
    }

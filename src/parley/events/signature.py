"""Signatures of SNS messages: what is signed, whose certificate, and whether it holds.

The rules are those of the Amazon SNS Developer Guide, "Verifying the signatures of Amazon SNS
messages". Fetching the certificate is somebody else's business.
"""

import binascii
import re
from base64 import b64decode
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.hashes import SHA1, SHA256, HashAlgorithm
from cryptography.x509.oid import ExtensionOID, NameOID

from parley.events.envelope import SnsMessage, SnsType
from parley.events.topics import REGION
from parley.kernel.errors import InvalidRequest, Refused, Unavailable

SMALLEST_KEY = 2048
"""Bits of an RSA key."""

# One pattern over the whole text leaves no room for user info, ports, queries, escapes, or the
# characters that URL parsers drop without a word.
_CERTIFICATE_URL = re.compile(
    rf"https://(?P<host>sns\.(?P<region>{REGION})\.(?P<suffix>amazonaws\.com(?:\.cn)?))"
    r"(?:/[A-Za-z0-9_-][A-Za-z0-9._-]*)*/[A-Za-z0-9_-][A-Za-z0-9._-]*\.pem"
)
_LONGEST_URL = 300


@dataclass(frozen=True, slots=True)
class CertificateUrl:
    """The address of a signing certificate that passed the rule for such addresses."""

    url: str
    region: str
    suffix: str


@dataclass(frozen=True, slots=True)
class SigningKey:
    """A public key of SNS, good until its certificate expires."""

    public_key: RSAPublicKey
    expires_at: datetime


class Trust(Protocol):
    """Decides who may have issued a signing certificate."""

    def check(self, certificate: x509.Certificate, url: CertificateUrl) -> None:
        """Raise `Refused` with the reason when the certificate is not one of SNS."""
        ...


@dataclass(frozen=True, slots=True)
class IssuedByAmazon:
    """The rule for the real SNS.

    The certificate has come over verified TLS from the host of SNS, alone: intermediate
    certificates are not sent with it. So its issuer is told by name: Amazon's own authority, in
    China also DigiCert. It must be made out to SNS; the names are those that the AWS SDK for Java
    expects (`sns-signing.` in regions that are opted into).
    """

    def check(self, certificate: x509.Certificate, url: CertificateUrl) -> None:
        """Raise `Refused` unless Amazon issued the certificate to SNS."""
        issuers = {"Amazon", "DigiCert Inc"} if url.suffix.endswith(".cn") else {"Amazon"}
        organisations = _texts(certificate.issuer, NameOID.ORGANIZATION_NAME)
        if not issuers & set(organisations):
            raise Refused("The signing certificate was not issued by Amazon.")
        place = f"{url.region}.{url.suffix}"
        ours = {
            "sns.amazonaws.com",
            *(f"{name}{place}" for name in ("sns.", "sns-signing.", "sns-")),
        }
        if url.region.startswith("us-gov-"):
            ours.add("sns-us-gov-west-1.amazonaws.com")
        if not ours & _names(certificate):
            raise Refused("The signing certificate was not made out to SNS.")


@dataclass(frozen=True, slots=True)
class SignedBy:
    """The rule for tests and measurements: one of these authorities issued the certificate."""

    roots: tuple[x509.Certificate, ...]

    @classmethod
    def from_pem(cls, pem: bytes) -> "SignedBy":
        """Trust the certificates of a file. Raises `InvalidRequest` when it holds none."""
        try:
            return cls(tuple(x509.load_pem_x509_certificates(pem)))
        except (ValueError, x509.InvalidVersion):
            raise InvalidRequest("The trust root is not a certificate in PEM form.") from None

    def check(self, certificate: x509.Certificate, url: CertificateUrl) -> None:  # noqa: ARG002 - the same authorities for every address
        """Raise `Refused` unless an authority signed the certificate itself."""
        if not any(_issued(root, certificate) for root in self.roots):
            raise Refused("The signing certificate was not issued by the trusted root.")


def _issued(root: x509.Certificate, certificate: x509.Certificate) -> bool:
    try:
        certificate.verify_directly_issued_by(root)
    except (ValueError, TypeError, InvalidSignature):
        return False
    return True


def check_certificate_url(url: str) -> CertificateUrl:
    """Return a `SigningCertURL` of SNS. Raises `Refused` for any other address.

    Only https, a host of SNS, and a path that ends in .pem; nothing else may be in it.
    """
    match = _CERTIFICATE_URL.fullmatch(url) if len(url) <= _LONGEST_URL else None
    if match is None:
        raise Refused(
            f"SigningCertURL {url[:120]!a} is not an address of SNS, which is like"
            " https://sns.eu-west-1.amazonaws.com/SimpleNotificationService-0123.pem."
        )
    return CertificateUrl(url, match["region"], match["suffix"])


def read_key(pem: bytes, url: CertificateUrl, trust: Trust, now: datetime) -> SigningKey:
    """Return the key of a certificate (PEM; the first one counts).

    Raises `Unavailable` when it is no certificate at all, as when something in between answered,
    and `Refused` when its date, issuer, owner or key is wrong.
    """
    try:
        certificate = x509.load_pem_x509_certificates(pem)[0]
        key = certificate.public_key()
    except (ValueError, UnsupportedAlgorithm, x509.InvalidVersion):
        raise Unavailable(f"What {url.url} holds is not a certificate.") from None
    since, until = certificate.not_valid_before_utc, certificate.not_valid_after_utc
    if not since <= now <= until:
        raise Refused(f"The signing certificate is valid from {since} to {until} only.")
    trust.check(certificate, url)
    if not isinstance(key, RSAPublicKey) or key.key_size < SMALLEST_KEY:
        raise Refused(f"The signing certificate has no RSA key of {SMALLEST_KEY} bits or more.")
    return SigningKey(key, until)


def read_signature(message: SnsMessage) -> tuple[bytes, HashAlgorithm]:
    """Return signature and hash. Raises `Refused` when there is none that could be checked."""
    algorithm = _algorithm(message.signature_version)
    try:
        signature = b64decode(message.signature, validate=True)
    except (binascii.Error, ValueError):
        signature = b""
    if not signature:
        raise Refused("Signature is not one of SNS: it should be bytes written as Base64.")
    return signature, algorithm


def verify(message: SnsMessage, key: SigningKey) -> None:
    """Check the signature. Raises `Refused` when it does not hold."""
    signature, algorithm = read_signature(message)
    # What is signed has no marks where a field ends, so that one that could hold a line end would
    # let a message be read in two ways, as two messages. SNS allows none in a subject.
    if "\n" in f"{message.subject}{message.subscribe_url}":
        raise Refused("Subject or SubscribeURL holds a line end: SNS signs no such message.")
    try:
        key.public_key.verify(signature, canonical(message), PKCS1v15(), algorithm)
    except InvalidSignature:
        raise Refused(
            "The signature does not match the message: it was not sent by SNS, or was changed."
        ) from None


def canonical(message: SnsMessage) -> bytes:
    """Return what SNS signs: names and values, one a line, in the order of their names."""
    fields: Iterable[tuple[str, str | None]]
    if message.type is SnsType.NOTIFICATION:
        fields = (
            ("Message", message.message),
            ("MessageId", message.message_id),
            ("Subject", message.subject),
            ("Timestamp", message.timestamp),
            ("TopicArn", message.topic.arn),
            ("Type", message.type),
        )
    else:
        fields = (
            ("Message", message.message),
            ("MessageId", message.message_id),
            ("SubscribeURL", message.subscribe_url),
            ("Timestamp", message.timestamp),
            ("Token", message.token),
            ("TopicArn", message.topic.arn),
            ("Type", message.type),
        )
    text = "".join(f"{name}\n{value}\n" for name, value in fields if value is not None)
    # Half an emoji cannot be signed by anybody; any other byte makes the signature fail.
    return text.encode("utf-8", "replace")


def _algorithm(version: str) -> HashAlgorithm:
    match version:
        case "1":
            return SHA1()  # noqa: S303 - what SNS signs with unless the topic is set to version 2
        case "2":
            return SHA256()
        case "":
            raise Refused("The message is not signed.")
        case _:
            raise Refused(f"SignatureVersion {version[:20]!a} is not known; SNS uses 1 and 2.")


def _names(certificate: x509.Certificate) -> set[str]:
    names = set(_texts(certificate.subject, NameOID.COMMON_NAME))
    try:
        extension = certificate.extensions.get_extension_for_oid(
            ExtensionOID.SUBJECT_ALTERNATIVE_NAME
        )
    except (x509.ExtensionNotFound, ValueError):
        return names
    if isinstance(extension.value, x509.SubjectAlternativeName):
        names.update(extension.value.get_values_for_type(x509.DNSName))
    return names


def _texts(name: x509.Name, oid: x509.ObjectIdentifier) -> list[str]:
    return [str(attribute.value) for attribute in name.get_attributes_for_oid(oid)]

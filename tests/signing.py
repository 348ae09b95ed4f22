"""Signs messages as SNS does, with a certificate made on the spot: emulators cannot."""

import json
import uuid
from base64 import b64encode
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, generate_private_key
from cryptography.hazmat.primitives.hashes import SHA1, SHA256
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID

CERTIFICATE_PATH = "/SimpleNotificationService-0123456789abcdef.pem"
CERTIFICATE_URL = f"https://sns.eu-west-1.amazonaws.com{CERTIFICATE_PATH}"
TOKEN = "2336412f37fb687f5d51e6e2425f"
TOPIC = "arn:aws:sns:eu-west-1:123456789012:alarms"

_SIGNED = {
    "Notification": ("Message", "MessageId", "Subject", "Timestamp", "TopicArn", "Type"),
    "SubscriptionConfirmation": (
        "Message",
        "MessageId",
        "SubscribeURL",
        "Timestamp",
        "Token",
        "TopicArn",
        "Type",
    ),
}
_SIGNED["UnsubscribeConfirmation"] = _SIGNED["SubscriptionConfirmation"]


@cache
def rsa_key(name: str, bits: int = 2048) -> RSAPrivateKey:
    """Return the key that goes by a name in this run: making one takes a tenth of a second."""
    del name
    return generate_private_key(public_exponent=65537, key_size=bits)


def time_text(at: datetime) -> str:
    """Return a time as SNS writes it, in milliseconds."""
    return at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def certificate(
    *,
    issuer: x509.Name,
    issuer_key: RSAPrivateKey,
    subject: x509.Name,
    key: RSAPrivateKey,
    since: datetime,
    until: datetime,
    names: tuple[str, ...] = (),
) -> x509.Certificate:
    """Return a certificate that one party issues to another."""
    builder = (
        x509.CertificateBuilder()
        .issuer_name(issuer)
        .subject_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(since)
        .not_valid_after(until)
    )
    if names:
        alternatives = x509.SubjectAlternativeName([x509.DNSName(name) for name in names])
        builder = builder.add_extension(alternatives, critical=False)
    return builder.sign(issuer_key, SHA256())


def name(organisation: str, common_name: str) -> x509.Name:
    """Return the name of an authority or of an owner."""
    return x509.Name(
        [
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, organisation),
            x509.NameAttribute(NameOID.COMMON_NAME, common_name),
        ]
    )


@dataclass(frozen=True)
class Signer:
    """A stand-in for SNS.

    `pem` is what the address of its certificate serves, `root_pem` whom to trust.
    """

    key: RSAPrivateKey
    pem: bytes
    root_pem: bytes
    url: str = CERTIFICATE_URL

    def sign(self, envelope: dict[str, str], version: str = "2") -> dict[str, str]:
        """Return the envelope with its signature, as the SNS Developer Guide describes it."""
        fields = [field for field in _SIGNED[envelope["Type"]] if field in envelope]
        text = "".join(f"{field}\n{envelope[field]}\n" for field in fields)
        algorithm = SHA1() if version == "1" else SHA256()  # noqa: S303 - version 1 is SHA-1
        signature = self.key.sign(text.encode(), PKCS1v15(), algorithm)
        return envelope | {
            "SignatureVersion": version,
            "Signature": b64encode(signature).decode(),
            "SigningCertURL": self.url,
        }

    def notification(
        self,
        message: str,
        *,
        at: datetime,
        topic: str = TOPIC,
        subject: str | None = None,
        message_id: str = "",
        version: str = "2",
    ) -> bytes:
        """Return the body that SNS would post for a message."""
        region, account = topic.split(":")[3:5]
        envelope = {
            "Type": "Notification",
            "MessageId": message_id or str(uuid.uuid4()),
            "TopicArn": topic,
            "Message": message,
            "Timestamp": time_text(at),
            "UnsubscribeURL": (
                f"https://sns.{region}.amazonaws.com/?Action=Unsubscribe&SubscriptionArn="
                f"arn:aws:sns:{region}:{account}:alarms:0"
            ),
        }
        if subject is not None:
            envelope["Subject"] = subject
        return json.dumps(self.sign(envelope, version)).encode()

    def confirmation(
        self,
        *,
        at: datetime,
        topic: str = TOPIC,
        token: str = TOKEN,
        sns_type: str = "SubscriptionConfirmation",
        subscribe_url: str = "https://sns.eu-west-1.amazonaws.com/?Action=ConfirmSubscription",
        version: str = "2",
    ) -> bytes:
        """Return the body that SNS would post when a subscription begins or ends."""
        envelope = {
            "Type": sns_type,
            "MessageId": str(uuid.uuid4()),
            "Token": token,
            "TopicArn": topic,
            "Message": f"You have chosen to subscribe to the topic {topic}.",
            "SubscribeURL": subscribe_url,
            "Timestamp": time_text(at),
        }
        return json.dumps(self.sign(envelope, version)).encode()


def signer(
    since: datetime,
    until: datetime | None = None,
    *,
    issuer: str = "Amazon",
    owner: str = "sns.amazonaws.com",
    names: tuple[str, ...] = (),
    bits: int = 2048,
) -> Signer:
    """Return a stand-in for SNS whose certificate is valid from `since`, for a year by default."""
    root_key, key = rsa_key("root"), rsa_key("leaf", bits)
    until = until or since + timedelta(days=365)
    root_name = name(issuer, f"{issuer} RSA 2048 M01")
    root = certificate(
        issuer=root_name,
        issuer_key=root_key,
        subject=root_name,
        key=root_key,
        since=since,
        until=until,
    )
    leaf = certificate(
        issuer=root_name,
        issuer_key=root_key,
        subject=name("Amazon", owner),
        key=key,
        since=since,
        until=until,
        names=names or (owner,),
    )
    return Signer(key, leaf.public_bytes(Encoding.PEM), root.public_bytes(Encoding.PEM))

"""Only what SNS signed, with a certificate of SNS, passes for a message of SNS."""

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding
from hypothesis import given
from hypothesis import strategies as st

from parley.events.envelope import parse_sns
from parley.events.signature import (
    IssuedByAmazon,
    SignedBy,
    check_certificate_url,
    read_key,
    verify,
)
from parley.kernel.errors import InvalidRequest, Refused, Unavailable
from tests.signing import CERTIFICATE_URL, Signer, name, rsa_key, signer

NOW = datetime(2026, 5, 4, 12, 0, tzinfo=UTC)
SINCE = NOW - timedelta(days=30)


@pytest.fixture
def sns() -> Signer:
    """Return a stand-in for SNS."""
    return signer(SINCE)


def check(body: bytes, sns: Signer) -> None:
    """Check a body as the endpoint does, the fetch left out."""
    message = parse_sns(body)
    url = check_certificate_url(message.signing_cert_url)
    verify(message, read_key(sns.pem, url, SignedBy.from_pem(sns.root_pem), NOW))


@pytest.mark.parametrize("version", ["1", "2"])
@pytest.mark.parametrize("subject", [None, "ALARM: p99"])
def test_what_sns_signed_passes(sns: Signer, version: str, subject: str | None) -> None:
    check(
        sns.notification("text\nof two lines é 🚨", at=NOW, subject=subject, version=version), sns
    )


@pytest.mark.parametrize("version", ["1", "2"])
@pytest.mark.parametrize("sns_type", ["SubscriptionConfirmation", "UnsubscribeConfirmation"])
def test_confirmations_pass(sns: Signer, version: str, sns_type: str) -> None:
    check(sns.confirmation(at=NOW, sns_type=sns_type, version=version), sns)


@given(message=st.text(st.characters(exclude_categories=["Cs"]), min_size=1))
def test_any_text_can_be_signed(message: str) -> None:
    sns = signer(SINCE)
    check(sns.notification(message, at=NOW, subject=message.replace("\n", " ")), sns)


def test_a_signature_holds_for_one_reading_alone(sns: Signer) -> None:
    crafted = "first\nMessageId\nmade-up\nSubject\nsecond"
    signed = json.loads(sns.notification(crafted, at=NOW, message_id="real"))
    check(json.dumps(signed).encode(), sns)
    other = {"Message": "first", "MessageId": "made-up", "Subject": "second\nMessageId\nreal"}
    with pytest.raises(Refused, match="line end"):
        check(json.dumps(signed | other).encode(), sns)


CHANGES: dict[str, str] = {
    "Message": "another text",
    "MessageId": "00000000-0000-0000-0000-000000000000",
    "Subject": "another subject",
    "Timestamp": "2026-05-04T12:00:01.000Z",
    "TopicArn": "arn:aws:sns:eu-west-1:123456789012:payments",
    "Signature": "AAAA",
    "SignatureVersion": "1",
}


@pytest.mark.parametrize("field", CHANGES)
def test_any_change_shows(sns: Signer, field: str) -> None:
    envelope = json.loads(sns.notification("text", at=NOW, subject="subject"))
    with pytest.raises(Refused, match="does not match"):
        check(json.dumps(envelope | {field: CHANGES[field]}).encode(), sns)


@pytest.mark.parametrize("field", ["Token", "SubscribeURL"])
def test_any_change_of_a_confirmation_shows(sns: Signer, field: str) -> None:
    envelope = json.loads(sns.confirmation(at=NOW))
    with pytest.raises(Refused, match="does not match"):
        check(json.dumps(envelope | {field: "https://elsewhere.example/"}).encode(), sns)


def test_a_subject_that_is_added_or_taken_away_shows(sns: Signer) -> None:
    with_subject = json.loads(sns.notification("text", at=NOW, subject="subject"))
    del with_subject["Subject"]
    without = json.loads(sns.notification("text", at=NOW)) | {"Subject": "subject"}
    for envelope in (with_subject, without):
        with pytest.raises(Refused, match="does not match"):
            check(json.dumps(envelope).encode(), sns)


def test_a_confirmation_cannot_be_passed_off_as_a_notification(sns: Signer) -> None:
    envelope = json.loads(sns.confirmation(at=NOW)) | {"Type": "Notification"}
    with pytest.raises(Refused, match="does not match"):
        check(json.dumps(envelope).encode(), sns)


@pytest.mark.parametrize(
    "signature", ["", "FAKE!", "ééé", "=" * 8], ids=["none", "no base64", "not ascii", "padding"]
)
def test_a_signature_that_is_none_is_refused(sns: Signer, signature: str) -> None:
    envelope = json.loads(sns.notification("text", at=NOW)) | {"Signature": signature}
    with pytest.raises(Refused, match="Base64"):
        check(json.dumps(envelope).encode(), sns)


@pytest.mark.parametrize(
    "version,says", [("", "not signed"), ("3", "'3' is not known"), ("SHA256", "not known")]
)
def test_unknown_versions_are_refused(sns: Signer, version: str, says: str) -> None:
    envelope = json.loads(sns.notification("text", at=NOW)) | {"SignatureVersion": version}
    with pytest.raises(Refused, match=says):
        check(json.dumps(envelope).encode(), sns)


GOOD_URLS = [
    CERTIFICATE_URL,
    "https://sns.us-east-1.amazonaws.com/SimpleNotificationService.pem",
    "https://sns.us-gov-west-1.amazonaws.com/SimpleNotificationService-1a2b.pem",
    "https://sns.ap-southeast-2.amazonaws.com/certs/SimpleNotificationService-1a2b.pem",
    "https://sns.cn-north-1.amazonaws.com.cn/SimpleNotificationService-1a2b.pem",
]
HOST = "sns.eu-west-1.amazonaws.com"
BAD_URLS = [
    "",
    f"http://{HOST}/a.pem",
    f"HTTPS://{HOST}/a.pem",
    f"ftp://{HOST}/a.pem",
    f"//{HOST}/a.pem",
    f"https:{HOST}/a.pem",
    f"https:///{HOST}/a.pem",
    f" https://{HOST}/a.pem",
    f"https://{HOST}/a.pem ",
    f"https://{HOST}/a.pem\n",
    f"https://{HOST}/\ta.pem",
    f"https://{HOST}/a\u0000.pem",
    f"https://{HOST}",
    f"https://{HOST}/",
    f"https://{HOST}/.pem",
    f"https://{HOST}/a.crt",
    f"https://{HOST}/a.pem/b",
    f"https://{HOST}/a.PEM",
    f"https://{HOST}/a.pem?x=1",
    f"https://{HOST}/a?x=.pem",
    f"https://{HOST}/a.pem#x",
    f"https://{HOST}/#a.pem",
    f"https://{HOST}/a;b.pem",
    f"https://{HOST}/../a.pem",
    f"https://{HOST}/./a.pem",
    f"https://{HOST}//a.pem",
    f"https://{HOST}/%2e%2e/a.pem",
    f"https://{HOST}/a%0d%0aHost:x.pem",
    f"https://{HOST}\\@elsewhere.example/a.pem",
    f"https://{HOST}:443/a.pem",
    f"https://{HOST}:8443/a.pem",
    f"https://{HOST}:/a.pem",
    f"https://{HOST}./a.pem",
    f"https://user@{HOST}/a.pem",
    f"https://user:secret@{HOST}/a.pem",
    f"https://@{HOST}/a.pem",
    f"https://{HOST}@elsewhere.example/a.pem",
    f"https://{HOST}.elsewhere.example/a.pem",
    f"https://elsewhere.example/{HOST}/a.pem",
    f"https://elsewhere.example?{HOST}/a.pem",
    f"https://x{HOST}/a.pem",
    f"https://x.{HOST}/a.pem",
    "https://sns.eu-west-1.amazonaws.co/a.pem",
    "https://sns.eu-west-1.amazonaws.com.cn.example/a.pem",
    "https://sns.eu-west-1.amazonaws.com.uk/a.pem",
    "https://sns.eu-west-1xamazonaws.com/a.pem",
    "https://sns-eu-west-1.amazonaws.com/a.pem",
    "https://sns.amazonaws.com/a.pem",
    "https://sns..amazonaws.com/a.pem",
    "https://sns.eu-west-1.s3.amazonaws.com/a.pem",
    "https://sns.bucket.amazonaws.com/a.pem",
    "https://sns.eu-west-\u0661.amazonaws.com/a.pem",
    "https://sns.eu-west-1.amazonaws\u3002com/a.pem",
    "https://SNS.eu-west-1.amazonaws.com/a.pem",
    "https://sns.s3.amazonaws.com/a.pem",
    "https://s3.amazonaws.com/bucket/a.pem",
    "https://127.0.0.1/a.pem",
    "https://[::1]/a.pem",
    "https://169.254.169.254/latest/a.pem",
    "file:///etc/passwd.pem",
    f"https://{HOST}/{'a' * 400}.pem",
]


@pytest.mark.parametrize("url", GOOD_URLS)
def test_addresses_of_sns_are_taken(url: str) -> None:
    assert check_certificate_url(url).url == url


@pytest.mark.parametrize("url", BAD_URLS)
def test_any_other_address_is_refused(url: str) -> None:
    with pytest.raises(Refused, match="SigningCertURL"):
        check_certificate_url(url)


@given(st.text(max_size=80))
def test_no_text_around_an_address_makes_another_one(text: str) -> None:
    for url in (CERTIFICATE_URL + text, text + CERTIFICATE_URL):
        if text:
            try:
                checked = check_certificate_url(url)
            except Refused:
                continue
            assert checked.url.startswith(f"https://{HOST}/")
            assert checked.url.endswith(".pem")


URL = check_certificate_url(CERTIFICATE_URL)


def test_a_certificate_of_amazon_is_trusted() -> None:
    key = read_key(signer(SINCE).pem, URL, IssuedByAmazon(), NOW)
    assert key.expires_at == SINCE + timedelta(days=365)


@pytest.mark.parametrize(
    "url,owner",
    [
        (CERTIFICATE_URL, "sns.eu-west-1.amazonaws.com"),
        ("https://sns.af-south-1.amazonaws.com/a.pem", "sns-signing.af-south-1.amazonaws.com"),
        ("https://sns.us-gov-east-1.amazonaws.com/a.pem", "sns-us-gov-west-1.amazonaws.com"),
        ("https://sns.cn-north-1.amazonaws.com.cn/a.pem", "sns-cn-north-1.amazonaws.com.cn"),
    ],
)
def test_regions_have_names_of_their_own(url: str, owner: str) -> None:
    read_key(signer(SINCE, owner=owner).pem, check_certificate_url(url), IssuedByAmazon(), NOW)


def test_the_name_may_be_an_alternative_one() -> None:
    sns = signer(SINCE, owner="Amazon SNS", names=("sns.amazonaws.com",))
    read_key(sns.pem, URL, IssuedByAmazon(), NOW)


@pytest.mark.parametrize(
    "make,says",
    [
        (lambda: signer(SINCE, NOW - timedelta(seconds=1)), "valid from"),
        (lambda: signer(NOW + timedelta(seconds=1)), "valid from"),
        (lambda: signer(SINCE, issuer="Somebody"), "not issued by Amazon"),
        (lambda: signer(SINCE, owner="www.example.com"), "not made out to SNS"),
        (lambda: signer(SINCE, owner="sns.us-east-1.amazonaws.com"), "not made out to SNS"),
        (lambda: signer(SINCE, bits=1024), "2048 bits"),
    ],
    ids=["expired", "not yet valid", "issuer", "owner", "another region", "weak key"],
)
def test_any_other_certificate_is_refused(make: Callable[[], Signer], says: str) -> None:
    with pytest.raises(Refused, match=says):
        read_key(make().pem, URL, IssuedByAmazon(), NOW)


def test_digicert_may_sign_in_china_alone() -> None:
    sns = signer(SINCE, issuer="DigiCert Inc", owner="sns-cn-north-1.amazonaws.com.cn")
    china = check_certificate_url("https://sns.cn-north-1.amazonaws.com.cn/a.pem")
    read_key(sns.pem, china, IssuedByAmazon(), NOW)
    with pytest.raises(Refused):
        read_key(sns.pem, URL, IssuedByAmazon(), NOW)


def test_a_key_of_another_kind_is_refused() -> None:
    amazon = name("Amazon", "Amazon RSA 2048 M01")
    leaf = (
        x509.CertificateBuilder()
        .issuer_name(amazon)
        .subject_name(name("Amazon", "sns.amazonaws.com"))
        .public_key(ec.generate_private_key(ec.SECP256R1()).public_key())
        .serial_number(1)
        .not_valid_before(SINCE)
        .not_valid_after(NOW + timedelta(days=1))
        .sign(rsa_key("root"), SHA256())
    )
    with pytest.raises(Refused, match="RSA"):
        read_key(leaf.public_bytes(Encoding.PEM), URL, IssuedByAmazon(), NOW)


def test_a_root_trusts_only_what_it_signed() -> None:
    ours, others = signer(SINCE), signer(SINCE, issuer="Somebody")
    read_key(ours.pem, URL, SignedBy.from_pem(others.root_pem + ours.root_pem), NOW)
    with pytest.raises(Refused, match="trusted root"):
        read_key(ours.pem, URL, SignedBy.from_pem(others.root_pem), NOW)


@pytest.mark.parametrize("pem", [b"", b"<html>", b"-----BEGIN CERTIFICATE-----\nAAAA\n"])
def test_an_answer_that_is_no_certificate_is_asked_for_again(pem: bytes) -> None:
    with pytest.raises(Unavailable, match="not a certificate"):
        read_key(pem, URL, IssuedByAmazon(), NOW)


def test_a_trust_root_that_is_none_is_named() -> None:
    with pytest.raises(InvalidRequest, match="PEM"):
        SignedBy.from_pem(b"nothing")

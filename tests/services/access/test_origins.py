"""Origins are kept as browsers write them, and what is none is refused."""

import pytest
from django.utils.translation import override

from recommendations.models import ApiKey
from recommendations.services.access.origins import MOST, NotAnOriginError, TooManyOriginsError, read_origins


@pytest.mark.parametrize(
    ("written", "kept"),
    [
        ("https://shop.example", "https://shop.example"),
        (" https://Shop.Example/ ", "https://shop.example"),
        ("HTTPS://shop.example:443", "https://shop.example"),
        ("http://localhost:3000", "http://localhost:3000"),
        ("http://127.0.0.1:80", "http://127.0.0.1"),
        ("https://xn--bcher-kva.example", "https://xn--bcher-kva.example"),
        ("http://[::1]:8000", "http://[::1]:8000"),
    ],
)
def test_origins_are_normalised_as_browsers_write_them(written: str, kept: str) -> None:
    assert read_origins([written]) == [kept]


@pytest.mark.parametrize(
    "written",
    [
        "shop.example", "*", "https://*.shop.example", "https://shop.example/page", "https://shop.example?x", "null",
        "https://user@shop.example", "ftp://shop.example", "https://", "https://bücher.example", "javascript:alert(1)",
        "https://shop.example:99999", "https://shop.example:x", "https://[::1", f"https://{'x' * 200}.example", "//x",
        "https://shop.example#x", "https://shop.example https://b.example",
    ],
)  # fmt: skip
def test_a_text_that_is_no_origin_is_refused(written: str) -> None:
    with pytest.raises(NotAnOriginError) as refused:
        read_origins(["https://shop.example", written])
    assert refused.value.texts == [written]


def test_every_text_that_is_no_origin_is_named() -> None:
    with pytest.raises(NotAnOriginError) as refused:
        read_origins(["shop.example", "https://shop.example", "*", " shop.example "])
    assert refused.value.texts == ["shop.example", "*"]


def test_origins_are_deduplicated_and_limited_in_number() -> None:
    assert read_origins(["", "https://b.example", "https://a.example", "https://b.example/", "  "]) == [
        "https://a.example",
        "https://b.example",
    ]
    many = [f"https://shop{number}.example" for number in range(MOST)]
    assert len(read_origins(many)) == MOST
    with pytest.raises(TooManyOriginsError):
        read_origins([*many, "https://one.more"])


def test_the_origins_of_a_key_are_said_to_be_of_all_that_it_may_do() -> None:
    field = ApiKey._meta.get_field("origins")
    assert str(field.help_text) == "Pages that may use the key from a browser, such as https://shop.example."
    with override("zh-hans"):
        assert "使用该密钥" in str(field.help_text)

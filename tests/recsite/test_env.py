"""Readers of the environment refuse what they do not understand, and say which variable and what to do."""

from pathlib import Path

import pytest
from django.core.exceptions import ImproperlyConfigured

from recsite import env


def test_text_is_required_without_a_default(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SHOP_NAME", raising=False)
    assert env.text("SHOP_NAME", default="Corner shop") == "Corner shop"
    with pytest.raises(ImproperlyConfigured, match=r"SHOP_NAME is not set.*make demo"):
        env.text("SHOP_NAME")


@pytest.mark.parametrize(("value", "meaning"), [("1", True), ("Yes", True), ("on", True), ("0", False), ("", False)])
def test_flag(monkeypatch: pytest.MonkeyPatch, value: str, meaning: bool) -> None:
    monkeypatch.setenv("DEBUG", value)
    assert env.flag("DEBUG", default=not meaning) is meaning


def test_flag_refuses_other_words(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DEBUG", "maybe")
    with pytest.raises(ImproperlyConfigured, match="DEBUG='maybe' is neither yes nor no"):
        env.flag("DEBUG", default=False)


@pytest.mark.parametrize("value", ["0", "-1", "2.5", "many", ""])
def test_integer_refuses(monkeypatch: pytest.MonkeyPatch, value: str) -> None:
    monkeypatch.setenv("DATABASE_POOL", value)
    with pytest.raises(ImproperlyConfigured, match=r"DATABASE_POOL=.*whole number of at least 1"):
        env.integer("DATABASE_POOL", default=8, at_least=1)


def test_secret_from_a_file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    file = tmp_path / "key"
    file.write_text("x" * 40 + "\n", encoding="utf-8")
    monkeypatch.delenv("SECRET_KEY", raising=False)
    monkeypatch.setenv("SECRET_KEY_FILE", str(file))
    assert env.secret("SECRET_KEY", shortest=40) == "x" * 40
    with pytest.raises(ImproperlyConfigured, match="40 characters; at least 50"):
        env.secret("SECRET_KEY", shortest=50)
    monkeypatch.setenv("SECRET_KEY", "y" * 50)
    with pytest.raises(ImproperlyConfigured, match="Both SECRET_KEY and SECRET_KEY_FILE"):
        env.secret("SECRET_KEY", shortest=40)


def test_secret_file_that_is_missing(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("SECRET_KEY", raising=False)
    monkeypatch.setenv("SECRET_KEY_FILE", str(tmp_path / "none"))
    with pytest.raises(ImproperlyConfigured, match=r"SECRET_KEY_FILE=.*cannot be read"):
        env.secret("SECRET_KEY", shortest=1)


def test_words(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ALLOWED_HOSTS", " a.example, ,b.example ")
    assert env.words("ALLOWED_HOSTS") == ["a.example", "b.example"]


def test_pairs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ITEM_FEED_MAP", "artno=item_id, colour = attributes.color")
    assert env.pairs("ITEM_FEED_MAP") == {"artno": "item_id", "colour": "attributes.color"}
    monkeypatch.setenv("ITEM_FEED_MAP", "artno")
    with pytest.raises(ImproperlyConfigured, match="ITEM_FEED_MAP must be written like sku=item_id"):
        env.pairs("ITEM_FEED_MAP")


@pytest.mark.parametrize(
    ("url", "own", "rest"),
    [
        (
            "postgresql://u:p%40ss@db:5433/shop?sslmode=verify-full",
            {"NAME": "shop", "USER": "u", "PASSWORD": "p@ss", "HOST": "db", "PORT": "5433"},
            {"sslmode": "verify-full"},
        ),
        (
            "postgresql://postgres@/recsite?host=/var/run/pg",
            {"NAME": "recsite", "USER": "postgres", "PASSWORD": "", "HOST": "/var/run/pg", "PORT": ""},
            {},
        ),
    ],
)
def test_database(monkeypatch: pytest.MonkeyPatch, url: str, own: dict[str, str], rest: dict[str, str]) -> None:
    monkeypatch.setenv("DATABASE_URL", url)
    assert env.database("DATABASE_URL") == (own, rest)


def test_a_service_has_an_address_that_may_be_spoken_to_and_a_model(monkeypatch: pytest.MonkeyPatch) -> None:
    assert env.service("EMBEDDING_URL", model="EMBEDDING_MODEL") == ("", "")
    monkeypatch.setenv("EMBEDDING_URL", " http://embedder:8080/v1 ")
    with pytest.raises(ImproperlyConfigured, match="EMBEDDING_MODEL does not say by which model"):
        env.service("EMBEDDING_URL", model="EMBEDDING_MODEL")
    monkeypatch.setenv("EMBEDDING_MODEL", "small")
    assert env.service("EMBEDDING_URL", model="EMBEDDING_MODEL") == ("http://embedder:8080/v1", "small")
    monkeypatch.setenv("EMBEDDING_URL", "http://embed.example/v1")
    with pytest.raises(ImproperlyConfigured, match="EMBEDDING_URL may not be spoken to: it is not https"):
        env.service("EMBEDDING_URL", model="EMBEDDING_MODEL")


@pytest.mark.parametrize("url", ["sqlite:///x", "mysql://u@h/d", "postgresql://h/d?nonsense=1", "postgresql://[::1/d"])
def test_database_refuses(monkeypatch: pytest.MonkeyPatch, url: str) -> None:
    monkeypatch.setenv("DATABASE_URL", url)
    with pytest.raises(ImproperlyConfigured, match="DATABASE_URL"):
        env.database("DATABASE_URL")


@pytest.mark.parametrize(
    ("value", "storage", "options"),
    [
        ("/srv/files", "FileSystemStorage", {"location": Path("/srv/files"), "file_permissions_mode": 0o600}),
        ("s3://shop/recsite?region=eu-central-1", "BucketStorage", {"url": "s3://shop/recsite?region=eu-central-1"}),
        ("gs://shop", "BucketStorage", {"url": "gs://shop"}),
        ("abfs://files@shop.example/recsite", "BucketStorage", {"url": "abfs://files@shop.example/recsite"}),
    ],
)
def test_a_storage_is_a_folder_or_a_bucket(
    monkeypatch: pytest.MonkeyPatch, value: str, storage: str, options: dict[str, object]
) -> None:
    monkeypatch.setenv("ARTEFACTS", value)
    read = env.storage("ARTEFACTS", default=Path("x"), in_folder={"file_permissions_mode": 0o600})
    assert (read["BACKEND"].rpartition(".")[2], read["OPTIONS"]) == (storage, options)


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ("https://shop/recsite", "must be a folder, or begin with one of s3://, gs://, abfs://, abfss:// and name"),
        ("s3:///recsite", "name a bucket"),
        ("s3://key:secret@shop", "holds a key: leave it out of the address, and set .* AWS_ACCESS_KEY_ID"),
        ("s3://shop?access_key=a&secret_key=b", "holds a key"),
        ("abfs://files:key@shop.example", "holds a key"),
    ],
)
def test_a_storage_refuses(monkeypatch: pytest.MonkeyPatch, value: str, message: str) -> None:
    monkeypatch.setenv("ARTEFACTS", value)
    with pytest.raises(ImproperlyConfigured, match=f"ARTEFACTS {message}" if message[:4] != "name" else message):
        env.storage("ARTEFACTS", default=Path("x"), in_folder={})


def test_valkey_refuses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REDIS_URL", "localhost:6379")
    with pytest.raises(ImproperlyConfigured, match="redis://"):
        env.valkey("REDIS_URL")


def test_misspelt_settings_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SHOP_CURENCY", "EUR")
    with pytest.raises(ImproperlyConfigured, match="Unknown settings: SHOP_CURENCY"):
        env.refuse_unasked("SHOP_")

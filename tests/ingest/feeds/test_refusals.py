"""What feeds hold that cannot be taken: rows with line, field and remedy, and whole files that would do harm."""

import gzip
import io
import json
import tracemalloc
import zipfile
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest

from recommendations.ingest.feeds import unpacking
from recommendations.ingest.feeds.mapping import ReadingPlan
from recommendations.ingest.feeds.open_feed import open_feed
from recommendations.ingest.import_files import FileLimits, FileTooLargeError, UnreadableFileError, import_items
from recommendations.models import Import, Item
from recommendations.store.temp_tables import silent

NOW = datetime(2026, 9, 15, 12, tzinfo=UTC)
RSS = '<?xml version="1.0"?>\n<rss xmlns:g="http://base.google.com/ns/1.0"><channel>\n{}\n</channel></rss>\n'
PLAIN = b"item_id,title\nA1,Shoe\n"


def load(path: Path, content: str | bytes, *, limits: FileLimits | None = None) -> Import:
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return import_items(path, now=NOW, report=silent, limits=limits)


def flaws(imported: Import) -> list[tuple[int, str, str, str]]:
    return [(row.line, row.field, row.value, " ".join(row.reason.split()[:4])) for row in imported.rejected_rows.all()]


@pytest.mark.django_db
def test_rows_of_xml_are_refused_with_their_line_and_the_feeds_own_names(tmp_path: Path) -> None:
    items = (
        "<item><g:id>A1</g:id><title>Shoe</title><g:price>19.90 USD</g:price></item>\n"
        "<item>\n  <g:id>A2</g:id>\n  <title>Boot</title>\n  <g:price>19.90 EUR</g:price>\n"
        "  <g:image_link>boot.png</g:image_link></item>\n"
        "<item><g:id>A3</g:id><title>Cap</title><g:price>1,299 USD</g:price></item>"
    )
    imported = load(tmp_path / "feed.xml", RSS.format(items))
    assert flaws(imported) == [
        (4, "image_url (g:image_link)", "boot.png", "An address must begin"),
        (4, "currency (g:price)", "EUR", "The shop's currency is"),
        (9, "price (g:price)", "1,299 USD", "Not a number. Use"),  # a thousand, or one and a bit?
    ]
    assert list(Item.objects.values_list("shop_id", flat=True)) == ["A1"]
    assert imported.reasons == {"not_a_url": 1, "not_a_number": 1}


@pytest.mark.django_db
def test_an_original_price_is_called_as_the_file_calls_what_it_follows_from(tmp_path: Path) -> None:
    item = "<item><g:id>A1</g:id><title>Shoe</title><g:price>dear</g:price><g:sale_price>9.90</g:sale_price></item>"
    imported = load(tmp_path / "feed.xml", RSS.format(item))
    assert [flaw[:3] for flaw in flaws(imported)] == [(3, "original_price (g:price)", "dear")]


@pytest.mark.django_db
def test_rows_of_json_are_refused_with_their_line(tmp_path: Path) -> None:
    text = '[\n{"id": "A1", "title": "Shoe"},\n{"id": "A2",\n "title": ""},\n"A3", {"id": "A1", "title": "Again"}]'
    imported = load(tmp_path / "items.json", text)
    assert flaws(imported) == [
        (3, "title", "", "The field is required"),
        (5, "", "", "Not a JSON object."),
        (6, "item_id (id)", "A1", "The item is in"),  # on line 5, too, and lines are told apart
    ]
    lines = b'{"id": "B1", "title": "Shoe"}\n{"id": "B2", "title": \n{"id": "B3", "title": "\xff"}\n'
    assert [flaw[0::3] for flaw in flaws(load(tmp_path / "items.jsonl", lines))] == [
        (2, "Not a JSON object."), (3, "The text is not"),
    ]  # fmt: skip
    assert set(Item.objects.values_list("shop_id", flat=True)) == {"A1", "B1"}


@pytest.mark.django_db
def test_rows_of_one_line_are_told_apart_by_their_number(tmp_path: Path) -> None:
    items = "".join(f"<item><g:id>A{n}</g:id><title>{'Shoe' * (n != 2)}</title></item>" for n in range(1, 4))
    imported = load(
        tmp_path / "feed.xml", f'<rss xmlns:g="http://base.google.com/ns/1.0"><channel>{items}</channel></rss>'
    )
    assert [flaw[0] for flaw in flaws(imported)] == [2]
    assert imported.kept == 2


MALFORMED: list[tuple[str, str | bytes, str]] = [
    ("feed.xml", RSS.format("<item><g:id>A1</g:id>"), "feed.xml, line 4: this is no XML that can be read"),
    ("feed.xml", RSS.format(""), "has no <item> or <entry>"),
    ("feed.xml", "<!DOCTYPE html>\n<html><body>Sign in</body></html>", "This is a web page, not a feed"),
    ("feed.xml", "<html><body>Sign in</body></html>", "has no <item> or <entry>"),
    ("feed.xml", RSS.format("<item><title>Shoe</title></item>"), "“item_id” is missing. The file has “title”"),
    ("feed.xml", '<?xml version="1.0" encoding="klingon"?><rss/>', "this is no XML that can be read"),
    ("feed.xml", "<rss>" + "<a>" * 60, "nested too deep"),
    ("items.json", '[{"id": "A1", "title": "Shoe"}', "line 1: this is no JSON that can be read"),
    ("items.json", '[{"id": "A1", "title": "Shoe"},\n{"id": "A2" "title": "Boot"}]', "line 2: this is no JSON"),
    ("items.json", '[{"id": "A1", "title": "Shoe"}]\n[]', "something follows its end"),
    ("items.json", "[" * 100_000, "nested too deep"),
    ("items.json", '{"a":\n' * 60 + "1" + "}" * 60, "nested too deep"),
    ("items.json", '{"kind": "items"}\n', "the column “item_id”, “title” is missing"),
    ("items.json", '{\n"a": [{"id": 1}], "b": [{"id": 1}]}', "it has several lists of objects"),
    ("items.json", "[]", "has no list of objects"),
    ("items.json", b'[{"id": "A1", "title": "\xff"}]', "it is not UTF-8"),
    ("items.tsv", "id\tname\tname\nA1\tShoe\tBoot\n", "the column “name” appears twice"),
    ("items.csv", "artikel,titel\nA1,Shoe\n", "“item_id”, “title” is missing. The file has “artikel”, “titel”"),
]  # fmt: skip


@pytest.mark.django_db
@pytest.mark.parametrize(("name", "content", "words"), MALFORMED)
def test_a_file_that_cannot_be_read_is_refused_whole(
    tmp_path: Path, name: str, content: str | bytes, words: str
) -> None:
    with pytest.raises(UnreadableFileError) as caught:
        load(tmp_path / name, content)
    assert words in str(caught.value)
    assert Import.objects.get().message == str(caught.value)
    assert not Item.objects.exists()


@pytest.mark.django_db
def test_a_missing_column_names_the_way_to_give_it(tmp_path: Path) -> None:
    with pytest.raises(UnreadableFileError, match=r"takes it: --map NAME=item_id"):
        load(tmp_path / "items.csv", "artikel,title\nA1,Shoe\n")
    imported = import_items(tmp_path / "items.csv", now=NOW, report=silent, maps={"artikel": "item_id"})
    assert imported.kept == 1
    with pytest.raises(UnreadableFileError, match="there is no column itemid"):
        import_items(tmp_path / "items.csv", now=NOW, report=silent, maps={"artikel": "itemid"})
    with pytest.raises(UnreadableFileError, match=r"no column “artickel” that --map could mean\. It has “artikel”"):
        import_items(tmp_path / "items.csv", now=NOW, report=silent, maps={"artickel": "item_id", "artikel": "item_id"})


LAUGHS = '<?xml version="1.0"?>\n<!DOCTYPE lolz [<!ENTITY a "ha">' + "".join(
    f'<!ENTITY {name} "{f"&{before};" * 10}">' for before, name in zip("abcdefgh", "bcdefghi", strict=True)
)
ENTITIES = [
    f"{LAUGHS}]>\n<rss><item><id>A1</id><title>&i;</title></item></rss>",
    '<!DOCTYPE rss [<!ENTITY secret SYSTEM "file:///etc/passwd">]><rss><item><title>&secret;</title></item></rss>',
    '<!DOCTYPE rss SYSTEM "http://127.0.0.1:1/evil.dtd"><rss><item><id>A1</id><title>A</title></item></rss>',
]


@pytest.mark.django_db
@pytest.mark.parametrize("text", ENTITIES, ids=["bomb", "file", "dtd"])
def test_xml_that_defines_entities_is_refused(tmp_path: Path, text: str) -> None:
    with pytest.raises(UnreadableFileError, match="it has a DOCTYPE"):
        load(tmp_path / "feed.xml", text)
    assert not Item.objects.exists()


def zipped(**files: bytes) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return buffer.getvalue()


@pytest.mark.django_db
@pytest.mark.parametrize("pack", [gzip.compress, lambda raw: zipped(items=raw)], ids=["gzip", "zip"])
def test_packed_files_are_known_by_what_is_in_them(tmp_path: Path, pack: Callable[[bytes], bytes]) -> None:
    assert load(tmp_path / "items.csv", pack(PLAIN)).kept == 1
    rss = RSS.format("<item><g:id>A2</g:id><title>Boot</title></item>").encode()
    assert load(tmp_path / "feed", pack(rss)).kept == 1
    assert Import.objects.order_by("pk").values_list("file", flat=True)[0] == "items.csv"


BAD_ARCHIVES = [
    (zipped(one=PLAIN, two=PLAIN), "must have one file in it, and has 2: “one”, “two”"),
    (zipped(**{"xl/workbook.xml": b"<a/>", "[Content_Types].xml": b"<a/>"}), "This is a spreadsheet"),
    (zipped(), "must have one file"),
    (gzip.compress(PLAIN * 1000)[:-20], "cannot be unpacked"),
    (gzip.compress(gzip.compress(PLAIN)), "This is a gzip file"),
]


@pytest.mark.django_db
@pytest.mark.parametrize(("content", "words"), BAD_ARCHIVES, ids=[words for _content, words in BAD_ARCHIVES])
def test_archives_that_cannot_be_unpacked_say_why(tmp_path: Path, content: bytes, words: str) -> None:
    if content.startswith(b"PK\x05\x06"):
        words = "items.csv"  # an empty archive has no file's mark: it is refused as a table
    with pytest.raises(UnreadableFileError, match=words.replace("[", r"\[")):
        load(tmp_path / "items.csv", content)


@pytest.mark.parametrize("pack", [gzip.compress, lambda raw: zipped(items=raw)], ids=["gzip", "zip"])
def test_a_bomb_is_refused_before_it_fills_the_disk(
    tmp_path: Path, pack: Callable[[bytes], bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(unpacking, "SURE", 1 << 20)
    path = tmp_path / "items.csv"
    path.write_bytes(pack(b"item_id,title\n" + b"A" * (64 << 20)))
    assert path.stat().st_size < 100_000
    with (
        pytest.raises(UnreadableFileError, match="far more than it should"),
        open_feed(path, plan=ReadingPlan(now=NOW)),
    ):
        pass
    with (
        pytest.raises(FileTooLargeError, match="1 MB unpacked"),
        open_feed(path, plan=ReadingPlan(now=NOW), limits=FileLimits(rows=10, unpacked=1 << 20)),
    ):
        pass


@pytest.mark.parametrize("kind", ["xml", "json", "jsonl"])
def test_a_large_feed_is_never_held_whole(tmp_path: Path, kind: str) -> None:
    """60 MB of items cost less than 16 MB."""
    path = tmp_path / f"feed.{kind}"
    text = "Soft and warm. " * 200
    with path.open("w") as file:
        if kind == "xml":
            file.write(RSS.partition("{}")[0])
            file.writelines(f"<item><g:id>{n}</g:id><title>{text}</title></item>\n" for n in range(20_000))
            file.write("</channel></rss>")
        else:
            lines = (json.dumps({"id": str(n), "title": text}) for n in range(20_000))
            file.write(
                "[" * (kind == "json") + (",\n" if kind == "json" else "\n").join(lines) + "]" * (kind == "json")
            )
    tracemalloc.start()
    try:
        with open_feed(path, plan=ReadingPlan(now=NOW)) as table:
            rows = sum(len(part) for part in table.blocks(range(len(table.columns))) if isinstance(part, list))
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert rows == 20_000
    assert peak < 16 << 20 < path.stat().st_size / 3

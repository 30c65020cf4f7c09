"""The source's abbreviations as names that a shopper would read."""

import csv

import pytest

from demo.complete_journey.names import TITLES, department_name, size_text, tidied, type_title


@pytest.mark.parametrize(
    ("raw", "category", "title"),
    [
        ("FLUID MILK WHITE ONLY", "FLUID MILK PRODUCTS", "White milk"),
        ("SOFT DRINKS 12/18&15PK CAN CAR", "SOFT DRINKS", "Soft drink, cans"),
        ("PREMIUM", "ICE CREAM/MILK/SHERBTS", "Ice cream, premium"),
        ("PREMIUM", "BACON", "Bacon, premium"),
        ("OTHER", "TURKEY", "Turkey, other"),  # no wording of its own: the category says what it is
        ("FRZN BRD WHOLE FILLETS", "SEAFOOD - FROZEN", "Frozen breaded whole fillets"),
        ("SPANISH RICE (CANNED ONLY)", "DRY BN/VEG/POTATO/RICE", "Spanish rice"),
    ],
)
def test_titles(raw: str, category: str, title: str) -> None:
    assert type_title(raw, category=category) == title


@pytest.mark.parametrize(
    ("raw", "text"),
    [
        ("REFRGRATD JUICES/DRNKS", "Refrigerated juices and drinks"),
        ("FD WRAPS/BAGS/TRSH BG", "Food wraps, bags and trash bags"),
        ("MEAT - MISC", "Meat, other"),
        ("FLORAL-FRESH CUT", "Floral, fresh cut"),
        ("NON-DAIRY BEVERAGES", "Non-dairy beverages"),
        ("POULTRY - STEW W/DUMPLINGS", "Poultry, stew with dumplings"),
        ("MISC. DAIRY", "Other dairy"),
        ("", ""),
    ],
)
def test_abbreviations_are_written_out(raw: str, text: str) -> None:
    assert tidied(raw) == text


@pytest.mark.parametrize(
    ("raw", "text"),
    [
        ("16 OZ", "16 oz"),
        ("2.00 LB", "2 lb"),
        (".5 L", "0.5 L"),
        ("1.50 L", "1.5 L"),
        ("7 1/2 OZ", "7 1/2 oz"),
        ("24/3 OZ", "24/3 oz"),
        ("2.5 FL OZ", "2.5 fl oz"),
        ("300 CT(1)", "300 ct"),
        ("1 GA", "1 gal"),
        ("HALF GAL", "1/2 gal"),
        ("32 LD", "32 loads"),
        ("15262918 CT", ""),
        ("CTN", ""),
        ("nan", ""),
        ("", ""),
        (None, ""),
    ],
)
def test_sizes(raw: str | None, text: str) -> None:
    assert size_text(raw) == text


def test_departments() -> None:
    assert [department_name(raw) for raw in ("DRUG GM", "MEAT-PCKGD", "PRODUCE")] == [
        "Drugstore and household",
        "Packaged meat",
        "Produce",
    ]


def test_the_common_types_have_a_wording_each() -> None:
    with TITLES.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert len({row["type"] for row in rows}) == 601
    assert [row for row in rows if not row["title"] or row["title"] != row["title"].strip()] == []
    assert [row["title"] for row in rows if row["title"].isupper() and row["title"] != "DVD"] == []

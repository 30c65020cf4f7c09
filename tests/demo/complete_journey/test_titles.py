"""Titles as on a shelf: brand, variety, what it is, size."""

import csv
import re

import pandas as pd

from demo.complete_journey.brands import ENDS, STARTS, brand
from demo.complete_journey.titles import VARIETIES, titles

MILK = ("GROCERY", "FLUID MILK PRODUCTS", "FLUID MILK WHITE ONLY", "1 gal", "Elmcroft")


def titled(*rows: tuple[str, str, str | None, str, str]) -> list[str]:
    columns = ["department", "product_category", "product_type", "size", "brand_name"]
    return titles(pd.DataFrame(list(rows), columns=columns))


def test_items_alike_but_for_their_number_are_other_varieties() -> None:
    first, second, third = titled(MILK, MILK, MILK)
    assert len({first, second, third}) == 3
    for title in (first, second, third):
        assert re.fullmatch(r"Elmcroft [A-Z][\w-]+ White Milk, 1 gal", title), title


def test_the_same_source_gives_the_same_titles() -> None:
    assert titled(MILK, MILK) == titled(MILK, MILK)


def test_a_variety_does_not_repeat_what_the_item_is() -> None:
    kind = ("GROCERY", "COOKIES/CONES", "TRAY PACK/CHOC CHIP COOKIES", "16 oz", "Elmcroft")
    words = [re.findall(r"\w+", title.lower()) for title in titled(*[kind] * 40)]
    assert all(title.count("chocolate") == 1 for title in words)


def test_fruit_is_plain_first_and_without_the_case_that_the_shop_buys() -> None:
    bananas = ("PRODUCE", "TROPICAL FRUIT", "BANANAS", "40 lb", "Sunrise")
    assert titled(bananas, bananas)[0] == "Sunrise Bananas"
    assert titled((*bananas[:3], "3 lb", "Sunrise")) == ["Sunrise Bananas, 3 lb"]
    assert titled(("GROCERY", "FRZN ICE", "ICE - CRUSHED/CUBED", "22 lb", "Elmcroft"))[0].endswith(", 22 lb")


def test_without_a_type_the_category_says_what_it_is() -> None:
    (title,) = titled(("DRUG GM", "HOSIERY/SOCKS", None, "", "Elmcroft"))
    assert title.endswith(" Hosiery and Socks")


def test_makers_up_to_the_number_of_names_have_one_each() -> None:
    names = len(STARTS) * len(ENDS)
    assert len({brand(maker) for maker in range(names)}) == names
    assert brand(7) == brand(7 + names)


def test_every_row_of_varieties_can_be_used() -> None:
    with VARIETIES.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert rows[-1]["source"] == ""  # what is left over has words, too
    for row in rows:
        re.compile(row["source"])
        for words in (row["first"].split("|"), row["last"].split("|")):
            assert len(set(words)) == len(words), row["source"]

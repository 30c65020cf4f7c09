"""The source's shouted abbreviations as names that a shopper would read."""

import csv
import re
from functools import cache
from pathlib import Path

TITLES = Path(__file__).with_name("titles.csv")
DEPARTMENTS = {
    "CHARITABLE CONT": "Charity",
    "CHEF SHOPPE": "Chef's shop",
    "COSMETICS": "Cosmetics",
    "DRUG GM": "Drugstore and household",
    "ELECT &PLUMBING": "Electrical and plumbing",
    "GM MERCH EXP": "General merchandise",
    "MEAT-PCKGD": "Packaged meat",
    "NUTRITION": "Natural foods",
    "PASTRY": "Bakery",
    "SEAFOOD-PCKGD": "Packaged seafood",
    "SPIRITS": "Spirits",
    "TRAVEL & LEISURE": "Travel and leisure",
}
WORDS = {
    "&": "and", "acc": "accessories", "anal": "analgesics", "antip": "antiperspirant", "appl": "appliances",
    "bev": "beverages", "bg": "bags", "bkd": "baked", "bn": "beans", "brd": "breaded", "brkfst": "breakfast",
    "btl": "bottle", "btr": "butter", "carb": "carbonated", "catsup": "ketchup", "childrens": "children's",
    "chix": "chicken", "chococlate": "chocolate", "cke": "cake", "ckys": "cookies", "cleang": "cleaning",
    "cnd": "canned", "cndy": "candy", "cntrl": "control", "conc": "concentrate", "crkr": "crackers", "crmd": "creamed",
    "crystl": "crystal", "dec": "decoration", "decaffinated": "decaffeinated", "deod": "deodorant",
    "disposible": "disposable", "dl": "deli", "dnr": "dinner", "dnrs": "dinners", "drnk": "drink",
    "drnking": "drinking", "drnkng": "drinking", "drnks": "drinks", "drsng": "dressing", "eq": "equipment",
    "excp": "except", "fd": "food", "fds": "foods", "fem": "feminine", "flav": "flavored", "flvr": "flavored",
    "flvrd": "flavored", "frd": "fried", "frz": "frozen", "frzn": "frozen", "gds": "goods",
    "gm": "general merchandise", "grnd": "ground", "hbc": "health and beauty", "hygn": "hygiene", "iqf": "frozen",
    "jce": "juice", "jhook": "small items", "jui": "juice", "juic": "juice", "kids": "kids'", "ladies": "ladies'",
    "liq": "liquid", "liqs": "liqueurs", "loreal": "L'Oréal", "lss": "less", "mach": "machine", "marin": "marinades",
    "memorablilia": "memorabilia", "mens": "men's", "misc": "other", "mixs": "mixes", "mlk": "milk", "mlt": "multi",
    "mneral": "mineral", "mnrl": "mineral", "mw": "microwave", "mx": "mix", "mxs": "mixes", "ntrtnl": "nutritional",
    "pcs": "pieces", "pk": "pack", "pkg": "packaged", "pkgd": "packaged", "pkld": "pickled", "plstc": "plastic",
    "pnt": "peanut", "portnd": "portioned", "ppk": "prepacked", "prem": "premium", "prep": "prepared",
    "prepack": "prepacked", "preportnd": "portioned", "protien": "protein", "prpck": "prepacked", "prslc": "sliced",
    "pwdr": "powder", "pwdrs": "powders", "refrgratd": "refrigerated", "refrig": "refrigerated",
    "repellants": "repellents", "rw": "", "sal": "salad", "sald": "salad", "saus": "sausage", "sft": "soft",
    "sgl": "single", "sherbts": "sherbets", "shlfsh": "shellfish", "slc": "slices", "sndwch": "sandwich",
    "sngl": "single", "snks": "snacks", "spec": "specialties", "specilaty": "specialty", "sply": "supplies",
    "sprd": "spreads", "srv": "serve", "supppliers": "suppliers", "suppplies": "supplies", "sv": "serve",
    "sw": "sweet", "sweetners": "sweeteners", "tiss": "tissues", "trsh": "trash", "veg": "vegetable", "w/": "with",
    "w/o": "without", "whl": "whole", "whlsm": "wholesome", "womens": "women's", "worchester": "Worcestershire",
    "wt": "weight", "wtr": "water",
}  # fmt: skip
# A type of such words only says nothing without its category: "PREMIUM" of "BACON".
QUALITIES = frozenset({
    "added", "all", "and", "assorted", "better", "blends", "bulk", "choice", "cooked", "deluxe", "economy",
    "enhanced", "for", "fresh", "frozen", "general", "green", "items", "lean", "mainstream", "miscellaneous",
    "natural", "no", "organic", "other", "others", "pints", "plus", "popular", "premium", "prepacked", "primal",
    "products", "raw", "red", "regular", "seasonal", "select", "smoked", "specialty", "standard", "super",
    "supreme", "traditional", "ultra", "value", "white", "whole", "yellow", "you",
})  # fmt: skip
PROPER = frozenset({
    "american", "angus", "asian", "barbie", "bartlett", "british", "canadian", "caribbean", "christmas", "disney",
    "dutch", "easter", "english", "french", "fuji", "gala", "german", "greek", "halloween", "hanes", "hawaiian",
    "hispanic", "indian", "irish", "italian", "japanese", "kosher", "mexican", "oriental", "revlon", "russian",
    "scottish", "spanish", "swiss", "thai", "valentine",
})  # fmt: skip
UNITS = (
    "FL OZ|OZS?|LB|CT|PKS?|ML|L|GAL?|QT|PT|DZN?|DOZ|IN|SQ FT|FT|YD|CM|MM|GM?|PCS?|ROLLS?|SHEETS?|LDS?|LOADS?|STEMS?|"
    "SLICES?|SERVINGS?"
)
SIZE = re.compile(rf"(?<![\w.])((?:\d{{1,2}} )?(?:\d{{1,2}}/)?(?:\d{{1,4}}(?:\.\d+)?|\.\d+))\s*({UNITS})\b")
ALONE = {"GAL": "1 gal", "HALF GAL": "1/2 gal", "QT": "1 qt", "PT": "1 pt", "DZ": "1 dozen", "DOZ": "1 dozen"}
CALLED = {
    "DOZ": "dozen", "DZ": "dozen", "DZN": "dozen", "GA": "gal", "GM": "g", "L": "L", "LD": "loads", "LDS": "loads",
    "OZS": "oz", "PCS": "pc", "PKS": "pk",
}  # fmt: skip


def department_name(raw: str) -> str:
    return DEPARTMENTS.get(raw) or tidied(raw)


def type_title(raw: str, *, category: str) -> str:
    """Title of an item of this type: our own wording for the common types, else the type tidied."""
    titles = _titles()
    title = titles.get((category, raw)) or titles.get(("", raw)) or tidied(raw)
    words = set(re.findall(r"[a-z]+", title.lower()))
    if words <= QUALITIES and category:
        return f"{tidied(category)}, {title.lower()}" if title else tidied(category)
    return title


def tidied(raw: str) -> str:
    """A name in sentence case, abbreviations written out, without the source's brackets (they are cut off half-way)."""
    text = re.sub(r"\(.*", "", raw.lower())
    text = re.sub(r"\bw/(?!o\b)", "with ", text).replace("w/o", "without")
    text = re.sub(r"\s+-\s*|\s*-\s+|\s*:\s*|(?<=[a-z]{4})(?<!multi)(?<!make)-(?=[a-z]{4})", ", ", text)
    text = re.sub(r"\s*&\s*", " and ", text)
    text = _listed([_words(part) for part in text.split("/")])
    return text[:1].upper() + text[1:]


def size_text(raw: str | None) -> str:
    """``16 OZ`` → ``16 oz``; nothing where the source gives no measure."""
    match = SIZE.search(raw or "")
    if not match:
        return ALONE.get((raw or "").strip(), "")
    number = re.sub(r"(\.\d*?)0+$", r"\1", match[1]).rstrip(".")
    return f"{'0' if number.startswith('.') else ''}{number} {CALLED.get(match[2], match[2].lower())}"


def _words(text: str) -> str:
    """Abbreviations written out, each word once in a row, peoples and feasts with a capital."""
    written: list[str] = []
    for word in text.split():
        bare = word.strip(",.")
        full = WORDS.get(bare, bare.capitalize() if bare in PROPER else bare)
        if full and (not written or written[-1] != full):
            written.append(full + ("," if word.endswith(",") else ""))
    return " ".join(written).strip(" ,")


def _listed(parts: list[str]) -> str:
    named = [part for part in parts if part]
    return " and ".join([", ".join(named[:-1]), named[-1]] if len(named) > 1 else named)


@cache
def _titles() -> dict[tuple[str, str], str]:
    with TITLES.open(encoding="utf-8", newline="") as file:
        return {(row["category"], row["type"]): row["title"] for row in csv.DictReader(file)}

"""Invented brands: the source numbers its makers, and a shopper reads names."""

OWN = "Daybasket"
"""The brand of what the source calls private: the shop's own."""

STARTS = (
    "Alder", "Amber", "Arbor", "Ash", "Aspen", "Autumn", "Barley", "Bay", "Beech", "Birch", "Bracken", "Bram",
    "Briar", "Cedar", "Clear", "Clover", "Copper", "Coral", "Crane", "Cricket", "Curlew", "Daisy", "Dapple", "Dawn",
    "Deer", "Drift", "Dusk", "Elder", "Elm", "Ember", "Fair", "Fallow", "Fern", "Finch", "Flax", "Frost", "Gale",
    "Gentle", "Glen", "Gold", "Grain", "Harrow", "Hart", "Hawk", "Hazel", "Heather", "Heron", "Hollow", "Holly",
    "Honey", "Indigo", "Ivy", "Juniper", "Kestrel", "Lake", "Lantern", "Lark", "Laurel", "Lily", "Linden", "Lupin",
    "Maple", "Marsh", "Meadow", "Merry", "Nettle", "Olive", "Otter", "Pebble", "Pepper", "Pine", "Plum", "Poppy",
    "Puffin", "Quail", "Quince", "Reed", "Ripple", "River", "Robin", "Rose", "Rowan", "Rush", "Sage", "Silver",
    "Sorrel", "Sparrow", "Stone", "Summer", "Sun", "Swallow", "Swift", "Tansy", "Teal", "Thistle", "Thorn",
    "Thrush", "Vale", "Velvet", "Violet", "Wander", "Wheat", "Whistle", "Willow", "Winter", "Wren", "Yarrow",
)  # fmt: skip
ENDS = (
    "acre", "bank", "beck", "bend", "bluff", "bourne", "bridge", "burn", "by", "chase", "cliff", "combe", "cote",
    "cove", "craft", "crest", "croft", "cross", "dell", "den", "fen", "firth", "fold", "ford", "garth", "glade",
    "grange", "grove", "harbor", "haven", "heath", "hearth", "holm", "holt", "hurst", "isle", "keep", "knoll",
    "lane", "lea", "lodge", "loft", "mead", "mere", "moor", "mount", "nook", "path", "pond", "reach", "rise", "row",
    "shaw", "shore", "spire", "stead", "thorpe", "vale", "wade", "water", "wharf", "wick", "wold", "worth", "yard",
)  # fmt: skip
STEP = 2_741  # without a common divisor with the number of names: makers side by side get names far apart


def brand(maker: int) -> str:
    """Name of a maker, another one for each number below the number of names."""
    start, end = divmod(maker * STEP % (len(STARTS) * len(ENDS)), len(ENDS))
    return STARTS[start] + ENDS[end]

"""What the smallest shop sells: three shelves of a dozen books, a shirt in three sizes, and one that nobody may see.

manage.py shell -c "from shelves import stock_shelves; stock_shelves()"
"""

from decimal import Decimal
from io import BytesIO

from django.core.files.base import ContentFile
from django.db import transaction
from oscar.apps.catalogue.categories import create_from_breadcrumbs
from oscar.core.loading import get_model
from PIL import Image

Product, ProductClass = get_model("catalogue", "Product"), get_model("catalogue", "ProductClass")
ProductAttribute, ProductImage = get_model("catalogue", "ProductAttribute"), get_model("catalogue", "ProductImage")
Partner, StockRecord = get_model("partner", "Partner"), get_model("partner", "StockRecord")
Country = get_model("address", "Country")
SHELVES = ("Crime", "Travel", "Cooking")
COPIES = 12  # books of a shelf


@transaction.atomic
def stock_shelves() -> None:
    Country.objects.create(
        iso_3166_1_a2="GB", iso_3166_1_a3="GBR", printable_name="United Kingdom", is_shipping_country=True
    )
    book = ProductClass.objects.create(name="Book", slug="book")
    ProductAttribute.objects.create(product_class=book, name="Pages", code="pages", type="integer")
    for shelf in SHELVES:
        category = create_from_breadcrumbs(f"Books > {shelf}")
        for number in range(1, COPIES + 1):
            product = Product(
                product_class=book, title=f"{shelf} {number}", description=f"<p>All of <b>{shelf}</b> &amp; more.</p>"
            )
            product.attr.pages = 100 + number
            product.save()
            product.categories.add(category)
            _stock(product, price=Decimal(number) + Decimal("0.99"))
    first = Product.objects.get(title="Crime 1")
    ProductImage.objects.create(product=first, original=ContentFile(_picture(), "crime.png"))
    hidden = Product.objects.create(product_class=book, title="Not yet", is_public=False)
    _stock(hidden, price=Decimal(5))
    _shirt()


def _shirt() -> None:
    clothes = ProductClass.objects.create(name="Clothes", slug="clothes")
    ProductAttribute.objects.create(product_class=clothes, name="Size", code="size", type="text")
    shirt = Product.objects.create(product_class=clothes, title="Shirt", structure=Product.PARENT)
    shirt.categories.add(create_from_breadcrumbs("Clothes"))
    for number, size in enumerate("SML"):
        child = Product(parent=shirt, structure=Product.CHILD, title=f"Shirt {size}")
        child.attr.size = size
        child.save()
        _stock(child, price=Decimal(20), number=10 * number)


def _stock(product: object, *, price: Decimal, number: int = 50) -> None:
    partner, _new = Partner.objects.get_or_create(name="House", code="house")
    StockRecord.objects.create(
        product=product, partner=partner, partner_sku=f"sku-{product.pk}", price=price, num_in_stock=number
    )


def _picture() -> bytes:
    content = BytesIO()
    Image.new("RGB", (40, 60), "navy").save(content, "PNG")
    return content.getvalue()

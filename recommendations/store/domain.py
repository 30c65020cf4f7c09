"""The domain of this shop, which its settings name and its database keeps from its first day."""

from collections.abc import Iterable

from django.conf import settings

from recommendations.domains.protocol import Domain, DomainName
from recommendations.domains.table import DOMAINS
from recommendations.engine.recommenders.registry import Instance
from recommendations.models import ShopSetting

KEY = "domain"


def shop_domain() -> Domain:
    """The preset of what this shop offers."""
    return DOMAINS[DomainName(settings.SHOP_DOMAIN)]


def of_shop(instances: Iterable[Instance]) -> list[Instance]:
    """The instances under the settings of the shop's domain."""
    settings_of = shop_domain().settings
    return [one.under(settings_of.get(one.name, {})) for one in instances]


def stored_domain() -> str:
    """The domain that the database was set up for."""
    return str(ShopSetting.objects.filter(key=KEY).values_list("value", flat=True).first() or "goods")

"""The domain of this shop, which its settings name and its database keeps from its first day."""

from django.conf import settings

from recommendations.domains.protocol import Domain, DomainName
from recommendations.domains.table import DOMAINS
from recommendations.engine.recommenders.registry import EXTRA, INSTANCES, Instance, instances_of
from recommendations.models import ShopSetting
from recommendations.terms import BlendName

KEY = "domain"


def shop_domain() -> Domain:
    """The preset of what this shop offers."""
    return DOMAINS[DomainName(settings.SHOP_DOMAIN)]


def shop_instances(blend: BlendName | None = None) -> list[Instance]:
    """The instances of a shop of this domain, under its settings; those alone that ``blend`` may weigh."""
    domain = shop_domain()
    present = (*INSTANCES, *(one for one in EXTRA if one.name in domain.extra))
    wanted = present if blend is None else instances_of(blend, among=present)
    return [one.under(domain.settings.get(one.name, {})) for one in wanted]


def stored_domain() -> str:
    """The domain that the database was set up for."""
    return str(ShopSetting.objects.filter(key=KEY).values_list("value", flat=True).first() or "goods")

"""``granian --interface wsgi storefront.wsgi:application``, with ``STOREFRONT`` naming the settings."""

from recsite_client import Client
from storefront.app import application as serving
from storefront.catalogue import Catalogue
from storefront.settings import Settings
from storefront.shop import ShopSite

_settings = Settings.of_environment()
_client = Client(_settings.recsite, _settings.server_key, timeout=_settings.timeout)
_shop = ShopSite(_settings, Catalogue.load(_settings.catalogue), _client)
application = serving(_shop.answer, recsite=_settings.recsite, push_service=_settings.push_service)

"""All domains by name."""

from collections.abc import Mapping

from recommendations.domains.articles import ARTICLES
from recommendations.domains.goods import GOODS
from recommendations.domains.music import MUSIC
from recommendations.domains.protocol import Domain, DomainName
from recommendations.domains.video import VIDEO

DOMAINS: Mapping[DomainName, Domain] = {one.name: one for one in (GOODS, ARTICLES, MUSIC, VIDEO)}

"""``manage.py load_citeulike DIR``: citeulike-a as a shop of articles."""

from demo.sets.citeulike import CITEULIKE
from demo.sets.load import LoadCommand
from recommendations.domains.protocol import DomainName


class Command(LoadCommand):
    help = "Load citeulike-a from the published files in a folder: articles with abstracts and tags, and libraries."
    of = CITEULIKE
    domain = DomainName.ARTICLES

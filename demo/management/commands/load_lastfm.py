"""``manage.py load_lastfm DIR``: Last.fm of HetRec 2011 as a shop of music."""

from demo.sets.lastfm import LASTFM
from demo.sets.load import LoadCommand
from recommendations.domains.protocol import DomainName


class Command(LoadCommand):
    help = (
        "Load HetRec 2011 Last.fm 2k from the published files in a folder: artists, plays, tags and friends. "
        "They are for non-commercial use and are not passed on."
    )
    of = LASTFM
    domain = DomainName.MUSIC

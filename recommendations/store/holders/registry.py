"""The list of all holders, in the order in which they are erased: what others need to find their own goes last."""

from recommendations.store.holders.agents import AGENTS
from recommendations.store.holders.answers import ANSWERS
from recommendations.store.holders.audiences import AUDIENCES
from recommendations.store.holders.contacts import CONTACTS
from recommendations.store.holders.customer import CUSTOMER
from recommendations.store.holders.events import EVENTS
from recommendations.store.holders.experiments import EXPERIMENTS
from recommendations.store.holders.files import FILES
from recommendations.store.holders.interests import INTERESTS
from recommendations.store.holders.learned import LEARNED
from recommendations.store.holders.live import LIVE
from recommendations.store.holders.messages import MESSAGES
from recommendations.store.holders.processes import PROCESSES
from recommendations.store.holders.protocol import Holder
from recommendations.store.holders.slates import SLATES
from recommendations.store.holders.snapshots import SNAPSHOTS
from recommendations.store.holders.sources import SOURCES
from recommendations.store.holders.staff_work import STAFF_WORK

HOLDERS: tuple[Holder, ...] = (
    CONTACTS, MESSAGES, AGENTS, EXPERIMENTS, AUDIENCES, SLATES, ANSWERS, INTERESTS, STAFF_WORK, FILES, SOURCES,
    SNAPSHOTS, EVENTS, LIVE, PROCESSES, LEARNED, CUSTOMER,
)  # fmt: skip

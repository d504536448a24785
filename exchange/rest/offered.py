"""What the API offers, in the order in which its page tells it."""

from __future__ import annotations

from exchange.adverts.api import resources as adverts
from exchange.agreements.api import resources as agreements
from exchange.authorisations.api import resources as authorisations
from exchange.bookings.api_documents import resources as documents
from exchange.bookings.api_wishes import resources as bookings
from exchange.catalogue.api import resources as catalogue
from exchange.charters.api import resources as charters
from exchange.declarations.api import resources as declarations
from exchange.feeds.api import resources as feeds
from exchange.lending.api import resources as lending
from exchange.members.api import resources as members
from exchange.pictures.api import resources as pictures
from exchange.reports.api import resources as reports
from exchange.statements.api import resources as statements

OFFERED = (
    members, statements, declarations, adverts, bookings, documents, charters, agreements, pictures, catalogue,
    authorisations, lending, feeds, reports,
)  # fmt: skip

"""How long before and how long after, without any I/O."""

from __future__ import annotations

from datetime import timedelta

MOST_PAGES = 30
MOST_PHOTOS = 8
"""Photographs of one document, a page each."""
MOST_GIVEN = 12
"""Documents that a party gives of one kind within a month: who gives more fills a disk."""
MONTH = timedelta(days=30)

REMINDED = (7, 2)
"""Days before a request is to be decided, or takes place, when its file still lacks something."""
EXPIRING = timedelta(days=30)
"""How long before a document expires its party is told."""
USED = timedelta(days=365)
"""A document that served within this time is worth a letter."""

KEPT_AFTER_EXPIRY = timedelta(days=183)
KEPT_UNUSED = timedelta(days=730)
"""Of what doesn't expire, after the last loan that asked for it."""
KEPT_REFUSED = timedelta(days=30)

CLASSES = ("local-association", "inhabitant", "firm", "outside", "town")
"""Whom a document may be asked of, those that ask most first."""
LACKING = frozenset({"lacking", "refused", "expired"})
"""States of what is still to be given; "unverified" is given, "good" counts."""

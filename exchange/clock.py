"""The only place that asks what time it is; everything else receives ``at``."""

from __future__ import annotations

from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo


def now() -> datetime:
    """The present instant, in UTC."""
    return datetime.now(UTC)


def local_date(at: datetime, zone: str) -> date:
    """The day that the people of ``zone`` read on their calendar at the instant ``at``."""
    return at.astimezone(ZoneInfo(zone)).date()

"""Transfers per second of django-hordak, another double-entry ledger: run by a Python that has it, not by ours.

Its own migrations, its own ``Account.transfer_to``, on the same server: ``another_ledger.py URL SECONDS make|SEED``.
"""

from __future__ import annotations

import random
import sys
import time
from urllib.parse import parse_qs, urlsplit

import django
from django.conf import settings
from django.core.management import call_command

ACCOUNTS = 1000


def main() -> None:
    """Make the tables and a thousand accounts, or post for some seconds and say how many a second."""
    url, seconds, way = sys.argv[1], float(sys.argv[2]), sys.argv[3]
    parts = urlsplit(url)
    settings.configure(
        INSTALLED_APPS=["django.contrib.auth", "django.contrib.contenttypes", "mptt", "hordak"],
        DATABASES={"default": {
            "ENGINE": "django.db.backends.postgresql", "NAME": parts.path.lstrip("/"), "USER": parts.username,
            "HOST": parse_qs(parts.query)["host"][0], "CONN_MAX_AGE": None,
        }},
        DEFAULT_AUTO_FIELD="django.db.models.AutoField", USE_TZ=True, SECRET_KEY="bench",
        HORDAK_DEFAULT_CURRENCY="EUR", HORDAK_CURRENCIES=["EUR"], DEFAULT_CURRENCY="EUR", CURRENCIES=["EUR"],
    )  # fmt: skip
    django.setup()
    from hordak.models import Account
    from moneyed import Money

    if way == "make":
        call_command("migrate", verbosity=0)
        for number in range(ACCOUNTS):
            Account.objects.create(name=f"Member {number}", code=f"{number:04d}", type="LI", currencies=["EUR"])
        return
    accounts, chance = list(Account.objects.all()), random.Random(int(way))
    done, started = 0, time.perf_counter()
    while time.perf_counter() - started < seconds:
        one, other = chance.sample(accounts, 2)
        one.transfer_to(other, Money(1, "EUR"))
        done += 1
    print(done / (time.perf_counter() - started))


if __name__ == "__main__":
    main()

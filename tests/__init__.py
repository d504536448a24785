"""The tests, which never touch an operator's server: of the environment they keep only what is meant for them."""

import os

FOR_TESTS = {
    "MARRONNIER_FULL",  # the long campaigns
    "MARRONNIER_SEED",  # the campaign that failed, again
    "MARRONNIER_SHARED",  # where the real files of towns are
    "MARRONNIER_NO_NAMESPACE",  # how the embedded server is started
    "MARRONNIER_TESTS_FOLDER",  # told by the controller to its workers
}
for name in [name for name in os.environ if name.startswith("MARRONNIER_") and name not in FOR_TESTS]:
    del os.environ[name]
for name in ("DATABASE_URL", "FLASK_DEBUG", "FLASK_APP"):
    os.environ.pop(name, None)
# Roles belong to a whole server, which an install may share: ours have names of their own.
for kind in ("WEB", "LEDGER", "OWNER"):
    os.environ[f"MARRONNIER_{kind}_ROLE"] = f"marronnier_test_{kind.lower()}"

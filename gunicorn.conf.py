"""How gunicorn serves, here and in production: a few processes of a few threads, sharing the memory of one application.

Any of these can be given on its command line, or in GUNICORN_CMD_ARGS.
"""

import gc

from babel.dates import format_datetime
from gunicorn.arbiter import Arbiter

workers = 2
threads = 4
graceful_timeout = 10  # seconds left to a request that is being answered
control_socket_disable = True
# A request that is no HTTP, or whose address is longer than 4,094 bytes, is answered by gunicorn in its own words: it
# has no hook for that, and without the limit a line would be kept in memory as long as somebody sends it.
preload_app = True


def when_ready(server: Arbiter) -> None:
    """Load once, before the processes part, what each would load for itself at its first requests."""
    app = server.app.wsgi()
    for language in ("fr", "en"):
        format_datetime(locale=language)
    for template in app.jinja_env.list_templates(extensions=["html", "txt"]):
        app.jinja_env.get_template(template)


def pre_fork(_server: object, _worker: object) -> None:
    """Keep what is loaded out of the collector's sight: by looking at an object it would copy its page of memory."""
    gc.collect()
    gc.freeze()

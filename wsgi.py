"""For any WSGI server: ``gunicorn wsgi:app``."""

from exchange.factory import create_app

app = create_app()

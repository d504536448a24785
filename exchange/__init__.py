"""The Flask application: one package per capability, and the edge modules that tie them to the web."""

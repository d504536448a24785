"""The books in PostgreSQL: reads of their tables, calls of the functions that write them."""

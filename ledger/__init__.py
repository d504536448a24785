"""The books: minutes, accounts, entries. Knows nothing of the web; see ledger/README.md."""

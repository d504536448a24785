"""T29: what the tests notice when one thing in the code of the books is changed. Run by ``make proofs``."""

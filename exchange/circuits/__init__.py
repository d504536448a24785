"""The steps that a lender's requests pass, each with who speaks there; the last one decides."""

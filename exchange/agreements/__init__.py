"""The papers of a loan: the agreement that its two sides accept, from the lender's own template."""

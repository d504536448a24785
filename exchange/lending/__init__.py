"""How an inhabitant, an association or a firm begins to lend what is theirs."""

"""What lets anybody verify the books: sealing, signed heads, proofs and exports."""

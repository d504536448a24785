"""Those who answer for the books read all of them, and see them recomputed."""

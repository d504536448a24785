"""What a loan asks for in euros, what was received, and what was given back: recorded, never processed."""

"""The charter of a place: what whoever asks for something there accepts first."""

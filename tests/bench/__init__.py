"""Figures of speed, always as ratios of two things measured in turn in one run, on one server: ``make bench``."""

"""Rooms, things and pools of things that parties lend: what they are, where, and under which conditions."""

"""Calendars that follow bookings from outside: a telephone's, an office's."""

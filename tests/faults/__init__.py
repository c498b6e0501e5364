"""Faults made on purpose: kills, full disks, crowds; each with sabotage that must be caught."""

"""Figures of results: metrics, distributions, validation, reports. Imports `util` alone."""

"""Faults made to happen for real, and what must hold after each: `python -m torture`, or in a shorter form as tests."""

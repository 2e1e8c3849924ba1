"""What differs between two values, kind by kind: pure functions from two values to text, tables and JSON."""

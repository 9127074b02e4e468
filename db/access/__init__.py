"""Statements, one module a subject; rows stay inside."""

"""Asking a model: orders become requests, requests become stored replies and suggestions."""

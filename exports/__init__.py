"""From accepted plans to a trained, evaluated model."""

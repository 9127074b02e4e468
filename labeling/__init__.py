"""From a query to an accepted plan."""

"""Marquez: its feed of OpenLineage events, and what it alone knows: tags, descriptions, deletions."""

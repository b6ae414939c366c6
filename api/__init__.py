"""How Watersmeet is asked: GraphQL, the OpenLineage inlet, the command line."""

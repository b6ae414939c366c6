"""What is known: model, naming, identity, store, graph, time, questions. No platform, no HTTP."""

"""MLflow: experiments, runs, datasets, models, prompts and gateway endpoints, over REST or from a store's files."""

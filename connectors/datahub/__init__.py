"""DataHub: datasets, columns, jobs, runs, features, models, dashboards and checks, over REST or from metadata files."""

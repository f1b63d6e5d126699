"""Whether streaming may grow: evidence in proportions, and the verdict it allows. Knows no Django, no database."""

"""From a clone to a running site: environment, checks, the packaged model, the server."""

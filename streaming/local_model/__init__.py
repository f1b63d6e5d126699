"""The small model that ships inside a package, as a child process with an OpenAI-compatible endpoint."""

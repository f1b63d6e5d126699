"""The contract as documents: AsyncAPI for the socket, OpenAPI for HTTP, tables for PROTOCOL.md and CONFIGURATION.md.

Pure generation from the code's own types and tables. Nothing of the running product imports it.
"""

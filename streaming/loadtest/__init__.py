"""People who are none, at the doors of a running deployment: `manage.py loadtest`.

Knows the contract as any client does, and the deployment by its address alone; only `recorded` reads a database.
"""

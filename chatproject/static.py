"""Static files under hashed names, also inside `import "./x.js"`, which Django leaves alone unless told.

Each is compressed when it is collected, beside the plain one. gzip only: what is kept for good is fetched once.
"""

from __future__ import annotations

from whitenoise.storage import CompressedManifestStaticFilesStorage


class ModuleStaticFilesStorage(CompressedManifestStaticFilesStorage):
    support_js_module_import_aggregation = True

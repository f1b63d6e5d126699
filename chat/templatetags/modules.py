"""Tells the browser at once about every module that a page's first one leads to, so that none waits for another."""

from __future__ import annotations

import re
from functools import lru_cache
from pathlib import Path

from django import template
from django.conf import settings
from django.templatetags.static import static
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

register = template.Library()

MODULES = settings.BASE_DIR / "frontend_static" / "js"
IMPORT = re.compile(r'^(?:import|export)\b[^"\']*?["\']\./([\w.]+)["\'];', re.MULTILINE)


@register.simple_tag
def module(entry: str) -> SafeString:
    """`{% module "main_room.js" %}`: preload links of everything it imports, then the script itself."""
    names = imported_by.__wrapped__(entry) if settings.DEBUG else imported_by(entry)
    links = format_html_join("\n", '<link rel="modulepreload" href="{}">', ((static(f"js/{name}"),) for name in names))
    return format_html('{}\n<script src="{}" type="module"></script>', links, static(f"js/{entry}"))


@lru_cache
def imported_by(entry: str) -> tuple[str, ...]:
    """File names of the modules that `entry` imports, directly or not, nearest first."""
    found = [entry]
    for name in found:
        # A template's string is a subclass of str, which Path does not take on the right of a slash.
        source = Path(f"{MODULES}/{name}").read_text(encoding="utf-8")
        found += [other for other in dict.fromkeys(IMPORT.findall(source)) if other not in found]
    return tuple(found[1:])

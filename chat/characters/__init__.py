"""The cast we ship: `cast.json` says who they are, `cards/<slug>.<language>.json` are their cards."""

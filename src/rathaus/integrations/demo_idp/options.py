"""Where the provider and the platform are, and how the platform proves itself. The platform reads the same environment."""

from __future__ import annotations

import os

ISSUER = os.environ.get("IDP_URL", "http://localhost:8001")
CLIENT_ID = os.environ.get("RATHAUS_OIDC_CLIENT", "rathaus")
CLIENT_SECRET = os.environ.get("RATHAUS_OIDC_SECRET", "vorschau-geheimnis")
PROVIDER_ID = os.environ.get("RATHAUS_OIDC_ID", "servicekonto")

PLATFORM_URL = os.environ.get("RATHAUS_URL", "http://localhost:8000")
# The same site answers by both names of the loopback address.
PLATFORM_URLS = [PLATFORM_URL]
if "//localhost" in PLATFORM_URL:
    PLATFORM_URLS.append(PLATFORM_URL.replace("//localhost", "//127.0.0.1"))
REDIRECT_URIS = [f"{url}/konto/oidc/{PROVIDER_ID}/login/callback/" for url in PLATFORM_URLS]

"""Entry for web servers: `gunicorn rathaus.config.wsgi`."""

import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "rathaus.config.settings")
application = get_wsgi_application()

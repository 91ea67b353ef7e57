"""Entry for web servers: `gunicorn rathaus.integrations.demo_idp.wsgi`."""

import os

from django.core.wsgi import get_wsgi_application

os.environ["DJANGO_SETTINGS_MODULE"] = "rathaus.integrations.demo_idp.settings"
application = get_wsgi_application()

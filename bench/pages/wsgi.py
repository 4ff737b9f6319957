"""The same pages behind a real web server."""

from django.core.wsgi import get_wsgi_application

from bench.pages import site

site.ready()
application = get_wsgi_application()

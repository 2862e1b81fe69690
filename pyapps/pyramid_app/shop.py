"""A small real Pyramid application.

pyhost --pythonpath pyapps/pyramid_app --paste pyapps/pyramid_app/development.ini
"""
import logging
import warnings

warnings.filterwarnings("ignore", category=UserWarning, message="pkg_resources is deprecated")
warnings.filterwarnings("ignore", category=DeprecationWarning)

from pyramid.config import Configurator  # noqa: E402
from pyramid.response import Response  # noqa: E402

log = logging.getLogger(__name__)


def item(request):
    """GET /items/{name}"""
    log.info("asked for %s", request.matchdict["name"])
    return {"item": request.matchdict["name"], "site": request.registry.settings["site"]}


def upload(request):
    """POST /items/{name}"""
    return Response("%d bytes" % len(request.body), content_type="text/plain")


def main(global_config, **settings):
    """PEP 3333: the application, as Pyramid's scaffolds make it."""
    settings["site"] = global_config.get("site", settings.get("site", "none"))
    config = Configurator(settings=settings)
    config.add_route("item", "/items/{name}")
    config.add_view(item, route_name="item", renderer="json", request_method="GET")
    config.add_view(upload, route_name="item", request_method="POST")
    return config.make_wsgi_app()

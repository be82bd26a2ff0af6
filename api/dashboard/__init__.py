"""The dashboard: pages that the service renders as HTML, and what browsers need for them."""

from api.dashboard.routing import add_dashboard, routers

__all__ = ["add_dashboard", "routers"]

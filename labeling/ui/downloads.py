"""Files for people: each route checks the role and sends the file without Gradio's cache."""

from fastapi import APIRouter

from labeling.ui.session import Services


def download_routes(services: Services) -> APIRouter:
    """The routes under `/download`."""
    return APIRouter(prefix="/download")

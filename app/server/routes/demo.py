"""Trying it without a key."""

from fastapi import APIRouter

from app.schemas import Demo
from app.server.parts import Has

router = APIRouter(prefix="/api", tags=["demo"])


@router.post("/demo")
async def start_demo(parts: Has) -> Demo:
    """Let the real agent build a small to-do API in a scratch folder; a script stands in for the model."""
    return await parts.demo()

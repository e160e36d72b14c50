"""Chat tokens for the users of a FastAPI backend.

pip install fastapi uvicorn httpx pyjwt
CHATSDK_API_URL=https://chat.example.com CHATSDK_API_KEY=chatsdk_live_... APP_SESSION_SECRET=... uvicorn main:app
"""

import logging
import os
from contextlib import asynccontextmanager
from typing import Any

import httpx
import jwt
from fastapi import Depends, FastAPI, HTTPException, Request, Response
from fastapi.responses import JSONResponse
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from pydantic import BaseModel

CHATSDK_API_URL = os.environ["CHATSDK_API_URL"]
CHATSDK_API_KEY = os.environ["CHATSDK_API_KEY"]
APP_SESSION_SECRET = os.environ["APP_SESSION_SECRET"]

TIME_LIMIT_SECONDS = 5.0
# What the caller can do something about. All else is between this server and the chat deployment.
PASSED_ON = {400, 403, 409, 429}

log = logging.getLogger("uvicorn.error")
# httpx would log every request's address.
logging.getLogger("httpx").setLevel(logging.WARNING)


class User(BaseModel):
    id: str
    name: str | None = None
    avatar_url: str | None = None
    department: str | None = None


class NewChannel(BaseModel):
    channelId: str
    name: str | None = None


@asynccontextmanager
async def lifespan(app: FastAPI):
    """One client for all requests, so that connections are reused."""
    async with httpx.AsyncClient(
        base_url=CHATSDK_API_URL, headers={"X-API-Key": CHATSDK_API_KEY}, timeout=TIME_LIMIT_SECONDS
    ) as client:
        app.state.chat = client
        yield


app = FastAPI(lifespan=lifespan)


class Refused(HTTPException):
    def __init__(self, status: int, error: str, message: str | None = None, retry_after: str | None = None):
        super().__init__(status, {"error": error, "message": message}, {"Retry-After": retry_after} if retry_after else None)


@app.exception_handler(Refused)
async def answer_refused(_request: Request, refused: Refused) -> JSONResponse:
    return JSONResponse(refused.detail, refused.status_code, refused.headers)


def get_current_user(
    credentials: HTTPAuthorizationCredentials | None = Depends(HTTPBearer(auto_error=False)),
) -> User:
    """Who calls, by the sign-in that your app has already; put your own session check here.

    This one takes a JWT that your server signed. The user comes from what was verified, never from the request's body.
    """
    try:
        claims = jwt.decode(
            credentials.credentials if credentials else "",
            APP_SESSION_SECRET,
            algorithms=["HS256"],
            options={"require": ["sub", "exp"]},
        )
    except jwt.InvalidTokenError:
        raise Refused(401, "sign_in_required") from None
    return User(
        id=claims["sub"],
        name=claims.get("name"),
        avatar_url=claims.get("picture"),
        department=claims.get("department"),
    )


@app.post("/api/auth/chat-token")
async def get_chat_token(request: Request, response: Response, user: User = Depends(get_current_user)) -> dict[str, Any]:
    """Chat tokens for whoever is signed in."""
    response.headers["Cache-Control"] = "no-store"
    return await ask_chat(
        request,
        "/v1/tokens",
        {
            "userId": user.id,
            "name": user.name,
            "image": user.avatar_url,
            "custom": {"department": user.department},
        },
    )


@app.post("/api/chat/channels", status_code=201)
async def create_channel(request: Request, channel: NewChannel, user: User = Depends(get_current_user)) -> dict[str, Any]:
    """A private channel with its caller as the first member. The server creates it, so clients need no right to."""
    return await ask_chat(
        request,
        "/v1/channels",
        {"channelId": channel.channelId, "name": channel.name, "type": "private", "members": [user.id]},
    )


async def ask_chat(request: Request, path: str, body: dict[str, Any]) -> dict[str, Any]:
    # A field without a value is left out: null is not a name.
    known = {name: value for name, value in body.items() if value is not None}
    try:
        answer = await request.app.state.chat.post(path, json=known)
        reply = answer.json()
    except (httpx.HTTPError, ValueError) as error:
        log.error("chat: %s was not answered (%s)", path, type(error).__name__)
        raise unavailable() from None
    if answer.is_success:
        return reply
    code, retry_after = reply.get("code", "unknown"), answer.headers.get("retry-after")
    if answer.status_code in PASSED_ON:
        raise Refused(answer.status_code, code, reply.get("detail"), retry_after)
    log.error("chat: %s answered %s %s, request %s", path, answer.status_code, code, reply.get("requestId"))
    if answer.status_code >= 500:
        raise unavailable(retry_after or "5")
    # A refused key, for one. As a 401 it would send your user to sign in again, for nothing.
    raise Refused(502, "chat_refused")


def unavailable(retry_after: str = "5") -> Refused:
    return Refused(503, "chat_unavailable", "Chat cannot be reached at the moment", retry_after)

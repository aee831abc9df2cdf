"""The door of the service: looks at what is posted before anything is done with it."""

from starlette.datastructures import UploadFile
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse

FIELD = "image"


class Door:
    """Lets in one file of a form that is not too large. Answers everything else itself."""

    def __init__(self, app, most_bytes: int) -> None:
        self.app, self.most_bytes = app, most_bytes

    async def __call__(self, scope, receive, send) -> None:
        if scope["type"] != "http" or scope["method"] != "POST":
            await self.app(scope, receive, send)
            return
        try:
            body = await self.read(Request(scope, receive))
            await self.check(Request(scope, replay(body)))
        except HTTPException as problem:
            answer = JSONResponse([{"error": problem.detail}], problem.status_code)
            await answer(scope, receive, send)
        else:
            await self.app(scope, replay(body), send)

    async def read(self, request: Request) -> bytes:
        """Return the body. What is too large is not read to its end."""
        kind = request.headers.get("content-type", "")
        if not kind.startswith("multipart/form-data"):
            raise HTTPException(415, "send the picture as a file of a form: multipart/form-data")
        body = b""
        async for part in request.stream():
            body += part
            if len(body) > self.most_bytes:
                raise HTTPException(413, f"send at most {self.most_bytes:,} bytes")
        return body

    async def check(self, request: Request) -> None:
        """Raise an HTTPException unless the form has a file of the right name that is not empty."""
        async with request.form() as form:
            file = form.get(FIELD)
            if not isinstance(file, UploadFile):
                raise HTTPException(400, f'the form has no file with the name "{FIELD}"')
            if not file.size:
                raise HTTPException(400, "the file is empty")


def replay(body: bytes):
    """Return a function that hands over a body once more."""

    async def receive() -> dict:
        return {"type": "http.request", "body": body, "more_body": False}

    return receive

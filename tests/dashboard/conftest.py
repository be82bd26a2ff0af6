"""A real service with workers, and a real browser that reports whatever it has to complain about."""

import shutil
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, sync_playwright

from api.security import Tokens
from api.testing.factory import TOKEN, Factory
from tests.dashboard.pages import Filled, fill

SCREENSHOTS = Path(__file__).resolve().parents[2] / "out" / "screenshots"
# WebGL without a GPU: ANGLE over SwiftShader.
CHROMIUM = ["--use-gl=angle", "--use-angle=swiftshader", "--enable-unsafe-swiftshader", "--ignore-gpu-blocklist"]
SIZE = {"width": 1280, "height": 800}
WATCH_POLICY = """
window.violations = [];
document.addEventListener("securitypolicyviolation", (event) => window.violations.push(
  `${event.violatedDirective} ${event.blockedURI} ${event.sourceFile}:${event.lineNumber}`));
"""


@pytest.fixture(scope="session")
def service_folder() -> Path:
    """Where the service keeps its state."""
    return Path(tempfile.mkdtemp(prefix="sf-"))  # short: a socket's path has at most 100 bytes


@pytest.fixture(scope="session")
def reader_token(service_folder) -> str:
    """A token that allows to look, and nothing else."""
    return Tokens(service_folder).add(["read"])


@pytest.fixture(scope="session")
def service(service_folder, reader_token) -> Iterator[Factory]:  # the token comes first: it is known after a start
    """A service with two workers, each a process of its own."""
    folder = service_folder
    with Factory(folder) as factory:
        for _ in range(2):
            factory.start_worker()
        factory.until(lambda: len(factory.call("/v1/workers")) == 2, what="both workers to report")
        yield factory
    shutil.rmtree(folder)


@pytest.fixture(scope="session")
def address(service) -> str:
    """Where the service is."""
    return f"http://127.0.0.1:{service.port}"


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Debian's Chromium; not for longer than a module, since Playwright keeps an event loop running meanwhile."""
    program = shutil.which("chromium")
    assert program is not None, "the tests need the command `chromium`: make setup-test installs it"
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=[*CHROMIUM, "--no-sandbox"])
        yield browser
        browser.close()


class Audit:
    """What a browser's pages complained about, and where they went.

    Attributes:
        expected: Parts of complaints that a test provokes on purpose.
    """

    def __init__(self) -> None:
        self.complaints: list[str] = []
        self.abroad: list[str] = []
        self.expected: list[str] = []

    def watch(self, page: Page) -> None:
        """Listen to a page."""
        page.add_init_script(WATCH_POLICY)
        page.on("console", self._console)
        page.on("pageerror", lambda error: self.complaints.append(f"uncaught: {error}"))
        page.on("request", self._request)

    def check(self, pages: list[Page]) -> None:
        """Raise `AssertionError` unless all was in order."""
        for page in pages:
            self.complaints += [f"policy: {each}" for each in page.evaluate("window.violations ?? []")]
        left = [text for text in self.complaints if not any(part in text for part in self.expected)]
        assert not left, left
        assert not self.abroad, f"requests that leave this machine: {self.abroad}"

    def _console(self, message: ConsoleMessage) -> None:
        if message.type in ("error", "warning") and "GPU stall due to ReadPixels" not in message.text:  # of SwiftShader
            self.complaints.append(f"{message.type}: {message.text} ({message.location.get('url')})")

    def _request(self, request) -> None:
        parts = urlsplit(request.url)
        if parts.scheme not in ("data", "blob", "about") and parts.hostname != "127.0.0.1":
            self.abroad.append(request.url)


@pytest.fixture
def audit() -> Audit:
    """What the browser of this test complains about."""
    return Audit()


@pytest.fixture
def new_context(browser, address, audit) -> Iterator[Callable[..., BrowserContext]]:
    """Makes browser sessions, logged in with a token unless it is None; options are Playwright's."""
    contexts: list[BrowserContext] = []

    def make(token: str | None = TOKEN, **options) -> BrowserContext:
        context = browser.new_context(base_url=address, **{"viewport": SIZE, **options})
        context.set_default_timeout(20_000)
        context.on("page", audit.watch)
        if token is not None:
            answer = context.request.post("/v1/session", data={"token": token}, headers={"origin": address})
            assert answer.ok, answer.text()
        contexts.append(context)
        return context

    yield make
    audit.check([page for context in contexts for page in context.pages])
    for context in contexts:
        context.close()


@pytest.fixture
def browser_page(new_context) -> Page:
    """A page of a session that may do everything."""
    return new_context().new_page()


@pytest.fixture
def screenshot(request) -> Callable[..., Path]:
    """Keeps pictures of pages to look at."""

    def take(page: Page, name: str = "", **options) -> Path:
        SCREENSHOTS.mkdir(parents=True, exist_ok=True)
        path = SCREENSHOTS / f"{name or request.node.name}.png"
        page.screenshot(path=path, **{"full_page": True, **options})
        return path

    return take


@pytest.fixture(scope="session")
def filled(service) -> Iterator[Filled]:
    """The service with clips, a version, a job that is paused and a training run."""
    yield from fill(service)

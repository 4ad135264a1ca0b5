"""The networks on WebGPU, here a program on the CPU, and what the page does where there is none or it gives up."""

import re
from contextlib import contextmanager
from functools import partial

import pytest

from scripts.studio import Handler
from tests.scripts.studio.conftest import served
from tests.scripts.studio.parts import Studio, expected, photo, pixels_of, psnr

pytestmark = pytest.mark.browser

SOFTWARE = ("--enable-unsafe-webgpu", "--use-webgpu-adapter=swiftshader")

# The runtime for WebGPU, which runs as often as the page checks it, and then no more.
GIVES_UP = """
export * from "./ort.webgpu.min.mjs?itself";
import { InferenceSession as Real } from "./ort.webgpu.min.mjs?itself";
export const InferenceSession = {
  async create(...words) {
    const session = await Real.create(...words);
    let runs = 0;
    return {
      async run(feeds) {
        if (runs++) throw new Error("the device was lost\\nat line 1");
        return session.run(feeds);
      },
    };
  },
};
"""


@pytest.fixture(scope="module")
def gpu_chromium(launch_chromium, address):
    """A browser with WebGPU in software."""
    browser = launch_chromium(*SOFTWARE)
    page = browser.new_page()
    page.goto(f"{address}icon.svg")
    has = page.evaluate("async () => Boolean(await navigator.gpu?.requestAdapter())")
    page.close()
    if not has:
        browser.close()
        pytest.skip("this Chromium has no WebGPU, not in software either")
    yield browser
    browser.close()


@contextmanager
def opened(browser, address, folder):
    """The studio in a page of its own, asked for WebGPU; nothing in it may complain."""
    page = browser.new_page()
    page.set_default_timeout(60_000)
    complaints = []
    page.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.goto(f"{address}?device=webgpu")
    studio = Studio(page, folder)
    studio.said("ready")
    yield studio
    page.close()
    assert complaints == []


def test_networks_run_on_webgpu_and_give_what_they_should(gpu_chromium, address, tmp_path):
    pixels = photo(tmp_path / "one.png")
    with opened(gpu_chromium, address, tmp_path) as shop:
        shop.open(tmp_path / "one.png")
        assert shop.page.locator("#device").inner_text() == "runs on the GPU (WebGPU)"
        assert psnr(pixels_of(shop.save()), expected(pixels)) > 45


def test_the_cpu_goes_on_where_webgpu_gives_up(gpu_chromium, built, tmp_path):
    class GivesUp(Handler):
        def do_GET(self):
            if not self.path.endswith("/ort.webgpu.min.mjs"):
                return super().do_GET()
            self.send_response(200)
            self.send_header("Content-Type", "text/javascript")
            self.end_headers()
            self.wfile.write(GIVES_UP.encode())
            return None

    pixels = photo(tmp_path / "one.png")
    with (
        served(partial(GivesUp, directory=str(built))) as address,
        opened(gpu_chromium, address, tmp_path) as shop,
    ):
        device = shop.page.locator("#device")
        assert device.inner_text() == "runs on the GPU (WebGPU)"
        shop.open(tmp_path / "one.png")
        assert re.fullmatch(
            r"runs on the CPU, \d threads?; not by WebGPU: the device was lost", device.inner_text()
        )
        assert psnr(pixels_of(shop.save()), expected(pixels)) > 45


def test_the_cpu_takes_over_where_there_is_no_webgpu(chromium, address, tmp_path):
    pixels = photo(tmp_path / "one.png")
    with opened(chromium, address, tmp_path) as shop:
        device = shop.page.locator("#device").inner_text()
        if device == "runs on the GPU (WebGPU)":
            pytest.skip("this machine has a graphics card that Chromium can use")
        assert re.fullmatch(
            r"runs on the CPU, \d threads?; not by WebGPU: (this browser has none|no graphics card that it can use)",
            device,
        )
        shop.open(tmp_path / "one.png")
        assert psnr(pixels_of(shop.save()), expected(pixels)) > 45

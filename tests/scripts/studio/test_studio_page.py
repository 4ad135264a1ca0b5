"""The studio's page: with keys, on a phone, in the dark, without isolation; and the shapes of its pupils."""

import numpy as np
import pytest

from tests.scripts.studio.parts import Studio, photo
from util.optics.discs import disc_kernel
from util.optics.pupil import Aperture, pupil_kernel

pytestmark = pytest.mark.browser

KERNEL = """async ([radius, blades, rotation]) => {
  const { pupilKernel } = await import("./pupil.js");
  return [...pupilKernel(radius, { blades, rotation, curvature: 0 }).weights];
}"""


def test_it_can_be_used_with_keys_alone(shop, tmp_path):
    photo(tmp_path / "one.png")
    photo(tmp_path / "two.png", (110, 150))
    shop.open(tmp_path / "one.png", tmp_path / "two.png")
    page, press = shop.page, shop.page.keyboard.press
    page.locator("#view").focus()
    before = shop.shown()
    for _ in range(10):
        press("ArrowLeft")
    assert page.locator("#view").get_attribute("aria-valuenow") == "30"
    assert np.array_equal(shop.shown()[:, :40], before[:, :40])
    assert not np.array_equal(shop.shown()[:, 50:75], before[:, 50:75])
    shop.drawn(lambda: press("3"))
    assert page.locator("input[value=keep]").is_checked()
    press("ArrowUp")
    shop.drawn(lambda: press("Enter"))
    assert page.locator("#undo").is_enabled()
    shop.drawn(lambda: press("u"))
    assert page.locator("#undo").is_disabled()
    shop.drawn(lambda: press("Control+Shift+Z"))
    assert page.locator("#undo").is_enabled()
    assert page.locator("#redo").is_disabled()
    shop.drawn(lambda: press("Control+Z"))
    assert page.locator("#undo").is_disabled()
    assert page.locator("#redo").is_enabled()
    # The ring of the brush goes with it.
    assert page.locator("#cursor").is_visible()
    shop.drawn(lambda: press("1"))
    assert page.locator("#cursor").is_hidden()
    press("n")
    shop.said("two.png, 110 x 150")
    with page.expect_download() as download:
        press("s")
    assert download.value.suggested_filename == "two_soft.jpg"


def test_it_fits_a_phone_and_follows_the_dark(shop, tmp_path):
    shop.page.set_viewport_size({"width": 390, "height": 844})
    shop.page.emulate_media(color_scheme="dark")
    photo(tmp_path / "one.png")
    shop.open(tmp_path / "one.png")
    assert shop.page.evaluate("() => document.documentElement.scrollWidth") == 390
    back = shop.page.evaluate("() => getComputedStyle(document.body).backgroundColor")
    assert max(int(part) for part in back.strip("rgb()").split(",")) < 50
    # Fingers need room.
    heights = shop.page.locator(
        "button:not(#strip *), select, summary, .tools span, .row, input[type=range]"
    ).evaluate_all("elements => elements.filter((e) => e.offsetParent).map((e) => e.offsetHeight)")
    assert len(heights) > 8
    assert min(heights) >= 44
    # What the keyboard comes to is not hidden by the photo, which stays at the top.
    shop.page.locator("#save").focus()
    shop.page.locator("#aperture").focus()
    below = shop.page.evaluate("() => document.getElementById('stage').getBoundingClientRect().bottom")
    assert shop.page.locator("#aperture").bounding_box()["y"] >= below


def test_sliders_go_back(shop, tmp_path):
    photo(tmp_path / "one.png")
    shop.open(tmp_path / "one.png")
    for put_back in (shop.page.locator("#aperture").dblclick, shop.page.locator("#reset").click):
        shop.slide("aperture", 3)
        shop.drawn(put_back)
        assert shop.page.locator("#aperture").input_value() == "1"


def test_threads_where_the_page_is_isolated_and_one_elsewhere(shop, chromium, plain_address):
    assert shop.page.evaluate("() => crossOriginIsolated")
    other = chromium.new_page()
    other.goto(f"{plain_address}?device=cpu")
    Studio(other, shop.folder).said("ready")
    assert other.locator("#device").inner_text() == "runs on the CPU, 1 thread"
    other.close()


@pytest.mark.parametrize(
    ("radius", "blades", "rotation"), [(0.4, 0, 0), (2.3, 0, 0), (9.6, 5, 20), (7.0, 8, 0)]
)
def test_pupils_have_the_shapes_of_the_camera(modules, radius, blades, rotation):
    found = np.array(modules.evaluate(KERNEL, [radius, blades, rotation]))
    # Behind the focus, where the shape is as it is seen through the lens.
    wanted = pupil_kernel(-radius, Aperture(blades, rotation)) if blades else disc_kernel(radius)
    assert found.sum() == pytest.approx(1, abs=1e-6)
    np.testing.assert_allclose(found.reshape(wanted.shape), wanted, atol=3e-5)

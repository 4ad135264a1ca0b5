"""Result pages and the dashboard as a browser shows them."""

from io import BytesIO

import numpy as np
import pytest
from PIL import Image

import train
from util.html import ResultPage

pytestmark = pytest.mark.browser

NAMES = ["b \"q\" 'x' <script>boom()", "a ü # 50%20 ?=", "c&amp;"]
FIGURES = [{"psnr": 30.0}, {"psnr": 9.5}, {"psnr": float("inf")}]
COLORS = {"real_A": (200, 0, 0), "fake_B": (0, 0, 200), "rec_A": (0, 200, 0)}


def encoded(color, size):
    buffer = BytesIO()
    Image.new("RGB", size, color).save(buffer, "PNG")
    return buffer.getvalue()


def make_page(folder, names, figures, size=(40, 30)):
    (folder / "images").mkdir()
    page = ResultPage(folder, "a test")
    pictures = {label: encoded(color, size) for label, color in COLORS.items()}
    for name, of_photo in zip(names, figures, strict=True):
        files = {label: f"images/{name}_{label}.png" for label in COLORS}
        for label, file in files.items():
            (folder / file).write_bytes(pictures[label])
        page.add(name, files, of_photo)
    return page.save().as_uri()


@pytest.fixture
def results(tmp_path, web_page):
    web_page.goto(make_page(tmp_path, NAMES, FIGURES))
    return web_page


def order(page):
    return page.eval_on_selector_all("article", "rows => rows.map((row) => row.dataset.name)")


def pixel(page, selector, x):
    """Colour at the share `x` of an element's width, half way down, as it is on the screen."""
    image = np.asarray(Image.open(BytesIO(page.locator(selector).first.screenshot())).convert("RGB"))
    return tuple(image[image.shape[0] // 2, int(x * image.shape[1])].tolist())


def current(page):
    return page.locator("article.current").get_attribute("data-name")


def test_every_picture_is_shown(results):
    results.wait_for_function("[...document.images].filter((i) => i.src).every((i) => i.complete)")
    widths = results.eval_on_selector_all("main img", "images => images.map((image) => image.naturalWidth)")
    assert widths == [40] * 15


def test_slider_moves_between_before_and_after(results):
    slider = results.locator("article .compare").first
    box = slider.bounding_box()
    assert pixel(results, "article .compare", 0.3) == COLORS["real_A"]
    assert pixel(results, "article .compare", 0.7) == COLORS["fake_B"]
    results.mouse.move(box["x"] + box["width"] / 2, box["y"] + 5)
    results.mouse.down()
    results.mouse.move(box["x"] + box["width"] * 0.9, box["y"] + 5)
    results.mouse.up()
    assert pixel(results, "article .compare", 0.7) == COLORS["real_A"]
    results.select_option("[name=after]", label="rec_A")
    results.wait_for_function("document.querySelector('.compare .after').complete")
    assert pixel(results, "article .compare", 0.96) == COLORS["rec_A"]


def test_sorting_by_figure_and_name(results):
    results.select_option("[name=sort]", label="psnr")
    assert order(results) == [NAMES[1], NAMES[0], NAMES[2]]
    results.check("[name=descending]")
    assert order(results) == [NAMES[2], NAMES[0], NAMES[1]]
    results.uncheck("[name=descending]")
    results.select_option("[name=sort]", label="name")
    assert order(results) == [NAMES[1], NAMES[0], NAMES[2]]
    results.select_option("[name=sort]", label="as listed")
    assert order(results) == NAMES


def test_columns_can_be_hidden(results):
    results.locator("label", has_text="rec_A").locator("input").uncheck()
    assert results.locator("figure[data-column]:visible").count() == 6
    results.locator("label", has_text="rec_A").locator("input").check()
    assert results.locator("figure[data-column]:visible").count() == 9


def test_keys_go_from_photo_to_photo(results):
    results.keyboard.press("ArrowRight")
    assert current(results) == NAMES[0]
    results.keyboard.press("ArrowRight")
    assert current(results) == NAMES[1]
    results.keyboard.press("Enter")
    viewer = results.locator("#viewer")
    assert viewer.is_visible()
    assert viewer.locator("output").text_content() == NAMES[1]
    results.keyboard.press("ArrowRight")
    assert viewer.locator("output").text_content() == NAMES[2]
    results.wait_for_function("document.querySelector('#viewer .after').naturalWidth == 40")
    results.keyboard.press("Escape")
    assert not viewer.is_visible()
    results.keyboard.press("ArrowLeft")
    assert current(results) == NAMES[1]


def test_enlarging_a_photo_with_other_columns_shows_its_own_first_two(tmp_path, web_page):
    page = ResultPage(tmp_path, "two domains")
    for domain, color in (("A", "real_A"), ("B", "fake_B")):
        files = {f"{kind}_{domain}": f"{kind}_{domain}.png" for kind in ("real", "fake", "rec")}
        for file in files.values():
            (tmp_path / file).write_bytes(encoded(COLORS[color], (40, 30)))
        page.add(domain, files)
    web_page.goto(page.save().as_uri())
    web_page.locator("article", has_text="real_B").locator("figure a").first.click()
    sources = web_page.eval_on_selector_all(
        "#viewer img", "images => images.map((i) => i.getAttribute('src'))"
    )
    assert sources == ["real_B.png", "fake_B.png"]


@pytest.mark.parametrize("size", [(300, 800), (800, 300), (40, 30)])
@pytest.mark.parametrize("screen", [(1200, 900), (390, 844)])
def test_enlarged_pictures_keep_their_shape_and_are_not_smaller(tmp_path, web_page, size, screen):
    web_page.set_viewport_size(dict(zip(("width", "height"), screen, strict=True)))
    web_page.goto(make_page(tmp_path, NAMES[:1], FIGURES[:1], size))
    beside = web_page.locator("article .compare").bounding_box()
    web_page.locator("figure a").first.click()
    web_page.wait_for_function("document.querySelector('#viewer .before').complete")
    for side in ("before", "after"):
        shown = web_page.locator(f"#viewer .{side}").bounding_box()
        assert shown["width"] / shown["height"] == pytest.approx(size[0] / size[1], rel=0.02)
        assert shown["width"] <= screen[0] and shown["height"] <= 0.9 * screen[1]
    if size[0] > size[1]:  # a tall one's height is what limits it
        assert shown["width"] >= beside["width"]


def test_thousand_photos_load_only_what_is_seen(tmp_path, web_page):
    requests = []
    web_page.on("request", lambda request: requests.append(request.url))
    names = [f"p{number:04}" for number in range(1000)]
    web_page.goto(make_page(tmp_path, names, [{"psnr": -float(n)} for n in range(1000)], (4, 3)))
    web_page.wait_for_load_state()
    assert web_page.locator("article").count() == 1000
    assert len(requests) < 1000  # of 3,000 pictures
    web_page.select_option("[name=sort]", label="psnr")
    assert order(web_page)[0] == "p0999"
    web_page.wait_for_function("document.querySelector('article .before').naturalWidth == 4")


def test_page_fits_a_phone_and_follows_dark_mode(tmp_path, web_page):
    web_page.set_viewport_size({"width": 360, "height": 700})
    web_page.emulate_media(color_scheme="dark")
    web_page.goto(make_page(tmp_path, NAMES, FIGURES))
    assert web_page.evaluate("document.documentElement.scrollWidth") <= 360
    background = web_page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert max(map(int, background.removeprefix("rgb(").removesuffix(")").split(","))) < 64


def test_dashboard_shows_a_training(run_flags, visdom_server, web_page):
    visdom_server.start()
    shown = ["--display_id", "1", "--display_port", str(visdom_server.port), "--display_env", "training"]
    train.main([*run_flags, "--add_mask", "--lambda_mask", "1", *shown, "--display_freq", "2"])
    web_page.goto(f"{visdom_server.url}/env/training")
    wanted = ["generator losses", "discriminator losses", "mask losses", "learning rate, images per second"]
    for title in wanted:
        web_page.locator(".gtitle", has_text=title).wait_for()
    drawn = web_page.eval_on_selector_all(
        ".js-plotly-plot",
        "plots => plots.flatMap((plot) => plot.data.map((line) => [line.name, line.x, line.y]))",
    )
    curves = {name: (x, y) for name, x, y in drawn}
    assert {"G_A", "G_B", "D_A", "D_B", "cycle_A", "idt_B", "mask_A", "lr"} <= curves.keys()
    assert curves["G_A"][0] == list(range(2, 13, 2))  # 4 photos, 3 epochs, a line every 2
    assert all(value is not None for _, y in curves.values() for value in y)
    rate = "[...document.querySelectorAll('.js-plotly-plot')].find((plot) => plot.data[0].name === 'lr')"
    low, high = web_page.evaluate(f"{rate}.layout.yaxis.range")
    assert low == 0 and high < 3 * max(curves["lr"][1])  # the rate can be read off, constant as it mostly is
    assert web_page.locator("img").first.evaluate("image => image.naturalWidth") > 100
    assert "netG: resnet_6blocks" in web_page.content()


@pytest.fixture
def wide(tmp_path, web_page):
    """Ten columns with two figures each, of a photo of either domain, both with one name."""
    (tmp_path / "images").mkdir()
    page = ResultPage(tmp_path, "wide")
    for domain, color in (("A", "real_A"), ("B", "fake_B")):
        files = {f"column_{number}": f"images/{domain}{number}.png" for number in range(10)}
        for file in files.values():
            (tmp_path / file).write_bytes(encoded(COLORS[color], (40, 30)))
        figures = {label: {"psnr": number + 0.5, "halo": 2.0} for number, label in enumerate(files)}
        page.add(f"test{domain}/1.png", files, None, figures, f"Photos of test{domain}")
    web_page.set_viewport_size({"width": 1400, "height": 900})
    web_page.goto(page.save().as_uri())
    return web_page


def test_all_columns_of_a_photo_are_in_one_row(wide):
    row = wide.locator("article").first.locator("figure")
    boxes = [row.nth(place).bounding_box() for place in range(11)]
    assert len({box["y"] for box in boxes}) == 1
    assert boxes[-1]["x"] + boxes[-1]["width"] <= 1400
    widths = boxes[0]["width"]
    for number in range(5):
        wide.locator("label", has_text=f"column_{number}").locator("input").uncheck()
    assert row.nth(10).bounding_box()["width"] > 1.5 * widths  # fewer are larger


def test_figures_are_beside_their_names_which_stand_once(wide):
    first = wide.locator("article").first
    assert first.locator(".name").all_text_contents() == ["psnr", "halo"]
    height = first.locator(".name").first.bounding_box()["y"]
    shown = [value for value in first.locator(".value").all() if value.bounding_box()["y"] == height]
    assert [value.text_content() for value in shown] == [f"{number + 0.5}" for number in range(10)]


def test_domains_are_apart_and_sorted_each_by_itself(wide):
    assert wide.locator("section h2").all_text_contents() == ["Photos of testA", "Photos of testB"]
    wide.select_option("[name=sort]", label="name")
    wide.check("[name=descending]")
    of_sections = wide.eval_on_selector_all(
        "section",
        "all => all.map((one) => [...one.querySelectorAll('article')].map((row) => row.dataset.name))",
    )
    assert of_sections == [["testA/1.png"], ["testB/1.png"]]


def test_slider_says_what_it_compares(wide):
    caption = wide.locator(".slide figcaption").first
    assert caption.text_content() == "column_0 | column_1"
    wide.select_option("[name=after]", label="column_7")
    assert caption.text_content() == "column_0 | column_7"

"""The picture in the README: a report of the published register. `python docs/picture.py out/site`"""

import io
import sys
from pathlib import Path

from PIL import Image
from playwright.sync_api import sync_playwright

PAGE, SIZE = "en/08473/index.html", {"width": 960, "height": 1180}
TARGET = Path(__file__).parent / "images" / "report.png"


def main(site):
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=["--no-sandbox"])
        page = browser.new_page(viewport=SIZE)
        page.goto((Path(site) / PAGE).resolve().as_uri())
        picture = Image.open(io.BytesIO(page.screenshot()))
        browser.close()
    picture.convert("RGB").quantize(64).save(TARGET, optimize=True)
    print(TARGET, TARGET.stat().st_size)


if __name__ == "__main__":
    main(sys.argv[1])

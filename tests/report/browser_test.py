"""browser_test SEGUE: opens reports in headless Chromium from file:// and uses them as a person would, with mouse, keyboard and
screen reader. Exit code 77 where Chromium is missing."""
import itertools
import os
import re
import subprocess
import sys
import tempfile
import unittest

import browser

ROOT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..")
SEGUE = os.path.abspath(sys.argv.pop(1))

# A suite with everything that a report can show: a label that is markup, a failure, two seeds, several tasks, latency.
RICH = """
version: 1
name: rich
dataset: {name: demo, users: 60, artists: 30, tracks: 200, days: 60}
feedback: {transform: log_confidence, alpha: 2}
split: {strategy: random_ratio, test: 0.2}
seeds: [1, 2]
algorithms:
  - popular
  - item_knn: {neighbours: [5, 20]}
  - {random: {}, label: "<script>alert(1)</script> \\"x\\" & 'y'"}
  - {sgd_mf: {loss: squared, learning_rate: 1.0, init_stddev: 10, epochs: 5}, label: exploding}
evaluate:
  - {candidates: full, metrics: [ndcg@10, recall@20, coverage@10]}
  - {candidates: {sampled: 99}, metrics: [hr@10]}
latency: {batch: [1], seconds: 0.05}
"""

# WCAG 2.2, 1.4.3: contrast of every visible text with what lies behind it; figures bring their own paper.
CONTRAST = """
const parse = (color) => (color.match(/[\\d.]+/g) || []).map(Number);
const light = ([r, g, b]) => [r, g, b].map((v) => { v /= 255; return v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4; })
  .reduce((sum, v, i) => sum + v * [0.2126, 0.7152, 0.0722][i], 0);
const behind = (e) => { for (; e; e = e.parentElement) { const c = parse(getComputedStyle(e).backgroundColor); if (c.length === 3 || c[3] === 1) return c; } return [255, 255, 255]; };
const poor = [];
let seen = 0;
const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
while (walker.nextNode()) {
  const e = walker.currentNode.parentElement;
  if (!walker.currentNode.data.trim() || e.closest('svg, script, [hidden], .skip') || !e.getClientRects().length) continue;
  const style = getComputedStyle(e), a = light(parse(style.color)), b = light(behind(e));
  const ratio = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
  ++seen;
  if (ratio < 4.5) poor.push(`${ratio.toFixed(2)} ${style.color} ${walker.currentNode.data.trim().slice(0, 40)}`);
}
return [seen, poor, behind(document.querySelector('main'))];
"""

# The rows of a table that are shown: the text and the value of each cell.
ROWS = """
return [...document.querySelectorAll('table.sortable')[arguments[0]].tBodies[0].rows].filter((row) => !row.hidden)
  .map((row) => [...row.cells].map((cell) => [cell.textContent, cell.dataset.v === undefined ? null : Number(cell.dataset.v)]));
"""


def segue(*arguments):
    run = subprocess.run([SEGUE, *arguments], capture_output=True, text=True)
    if run.returncode not in (0, 1):  # 1: some trials failed, as one of RICH shall
        raise AssertionError(f"segue {' '.join(arguments)} ended with {run.returncode}\n{run.stderr}")
    return run


def read(path):
    with open(path, "rb") as file:
        return file.read()


class Report(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        folder = tempfile.TemporaryDirectory()
        cls.addClassCleanup(folder.cleanup)
        cls.folder = folder.name
        for variable in ("XDG_CACHE_HOME", "XDG_CONFIG_HOME"):
            os.environ[variable] = os.path.join(cls.folder, variable)
        suite = os.path.join(cls.folder, "rich.yaml")
        with open(suite, "w", encoding="utf-8") as file:
            file.write(RICH)
        cls.rich, cls.quickstart = cls.report(suite), cls.report(os.path.join(ROOT, "experiments", "quickstart.yaml"), "latency.seconds=0.05")
        cls.browser = browser.Browser()
        cls.addClassCleanup(cls.browser.close)

    @classmethod
    def report(cls, suite, *overrides):
        results = os.path.join(cls.folder, os.path.basename(suite)[:-5])
        segue("run", suite, *overrides, "-o", results, "-q")
        return segue("report", results).stdout.strip()

    def setUp(self):
        self.browser.scheme("light")
        self.browser.size(1280)
        self.open(self.rich)

    def open(self, path):
        self.browser.open(path)
        self.browser.run("localStorage.clear(); document.documentElement.style.scrollBehavior = 'auto'")

    def run_js(self, script, *arguments):
        return self.browser.run(script, *arguments)

    def labels(self, table=0):
        return [row[1][0] for row in self.run_js(ROWS, table)]

    # --- what it is

    def test_it_is_small(self):
        for path in (self.rich, self.quickstart):
            self.assertLess(os.path.getsize(path), 3_000_000)

    def test_the_quickstart_has_its_leaderboards_figures_and_command(self):
        self.open(self.quickstart)
        self.assertEqual(self.run_js("return document.querySelectorAll('.board').length"), 2)
        self.assertEqual(len(self.run_js(ROWS, 0)), 12)
        if "no figures" not in segue("report", os.path.dirname(self.quickstart)).stderr:
            self.assertGreaterEqual(self.run_js("return document.querySelectorAll('figure svg[role=img]').length"), 8)
        text = self.run_js("return document.body.innerText")
        for part in ("Leak meter", "Never seen in training", "Learning curves", "segue run quickstart.yaml -o results/quickstart",
                     "strategy: global_time", "OpenBLAS", "Järvelin"):
            self.assertIn(part, text)

    def test_the_same_results_give_the_same_bytes(self):
        once = read(self.rich)
        segue("report", os.path.dirname(self.rich))
        self.assertEqual(read(self.rich), once)

    def test_it_asks_for_nothing_and_complains_about_nothing(self):
        self.browser.log("performance"), self.browser.log("browser")  # what was before
        for path in (self.rich, self.quickstart):
            self.open(path)
            self.browser.point_at(".about")
            self.browser.wait("return !document.querySelector('.popover').hidden")
            self.run_js("scrollTo(0, document.body.scrollHeight)")
        asked = re.findall(r'"url":"([^"]*)"', " ".join(
            entry["message"] for entry in self.browser.log("performance") if "Network.requestWillBeSent" in entry["message"]))
        self.assertTrue(asked)
        self.assertEqual({url for url in asked if not url.startswith("file://")}, set())
        self.assertLessEqual({os.path.basename(url) for url in asked}, {"report.html"})
        self.assertEqual(self.browser.log("browser"), [])

    def test_its_policy_forbids_requests_and_foreign_scripts(self):
        blocked = self.run_js("""
            const script = document.createElement('script'); script.textContent = 'window.foreign = 1'; document.body.append(script);
            const image = document.createElement('img'); image.setAttribute('onerror', 'window.foreign = 2'); image.src = 'data:,x'; document.body.append(image);
            return new Promise((done) => setTimeout(() => done(window.foreign === undefined), 200));""")
        self.assertTrue(blocked)
        self.browser.log("browser")  # the two complaints

    def test_labels_are_text(self):
        self.assertIn("<script>alert(1)</script> \"x\" & 'y'", self.labels())
        self.assertEqual(self.run_js("return document.querySelectorAll('script').length - document.querySelectorAll('script[type]').length"), 1)

    def test_failures_stand_with_their_error(self):
        self.assertEqual(self.run_js("return document.querySelectorAll('.failure').length"), 2)  # one a seed
        self.assertIn("training diverged", self.run_js("return document.querySelector('.failure pre').textContent"))

    # --- tables

    def test_every_column_sorts_both_ways_and_back(self):
        for table in range(2):
            original = self.run_js(ROWS, table)
            heads = f"document.querySelectorAll('table.sortable')[{table}].tHead.rows[0].cells"
            for column in range(self.run_js(f"return {heads}.length")):
                for _ in range(2):
                    self.run_js(f"{heads}[{column}].querySelector('.sort').click()")
                    order = self.run_js(f"return {heads}[{column}].getAttribute('aria-sort')")
                    self.assertIn(order, ("ascending", "descending"))
                    self.assertEqual(self.run_js(f"return [...{heads}].filter((cell) => cell.hasAttribute('aria-sort')).length"), 1)
                    cells = [row[column] for row in self.run_js(ROWS, table)]
                    values = [value for _, value in cells if value is not None]
                    self.assertEqual(values, sorted(values, reverse=order == "descending"), (table, column))
                    self.assertEqual([value is None for _, value in cells], sorted(value is None for _, value in cells))  # last
                self.run_js(f"{heads}[{column}].querySelector('.sort').click()")
                self.assertEqual(self.run_js(ROWS, table), original)

    def test_sorting_begins_with_the_best(self):
        def first(column):
            return self.run_js("""const head = [...document.querySelector('table.sortable').tHead.rows[0].cells].find((c) => c.textContent.includes(arguments[0]));
                head.querySelector('.sort').click(); return head.getAttribute('aria-sort');""", column)
        self.assertEqual(first("ndcg@10"), "descending")
        self.assertEqual(first("fit s"), "ascending")

    def test_filtering(self):
        self.browser.click(".tools input[type=search]")
        self.browser.keys(*"KNN 20")
        self.assertEqual(self.labels(), ["item_knn neighbours=20"])
        self.assertEqual(self.run_js("return document.querySelector('.count').textContent"), "1 of 5 rows")
        self.browser.keys(*"zzz")
        self.assertEqual(self.labels(), [])
        self.assertTrue(self.run_js("return !document.querySelector('.nothing').hidden"))
        self.browser.keys(*["Backspace"] * 9)
        self.assertEqual(len(self.labels()), 5)
        self.assertEqual(self.run_js("return document.querySelector('.count').textContent"), "5 rows")

    def test_failed_rows_can_be_hidden(self):
        self.assertIn("exploding", self.labels())
        self.run_js("[...document.querySelectorAll('.tool')].find((tool) => tool.textContent.startsWith('Hide failed')).click()")
        self.assertNotIn("exploding", self.labels())
        self.assertEqual(len(self.labels()), 4)
        self.assertEqual(self.run_js("return document.querySelector('.tool[aria-pressed]').getAttribute('aria-pressed')"), "true")

    def test_columns_can_be_left_out(self):
        self.browser.click(".tools summary")
        shown = "return document.querySelector('table.sortable').tHead.innerText"
        self.assertIn("recall@20", self.run_js(shown))
        self.run_js("[...document.querySelectorAll('.tools label')].find((label) => label.textContent.includes('recall@20')).click()")
        self.assertNotIn("recall@20", self.run_js(shown))
        self.browser.keys("Escape")
        self.assertFalse(self.run_js("return document.querySelector('.tools details').open"))

    def test_tables_are_copied_as_text(self):
        for name, begin in (("CSV", ",label,ndcg@10"), ("Markdown", "|  | label | ndcg@10 |"), ("LaTeX", "\\begin{tabular}")):
            copied = self.run_js("""navigator.clipboard.writeText = (text) => { window.copied = text; return Promise.resolve(); };
                [...document.querySelectorAll('.copies .tool')].find((tool) => tool.textContent === arguments[0]).click(); return window.copied;""", name)
            self.assertTrue(copied.startswith(begin), copied[:60])
            self.assertIn("exploding", copied)

    # --- cards

    def test_cards_show_on_hover_and_focus_and_close_with_escape(self):
        shown = "return !document.querySelector('.popover').hidden"
        self.browser.point_at(".sortable thead th[data-card]")
        self.browser.wait(shown)
        text = self.run_js("return document.querySelector('.popover').innerText")
        for part in ("Normalised discounted cumulative gain", "Formula", "Järvelin", "higher is better"):
            self.assertIn(part, text)
        self.browser.keys("Escape")
        self.assertFalse(self.run_js(shown))
        self.browser.point_at("h1")
        self.run_js("document.querySelector('.sort').focus()")
        for _ in range(3):  # place, label, ndcg@10, then what it means
            self.browser.keys("Tab")
        self.assertEqual(self.run_js("return document.activeElement.getAttribute('aria-label')"), "What ndcg@10 means")
        self.assertTrue(self.run_js(shown))
        self.assertEqual(self.run_js("return document.activeElement.getAttribute('aria-expanded')"), "true")
        self.browser.keys("Escape")
        self.assertFalse(self.run_js(shown))
        self.browser.keys("Enter")
        self.assertTrue(self.run_js(shown))

    def test_cards_fit_the_window(self):
        for width, height in ((1280, 900), (400, 500)):
            self.browser.size(width, height)
            for button in range(self.run_js("return document.querySelectorAll('.about').length")):
                box = self.run_js("""const about = document.querySelectorAll('.about')[arguments[0]];
                    about.scrollIntoView({block: 'center', inline: 'center'});
                    return new Promise((done) => setTimeout(() => { about.click(); done(document.querySelector('.popover').getBoundingClientRect().toJSON()); }, 30));""", button)
                self.assertGreaterEqual(min(box["left"], box["top"]), 0)
                self.assertLessEqual(box["right"], width)
                self.assertLessEqual(box["bottom"], height)

    # --- for everybody

    def test_it_works_with_the_keyboard_alone(self):
        active = "const e = document.activeElement; return [e.className, e.getAttribute('aria-label') || e.textContent, getComputedStyle(e).outlineStyle]"
        self.browser.keys("Tab")
        self.assertEqual(self.run_js(active)[:2], ["skip", "Skip to content"])
        self.browser.keys("Enter")
        self.assertEqual(self.run_js("return document.activeElement.id"), "content")
        visited = []
        for _ in range(20):
            self.browser.keys("Tab")
            visited.append(self.run_js(active))
        self.assertEqual({outline for _, _, outline in visited} - {"solid", "auto"}, set())  # where one is, is seen
        names = [name for _, name, _ in visited]
        for name in ("Filter rows of full", "Hide failed rows", "Columns", "Copy as CSV", "Table full", "place", "label", "ndcg@10", "What ndcg@10 means"):
            self.assertIn(name, names)
        self.run_js("document.querySelectorAll('.sort')[1].focus()")
        order = "return document.activeElement.closest('th').getAttribute('aria-sort')"
        self.browser.keys("Enter")
        self.assertEqual(self.run_js(order), "ascending")
        self.assertEqual(self.labels()[-3:], ["item_knn neighbours=5", "item_knn neighbours=20", "popular"])  # 5 before 20
        self.browser.keys("Space")
        self.assertEqual(self.run_js(order), "descending")

    def test_everything_that_acts_has_a_name(self):
        acting = {"button", "link", "textbox", "searchbox", "checkbox", "DisclosureTriangle", "image", "img", "table", "region", "navigation", "group", "columnheader", "rowheader"}
        self.run_js("for (const details of document.querySelectorAll('details')) details.open = true")
        nodes = self.browser.cdp("Accessibility.getFullAXTree")["nodes"]
        found = [(node["role"]["value"], node.get("name", {}).get("value", "").strip(), node) for node in nodes if not node.get("ignored")]
        self.assertLessEqual({"button", "link", "searchbox", "checkbox", "region", "columnheader", "rowheader"}, {role for role, _, _ in found})
        nameless = [role for role, name, node in found if role in acting - {"table", "group"} and not name]
        self.assertEqual(nameless, [])
        headings = self.run_js("return [...document.querySelectorAll('h1, h2, h3, h4')].map((heading) => Number(heading.tagName[1]))")
        self.assertEqual(headings[0], 1)
        for before, after in itertools.pairwise(headings):
            self.assertLessEqual(after - before, 1)  # no level is left out

    def test_text_has_contrast_in_both_themes(self):
        for scheme, paper in (("light", [255, 255, 255]), ("dark", [21, 24, 27])):
            self.browser.scheme(scheme)
            seen, poor, background = self.run_js(CONTRAST)
            self.assertGreater(seen, 200)
            self.assertEqual(background, paper)
            self.assertEqual(poor, [])

    def test_figures_keep_white_paper_in_the_dark(self):
        self.browser.scheme("dark")
        papers = set(self.run_js("return [...document.querySelectorAll('.paper')].map((paper) => getComputedStyle(paper).backgroundColor)"))
        self.assertLessEqual(papers, {"rgb(255, 255, 255)"})

    def test_the_theme_can_be_chosen(self):
        background = "return getComputedStyle(document.body).backgroundColor"
        self.assertEqual(self.run_js(background), "rgb(255, 255, 255)")
        self.browser.click(".theme")
        self.browser.click(".theme")
        self.assertEqual(self.run_js("return document.querySelector('.theme').textContent"), "Theme: dark")
        self.assertEqual(self.run_js(background), "rgb(21, 24, 27)")
        self.browser.open(self.rich)
        self.assertEqual(self.run_js(background), "rgb(21, 24, 27)")  # remembered
        self.browser.click(".theme")
        self.assertEqual(self.run_js(background), "rgb(255, 255, 255)")

    def test_it_fits_a_telephone(self):
        self.browser.size(400, 800)
        self.assertLessEqual(self.run_js("return document.documentElement.scrollWidth"), 400)

    def test_it_prints(self):
        self.browser.cdp("Emulation.setEmulatedMedia", media="print", features=[{"name": "prefers-color-scheme", "value": "dark"}])
        try:
            for hidden in ("nav", ".tools", ".theme", ".about"):
                self.assertEqual(self.run_js(f"return getComputedStyle(document.querySelector('{hidden}')).display"), "none")
            self.assertEqual(self.run_js("return getComputedStyle(document.body).backgroundColor"), "rgb(255, 255, 255)")
            self.assertTrue(self.run_js("""dispatchEvent(new Event('beforeprint')); const open = document.querySelector('.board > details').open;
                dispatchEvent(new Event('afterprint')); return open && !document.querySelector('.board > details').open"""))
        finally:
            self.browser.cdp("Emulation.setEmulatedMedia", media="")
        target = os.path.join(self.folder, "report.pdf")
        self.browser.pdf(target)
        self.assertEqual(read(target)[:5], b"%PDF-")


if __name__ == "__main__":
    lacking = browser.missing()
    if lacking:
        print(f"skipped: {lacking}")
        sys.exit(77)
    unittest.main()

"""readme_test SEGUE [PLUGIN]: does what README.md says, in an empty folder: writes its files, runs its commands, and holds its
tables and pictures to what the program prints. PLUGIN is its algorithm as CMake built it."""
import csv
import io
import os
import re
import subprocess
import sys
import tempfile
import unittest

ROOT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..")
README = open(os.path.join(ROOT, "README.md"), encoding="utf-8").read()
SEGUE, PLUGIN = os.path.abspath(sys.argv.pop(1)), os.path.abspath(sys.argv.pop(1))


LABELS = ["bias", "ease", "implicit_als", "item_knn", "popular", "random", "sasrec", "sgd_mf", "tfidf", "two_stage", "two_tower", "user_knn"]
STRANGERS = ["bias", "popular", "random"]  # who does not look at the listener


def number(word):
    """The number that a table prints, without its marks; None for a word."""
    try:
        return float(word.strip("±≈<%"))
    except ValueError:
        return None


def alike(stated, found):
    """Whether two lines are the same but for what another kind of machine may change: last digits, and what hangs on them."""
    stated, found = stated.split(), found.split()
    if len(stated) != len(found):
        return False
    for a, b in zip(stated, found):
        x, y = number(a), number(b)
        if x is None or y is None:
            if a != b and set(a + b) - set("-"):
                return False
        elif abs(x - y) > max(0.003, 0.1 * abs(x)):
            return False
    return True


def has_h5py():
    return subprocess.run([sys.executable, "-c", "import h5py"], capture_output=True).returncode == 0


class Readme(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        folder = tempfile.TemporaryDirectory()
        cls.addClassCleanup(folder.cleanup)
        cls.folder = folder.name
        os.makedirs(cls.path("bin"))
        os.symlink(SEGUE, cls.path("bin", "segue"))
        os.symlink(sys.executable, cls.path("bin", "python3"))
        cls.environment = {"PATH": cls.path("bin") + ":/usr/bin:/bin", "HOME": cls.folder, "LC_ALL": "C.UTF-8", "NO_COLOR": "1"}
        for name, text in re.findall(r"<!-- file: (\S+) -->\n```\w*\n(.*?)```", README, re.S):
            with open(cls.path(name), "w", encoding="utf-8") as file:
                file.write(text)
        os.symlink(os.path.join(ROOT, "experiments"), cls.path("experiments"))
        cls.quickstart = cls.run_here("segue run experiments/quickstart.yaml ~latency").stdout

    @classmethod
    def path(cls, *parts):
        return os.path.join(cls.folder, *parts)

    @classmethod
    def run_here(cls, command):
        run = subprocess.run(["bash", "-ec", command], cwd=cls.folder, env=cls.environment, capture_output=True, text=True)
        if run.returncode != 0:
            raise AssertionError(f"{command}\nended with {run.returncode}\n{run.stdout}{run.stderr}")
        return run

    def test_its_commands_run(self):
        blocks = re.findall(r"<!-- run -->\n```sh\n(.*?)```", README, re.S)
        self.assertGreaterEqual(len(blocks), 3)
        for line in "".join(blocks).splitlines():
            with self.subTest(line):
                self.run_here(line)

    def test_its_first_suite_has_the_rows_it_speaks_of(self):
        plan = self.run_here("segue run first.yaml --dry-run -o elsewhere").stdout
        self.assertRegex(plan, r"\n8 of 8 trials to run")  # popular, two neighbourhoods, implicit_als; two seeds

    def test_its_script_agrees_with_the_stored_means(self):
        if not has_h5py():
            self.skipTest("no h5py (Debian: python3-h5py)")
        out = self.run_here(re.search(r"<!-- run h5py -->\n```sh\n(.*?)```", README, re.S).group(1)).stdout
        rows = dict(reversed(line.split()) for line in out.splitlines())
        self.assertEqual(sorted(rows), LABELS)
        for label, ndcg in rows.items():
            self.assertRegex(self.quickstart, rf"{label} +{ndcg} ")

    def test_its_script_notices_a_wrong_mean(self):
        if not has_h5py():
            self.skipTest("no h5py (Debian: python3-h5py)")
        self.run_here("mkdir -p spoilt && cp -r results ndcg.py spoilt")
        self.run_here("""cd spoilt && python3 - <<'END'
import glob, h5py
with h5py.File(sorted(glob.glob("results/quickstart/trials/*.h5"))[0], "r+") as f:
    next(v for v in f["views"].values() if v.attrs["name"] == "full")["means"].attrs["ndcg@10.v1"] += 1e-9
END""")
        with self.assertRaisesRegex(AssertionError, "assert abs"):
            self.run_here("cd spoilt && python3 ndcg.py")

    def test_its_leaderboard_is_real(self):
        for label in LABELS:
            stated = re.search(rf"^ +\d+  {label} +(.*)", README, re.M).group(1).split()[:5]  # three figures, two intervals
            found = re.search(rf"^ *\d+ +{label} +(.*)", self.quickstart, re.M).group(1).split()[:5]
            for a, b in zip(stated, found):  # another kind of machine may differ in the last digits
                self.assertAlmostEqual(number(a), number(b), delta=0.002, msg=f"README.md shows another figure for {label} than the quickstart; paste the new leaderboard")

    def test_its_tables_are_what_its_commands_print(self):
        blocks = re.findall(r"<!-- output: (.*?) -->\n```\n(.*?)```", README, re.S)
        self.assertGreaterEqual(len(blocks), 2)
        for command, text in blocks:
            printed = self.run_here(command).stdout.splitlines()
            for line in filter(str.strip, text.splitlines()):  # some of the lines, in their order
                while printed and not alike(line, printed[0]):
                    printed.pop(0)
                self.assertTrue(printed, f"README.md: `{command}` does not print, or not there: {line}")

    def test_its_winners_have_won(self):
        rows = re.findall(r"^\| .*? \| (\S+@\S+) \| (\w+) \| ([\d.]+) \| (\w+) \|$", README.split("<!-- winners -->")[1].split("\n\n")[0], re.M)
        self.assertGreaterEqual(len(rows), 5)
        out = self.run_here(f"segue evaluate results/quickstart:full --metrics {','.join(row[0] for row in rows)} --format csv").stdout
        printed = list(csv.DictReader(io.StringIO(out)))
        for metric, first, figure, last in rows:
            value = {row["label"]: float(row[metric]) for row in printed}
            best = max(v for label, v in value.items() if label != "random")
            self.assertAlmostEqual(float(figure), value[first], delta=0.002, msg=metric)
            self.assertGreaterEqual(value[first], best - 0.002, f"{first} is not first by {metric}: {value}")  # another machine may differ
            worst = min(v for label, v in value.items() if label not in STRANGERS)
            self.assertLessEqual(value[last], worst + 0.002, f"{last} is not last by {metric}: {value}")

    def test_a_wrong_table_would_be_noticed(self):
        self.assertTrue(alike("item_knn  -0.0037  ±0.0130≈  -----", "item_knn -0.0038 ±0.0131  ---"))
        self.assertFalse(alike("item_knn  0.0893", "item_knn  0.0993"))
        self.assertFalse(alike("item_knn  0.0893", "user_knn  0.0893"))
        self.assertFalse(alike("item_knn  0.0893", "item_knn  0.0893  7"))

    def test_its_pictures_are_of_these_figures(self):
        pictures = re.findall(r'<img src="([^"]+)"', README)
        self.assertEqual(len(pictures), 2)
        for picture in pictures:
            self.assertLess(os.path.getsize(os.path.join(ROOT, picture)), 40000, picture)
        with open(os.path.join(ROOT, "paper", "readme", "metric_bars.svg"), encoding="utf-8") as file:
            shown = re.search(r"<desc>(.*?)</desc>", file.read(), re.S).group(1)
        for label in LABELS:
            drawn = float(re.search(rf"{label} ([\d.]+\d)", shown).group(1))
            found = float(re.search(rf"^ *\d+ +{label} +([\d.]+)", self.quickstart, re.M).group(1))
            self.assertAlmostEqual(drawn, found, delta=0.002, msg=f"metric_bars.svg shows another figure for {label}; README.md says how it was drawn")

    def test_the_gate_notices_what_it_is_for(self):
        self.run_here("sed 's/label: item_knn, metric: ndcg@10, min: 0.08/label: item_knn, metric: ndcg@10, min: 0.8/' experiments/gates/quickstart.yaml > strict.yaml")
        with self.assertRaisesRegex(AssertionError, "ended with 5"):
            self.run_here("segue leaderboard results/quickstart --gate strict.yaml")

    def test_every_plot_is_described(self):
        with open(os.path.join(ROOT, "experiments", "README.md"), encoding="utf-8") as file:
            described = re.findall(r"^\| `(\w+)` \|", file.read().split("## Plots")[1], re.M)
        listed = [line.split()[0] for line in self.run_here("segue plot --list").stdout.splitlines()[2:]]
        self.assertEqual(described, listed)

    def test_its_algorithm_runs(self):
        with open(self.path("trending.yaml"), "w", encoding="utf-8") as file:
            file.write(f"version: 1\nname: trending\nplugins: [{PLUGIN}]\ndataset: demo\nsplit: {{strategy: global_time}}\n"
                       "algorithms: [random, trending: {days: 14}]\nevaluate: [{metrics: [ndcg@10]}]\n")
        board = self.run_here("segue run trending.yaml").stdout
        self.assertRegex(board, r"\n1 +trending ")


if __name__ == "__main__":
    unittest.main()

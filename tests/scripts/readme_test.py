"""readme_test SEGUE [PLUGIN]: does what README.md says, in an empty folder: writes its files, runs its commands, and holds its
leaderboard to what the program prints. PLUGIN is its algorithm as CMake built it."""
import os
import re
import subprocess
import sys
import tempfile
import unittest

ROOT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..")
README = open(os.path.join(ROOT, "README.md"), encoding="utf-8").read()
SEGUE, PLUGIN = os.path.abspath(sys.argv.pop(1)), os.path.abspath(sys.argv.pop(1))


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
        cls.quickstart = cls.run_here(
            f"segue run {ROOT}/experiments/quickstart.yaml ~latency --only popular,item_knn,implicit_als").stdout

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
        self.assertEqual(sorted(rows), ["implicit_als", "item_knn", "popular"])
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
        for label in ("popular", "item_knn", "implicit_als"):
            stated = re.search(rf"^ +\d  {label} +([\d. ]+)", README, re.M).group(1).split()[:3]
            found = re.search(rf"^\d +{label} +([\d. ]+)", self.quickstart, re.M).group(1).split()[:3]
            for a, b in zip(stated, found):  # another kind of machine may differ in the last digits
                self.assertAlmostEqual(float(a), float(b), delta=0.002, msg=f"README.md shows another figure for {label} than the quickstart; paste the new leaderboard")

    def test_its_algorithm_runs(self):
        with open(self.path("trending.yaml"), "w", encoding="utf-8") as file:
            file.write(f"version: 1\nname: trending\nplugins: [{PLUGIN}]\ndataset: demo\nsplit: {{strategy: global_time}}\n"
                       "algorithms: [random, trending: {days: 14}]\nevaluate: [{metrics: [ndcg@10]}]\n")
        board = self.run_here("segue run trending.yaml").stdout
        self.assertRegex(board, r"\n1 +trending ")


if __name__ == "__main__":
    unittest.main()

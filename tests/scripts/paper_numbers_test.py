"""paper/segue.sty: a result prints its figure, and a name without a stored result stops LaTeX. Skipped where there is no pdflatex."""
import os
import re
import shutil
import subprocess
import sys
import tempfile
import unittest

ROOT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..")

NUMBERS = r"""
\seguenumber{suite/toy}{toy}{toy}
\seguenumber{toy/full/item_knn/ndcg@10}{0.0812}{0.08124}
\seguenumber{toy/full/item_knn/ndcg@10/half}{0.0100}{0.01}
\seguenumber{toy/full/item_knn/ndcg@10/mark}{best}{best}
\seguenumber{toy/full/als factors=64, reg=0.1/ndcg@10}{0.0800}{0.08}
\seguenumber{toy/full/als factors=64, reg=0.1/ndcg@10/half}{0.0099}{0.0099}
\seguenumber{toy/full/als factors=64, reg=0.1/ndcg@10/mark}{tied}{tied}
\seguenumber{toy/full/item_knn/fit}{12}{12.345}
\seguenumber{toy/full/ndcg@10/best}{item\_knn}{item_knn}
\seguenumber{toy/full/leaks}{0.5 \% is later}{0.5 - is later}
"""
ALS = "als factors=64, reg=0.1"


class Numbers(unittest.TestCase):
    def typeset(self, text, mode="nonstopmode"):
        """Exit code, what it said, and the words of the PDF."""
        with tempfile.TemporaryDirectory() as folder:
            with open(os.path.join(folder, "numbers.tex"), "w", encoding="utf-8") as out:
                out.write(NUMBERS)
            with open(os.path.join(folder, "a.tex"), "w", encoding="utf-8") as out:
                out.write("\\pdfcompresslevel=0 \\pdfobjcompresslevel=0\n\\documentclass{article}\\usepackage{segue}\\renewcommand\\familydefault{\\ttdefault}\n"
                          "\\newcommand\\code[1]{#1}\\input{numbers}\\publish{he/ndcg@10}{0.0800}{he2017}{q}\\publish{me/ndcg@10}{0.0812}{me}{r}\n"
                          "\\begin{document}\n%s\n\\end{document}\n" % text)
            ran = subprocess.run(["pdflatex", "-halt-on-error", "-interaction=" + mode, "a.tex"], cwd=folder, capture_output=True, text=True, check=False,
                                 stdin=subprocess.DEVNULL, env={**os.environ, "TEXINPUTS": os.path.join(ROOT, "paper") + ":"})
            words = ""
            if os.path.exists(os.path.join(folder, "a.pdf")):
                with open(os.path.join(folder, "a.pdf"), "rb") as made:
                    pdf = made.read().decode("latin-1")
                for line in re.findall(r"\[((?:\((?:[^()\\]|\\.)*\)|[-\d.\s])*)\]TJ", pdf):
                    words += "".join(re.findall(r"\(((?:[^()\\]|\\.)*)\)", line)) + " "
            return ran.returncode, ran.stdout.replace("\n", ""), words

    def prints(self, text, *expected):
        code, said, words = self.typeset(text)
        self.assertEqual(code, 0, said[-2000:])
        for word in expected:
            self.assertIn(word, words)

    def stops(self, text, name):
        code, said, _ = self.typeset(text)
        self.assertNotEqual(code, 0, "LaTeX went on")
        self.assertIn(f"no result is called '{name}'", said)

    def test_a_result_prints_its_figure(self):
        self.prints(r"a\result{toy}{full}{item_knn}{ndcg@10}b \resultfit{toy}{full}{item_knn}", "a0.0812b")
        self.prints(r"a\result{toy}{full}{%s}{ndcg@10}b" % ALS, "a0.0800b")
        self.prints(r"\section{x\result{toy}{full}{item_knn}{ndcg@10}} \resultleaks{toy}{full}", "x0.0812", "0.5%")
        self.prints(r"\resultpm{toy}{full}{item_knn}{ndcg@10} \resultpm{toy}{full}{%s}{ndcg@10}" % ALS, "0.0812", "0.0100", "0.0800", "0.0099")
        self.prints(r"a\published{me/ndcg@10}b \ifresults{toy}{here}{gone} \ifresults{other}{here}{gone}", "a0.0812b", "here", "gone")

    def test_figures_are_computed_from_unrounded_values(self):
        mine, als = "toy/full/item_knn/ndcg@10", f"toy/full/{ALS}/ndcg@10"
        self.prints(r"a\seguedifference{%s}{%s}{4}b" % (mine, als), "a0.0012b")
        self.prints(r"a\seguedistance{%s}{%s}{5}b" % (als, mine), "a0.00124b")
        self.prints(r"a\seguedifference{%s}{published/he/ndcg@10}{4}b" % als, "a0.0000b")
        self.prints(r"a\seguedifference{%s}{%s}{2}b" % (als, mine), "a0.00b")  # no sign before zero
        self.prints(r"a\segueratio{toy/full/item_knn/fit}{%s}{1}b" % mine, "a152.0b")
        self.prints(r"a\segueratio{toy/full/item_knn/fit}{%s}{0}b" % mine, "a152b")
        self.prints(r"\seguewhere{%s}{%s} \seguewhere{%s}{%s} \seguewhere{%s}{%s}" % (mine, als, als, mine, als, "published/he/ndcg@10"), "above", "below", "level")

    def test_a_name_without_a_result_stops(self):
        self.stops(r"\result{toy}{full}{item_knn}{ndcg@20}", "toy/full/item_knn/ndcg@20")
        self.stops(r"\resulthalf{toy}{full}{nobody}{ndcg@10}", "toy/full/nobody/ndcg@10/half")
        self.stops(r"\resultpm{toy}{full}{nobody}{ndcg@10}", "toy/full/nobody/ndcg@10/mark")
        self.stops(r"\section{\result{other}{full}{item_knn}{ndcg@10}}", "other/full/item_knn/ndcg@10")
        self.stops(r"\seguedifference{toy/full/item_knn/ndcg@10}{published/me/hr@10}{4}", "published/me/hr@10")
        self.stops(r"\seguewhere{toy/full/item_knn/hr@1}{toy/full/item_knn/ndcg@10}", "toy/full/item_knn/hr@1")
        self.stops(r"\publishedcite{nobody/hr@10}", "published/nobody/hr@10")

    def test_no_mode_of_latex_goes_on(self):
        for mode in ("batchmode", "scrollmode", "errorstopmode"):
            self.assertNotEqual(self.typeset(r"\result{toy}{full}{nobody}{ndcg@10}", mode)[0], 0, mode)


if __name__ == "__main__":
    if not shutil.which("pdflatex"):
        print("no pdflatex here: scripts/setup paper installs it")
        sys.exit(77)
    unittest.main()

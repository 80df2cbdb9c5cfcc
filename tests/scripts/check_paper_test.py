"""Every rule of scripts/check-paper, broken once: the complaint must name file and line, and nothing else may be complained about."""
import os
import subprocess
import sys
import tempfile
import unittest

ROOT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..")
SCRIPT = os.path.join(ROOT, "scripts", "check-paper")

TEXT = r"""\documentclass[10pt]{article}
\usepackage[margin=19mm,columnsep=7.5mm]{geometry}
% a comment may say 0.1234
In 2020 \citet{he2017} ranked with \code{ndcg@10} and 99 negatives: \result{ncf-ml-1m}{given}{als factors=128, reg=0.05}{ndcg@10}.
\begin{tabular}{@{}lp{0.74\columnwidth}@{}}\cmidrule(lr){2-3} $1/2$ \\[0.5em]\end{tabular}
\includegraphics[width=0.9\linewidth]{plots/a-0.5} MovieLens~100K at \seguevalue{inference/level}\,\%
\seguedifference{a/b/c/ndcg@10}{published/he/ndcg@10}{4} \multicolumn{2}{c}{x} \newcommand\by[1]{#1}
"""
PUBLISHED = "% He et al.\n\\publish{he/ndcg@10}{0.445}{he2017}{r}\n\\publish{he/hr@10}{.726}{he2017}{q} % twice\n"
BIB = "@inproceedings{he2017,\n author = {X}, pages = {173--182}}\n"


class CheckPaper(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.addCleanup(self.folder.cleanup)
        self.write("paper.tex", TEXT)
        self.write("published.tex", PUBLISHED)
        self.write("references.bib", BIB)

    def write(self, name, text):
        path = os.path.join(self.folder.name, name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "w", encoding="utf-8") as out:
            out.write(text)

    def complaints(self):
        ran = subprocess.run([sys.executable, SCRIPT, self.folder.name], capture_output=True, text=True, check=False)
        self.assertEqual(ran.stderr, "")
        lines = ran.stdout.splitlines()
        self.assertEqual(ran.returncode, 1 if lines else 0)
        return lines

    def expect(self, *expected):
        found = self.complaints()
        self.assertEqual(len(found), len(expected), found)
        for line, start in zip(found, expected):
            self.assertTrue(line.startswith(start), f"{line!r} does not start with {start!r}")

    def test_what_is_named_passes(self):
        self.expect()

    def test_typed_results_are_found(self):
        for typed, what in (("0.0812", "a decimal"), (".08", "a decimal"), ("-0.5", "a decimal"), ("6,040", "a decimal, or a count"), (r"12\,\%", "a percentage"),
                            (r"7\%", "a percentage"), ("6040", "a number of three digits"), (r"\textbf{0.4}", "a decimal"), (r"$0.4$", "a decimal"),
                            (r"\code{0.25}", "a decimal"), (r"\caption{\result{a}{b}{c}{d} or 0.3}", "a decimal")):
            with self.subTest(typed=typed):
                self.write("sections/a.tex", f"one\n% 0.5\nit reaches {typed} there\n")
                found = self.complaints()
                self.assertEqual(len(found), 1, found)
                self.assertTrue(found[0].startswith("sections/a.tex:3: "), found)
                self.assertIn(what, found[0])
                self.assertIn("not typed", found[0])

    def test_names_over_several_lines_keep_the_count(self):
        self.write("a.tex", "\\result{a}{b}\n  {c 0.5}\n  {d@10}\n0.25\n")
        self.expect("a.tex:4: '0.25' is a decimal")

    def test_published_figures_have_one_form_and_a_source(self):
        self.write("published.tex", PUBLISHED + "0.5\n\\publish{a}{0.5}{he2017}{x}\n\\publish{a}{0.5}{me}{r}\n\\publish{a}{many}{he2017}{r}\n")
        self.expect("published.tex:4: expected", "published.tex:5: expected", "published.tex:6: 'me' is not in references.bib",
                    "published.tex:7: expected", "published.tex: 'me' is not in references.bib")

    def test_citations_and_entries_match(self):
        self.write("references.bib", BIB + "@book{unread,\n title = {x}}\n")
        self.write("a.tex", "\\citep{he2017, nobody}\n")
        self.expect("a.tex: 'nobody' is not in references.bib", "references.bib: nothing cites 'unread'")


if __name__ == "__main__":
    unittest.main()

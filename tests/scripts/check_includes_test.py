"""Every rule of scripts/check-includes, broken once: the complaint must name file and line, and nothing else may be complained about."""
import os
import subprocess
import sys
import tempfile
import unittest

ROOT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..")
SCRIPT = os.path.join(ROOT, "scripts", "check-includes")

README = """**base** and **data** and **model**.
<!-- who may include whom -->
```
base         ->
data         -> base
model        -> base data     # why
cli          -> everything
algorithms/* -> base model
datasets/*   -> base data
```
<!-- the only doors -->
```
fmt/     -> anywhere
tbb/     -> base/executor.cpp
hdf5.h   -> data/h5*.cpp
random   -> nowhere
```
**cli** too.
"""


class CheckIncludes(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.addCleanup(self.folder.cleanup)
        self.write("framework/README.md", README)
        self.write("framework/base/ids.hpp", "#include <vector>\n#include <unistd.h>\n#include <sys/stat.h>\n#include <fmt/core.h>\n")
        self.write("framework/base/executor.cpp", '#include "framework/base/ids.hpp"\n#include <tbb/task_arena.h>\n')
        self.write("framework/data/h5_in.cpp", "#include <hdf5.h>\n")
        self.write("framework/data/task.hpp", '#include "framework/base/ids.hpp"\n')
        self.write("framework/model/model.hpp", '#include "framework/data/task.hpp"\n')
        self.write("framework/cli/main.cpp", '#include "framework/model/model.hpp"\n')
        self.write("algorithms/CMakeLists.txt", "segue_algorithm(good)\n")
        self.write("algorithms/good/README.md", "# good\n")
        self.write("algorithms/good/good.cpp", '#include "framework/model/model.hpp"\n')
        self.write("datasets/CMakeLists.txt", "segue_dataset(files)\n")
        self.write("datasets/files/README.md", "# files\n")
        self.write("datasets/files/files.cpp", '#include "framework/data/task.hpp"\n')

    def write(self, path, text):
        path = os.path.join(self.folder.name, path)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)

    def complaints(self):
        run = subprocess.run([sys.executable, SCRIPT, self.folder.name], capture_output=True, text=True)
        self.assertEqual(run.stderr, "")
        lines = run.stdout.splitlines()
        if run.returncode == 0:
            self.assertEqual(lines, ["check-includes: every file keeps the rules"])
            return []
        return lines

    def refused(self, path, text, complaint):
        self.write(path, text)
        self.assertEqual(self.complaints(), [complaint])

    def test_a_clean_tree_passes(self):
        self.assertEqual(self.complaints(), [])

    def test_a_lower_module_may_not_include_a_higher_one(self):
        self.refused("framework/data/bad.cpp", '#include <vector>\n#include "framework/model/model.hpp"\n',
                     "framework/data/bad.cpp:2: data may not include model; it may include base")

    def test_an_algorithm_may_not_include_what_judges_it(self):
        self.refused("algorithms/good/more.cpp", '  #  include   "framework/cli/main.cpp"\n',
                     "algorithms/good/more.cpp:1: algorithms/* may not include cli; it may include base model")

    def test_algorithms_do_not_include_each_other(self):
        self.write("algorithms/CMakeLists.txt", "segue_algorithm(good)\nsegue_algorithm(other PLUGIN)\n")
        self.write("algorithms/other/README.md", "")
        self.refused("algorithms/other/other.cpp", '#include "algorithms/good/good.cpp"\n',
                     "algorithms/other/other.cpp:1: nobody includes algorithms")

    def test_not_even_the_program_includes_a_dataset(self):
        self.refused("framework/cli/bad.cpp", '#include "datasets/files/files.cpp"\n', "framework/cli/bad.cpp:1: nobody includes datasets")

    def test_a_library_enters_through_its_door(self):
        self.refused("framework/model/bad.cpp", "#include <tbb/parallel_for.h>\n",
                     "framework/model/bad.cpp:1: <tbb/parallel_for.h> enters only through base/executor.cpp")

    def test_some_headers_have_no_door(self):
        self.refused("algorithms/good/more.cpp", "#include <random>\n", "algorithms/good/more.cpp:1: <random> enters only through nowhere")

    def test_a_library_that_nobody_declared(self):
        self.refused("framework/base/bad.cpp", "#include <boost/any.hpp>\n",
                     "framework/base/bad.cpp:1: <boost/any.hpp> has no door in framework/README.md")

    def test_includes_are_written_from_the_root(self):
        self.refused("framework/base/bad.cpp", '#include "ids.hpp"\n',
                     'framework/base/bad.cpp:1: "ids.hpp" is no file below the root; includes are written from there')

    def test_long_files_need_a_reason(self):
        long = "int x;\n" * 401
        self.write("framework/base/exactly.cpp", "int x;\n" * 400)
        self.write("framework/base/excused.cpp", "// Longer than 400 lines because it is a table.\n" + long)
        self.refused("framework/base/long.cpp", long,
                     "framework/base/long.cpp: 401 lines; 400 are enough, or its head says '// Longer than 400 lines because ...'")

    def test_a_module_needs_a_line_and_a_paragraph(self):
        self.refused("framework/text/text.hpp", "", "framework/README.md: 'text' has no line under 'who may include whom'")
        self.write("framework/README.md", README.replace("data         -> base", "data         -> base\ntext -> base", 1))
        self.assertEqual(self.complaints(), ["framework/README.md: no paragraph begins with **text**"])

    def test_a_line_needs_a_module(self):
        self.refused("framework/README.md", README.replace("cli          ->", "gone -> base\ncli          ->"),
                     "framework/README.md: there is no folder 'gone'")

    def test_an_algorithm_needs_a_readme_and_a_line(self):
        self.write("algorithms/new/new.cpp", "")
        self.assertEqual(self.complaints(),
                         ["algorithms/new: has no README.md", "algorithms/CMakeLists.txt: no line segue_algorithm(new)"])

    def test_a_readme_without_the_rules(self):
        self.write("framework/README.md", "nothing")
        run = subprocess.run([sys.executable, SCRIPT, self.folder.name], capture_output=True, text=True)
        self.assertNotEqual(run.returncode, 0)
        self.assertIn("no block after '<!-- who may include whom -->'", run.stderr)


if __name__ == "__main__":
    unittest.main()

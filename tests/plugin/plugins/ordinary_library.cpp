// A shared library that has nothing to do with Segue.
extern "C" int answer() { return 42; }

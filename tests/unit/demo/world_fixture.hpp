// One default world for all tests of this folder, made once.
#pragma once

#include "datasets/demo/world.hpp"

namespace segue::demo::test {

inline const World& default_world() {
  static const World world = make_world({});
  return world;
}

inline DemoParams small(std::uint64_t seed = 1, int users = 40) {
  DemoParams params;
  params.seed = seed;
  params.users = users;
  params.artists = 60;
  params.tracks = 400;
  params.days = 60;
  params.sessions = 8;
  return params;
}

}  // namespace segue::demo::test

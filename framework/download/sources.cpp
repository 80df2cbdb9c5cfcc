#include "framework/download/sources.hpp"

#include "framework/base/errors.hpp"

namespace segue {

namespace {

const char* const kNoRedistribution =
    "research use; no redistribution, no commercial use without permission (GroupLens, Harper & Konstan 2015)";
const char* const kSameTerms =
    "research use; redistribution under the same terms, no commercial use without permission (GroupLens, Harper & "
    "Konstan 2015)";

std::string movielens(const char* archive) {
  return std::string("https://files.grouplens.org/datasets/movielens/") + archive;
}

}  // namespace

std::string Source::archive() const {
  const std::string path = url.substr(0, url.find_first_of("?#"));
  return path.substr(path.rfind('/') + 1);
}

const std::vector<Source>& sources() {
  // MovieLens md5: GroupLens publishes each beside its archive (ml-100k.zip.md5, ...). Size and sha256 of all but 10m:
  // TensorFlow Datasets, url_checksums/movielens.txt. GroupLens states no sum for hetrec: its md5 is the one in DataRec
  // (sisinflab). The sha256 of 10m and of hetrec are those that several independent public loaders quote alike.
  // ml-latest-small is republished from time to time, so it has no fixed sum: only its files are checked.
  static const std::vector<Source> all = {
      {.name = "movielens-100k",
       .folder = "ml-100k",
       .url = movielens("ml-100k.zip"),
       .md5 = "0e33842e24a9c977be4e0107933c0723",
       .sha256 = "50d2a982c66986937beb9ffb3aa76efe955bf3d5c6b761f4e3a7cd717c6a3229",
       .bytes = 4924029,
       .licence = kNoRedistribution,
       .required_files = {"u.data", "u.item", "u.user"}},
      {.name = "movielens-1m",
       .folder = "ml-1m",
       .url = movielens("ml-1m.zip"),
       .md5 = "c4d9eecfca2ab87c1945afe126590906",
       .sha256 = "a6898adb50b9ca05aa231689da44c217cb524e7ebd39d264c56e2832f2c54e20",
       .bytes = 5917549,
       .licence = kNoRedistribution,
       .required_files = {"ratings.dat", "movies.dat", "users.dat"}},
      {.name = "movielens-latest-small",
       .folder = "ml-latest-small",
       .url = movielens("ml-latest-small.zip"),
       .md5 = "",
       .sha256 = "",
       .bytes = 0,
       .licence = kSameTerms,
       .required_files = {"ratings.csv", "movies.csv", "tags.csv"}},
      {.name = "movielens-10m",
       .folder = "ml-10m",
       .url = movielens("ml-10m.zip"),
       .md5 = "ce571fd55effeba0271552578f2648bd",
       .sha256 = "813c411ccb6122564edfe752e7f80c4dcc5aa25fa94c93622f6877a7ba252862",
       .bytes = 65566137,
       .licence = kNoRedistribution,
       .required_files = {"ratings.dat", "movies.dat", "tags.dat"}},
      {.name = "movielens-20m",
       .folder = "ml-20m",
       .url = movielens("ml-20m.zip"),
       .md5 = "cd245b17a1ae2cc31bb14903e1204af3",
       .sha256 = "96f243c338a8665f6bcc89c53edf6ee39162a846940de6b7c8c48aeada765ff3",
       .bytes = 198702078,
       .licence = kNoRedistribution,
       .required_files = {"ratings.csv", "movies.csv", "tags.csv"}},
      {.name = "movielens-25m",
       .folder = "ml-25m",
       .url = movielens("ml-25m.zip"),
       .md5 = "6b51fb2759a8657d3bfcbfc42b592ada",
       .sha256 = "8b21cfb7eb1706b4ec0aac894368d90acf26ebdfb6aced3ebd4ad5bd1eb9c6aa",
       .bytes = 261978986,
       .licence = kNoRedistribution,
       .required_files = {"ratings.csv", "movies.csv", "tags.csv"}},
      {.name = "hetrec-lastfm-2k",
       .folder = "hetrec-lastfm-2k",
       .url = "https://files.grouplens.org/datasets/hetrec2011/hetrec2011-lastfm-2k.zip",
       .md5 = "296d61afe4e8632b173fc2dd3be20ce2",
       .sha256 = "6738f48195667ff03caaab4d32ca9a3133d8cc026b7c3cdaf6ce1010e913c59c",
       .bytes = 0,
       .licence = "non-commercial use; acknowledge Last.fm and HetRec 2011 (Cantador, Brusilovsky & Kuflik 2011)",
       .required_files = {"artists.dat", "tags.dat", "user_artists.dat", "user_friends.dat", "user_taggedartists.dat"}},
  };
  return all;
}

const Source& find_source(std::string_view name) {
  std::vector<std::string> known;
  for (const Source& source : sources()) {
    if (source.name == name || source.folder == name) return source;
    known.push_back(source.name);
  }
  throw UsageError("unknown data set to fetch '{}'{}", name, suggestion(name, known));
}

}  // namespace segue

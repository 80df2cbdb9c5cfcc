#include "framework/data/snapshot.hpp"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstring>
#include <fstream>
#include <map>

#include "framework/base/errors.hpp"
#include "framework/data/user_facets.hpp"

namespace segue {

namespace {

namespace fs = std::filesystem;

constexpr char kMagic[16] = "segue-snapshot1";

struct RecordHeader {
  char name[56];
  std::uint32_t element_size;
  std::uint32_t padding;
  std::uint64_t count;
};
constexpr std::size_t kAlign = 64;
constexpr std::size_t padded(std::size_t bytes) { return (bytes + kAlign - 1) / kAlign * kAlign; }
constexpr std::size_t kHeaderBytes = padded(sizeof(RecordHeader));

class Writer {
 public:
  explicit Writer(const fs::path& path) : path_(path), temporary_(path.string() + ".part"), out_(temporary_, std::ios::binary) {
    char head[kAlign] = {};
    std::memcpy(head, kMagic, sizeof kMagic);
    out_.write(head, kAlign);
  }
  template <class T>
  void field(const std::string& name, Array<T>& values) {
    RecordHeader header{};
    SEGUE_CHECK(name.size() < sizeof header.name, "snapshot array name '{}' is too long", name);
    std::memcpy(header.name, name.data(), name.size());
    header.element_size = sizeof(T);
    header.count = values.size();
    char head[kHeaderBytes] = {};
    std::memcpy(head, &header, sizeof header);
    out_.write(head, sizeof head);
    const std::size_t bytes = values.size() * sizeof(T);
    out_.write(reinterpret_cast<const char*>(values.data()), static_cast<std::streamsize>(bytes));
    static const char zeros[kAlign] = {};
    out_.write(zeros, static_cast<std::streamsize>(padded(bytes) - bytes));
  }
  bool has(const std::string&) const { return false; }
  static constexpr bool kReading = false;
  void finish() {
    out_.flush();
    out_.close();
    if (!out_) throw EnvironmentError("cannot write {}: is the disk full?", temporary_);
    fs::rename(temporary_, path_);
  }

 private:
  fs::path path_;
  std::string temporary_;
  std::ofstream out_;
};

class Reader {
 public:
  explicit Reader(const fs::path& path) {
    const int fd = open(path.c_str(), O_RDONLY | O_CLOEXEC);
    if (fd < 0) throw EnvironmentError("cannot open snapshot {}: {}", path.string(), std::strerror(errno));
    struct stat info {};
    fstat(fd, &info);
    const auto size = static_cast<std::size_t>(info.st_size);
    void* base = size < kAlign ? MAP_FAILED : mmap(nullptr, size, PROT_READ, MAP_SHARED, fd, 0);
    close(fd);
    if (base == MAP_FAILED) throw DataError("snapshot {} is truncated", path.string());
    owner_ = std::shared_ptr<const void>(base, [size](const void* p) { munmap(const_cast<void*>(p), size); });
    const char* bytes = static_cast<const char*>(base);
    if (std::memcmp(bytes, kMagic, sizeof kMagic) != 0) throw DataError("{} is not a snapshot of this version of Segue", path.string());
    for (std::size_t at = kAlign; at < size;) {
      RecordHeader header{};
      if (at + padded(sizeof header) > size) throw DataError("snapshot {} is truncated", path.string());
      std::memcpy(&header, bytes + at, sizeof header);
      at += padded(sizeof header);
      const bool named = header.name[sizeof header.name - 1] == '\0';
      if (!named || header.element_size == 0 || header.count > (size - at) / header.element_size) throw DataError("snapshot {} is truncated", path.string());
      const std::size_t length = header.count * header.element_size;
      records_[header.name] = {bytes + at, header.element_size, header.count};
      at += padded(length);
    }
  }
  template <class T>
  void field(const std::string& name, Array<T>& values) {
    const auto it = records_.find(name);
    if (it == records_.end() || it->second.element_size != sizeof(T)) throw DataError("snapshot has no array '{}'", name);
    values = Array<T>(owner_, {reinterpret_cast<const T*>(it->second.data), it->second.count});
  }
  bool has(const std::string& name) const { return records_.contains(name); }
  static constexpr bool kReading = true;

 private:
  struct Record {
    const char* data = nullptr;
    std::size_t element_size = 0;
    std::size_t count = 0;
  };
  std::shared_ptr<const void> owner_;
  std::map<std::string, Record> records_;
};

// Each io() below reads or writes the same fields, so that the two cannot part.
template <class Archive>
void io(Archive& a, const std::string& name, StringTable& t) {
  Array<char> bytes = t.bytes();
  Array<std::uint64_t> offsets = t.offsets();
  a.field(name + ".bytes", bytes);
  a.field(name + ".offsets", offsets);
  if (Archive::kReading) t = StringTable(bytes, offsets);
}

template <class Archive>
void io(Archive& a, const std::string& name, Vocab& v) {
  StringTable table = v.table();
  io(a, name, table);
  if (Archive::kReading) v = Vocab(table);
}

template <class Archive>
void io(Archive& a, const std::string& name, std::string& text) {
  Array<char> bytes(std::vector<char>(text.begin(), text.end()));
  a.field(name, bytes);
  text.assign(bytes.begin(), bytes.end());
}

template <class Archive>
void io(Archive& a, const std::string& name, std::vector<std::string>& texts) {
  StringTable table(texts);
  io(a, name, table);
  texts = table.to_vector();
}

template <class Archive, class T>
  requires std::is_arithmetic_v<T>
void io(Archive& a, const std::string& name, T& value) {
  Array<T> one(std::vector<T>{value});
  a.field(name, one);
  if (one.size() != 1) throw DataError("snapshot has {} values for '{}'", one.size(), name);
  value = one[0];
}
template <class Archive>
void io(Archive& a, const std::string& name, bool& value) {
  std::uint8_t byte = value ? 1 : 0;
  io(a, name, byte);
  value = byte != 0;
}

template <class Archive, class Index>
void io(Archive& a, const std::string& name, Csr<Index>& m) {
  auto cols = static_cast<std::uint64_t>(m.cols());
  Array<std::uint64_t> offsets = m.offsets();
  Array<Index> indices = m.all_indices();
  Array<float> values = m.all_values();
  io(a, name + ".cols", cols);
  a.field(name + ".offsets", offsets);
  a.field(name + ".indices", indices);
  a.field(name + ".values", values);
  if (Archive::kReading) m = Csr<Index>(cols, offsets, indices, values);
}

template <class Archive>
void io(Archive& a, const std::string& name, Histories& h) {
  Array<std::uint64_t> offsets = h.offsets();
  Array<ItemIdx> items = h.items();
  Array<std::int64_t> times = h.times();
  Array<float> weights = h.weights();
  Array<EventKind> kinds = h.kinds();
  Array<std::uint32_t> sessions = h.sessions();
  a.field(name + ".offsets", offsets);
  a.field(name + ".items", items);
  a.field(name + ".times", times);
  a.field(name + ".weights", weights);
  a.field(name + ".kinds", kinds);
  a.field(name + ".sessions", sessions);
  if (Archive::kReading) h = Histories(offsets, items, times, weights, kinds, sessions);
}

template <class Archive>
void io(Archive& a, const std::string& name, EvalSet& s) {
  a.field(name + ".users", s.users);
  io(a, name + ".histories", s.histories);
  a.field(name + ".now", s.now);
  a.field(name + ".truth_offsets", s.truth_offsets);
  a.field(name + ".truth_items", s.truth_items);
  a.field(name + ".truth_values", s.truth_values);
  a.field(name + ".rating_users", s.rating_users);
  a.field(name + ".rating_items", s.rating_items);
  a.field(name + ".rating_values", s.rating_values);
}

// A facet is there when its marker is.
template <class FacetType, class Archive, class Body>
void io_facet(Archive& a, Facets& facets, Body body) {
  const std::string name(FacetType::kName);
  const FacetType* present = facets.find<FacetType>();
  if (Archive::kReading ? !a.has(name) : present == nullptr) return;
  std::uint8_t marker = 1;
  io(a, name, marker);
  auto facet = present == nullptr ? std::make_shared<FacetType>() : std::make_shared<FacetType>(*present);
  body(*facet, name);
  if (Archive::kReading) facets.add(std::move(facet));
}

template <class Archive>
void io(Archive& a, Facets& f) {
  io_facet<ItemText>(a, f, [&](ItemText& t, const std::string& n) { io(a, n + ".titles", t.titles); });
  io_facet<ItemArtist>(a, f, [&](ItemArtist& t, const std::string& n) {
    a.field(n + ".artist_of", t.artist_of);
    io(a, n + ".artists", t.artists);
  });
  io_facet<ItemTags>(a, f, [&](ItemTags& t, const std::string& n) {
    io(a, n + ".weights", t.weights);
    io(a, n + ".tags", t.tags);
    a.field(n + ".by_user", t.by_user);
    a.field(n + ".by_item", t.by_item);
    a.field(n + ".by_tag", t.by_tag);
  });
  io_facet<ItemWords>(a, f, [&](ItemWords& t, const std::string& n) {
    io(a, n + ".counts", t.counts);
    io(a, n + ".words", t.words);
  });
  io_facet<ItemRelease>(a, f, [&](ItemRelease& t, const std::string& n) { a.field(n + ".released", t.released); });
  io_facet<ItemAudio>(a, f, [&](ItemAudio& t, const std::string& n) { io(a, n + ".sources", t.sources); });
  io_facet<ItemSound>(a, f, [&](ItemSound& t, const std::string& n) {
    io(a, n + ".definition", t.definition);
    a.field(n + ".heard", t.heard);
    a.field(n + ".fingerprints", t.fingerprints);
    a.field(n + ".statistics", t.statistics);
    a.field(n + ".timbre_means", t.timbre_means);
    a.field(n + ".timbre_covariances", t.timbre_covariances);
  });
  io_facet<ItemClass>(a, f, [&](ItemClass& t, const std::string& n) {
    a.field(n + ".class_of", t.class_of);
    io(a, n + ".classes", t.classes);
    a.field(n + ".fold_of", t.fold_of);
    io(a, n + ".folds", t.folds);
  });
  io_facet<UserText>(a, f, [&](UserText& t, const std::string& n) { io(a, n + ".titles", t.titles); });
}

template <class Archive>
void io(Archive& a, PreparedFold& fold) {
  io(a, "name", fold.name);
  io(a, "dataset_name", fold.dataset_name);
  io(a, "dataset_title", fold.dataset_title);
  io(a, "dataset_fingerprint", fold.dataset_fingerprint);
  io(a, "users", fold.users);
  io(a, "items", fold.items);
  io(a, fold.facets);
  Csr<ItemIdx> train = fold.train.by_user();
  io(a, "train", train);
  if (Archive::kReading) fold.train = Interactions(train);
  io(a, "train_histories", fold.train_histories);
  io(a, "validation", fold.validation);
  io(a, "test", fold.test);
  io(a, "given_negatives", fold.given_negatives);
  io(a, "min_weight", fold.min_weight);
  io(a, "max_weight", fold.max_weight);
  io(a, "has_ratings", fold.has_ratings);
  io(a, "has_times", fold.has_times);
  io(a, "task_seed", fold.task_seed);
  io(a, "warnings", fold.warnings);
  LeakMeter& l = fold.leaks;
  io(a, "leaks.future_share", l.future_share);
  io(a, "leaks.tied_time_share", l.tied_time_share);
  for (auto [name, value] : {std::pair{"leaks.test_events", &l.test_events}, {"leaks.truth_items", &l.truth_items},
                             {"leaks.truth_unreachable", &l.truth_unreachable}, {"leaks.users_without_truth", &l.users_without_truth},
                             {"leaks.cold_users", &l.cold_users}, {"leaks.side_data_overlap", &l.side_data_overlap},
                             {"leaks.untagged_truth", &l.untagged_truth}})
    io(a, name, *value);
  FilterReport& f = fold.filter;
  io(a, "filter.passes", f.passes);
  for (auto [name, value] : {std::pair{"filter.users_before", &f.users_before}, {"filter.users_after", &f.users_after},
                             {"filter.items_before", &f.items_before}, {"filter.items_after", &f.items_after},
                             {"filter.events_before", &f.events_before}, {"filter.events_after", &f.events_after}})
    io(a, name, *value);
}

}  // namespace

void write_snapshot(const PreparedFold& fold, const fs::path& path) {
  if (path.has_parent_path()) fs::create_directories(path.parent_path());
  Writer writer(path);
  PreparedFold copy = fold;  // arrays are shared, so this copies no data
  io(writer, copy);
  writer.finish();
}

PreparedFold map_snapshot(const fs::path& path) {
  Reader reader(path);
  PreparedFold fold;
  io(reader, fold);
  fold.facets.set_dataset_name(fold.dataset_name);
  return fold;
}

}  // namespace segue

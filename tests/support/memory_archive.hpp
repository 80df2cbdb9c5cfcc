// A model archive in memory, for tests of save and load.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <map>
#include <span>
#include <stdexcept>
#include <string>
#include <vector>

#include "framework/model/archive.hpp"

namespace segue::test {

// Refuses names written twice, and names read that were never written, with std::logic_error.
class MemoryArchive {
 public:
  MemoryArchive() : writer_(*this), reader_(*this) {}
  MemoryArchive(const MemoryArchive&) = delete;
  MemoryArchive& operator=(const MemoryArchive&) = delete;

  ArchiveWriter& writer() { return writer_; }
  const ArchiveReader& reader() const { return reader_; }

  // Bit for bit.
  friend bool operator==(const MemoryArchive& a, const MemoryArchive& b) {
    return same(a.floats_, b.floats_) && same(a.doubles_, b.doubles_) && same(a.u32_, b.u32_) && same(a.u64_, b.u64_) &&
           same(a.values_, b.values_) && same(a.matrices_, b.matrices_);
  }

 private:
  template <class T>
  using Store = std::map<std::string, T>;

  template <class T, class Value>
  static void insert(Store<T>& store, const std::string& name, Value value) {
    if (!store.emplace(name, std::move(value)).second) throw std::logic_error("written twice: " + name);
  }
  template <class T>
  static const T& look_up(const Store<T>& store, const std::string& name) {
    const auto it = store.find(name);
    if (it == store.end()) throw std::logic_error("never written with this type: " + name);
    return it->second;
  }
  template <class T>
  static std::span<const std::byte> bytes(const std::vector<T>& values) { return std::as_bytes(std::span(values)); }
  static std::span<const std::byte> bytes(const double& value) { return std::as_bytes(std::span(&value, 1)); }
  static std::span<const std::byte> bytes(const Matrix<float>& m) {
    return std::as_bytes(std::span(m.data(), static_cast<std::size_t>(m.size())));
  }
  template <class T>
  static bool same(const Store<T>& a, const Store<T>& b) {
    return std::ranges::equal(a, b, [](const auto& x, const auto& y) {
      return x.first == y.first && std::ranges::equal(bytes(x.second), bytes(y.second));
    });
  }
  template <class T>
  static std::vector<T> copy(std::span<const T> values) {
    return {values.begin(), values.end()};
  }

  class Writer final : public ArchiveWriter {
   public:
    explicit Writer(MemoryArchive& to) : to_(to) {}
    void put(const std::string& name, std::span<const float> values) override { insert(to_.floats_, name, copy(values)); }
    void put(const std::string& name, std::span<const double> values) override { insert(to_.doubles_, name, copy(values)); }
    void put(const std::string& name, std::span<const std::uint32_t> values) override { insert(to_.u32_, name, copy(values)); }
    void put(const std::string& name, std::span<const std::uint64_t> values) override { insert(to_.u64_, name, copy(values)); }
    void put_value(const std::string& name, double value) override { insert(to_.values_, name, value); }
    void put_matrix(const std::string& name, const Matrix<float>& matrix) override { insert(to_.matrices_, name, matrix); }

   private:
    MemoryArchive& to_;
  };

  class Reader final : public ArchiveReader {
   public:
    explicit Reader(const MemoryArchive& from) : from_(from) {}
    bool has(const std::string& name) const override {
      return from_.floats_.contains(name) || from_.doubles_.contains(name) || from_.u32_.contains(name) ||
             from_.u64_.contains(name) || from_.values_.contains(name) || from_.matrices_.contains(name);
    }
    std::vector<float> floats(const std::string& name) const override { return look_up(from_.floats_, name); }
    std::vector<double> doubles(const std::string& name) const override { return look_up(from_.doubles_, name); }
    std::vector<std::uint32_t> u32(const std::string& name) const override { return look_up(from_.u32_, name); }
    std::vector<std::uint64_t> u64(const std::string& name) const override { return look_up(from_.u64_, name); }
    double value(const std::string& name) const override { return look_up(from_.values_, name); }
    Matrix<float> matrix(const std::string& name) const override { return look_up(from_.matrices_, name); }

   private:
    const MemoryArchive& from_;
  };

  Store<std::vector<float>> floats_;
  Store<std::vector<double>> doubles_;
  Store<std::vector<std::uint32_t>> u32_;
  Store<std::vector<std::uint64_t>> u64_;
  Store<double> values_;
  Store<Matrix<float>> matrices_;
  Writer writer_;
  Reader reader_;
};

}  // namespace segue::test

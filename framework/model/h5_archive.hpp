// Models inside HDF5 files: each name of the archive is an array below a group.
#pragma once

#include <string>

#include "framework/h5/file.hpp"
#include "framework/model/archive.hpp"

namespace segue {

class H5ArchiveWriter : public ArchiveWriter {
 public:
  H5ArchiveWriter(H5Writer& file, std::string group) : file_(file), group_(std::move(group)) {}
  void put(const std::string& name, std::span<const float> values) override { array(name, values); }
  void put(const std::string& name, std::span<const double> values) override { array(name, values); }
  void put(const std::string& name, std::span<const std::uint32_t> values) override { array(name, values); }
  void put(const std::string& name, std::span<const std::uint64_t> values) override { array(name, values); }
  void put_value(const std::string& name, double value) override {
    file_.attribute(group_, name, value);
    bytes_ += sizeof value;
  }
  void put_matrix(const std::string& name, const Matrix<float>& m) override {
    const auto rows = static_cast<std::size_t>(m.rows()), cols = static_cast<std::size_t>(m.cols());
    file_.array(group_ + "/" + name, std::span<const float>(m.data(), rows * cols), {rows, cols});
    bytes_ += rows * cols * sizeof(float);
  }
  // Bytes of parameters put so far: the model's size.
  std::size_t bytes() const { return bytes_; }

 private:
  template <class T>
  void array(const std::string& name, std::span<const T> values) {
    file_.array(group_ + "/" + name, values);
    bytes_ += values.size_bytes();
  }
  H5Writer& file_;
  std::string group_;
  std::size_t bytes_ = 0;
};

class H5ArchiveReader : public ArchiveReader {
 public:
  H5ArchiveReader(const H5Reader& file, std::string group) : file_(file), group_(std::move(group)) {}
  bool has(const std::string& name) const override { return file_.has(group_ + "/" + name) || file_.has_attribute(group_, name); }
  std::vector<float> floats(const std::string& name) const override { return file_.array<float>(group_ + "/" + name); }
  std::vector<double> doubles(const std::string& name) const override { return file_.array<double>(group_ + "/" + name); }
  std::vector<std::uint32_t> u32(const std::string& name) const override { return file_.array<std::uint32_t>(group_ + "/" + name); }
  std::vector<std::uint64_t> u64(const std::string& name) const override { return file_.array<std::uint64_t>(group_ + "/" + name); }
  double value(const std::string& name) const override { return file_.attribute_real(group_, name); }
  Matrix<float> matrix(const std::string& name) const override {
    const auto shape = file_.shape(group_ + "/" + name);
    const std::vector<float> values = floats(name);
    SEGUE_CHECK(shape.size() == 2, "'{}' is not a matrix", name);
    return Eigen::Map<const Matrix<float>>(values.data(), static_cast<Eigen::Index>(shape[0]), static_cast<Eigen::Index>(shape[1]));
  }

 private:
  const H5Reader& file_;
  std::string group_;
};

}  // namespace segue

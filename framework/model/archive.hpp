// How a fitted model is written and read back: named arrays and values inside the trial file's /model group.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "framework/linalg/matrix.hpp"

namespace segue {

class ArchiveWriter {
 public:
  virtual ~ArchiveWriter() = default;
  virtual void put(const std::string& name, std::span<const float> values) = 0;
  virtual void put(const std::string& name, std::span<const double> values) = 0;
  virtual void put(const std::string& name, std::span<const std::uint32_t> values) = 0;
  virtual void put(const std::string& name, std::span<const std::uint64_t> values) = 0;
  virtual void put_value(const std::string& name, double value) = 0;
  virtual void put_matrix(const std::string& name, const Matrix<float>& matrix) = 0;
};

class ArchiveReader {
 public:
  virtual ~ArchiveReader() = default;
  virtual bool has(const std::string& name) const = 0;
  virtual std::vector<float> floats(const std::string& name) const = 0;
  virtual std::vector<double> doubles(const std::string& name) const = 0;
  virtual std::vector<std::uint32_t> u32(const std::string& name) const = 0;
  virtual std::vector<std::uint64_t> u64(const std::string& name) const = 0;
  virtual double value(const std::string& name) const = 0;
  virtual Matrix<float> matrix(const std::string& name) const = 0;
};

}  // namespace segue

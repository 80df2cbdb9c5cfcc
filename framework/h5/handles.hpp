// What the writer and the reader share: RAII for HDF5 ids, the lock, the element types. Included by framework/h5/*.cpp
// only.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <mutex>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include <hdf5.h>

#include "framework/base/errors.hpp"

namespace segue::h5 {

// Held during every call into HDF5: the lock, and silence on stderr (our exceptions carry the error stack instead).
class Session {
 public:
  Session() : lock_(mutex()) { H5Eset_auto2(H5E_DEFAULT, nullptr, nullptr); }

 private:
  static std::recursive_mutex& mutex() {
    static std::recursive_mutex instance;
    return instance;
  }
  std::lock_guard<std::recursive_mutex> lock_;
};

// The innermost (most specific) entry of HDF5's error stack.
inline std::string last_h5_error() {
  std::string text;
  auto keep_first = [](unsigned, const H5E_error2_t* error, void* out) -> herr_t {
    auto& message = *static_cast<std::string*>(out);
    if (message.empty() && error->desc != nullptr) message = error->desc;
    return 0;
  };
  H5Ewalk2(H5E_DEFAULT, H5E_WALK_UPWARD, keep_first, &text);
  return text.empty() ? "unknown HDF5 error" : text;
}

class Handle {
 public:
  using Close = herr_t (*)(hid_t);
  Handle(hid_t id, Close close) : id_(id), close_(close) {}
  Handle(Handle&& other) noexcept : id_(std::exchange(other.id_, -1)), close_(other.close_) {}
  Handle(const Handle&) = delete;
  Handle& operator=(const Handle&) = delete;
  Handle& operator=(Handle&&) = delete;
  ~Handle() { reset(); }
  herr_t reset() { return id_ >= 0 ? close_(std::exchange(id_, -1)) : 0; }
  operator hid_t() const { return id_; }  // NOLINT(google-explicit-constructor): stands where HDF5 wants an id
  bool valid() const { return id_ >= 0; }

 private:
  hid_t id_;
  Close close_;
};

struct ElementType {
  const char* name;
  H5T_class_t kind;
  std::size_t size;
  bool is_signed;
  hid_t stored;
  hid_t native;
};

// The H5T_ names are run-time values, so the table is built at first use.
inline const std::array<ElementType, 7>& element_types() {
  static const std::array<ElementType, 7> table{{{"u8", H5T_INTEGER, 1, false, H5T_STD_U8LE, H5T_NATIVE_UINT8},
                                                 {"u32", H5T_INTEGER, 4, false, H5T_STD_U32LE, H5T_NATIVE_UINT32},
                                                 {"u64", H5T_INTEGER, 8, false, H5T_STD_U64LE, H5T_NATIVE_UINT64},
                                                 {"i32", H5T_INTEGER, 4, true, H5T_STD_I32LE, H5T_NATIVE_INT32},
                                                 {"i64", H5T_INTEGER, 8, true, H5T_STD_I64LE, H5T_NATIVE_INT64},
                                                 {"f32", H5T_FLOAT, 4, true, H5T_IEEE_F32LE, H5T_NATIVE_FLOAT},
                                                 {"f64", H5T_FLOAT, 8, true, H5T_IEEE_F64LE, H5T_NATIVE_DOUBLE}}};
  return table;
}

template <class T>
const ElementType& element_type() {
  for (const ElementType& type : element_types()) {
    const bool same_kind = (type.kind == H5T_FLOAT) == std::is_floating_point_v<T>;
    if (same_kind && type.size == sizeof(T) && type.is_signed == std::is_signed_v<T>) return type;
  }
  throw LogicError("no HDF5 element type for this C++ type");
}

inline bool is_text(hid_t type) { return H5Tget_class(type) == H5T_STRING && H5Tis_variable_str(type) > 0; }

// nullptr for a type that Segue does not write.
inline const ElementType* known_type(hid_t type) {
  const H5T_class_t kind = H5Tget_class(type);
  for (const ElementType& known : element_types()) {
    if (known.kind != kind || known.size != H5Tget_size(type)) continue;
    if (kind == H5T_FLOAT || known.is_signed == (H5Tget_sign(type) == H5T_SGN_2)) return &known;
  }
  return nullptr;
}

inline std::string type_name(hid_t type) {
  if (is_text(type)) return "text";
  const ElementType* known = known_type(type);
  return known != nullptr
             ? known->name
             : fmt::format("HDF5 class {} of {} bytes", static_cast<int>(H5Tget_class(type)), H5Tget_size(type));
}

inline Handle text_type() {
  Handle type(H5Tcopy(H5T_C_S1), H5Tclose);
  H5Tset_size(type, H5T_VARIABLE);
  H5Tset_cset(type, H5T_CSET_UTF8);
  return type;
}

inline std::vector<std::size_t> space_shape(hid_t space) {
  const int rank = std::max(0, H5Sget_simple_extent_ndims(space));
  std::vector<hsize_t> dims(static_cast<std::size_t>(rank));
  if (rank > 0) H5Sget_simple_extent_dims(space, dims.data(), nullptr);
  return {dims.begin(), dims.end()};
}

inline std::size_t element_count(const std::vector<std::size_t>& shape) {
  std::size_t n = 1;
  for (std::size_t d : shape) n *= d;
  return n;
}

// H5Lexists fails, rather than saying no, where a group on the way is missing; so ask step by step.
inline bool exists(hid_t file, const std::string& path) {
  if (path.empty() || path[0] != '/') return false;
  for (std::size_t end = 1; end != std::string::npos && end < path.size();) {
    end = path.find('/', end);
    const std::string prefix = path.substr(0, end);
    if (prefix.size() > 1 && (H5Lexists(file, prefix.c_str(), H5P_DEFAULT) <= 0 ||
                              H5Oexists_by_name(file, prefix.c_str(), H5P_DEFAULT) <= 0))
      return false;
    if (end != std::string::npos) ++end;
  }
  return true;
}

}  // namespace segue::h5

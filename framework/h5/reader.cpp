#include <algorithm>
#include <cerrno>
#include <cstring>

#include <fcntl.h>
#include <hdf5.h>
#include <unistd.h>

#include "framework/base/errors.hpp"
#include "framework/h5/file.hpp"
#include "framework/h5/handles.hpp"

namespace segue {

namespace fs = std::filesystem;
using namespace h5;

namespace {

herr_t collect_link(hid_t, const char* name, const H5L_info_t*, void* out) {
  static_cast<std::vector<std::string>*>(out)->emplace_back(name);
  return 0;
}

herr_t collect_attribute(hid_t, const char* name, const H5A_info_t*, void* out) {
  static_cast<std::vector<std::string>*>(out)->emplace_back(name);
  return 0;
}

}  // namespace

struct H5Reader::Impl {
  fs::path path;
  Handle file;

  template <class... Args>
  DataError error(fmt::format_string<Args...> format, Args&&... args) const {
    return DataError("{}: {}", path.string(), fmt::format(format, std::forward<Args>(args)...));
  }
  Handle dataset(const std::string& object) const {
    if (!exists(file, object)) throw error("no '{}' in this file", object);
    Handle set(H5Dopen2(file, object.c_str(), H5P_DEFAULT), H5Dclose);
    if (!set.valid()) throw error("'{}' is not a dataset", object);
    return set;
  }
  std::vector<std::size_t> dataset_shape(hid_t set) const { return space_shape(Handle(H5Dget_space(set), H5Sclose)); }
  void read(hid_t set, const std::string& object, hid_t memory_type, void* out) const {
    if (H5Dread(set, memory_type, H5S_ALL, H5S_ALL, H5P_DEFAULT, out) < 0)
      throw error("cannot read '{}': {}", object, last_h5_error());
  }
  std::vector<std::string> read_strings(hid_t set, const std::string& object) const {
    const Handle type(H5Dget_type(set), H5Tclose);
    if (!is_text(type)) throw error("'{}' holds {}, not text", object, type_name(type));
    const Handle space(H5Dget_space(set), H5Sclose);
    std::vector<char*> pointers(element_count(space_shape(space)), nullptr);
    if (!pointers.empty()) read(set, object, type, pointers.data());
    std::vector<std::string> values;
    values.reserve(pointers.size());
    for (const char* p : pointers) values.emplace_back(p == nullptr ? "" : p);
    if (!pointers.empty()) H5Dvlen_reclaim(type, space, H5P_DEFAULT, pointers.data());
    return values;
  }
  bool has_attribute(const std::string& object, const std::string& name) const {
    return exists(file, object) && H5Aexists_by_name(file, object.c_str(), name.c_str(), H5P_DEFAULT) > 0;
  }
  Handle open_attribute(const std::string& object, const std::string& name) const {
    if (!has_attribute(object, name)) throw error("no attribute '{}' at '{}'", name, object);
    return {H5Aopen_by_name(file, object.c_str(), name.c_str(), H5P_DEFAULT, H5P_DEFAULT), H5Aclose};
  }
  // `type` nullptr: a text, into *static_cast<std::string*>(out).
  void read_attribute(const std::string& object, const std::string& name, const ElementType* type, void* out) const {
    const Handle attribute = open_attribute(object, name);
    const Handle stored(H5Aget_type(attribute), H5Tclose);
    const Handle space(H5Aget_space(attribute), H5Sclose);
    const bool matches =
        (type == nullptr ? is_text(stored) : known_type(stored) == type) && element_count(space_shape(space)) == 1;
    if (!matches)
      throw error("attribute '{}' at '{}' holds {}, not {}", name, object, type_name(stored),
                  type == nullptr ? "text" : type->name);
    char* pointer = nullptr;
    if (H5Aread(attribute, type == nullptr ? static_cast<hid_t>(stored) : type->native,
                type == nullptr ? &pointer : out) < 0)
      throw error("cannot read attribute '{}' at '{}': {}", name, object, last_h5_error());
    if (type != nullptr) return;
    *static_cast<std::string*>(out) = pointer == nullptr ? "" : pointer;
    H5Dvlen_reclaim(stored, space, H5P_DEFAULT, &pointer);
  }
};

H5Reader::H5Reader(const fs::path& path) {
  const Session session;
  if (const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC); fd >= 0) {
    ::close(fd);
  } else {
    throw EnvironmentError("cannot open '{}': {}", path.string(), std::strerror(errno));
  }
  const Handle access(H5Pcreate(H5P_FILE_ACCESS), H5Pclose);
  H5Pset_file_locking(access, false, true);  // a committed file never changes
  impl_ = std::make_unique<Impl>(Impl{path, Handle(H5Fopen(path.c_str(), H5F_ACC_RDONLY, access), H5Fclose)});
  if (!impl_->file.valid()) throw DataError("'{}' is not a complete HDF5 file: {}", path.string(), last_h5_error());
}

H5Reader::~H5Reader() {
  const Session session;
  impl_.reset();
}
H5Reader::H5Reader(H5Reader&&) noexcept = default;
H5Reader& H5Reader::operator=(H5Reader&& other) noexcept {
  const Session session;
  impl_ = std::move(other.impl_);
  return *this;
}

const fs::path& H5Reader::path() const { return impl_->path; }

bool H5Reader::has(const std::string& path) const {
  const Session session;
  return exists(impl_->file, path);
}

bool H5Reader::is_group(const std::string& path) const {
  const Session session;
  return exists(impl_->file, path) && Handle(H5Gopen2(impl_->file, path.c_str(), H5P_DEFAULT), H5Gclose).valid();
}

std::vector<std::string> H5Reader::children(const std::string& group) const {
  const Session session;
  if (!is_group(group)) throw impl_->error("no group '{}' in this file", group);
  std::vector<std::string> names;
  if (H5Literate_by_name(impl_->file, group.c_str(), H5_INDEX_NAME, H5_ITER_INC, nullptr, collect_link, &names,
                         H5P_DEFAULT) < 0)
    throw impl_->error("cannot list '{}': {}", group, last_h5_error());
  std::sort(names.begin(), names.end());
  return names;
}

template <class T>
std::vector<T> H5Reader::array(const std::string& path) const {
  const Session session;
  const Handle set = impl_->dataset(path);
  const Handle stored(H5Dget_type(set), H5Tclose);
  const ElementType& type = element_type<T>();
  if (known_type(stored) != &type) throw impl_->error("'{}' holds {}, not {}", path, type_name(stored), type.name);
  std::vector<T> values(element_count(impl_->dataset_shape(set)));
  if (!values.empty()) impl_->read(set, path, type.native, values.data());
  return values;
}

std::vector<std::size_t> H5Reader::shape(const std::string& path) const {
  const Session session;
  return impl_->dataset_shape(impl_->dataset(path));
}

std::vector<std::string> H5Reader::strings(const std::string& path) const {
  const Session session;
  return impl_->read_strings(impl_->dataset(path), path);
}

bool H5Reader::has_attribute(const std::string& object_path, const std::string& name) const {
  const Session session;
  return impl_->has_attribute(object_path, name);
}

std::optional<std::string> H5Reader::attribute_text(const std::string& object_path, const std::string& name) const {
  const Session session;
  if (!impl_->has_attribute(object_path, name)) return std::nullopt;
  std::string value;
  impl_->read_attribute(object_path, name, nullptr, &value);
  return value;
}

std::int64_t H5Reader::attribute_int(const std::string& object_path, const std::string& name) const {
  const Session session;
  std::int64_t value = 0;
  impl_->read_attribute(object_path, name, &element_type<std::int64_t>(), &value);
  return value;
}

double H5Reader::attribute_real(const std::string& object_path, const std::string& name) const {
  const Session session;
  double value = 0;
  impl_->read_attribute(object_path, name, &element_type<double>(), &value);
  return value;
}

std::vector<std::string> H5Reader::attribute_names(const std::string& object_path) const {
  const Session session;
  if (!exists(impl_->file, object_path)) throw impl_->error("no '{}' in this file", object_path);
  std::vector<std::string> names;
  if (H5Aiterate_by_name(impl_->file, object_path.c_str(), H5_INDEX_NAME, H5_ITER_INC, nullptr, collect_attribute,
                         &names, H5P_DEFAULT) < 0)
    throw impl_->error("cannot list the attributes of '{}': {}", object_path, last_h5_error());
  std::sort(names.begin(), names.end());
  return names;
}

void hash_h5_group(const H5Reader& file, const std::string& group, const std::vector<std::string>& skip,
                   Hasher& hasher) {
  const Session session;
  const auto& impl = *file.impl_;
  const auto skipped = [&](const std::string& path) { return std::find(skip.begin(), skip.end(), path) != skip.end(); };
  for (const std::string& name : file.attribute_names(group)) {
    if (skipped(group + "@" + name)) continue;
    const Handle attribute = impl.open_attribute(group, name);
    const Handle stored(H5Aget_type(attribute), H5Tclose);
    hasher.add("attribute").add(name).add(type_name(stored));
    if (is_text(stored)) {
      hasher.add(*file.attribute_text(group, name));
    } else {
      const ElementType* type = known_type(stored);
      std::uint64_t bits = 0;  // every known type fits
      if (type == nullptr) throw impl.error("attribute '{}' at '{}' has a type that Segue does not write", name, group);
      impl.read_attribute(group, name, type, &bits);
      hasher.add(bits);
    }
  }
  if (!file.is_group(group)) {
    const Handle set = impl.dataset(group);
    const Handle stored(H5Dget_type(set), H5Tclose);
    const std::vector<std::size_t> shape = impl.dataset_shape(set);
    hasher.add("dataset").add(type_name(stored)).add(std::span<const std::size_t>(shape));
    if (is_text(stored)) {
      for (const std::string& text : impl.read_strings(set, group)) hasher.add(text);
    } else {
      const ElementType* type = known_type(stored);
      if (type == nullptr) throw impl.error("'{}' has a type that Segue does not write", group);
      std::vector<std::byte> bytes(element_count(shape) * type->size);
      if (!bytes.empty()) impl.read(set, group, type->native, bytes.data());
      hasher.bytes(bytes.data(), bytes.size());
    }
    return;
  }
  for (const std::string& name : file.children(group)) {
    const std::string path = (group == "/" ? "" : group) + "/" + name;
    if (skipped(path)) continue;
    hasher.add("child").add(name);
    hash_h5_group(file, path, skip, hasher);
  }
  hasher.add("end");
}

#define SEGUE_H5_ELEMENT(T) template std::vector<T> H5Reader::array<T>(const std::string&) const;
SEGUE_H5_ELEMENT(std::uint8_t)
SEGUE_H5_ELEMENT(std::uint32_t)
SEGUE_H5_ELEMENT(std::uint64_t)
SEGUE_H5_ELEMENT(std::int32_t)
SEGUE_H5_ELEMENT(std::int64_t)
SEGUE_H5_ELEMENT(float)
SEGUE_H5_ELEMENT(double)
#undef SEGUE_H5_ELEMENT

}  // namespace segue

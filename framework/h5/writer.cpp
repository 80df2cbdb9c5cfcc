#include <algorithm>
#include <cerrno>
#include <cstring>
#include <system_error>

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

constexpr std::size_t kCompressAbove = 4096;     // bytes; below, the chunk index costs more than it saves
constexpr std::size_t kChunkBytes = 256 * 1024;  // well inside HDF5's default chunk cache of 1 MiB

void sync_path(const fs::path& path, int flags) {
  const int fd = ::open(path.c_str(), flags | O_CLOEXEC);
  const bool ok = fd >= 0 && ::fsync(fd) == 0;
  const int error = errno;
  if (fd >= 0) ::close(fd);
  if (!ok) throw EnvironmentError("cannot sync '{}': {}", path.string(), std::strerror(error));
}

}  // namespace

struct H5Writer::Impl {
  fs::path path, temporary;
  Handle file;
  H5Packing packing;

  void check(bool ok, const std::string& what) const {
    if (!ok) throw EnvironmentError("cannot write '{}' to '{}': {}", what, path.string(), last_h5_error());
  }
  static void check_path(const std::string& object) {
    SEGUE_CHECK(object.size() > 1 && object[0] == '/' && object.back() != '/' && object.find("//") == std::string::npos,
                "'{}' is not an absolute path inside an HDF5 file", object);
  }
  void check_open() const { SEGUE_CHECK(file.valid(), "'{}' has been committed already", path.string()); }

  // With its parents. HDF5's own "create intermediate groups" stamps them with the time of day.
  void make_group(const std::string& group) const {
    if (group.empty() || exists(file, group)) return;
    make_group(group.substr(0, group.rfind('/')));
    const Handle links(H5Pcreate(H5P_LINK_CREATE), H5Pclose);
    const Handle settings(H5Pcreate(H5P_GROUP_CREATE), H5Pclose);
    H5Pset_char_encoding(links, H5T_CSET_UTF8);
    H5Pset_obj_track_times(settings, 0);
    check(Handle(H5Gcreate2(file, group.c_str(), links, settings, H5P_DEFAULT), H5Gclose).valid(), group);
  }

  void create_dataset(const std::string& object, hid_t type, hid_t memory_type, std::size_t element_size,
                      const std::vector<std::size_t>& shape, const void* values, bool compress) const {
    check_path(object);
    check_open();
    SEGUE_CHECK(!exists(file, object), "'{}' is written twice to '{}'", object, path.string());
    const std::vector<hsize_t> dims(shape.begin(), shape.end());
    const Handle space(H5Screate_simple(static_cast<int>(dims.size()), dims.data(), nullptr), H5Sclose);
    const Handle links(H5Pcreate(H5P_LINK_CREATE), H5Pclose);
    const Handle settings(H5Pcreate(H5P_DATASET_CREATE), H5Pclose);
    make_group(object.substr(0, object.rfind('/')));
    H5Pset_char_encoding(links, H5T_CSET_UTF8);
    H5Pset_obj_track_times(settings, 0);
    if (compress && element_count(shape) * element_size > kCompressAbove) {
      std::vector<hsize_t> chunk(dims.size());
      hsize_t room = kChunkBytes / element_size;  // elements left for the dimensions further out
      for (std::size_t d = dims.size(); d-- > 0;) {
        chunk[d] = std::clamp<hsize_t>(dims[d], 1, std::max<hsize_t>(1, room));
        room /= chunk[d];
      }
      H5Pset_chunk(settings, static_cast<int>(chunk.size()), chunk.data());
      H5Pset_shuffle(settings);
      check(H5Pset_deflate(settings, 4) >= 0, object);
    }
    const Handle set(H5Dcreate2(file, object.c_str(), type, space, links, settings, H5P_DEFAULT), H5Dclose);
    check(set.valid(), object);
    if (element_count(shape) > 0) check(H5Dwrite(set, memory_type, H5S_ALL, H5S_ALL, H5P_DEFAULT, values) >= 0, object);
  }

  void create_attribute(const std::string& object, const std::string& name, hid_t type, hid_t memory_type,
                        const void* value) const {
    check_open();
    if (object != "/") check_path(object);
    if (!exists(file, object)) make_group(object);
    SEGUE_CHECK(H5Aexists_by_name(file, object.c_str(), name.c_str(), H5P_DEFAULT) <= 0,
                "attribute '{}' of '{}' is written twice to '{}'", name, object, path.string());
    const Handle space(H5Screate(H5S_SCALAR), H5Sclose);
    const Handle attribute(
        H5Acreate_by_name(file, object.c_str(), name.c_str(), type, space, H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT),
        H5Aclose);
    check(attribute.valid() && H5Awrite(attribute, memory_type, value) >= 0, object + "@" + name);
  }
};

H5Writer::H5Writer(const fs::path& path, H5Packing packing) {
  const Session session;
  const fs::path temporary = path.string() + fmt::format(".tmp-{}", ::getpid());
  std::error_code error;
  if (path.has_parent_path()) fs::create_directories(path.parent_path(), error);
  if (error) throw EnvironmentError("cannot create folder '{}': {}", path.parent_path().string(), error.message());
  const Handle access(H5Pcreate(H5P_FILE_ACCESS), H5Pclose);
  const Handle creation(H5Pcreate(H5P_FILE_CREATE), H5Pclose);
  H5Pset_libver_bounds(access, H5F_LIBVER_V18, H5F_LIBVER_LATEST);
  H5Pset_file_locking(access, false, true);  // nobody else knows the temporary name, and network disks may lack locks
  H5Pset_obj_track_times(creation, 0);       // for the root group
  impl_ = std::make_unique<Impl>(
      Impl{path, temporary, Handle(H5Fcreate(temporary.c_str(), H5F_ACC_TRUNC, creation, access), H5Fclose), packing});
  if (!impl_->file.valid()) throw EnvironmentError("cannot create '{}': {}", temporary.string(), last_h5_error());
}

H5Writer::~H5Writer() {
  const Session session;
  if (!impl_->file.valid()) return;
  impl_->file.reset();
  std::error_code ignored;
  fs::remove(impl_->temporary, ignored);
}

void H5Writer::commit() {
  const Session session;
  impl_->check_open();
  impl_->check(H5Fflush(impl_->file, H5F_SCOPE_LOCAL) >= 0, "/");
  if (impl_->file.reset() < 0) {
    std::error_code ignored;
    fs::remove(impl_->temporary, ignored);
    throw EnvironmentError("cannot close '{}': {}", impl_->path.string(), last_h5_error());
  }
  try {
    sync_path(impl_->temporary, O_RDONLY);
    std::error_code error;
    fs::rename(impl_->temporary, impl_->path, error);
    if (error)
      throw EnvironmentError("cannot rename '{}' to '{}': {}", impl_->temporary.string(), impl_->path.string(),
                             error.message());
  } catch (...) {
    std::error_code ignored;
    fs::remove(impl_->temporary, ignored);
    throw;
  }
  sync_path(impl_->path.has_parent_path() ? impl_->path.parent_path() : fs::path("."), O_RDONLY | O_DIRECTORY);
}

template <class T>
void H5Writer::array(const std::string& path, std::span<const T> values, std::vector<std::size_t> shape) {
  const Session session;
  if (shape.empty()) shape = {values.size()};
  SEGUE_CHECK(element_count(shape) == values.size(), "'{}' holds {} values but its shape asks for {}", path,
              values.size(), element_count(shape));
  const ElementType& type = element_type<T>();
  impl_->create_dataset(path, type.stored, type.native, sizeof(T), shape, values.data(),
                        impl_->packing == H5Packing::kDeflate);
}

void H5Writer::strings(const std::string& path, const std::vector<std::string>& values) {
  const Session session;
  std::vector<const char*> pointers;
  pointers.reserve(values.size());
  for (std::size_t i = 0; i < values.size(); ++i) {
    if (values[i].find('\0') != std::string::npos)
      throw DataError("text {} of '{}' in '{}' holds a NUL byte", i, path, impl_->path.string());
    pointers.push_back(values[i].c_str());
  }
  const Handle type = text_type();
  impl_->create_dataset(path, type, type, sizeof(char*), {values.size()}, pointers.data(),
                        false);  // the texts lie in the heap, which deflate does not reach
}

void H5Writer::attribute(const std::string& object_path, const std::string& name, const std::string& value) {
  const Session session;
  if (value.find('\0') != std::string::npos)
    throw DataError("attribute '{}' of '{}' in '{}' holds a NUL byte", name, object_path, impl_->path.string());
  const Handle type = text_type();
  const char* pointer = value.c_str();
  impl_->create_attribute(object_path, name, type, type, &pointer);
}

void H5Writer::attribute_int(const std::string& object_path, const std::string& name, std::int64_t value) {
  const Session session;
  impl_->create_attribute(object_path, name, H5T_STD_I64LE, H5T_NATIVE_INT64, &value);
}

void H5Writer::attribute_real(const std::string& object_path, const std::string& name, double value) {
  const Session session;
  impl_->create_attribute(object_path, name, H5T_IEEE_F64LE, H5T_NATIVE_DOUBLE, &value);
}

#define SEGUE_H5_ELEMENT(T) \
  template void H5Writer::array<T>(const std::string&, std::span<const T>, std::vector<std::size_t>);
SEGUE_H5_ELEMENT(std::uint8_t)
SEGUE_H5_ELEMENT(std::uint32_t)
SEGUE_H5_ELEMENT(std::uint64_t)
SEGUE_H5_ELEMENT(std::int32_t)
SEGUE_H5_ELEMENT(std::int64_t)
SEGUE_H5_ELEMENT(float)
SEGUE_H5_ELEMENT(double)
#undef SEGUE_H5_ELEMENT

}  // namespace segue

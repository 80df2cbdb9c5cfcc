// Archives into folders. Internal to the module; the only door to libarchive.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>

namespace segue {

// Unpacks a zip or tar (plain, gzip, bzip2, xz, zstd) into `folder`, which must not exist, and syncs its files. Where
// all entries lie in one top-level folder, that folder is left out. progress(bytes written) may throw.
// DataError: not such an archive, damaged, or an entry that is absolute, climbs with "..", comes twice, or is a link or
// a special file. Whatever was unpacked until then stays for the caller to remove.
void unpack_archive(const std::filesystem::path& archive, const std::filesystem::path& folder,
                    const std::function<void(std::uint64_t)>& progress = {});

}  // namespace segue

// Indices of users and items inside a data set. Strong types, so that one is never taken for the other.
#pragma once

#include <compare>
#include <cstddef>
#include <cstdint>
#include <limits>

namespace segue {

enum class UserIdx : std::uint32_t {};
enum class ItemIdx : std::uint32_t {};

// A user or item that the vocabulary does not hold.
inline constexpr UserIdx kNoUser{std::numeric_limits<std::uint32_t>::max()};
inline constexpr ItemIdx kNoItem{std::numeric_limits<std::uint32_t>::max()};

// The artist of an item of which nobody knows the artist.
inline constexpr std::uint32_t kNoArtist = std::numeric_limits<std::uint32_t>::max();

// The array position behind an index.
constexpr std::size_t raw(UserIdx user) { return static_cast<std::size_t>(user); }
constexpr std::size_t raw(ItemIdx item) { return static_cast<std::size_t>(item); }

constexpr UserIdx user_at(std::size_t position) { return UserIdx{static_cast<std::uint32_t>(position)}; }
constexpr ItemIdx item_at(std::size_t position) { return ItemIdx{static_cast<std::uint32_t>(position)}; }

}  // namespace segue

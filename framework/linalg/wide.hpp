// Sixteen numbers side by side in the compiler's vector type, float or double alike: for kernels that do the same to
// sixteen columns and whose sums deserve double. +, -, *, / work by element, each rounded as scalar code rounds, so the
// bits do not depend on the instruction set.
#pragma once

#include <cstddef>
#include <cstring>

namespace segue {

template <class T>
struct WideOf;
template <>
struct WideOf<float> {
  typedef float Type __attribute__((vector_size(64)));
};
template <>
struct WideOf<double> {
  typedef double Type __attribute__((vector_size(128)));
};
template <class T>
using Wide = typename WideOf<T>::Type;
inline constexpr std::size_t kWide = 16;

// from may stand anywhere; references keep the vectors out of calling conventions.
template <class T>
inline void load_wide(const T* from, Wide<T>& to) {
  std::memcpy(&to, from, sizeof to);
}
template <class T>
inline void store_wide(const Wide<T>& from, T* to) {
  std::memcpy(to, &from, sizeof from);
}
// The same numbers in double.
inline void widen(const Wide<float>& from, Wide<double>& to) { to = __builtin_convertvector(from, Wide<double>); }
inline void widen(const Wide<double>& from, Wide<double>& to) { to = from; }

}  // namespace segue

// The ABI mark: what a plugin and the program must have in common before one may call the other, as text in the file.
//
// C++ types cross the border between program and plugin, so both must have been built alike: the same framework types,
// the same compiler and standard library, the same vector instructions (Eigen's alignment and packets follow from
// them). The mark is composed at compile time, lies in the section .segue_abi of every plugin, and is compared before
// dlopen() runs any of its code.
//
//   SEGUE-ABI 4
//   compiler: g++ 12
//   standard library: libstdc++ 12, C++11 strings
//   ...
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include <Eigen/Core>

#include "framework/model/registry.hpp"

namespace segue {

// Bump whenever a public header changes what a compiled plugin relies on: a virtual function, a member, an inline
// function's meaning. Changes of size are noticed without it.
#ifdef SEGUE_TEST_ABI_VERSION
inline constexpr int kAbiVersion = SEGUE_TEST_ABI_VERSION;
#else
inline constexpr int kAbiVersion = 5;
#endif

inline constexpr const char kAbiSection[] = ".segue_abi";

// NUL-terminated, padded with NUL.
struct AbiMark {
  char text[768] = {};
};

namespace detail {

struct AbiWriter {
  AbiMark mark;
  std::size_t size = 0;
  constexpr AbiWriter& operator<<(std::string_view text) {
    for (const char c : text) mark.text[size++] = c;
    return *this;
  }
  constexpr AbiWriter& operator<<(unsigned long number) {
    if (number >= 10) *this << number / 10;
    mark.text[size++] = static_cast<char>('0' + number % 10);
    return *this;
  }
};

}  // namespace detail

// The mark of the code that is being compiled. A text too long for AbiMark does not compile.
consteval AbiMark compile_abi_mark() {
  detail::AbiWriter out;
  out << "SEGUE-ABI " << static_cast<unsigned long>(kAbiVersion);

  out << "\ncompiler: ";
#if defined(__clang__)
  out << "clang++ " << __clang_major__;
#elif defined(__GNUC__)
  out << "g++ " << __GNUC__;
#else
#error "Segue's plugins need GCC or Clang"
#endif

  out << "\nstandard library: ";
#if defined(__GLIBCXX__)
  out << "libstdc++ " << _GLIBCXX_RELEASE << (_GLIBCXX_USE_CXX11_ABI != 0 ? ", C++11 strings" : ", old strings");
#elif defined(_LIBCPP_VERSION)
  out << "libc++ " << static_cast<unsigned long>(_LIBCPP_VERSION);
#endif
#ifdef _GLIBCXX_DEBUG
  out << ", debug containers";
#endif

  out << "\nfmt: " << static_cast<unsigned long>(FMT_VERSION / 10000);
  out << "\nEigen: " << EIGEN_WORLD_VERSION << "." << EIGEN_MAJOR_VERSION << "." << EIGEN_MINOR_VERSION;
  out << "\nEigen alignment: " << EIGEN_MAX_ALIGN_BYTES << " bytes";

  out << "\narch flags:";
#ifdef __x86_64__
  out << " x86-64";
#endif
#ifdef __aarch64__
  out << " aarch64";
#endif
#ifdef __SSE4_2__
  out << " sse4.2";
#endif
#ifdef __AVX__
  out << " avx";
#endif
#ifdef __AVX2__
  out << " avx2";
#endif
#ifdef __FMA__
  out << " fma";
#endif
#ifdef __F16C__
  out << " f16c";
#endif
#ifdef __AVX512F__
  out << " avx512f";
#endif
#ifdef __AVX512DQ__
  out << " avx512dq";
#endif
#ifdef __AVX512BW__
  out << " avx512bw";
#endif
#ifdef __AVX512VL__
  out << " avx512vl";
#endif
#ifdef __ARM_FEATURE_SVE
  out << " sve";
#endif

  out << "\nsanitizers:";
#if defined(__SANITIZE_ADDRESS__)
  out << " address";
#elif defined(__SANITIZE_THREAD__)
  out << " thread";
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
  out << " address";
#elif __has_feature(thread_sanitizer)
  out << " thread";
#else
  out << " none";
#endif
#else
  out << " none";
#endif

  // A changed struct whose author forgot to bump kAbiVersion.
  out << "\nsizes of framework types:";
  for (const std::size_t bytes :
       {sizeof(Recommender), sizeof(TrainData), sizeof(FitContext), sizeof(StoppingPolicy), sizeof(Query),
        sizeof(Executor), sizeof(Rng), sizeof(Interactions), sizeof(Histories), sizeof(Facets), sizeof(ItemTags),
        sizeof(Value), sizeof(FieldInfo), sizeof(AnySchema), sizeof(AlgorithmInfo), sizeof(Registry::Entry),
        sizeof(Registry), sizeof(Matrix<float>), sizeof(MatRef<float>)}) {
    out << " " << static_cast<unsigned long>(bytes);
  }
  out << "\n";
  return out.mark;
}

// The mark of this library.
std::string abi_mark();

// What differs between two marks, as half a sentence: "was built with framework ABI 2 and compiler g++ 11, this program
// with framework ABI 3 and compiler g++ 12". Empty where they agree.
std::string abi_difference(std::string_view plugin, std::string_view program);

}  // namespace segue

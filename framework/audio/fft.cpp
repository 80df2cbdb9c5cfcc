#include "framework/audio/fft.hpp"

#include <algorithm>
#include <mutex>
#include <type_traits>

#include <fftw3.h>

#include "framework/base/errors.hpp"

namespace segue::audio {

namespace {

std::mutex planning;  // FFTW's planner is one for the whole process

// FFTW's two sets of names as one.
template <class T>
struct Fftw;
template <>
struct Fftw<float> {
  using Plan = fftwf_plan;
  static void* allocate(std::size_t bytes) { return fftwf_malloc(bytes); }
  static void release(void* p) { fftwf_free(p); }
  static Plan forward(int n, float* in, std::complex<float>* out) {
    return fftwf_plan_dft_r2c_1d(n, in, reinterpret_cast<fftwf_complex*>(out), FFTW_ESTIMATE | FFTW_PRESERVE_INPUT);
  }
  static Plan backward(int n, std::complex<float>* in, float* out) {
    return fftwf_plan_dft_c2r_1d(n, reinterpret_cast<fftwf_complex*>(in), out, FFTW_ESTIMATE);
  }
  static void execute(Plan plan) { fftwf_execute(plan); }
  static void destroy(Plan plan) { fftwf_destroy_plan(plan); }
};
template <>
struct Fftw<double> {
  using Plan = fftw_plan;
  static void* allocate(std::size_t bytes) { return fftw_malloc(bytes); }
  static void release(void* p) { fftw_free(p); }
  static Plan forward(int n, double* in, std::complex<double>* out) {
    return fftw_plan_dft_r2c_1d(n, in, reinterpret_cast<fftw_complex*>(out), FFTW_ESTIMATE | FFTW_PRESERVE_INPUT);
  }
  static Plan backward(int n, std::complex<double>* in, double* out) {
    return fftw_plan_dft_c2r_1d(n, reinterpret_cast<fftw_complex*>(in), out, FFTW_ESTIMATE);
  }
  static void execute(Plan plan) { fftw_execute(plan); }
  static void destroy(Plan plan) { fftw_destroy_plan(plan); }
};

}  // namespace

template <class T>
struct RealFft<T>::Plans {
  using F = Fftw<T>;
  struct Release {
    void operator()(T* p) const { F::release(p); }
  };
  std::unique_ptr<T, Release> time, spectrum;  // the spectrum as pairs
  typename F::Plan forward = nullptr, backward = nullptr;

  explicit Plans(std::size_t n) {
    const std::lock_guard lock(planning);
    time.reset(static_cast<T*>(F::allocate(n * sizeof(T))));
    spectrum.reset(static_cast<T*>(F::allocate((n / 2 + 1) * 2 * sizeof(T))));
    if (!time || !spectrum) throw EnvironmentError("no memory for a Fourier transform of {} numbers", n);
    std::fill_n(time.get(), n, T(0));
    std::fill_n(spectrum.get(), (n / 2 + 1) * 2, T(0));
    forward = F::forward(static_cast<int>(n), time.get(), pairs());
    backward = F::backward(static_cast<int>(n), pairs(), time.get());
    SEGUE_CHECK(forward && backward, "FFTW has no plan for {} numbers", n);
  }
  ~Plans() {
    const std::lock_guard lock(planning);
    if (forward) F::destroy(forward);
    if (backward) F::destroy(backward);
  }
  Plans(const Plans&) = delete;
  Plans& operator=(const Plans&) = delete;
  std::complex<T>* pairs() const { return reinterpret_cast<std::complex<T>*>(spectrum.get()); }
};

template <class T>
RealFft<T>::RealFft(std::size_t size) : size_(size) {
  SEGUE_CHECK(size >= 1 && size <= std::size_t{1} << 30, "a Fourier transform of {} numbers", size);
  plans_ = std::make_unique<Plans>(size);
}
template <class T>
RealFft<T>::~RealFft() = default;
template <class T>
RealFft<T>::RealFft(RealFft&&) noexcept = default;
template <class T>
RealFft<T>& RealFft<T>::operator=(RealFft&&) noexcept = default;

template <class T>
std::span<T> RealFft<T>::time() const {
  return {plans_->time.get(), size_};
}
template <class T>
std::span<std::complex<T>> RealFft<T>::spectrum() const {
  return {plans_->pairs(), bins()};
}
template <class T>
void RealFft<T>::forward() {
  Fftw<T>::execute(plans_->forward);
}
template <class T>
void RealFft<T>::backward() {
  Fftw<T>::execute(plans_->backward);
}

template class RealFft<float>;
template class RealFft<double>;

struct ComplexFft::Plan {
  struct Release {
    void operator()(fftw_complex* p) const { fftw_free(p); }
  };
  std::size_t size;
  std::unique_ptr<fftw_complex, Release> time, spectrum;
  fftw_plan plan = nullptr;

  explicit Plan(std::size_t n) : size(n) {
    const std::lock_guard lock(planning);
    time.reset(fftw_alloc_complex(n));
    spectrum.reset(fftw_alloc_complex(n));
    if (!time || !spectrum) throw EnvironmentError("no memory for a Fourier transform of {} numbers", n);
    std::fill_n(&time.get()[0][0], 2 * n, 0.0);
    plan = fftw_plan_dft_1d(static_cast<int>(n), time.get(), spectrum.get(), FFTW_FORWARD,
                            FFTW_ESTIMATE | FFTW_PRESERVE_INPUT);
    SEGUE_CHECK(plan, "FFTW has no plan for {} numbers", n);
  }
  ~Plan() {
    const std::lock_guard lock(planning);
    if (plan) fftw_destroy_plan(plan);
  }
  Plan(const Plan&) = delete;
  Plan& operator=(const Plan&) = delete;
};

ComplexFft::ComplexFft(std::size_t size) {
  SEGUE_CHECK(size >= 1 && size <= std::size_t{1} << 30, "a Fourier transform of {} numbers", size);
  plan_ = std::make_unique<Plan>(size);
}
ComplexFft::~ComplexFft() = default;
std::span<std::complex<double>> ComplexFft::time() const {
  return {reinterpret_cast<std::complex<double>*>(plan_->time.get()), plan_->size};
}
std::span<std::complex<double>> ComplexFft::spectrum() const {
  return {reinterpret_cast<std::complex<double>*>(plan_->spectrum.get()), plan_->size};
}
void ComplexFft::forward() { fftw_execute(plan_->plan); }

}  // namespace segue::audio

// The discrete Fourier transform of real signals, by FFTW: X[k] = sum over n of x[n] exp(-2 pi i k n / N), unscaled.
// Plans are estimated, never measured, so that a transform is the same bits in every run.
#pragma once

#include <complex>
#include <cstddef>
#include <memory>
#include <span>

namespace segue::audio {

// Transforms of one size. Holds its own aligned buffers: one object a thread.
template <class T>  // float, double
class RealFft {
 public:
  explicit RealFft(std::size_t size);  // size >= 1
  ~RealFft();
  RealFft(RealFft&&) noexcept;
  RealFft& operator=(RealFft&&) noexcept;

  std::size_t size() const { return size_; }
  std::size_t bins() const { return size_ / 2 + 1; }
  std::span<T> time() const;                    // size() numbers
  std::span<std::complex<T>> spectrum() const;  // bins() numbers
  void forward();                               // spectrum() of time(), which is kept
  void backward();                              // time() of spectrum(), times size(); spectrum() is lost

 private:
  struct Plans;
  std::size_t size_;
  std::unique_ptr<Plans> plans_;
};

// The same of complex signals, in double, forwards only.
class ComplexFft {
 public:
  explicit ComplexFft(std::size_t size);  // size >= 1
  ~ComplexFft();
  ComplexFft(const ComplexFft&) = delete;
  ComplexFft& operator=(const ComplexFft&) = delete;

  std::span<std::complex<double>> time() const;      // size numbers
  std::span<std::complex<double>> spectrum() const;  // size numbers
  void forward();                                    // spectrum() of time(), which is kept

 private:
  struct Plan;
  std::unique_ptr<Plan> plan_;
};

}  // namespace segue::audio

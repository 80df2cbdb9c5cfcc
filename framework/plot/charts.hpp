// The figures that Segue draws, built from plain numbers: pictures of comparisons, of curves, of distributions and of
// what accuracy costs. Every chart is complete without colour: values are printed or stand at a labelled axis, curves
// and marks carry their names or their own shape, and Figure::description says the same in words. What failed or has no
// value is named, not drawn. All take a title (a paper usually leaves it to the caption) and the width it is drawn for.
#pragma once

#include "framework/plot/charts_compare.hpp"
#include "framework/plot/charts_cost.hpp"
#include "framework/plot/charts_curves.hpp"
#include "framework/plot/charts_spread.hpp"

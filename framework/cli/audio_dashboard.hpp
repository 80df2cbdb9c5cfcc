// What a recording looks like: a figure of panels over time, and a page with a player beside it.
#pragma once

#include <filesystem>
#include <string>

#include "framework/audio/track.hpp"
#include "framework/plot/panels.hpp"

namespace segue {

// Waveform with beats, log-mel spectrogram, chromagram and tempogram with the chosen tempo. sound: what the track was
// analysed from, at its beginning; it is read to its end. name: its title.
plot::PanelStack dashboard(const audio::Track& track, audio::SampleSource& sound, const std::string& name);

// One HTML page: a player of the file at `sound` (a path, relative to the page or absolute), the figure (SVG text) with
// a line that moves along, and the facts as an HTML table.
std::string dashboard_page(const std::string& name, const std::string& sound, const std::string& svg,
                           const std::string& facts);

}  // namespace segue

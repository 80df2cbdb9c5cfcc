// segue audio: the group.
#include "framework/cli/commands.hpp"

namespace segue {

void add_audio(CLI::App& app, Session& session) {
  CLI::App& audio = add_command(
      app, "audio", "recordings: what they sound like",
      {{"segue audio analyze song.mp3", "tempo, key, energy, timbre, harmony"},
       {"segue audio analyze song.mp3 --dashboard out", "with pictures, and a page to listen along"},
       {"segue audio extract ~/music -o features.h5", "fingerprints of a whole collection"},
       {"segue audio search --index music.index --query clip.wav", "what sounds like a clip, or which recording it is"},
       {"segue audio classes esc", "whether what sounds alike is of a class"}});
  audio.require_subcommand(1);
  add_audio_analyze(audio, session);
  add_audio_extract(audio, session);
  add_audio_index(audio, session);
  add_audio_search(audio, session);
  add_audio_recall(audio, session);
  add_audio_tempo(audio, session);
  add_audio_duplicates(audio, session);
  add_audio_classes(audio, session);
}

}  // namespace segue

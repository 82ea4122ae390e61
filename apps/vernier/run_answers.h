// The part of `vernier run` that makes a model write: what it is asked, how its answers are shown
// as they come or when they are done, and what of them is dumped.
#pragma once

#include <string>
#include <vector>

#include "run_outputs.h"
#include "run_report.h"
#include "terminal.h"
#include "vernier/session.h"

namespace vernier {

/// The pictures, conversations or rows of one run, read and ready.
struct RunBatch {
  std::vector<PictureResult> rows;     // without what is still to come
  std::vector<std::string> prompts{};  // what each row's answer begins with; empty: nothing
  NamedTensors inputs;
};

class AnswerWriter {
 public:
  /// All must outlive it.
  AnswerWriter(const RunVerbOptions& options, Session& session, RunReport& report,
               Terminal& terminal)
      : options_(options), session_(session), report_(report), terminal_(terminal) {}

  /// Writes the batch's answers, shows them, and moves its rows into the report. With `taps` the
  /// decoder's values come from a second pass that reads what was written, all at once, and that
  /// pass's outputs are returned; else none.
  NamedTensors Write(RunBatch& batch, const RunHooks* taps);

 private:
  bool chats() const { return session_.info().chats; }
  bool text() const { return options_.json != "-"; }
  GenerationRequest RequestFor(const RunBatch& batch) const;
  bool Streams(const RunBatch& batch, const GenerationRequest& request) const;
  NamedTensors ReadAgain(const RunBatch& batch, const GenerationOutput& output,
                         const GenerationOptions& options, const RowLogits& chose,
                         const RunHooks& taps);
  void Add(const GenerationSeconds& seconds);
  void WarnOfLength(const PictureResult& result, const GenerationOptions& options);

  const RunVerbOptions& options_;
  Session& session_;
  RunReport& report_;
  Terminal& terminal_;
  bool length_warned_ = false;
};

}  // namespace vernier

#include "generation/beam_search.h"

#include <algorithm>
#include <cmath>
#include <optional>
#include <utility>

#include "generation/logits_processors.h"
#include "generation/token_choice.h"

namespace vernier {
namespace {

struct Beam {
  std::vector<int32_t> ids;
  double score = 0;  // sum of processed log-probabilities
  std::vector<float> log_probs;
};

/// One more token behind a live beam.
struct Candidate {
  double score;
  int32_t beam;
  int32_t token;

  // Equal scores go by beam and token, so that the order is total.
  bool Before(const Candidate& other) const {
    if (score != other.score) return score > other.score;
    return std::pair(beam, token) < std::pair(other.beam, other.token);
  }
};

// The search of one prompt.
class Search {
 public:
  Search(const std::vector<int32_t>& prompt, const GenerationOptions& options,
         const GenerationHooks& hooks)
      : options_(options),
        hooks_(hooks),
        processors_(options),
        prompt_tokens_(static_cast<int64_t>(prompt.size())),
        limit_(SequenceLimit(options, prompt_tokens_)),
        live_{{.ids = prompt, .score = 0, .log_probs = {}}} {}

  bool finished() const { return finished_; }
  size_t live() const { return live_.size(); }

  /// One step: `logits` [live, vocab] of the live beams, overwritten. The new live beams' rows are
  /// added to `rows`, their parents counted from `first_row`.
  void Advance(std::span<float> logits, size_t first_row, std::vector<Extension>& rows) {
    const std::vector<Candidate> best = BestCandidates(logits);
    std::vector<Beam> next;
    const auto beams = static_cast<size_t>(options_.num_beams);
    for (size_t rank = 0; rank < best.size() && next.size() < beams; ++rank) {
      const Candidate& candidate = best[rank];
      Beam beam = Extended(candidate);
      if (const auto reason = Ends(beam)) {
        // One that ends but is not among the first is dropped, neither kept nor finished.
        if (rank < beams) Finish(std::move(beam), *reason);
        continue;
      }
      rows.push_back(
          {.parent = static_cast<int32_t>(first_row) + candidate.beam, .token = candidate.token});
      next.push_back(std::move(beam));
    }
    if (best.empty() && done_.empty()) {  // everything was banned: what there is must do
      for (Beam& beam : live_) Finish(std::move(beam), FinishReason::kLength);
    }
    const size_t added = next.size();
    live_ = std::move(next);
    finished_ = live_.empty() || NothingBetterToCome();
    if (finished_) rows.resize(rows.size() - added);
  }

  GeneratedSequence Answer() && { return std::move(done_.front()); }

 private:
  std::vector<Candidate> BestCandidates(std::span<float> logits) {
    const size_t vocab = logits.size() / live_.size();
    const size_t ends = std::max<size_t>(2, 1 + options_.eos_token_id.size());
    const size_t wanted = ends * static_cast<size_t>(options_.num_beams);
    const auto better = [](const Candidate& a, const Candidate& b) { return a.Before(b); };
    std::vector<Candidate> heap;  // the worst of the best on top
    heap.reserve(wanted + 1);
    log_totals_.resize(live_.size());
    original_.resize(hooks_.log_probs ? logits.size() : 0);
    if (hooks_.log_probs) std::ranges::copy(logits, original_.begin());
    for (size_t beam = 0; beam < live_.size(); ++beam) {
      const std::span<float> scores = logits.subspan(beam * vocab, vocab);
      log_totals_[beam] = LogSumExp(scores);
      const auto total = static_cast<float>(log_totals_[beam]);
      for (float& score : scores) score -= total;
      processors_.Apply({.ids = live_[beam].ids, .prompt_tokens = prompt_tokens_, .limit = limit_},
                        scores);
      for (size_t token = 0; token < vocab; ++token) {
        const double score = live_[beam].score + scores[token];
        if (!std::isfinite(score)) continue;
        if (heap.size() == wanted && !(score > heap.front().score)) continue;
        heap.push_back({score, static_cast<int32_t>(beam), static_cast<int32_t>(token)});
        std::ranges::push_heap(heap, better);
        if (heap.size() <= wanted) continue;
        std::ranges::pop_heap(heap, better);
        heap.pop_back();
      }
    }
    std::ranges::sort(heap, better);
    return heap;
  }

  Beam Extended(const Candidate& candidate) const {
    const auto parent = static_cast<size_t>(candidate.beam);
    Beam beam = live_[parent];
    beam.ids.push_back(candidate.token);
    beam.score = candidate.score;
    if (hooks_.log_probs) {
      const size_t vocab = original_.size() / live_.size();
      const float logit = original_[parent * vocab + static_cast<size_t>(candidate.token)];
      beam.log_probs.push_back(static_cast<float>(logit - log_totals_[parent]));
    }
    return beam;
  }

  std::optional<FinishReason> Ends(const Beam& beam) const {
    if (std::ranges::count(options_.eos_token_id, beam.ids.back()) > 0) return FinishReason::kEos;
    const auto new_ids =
        std::span<const int32_t>(beam.ids).subspan(static_cast<size_t>(prompt_tokens_));
    if (!options_.stop_strings.empty() && hooks_.has_stop_string(new_ids)) {
      return FinishReason::kStopString;
    }
    if (static_cast<int64_t>(beam.ids.size()) >= limit_) return FinishReason::kLength;
    return std::nullopt;
  }

  double PerLength(double score, int64_t new_tokens) const {
    return score / std::pow(static_cast<double>(new_tokens), options_.length_penalty);
  }

  // Finished sequences are kept best first, at most as many as there are beams.
  void Finish(Beam beam, FinishReason reason) {
    GeneratedSequence sequence;
    const int64_t new_tokens = static_cast<int64_t>(beam.ids.size()) - prompt_tokens_;
    sequence.score = PerLength(beam.score, std::max<int64_t>(new_tokens, 1));
    sequence.ids = std::move(beam.ids);
    sequence.log_probs = std::move(beam.log_probs);
    sequence.prompt_tokens = prompt_tokens_;
    sequence.finish_reason = reason;
    const auto at = std::ranges::find_if(
        done_, [&](const GeneratedSequence& other) { return sequence.score > other.score; });
    done_.insert(at, std::move(sequence));
    if (done_.size() > static_cast<size_t>(options_.num_beams)) done_.pop_back();
  }

  bool NothingBetterToCome() const {
    if (done_.size() < static_cast<size_t>(options_.num_beams)) return false;
    if (options_.early_stopping == EarlyStopping::kTrue) return true;
    const bool to_the_limit =
        options_.early_stopping == EarlyStopping::kNever && options_.length_penalty > 0;
    const int64_t length = to_the_limit ? limit_ : static_cast<int64_t>(live_.front().ids.size());
    return PerLength(live_.front().score, length - prompt_tokens_) <= done_.back().score;
  }

  const GenerationOptions& options_;
  const GenerationHooks& hooks_;
  LogitsProcessors processors_;
  int64_t prompt_tokens_;
  int64_t limit_;
  std::vector<Beam> live_;               // best first
  std::vector<GeneratedSequence> done_;  // best first
  std::vector<double> log_totals_;       // of the live beams' logits
  std::vector<float> original_;          // their logits, when log-probabilities are wanted
  bool finished_ = false;
};

}  // namespace

std::vector<GeneratedSequence> BeamSearch(TokenModel& model,
                                          std::span<const std::vector<int32_t>> prompts,
                                          const GenerationOptions& options,
                                          const GenerationHooks& hooks) {
  std::vector<Search> searches;
  searches.reserve(prompts.size());
  for (const std::vector<int32_t>& prompt : prompts) searches.emplace_back(prompt, options, hooks);
  const auto vocab = static_cast<size_t>(model.vocab_size());
  std::span<float> logits = model.Start(prompts);
  std::vector<Extension> rows;
  while (true) {
    rows.clear();
    size_t first_row = 0;
    for (Search& search : searches) {
      if (search.finished()) continue;
      const size_t count = search.live();
      search.Advance(logits.subspan(first_row * vocab, count * vocab), first_row, rows);
      first_row += count;
    }
    if (rows.empty()) break;
    logits = model.Step(rows);
  }
  std::vector<GeneratedSequence> answers;
  for (Search& search : searches) answers.push_back(std::move(search).Answer());
  return answers;
}

}  // namespace vernier

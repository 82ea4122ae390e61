#include "backends/cpu/gemm.h"

#include <algorithm>
#include <memory>

#include "core/cancel.h"
#include "core/check.h"
#include "core/parallel.h"
#include "core/rounding.h"

namespace vernier {
namespace {

// A panel's share of k that stays in the second-level cache beside its successor and the rows of
// a: 28 % of the 1 MB that server cores have at least (Skylake-SP, Zen 4).
constexpr int64_t kPanelBlockBytes = 288 * 1024;

// Rows whose sums are kept while k is cut, give or take half as many, so that blocks are alike:
// with 64 columns 48 KB of the second-level cache.
constexpr int64_t kBlockedRows = 192;

// Rows times k that a block has at least, so that its calls are a small part of it.
constexpr int64_t kLeastBlock = 24 * 64;
constexpr int64_t kLeastDigitsBlock = 4 * kLeastBlock;  // whose tiles have fewer rows

// Rows below which i8 weights are widened in registers, once for each tile of rows, instead of
// being written out for all of them. Both give the same bits.
constexpr int64_t kWidenedRows = 24;

// Tiles of rows that each thread must have to work through rows of its own: all threads then read
// all weights, which costs little beside so many products of them.
constexpr int64_t kLeastTiles = 16;

// A thread takes at least this share of a thread's part of a product at a time, so that the last to
// finish is not waited for long and taking costs nothing.
constexpr int64_t kSmallestShare = 256;

// Lines of the panel after this one, its scales among them, that are asked for while memory bounds
// a product: as many as a core waits for at a time. Half and twice as many gain less (Zen 4, i8: a
// token 2 to 3 %).
constexpr int64_t kFrontLines = 36;

// Start of one thread's sums is apart from the others' cache lines and pages.
constexpr int64_t kSumsAlignment = 4096;

// Equal shares of k, each a multiple of the packing's step.
int64_t KBlock(const PackedLayout& weights, DType a) {
  const bool widened = weights.dtype == DType::kI8 && !weights.quads;
  const int64_t bytes_per_k =
      weights.panel_columns * static_cast<int64_t>(ByteSize(widened ? a : weights.dtype));
  const int64_t blocks =
      std::max<int64_t>(1, CeilDiv(weights.padded_k(), kPanelBlockBytes / bytes_per_k));
  return std::max(weights.k_step(), RoundUp(CeilDiv(weights.padded_k(), blocks), weights.k_step()));
}

const void* Advance(const void* from, int64_t bytes) {
  return static_cast<const char*>(from) + bytes;
}

GemmRows RowsOf(const void* first, int64_t stride, const GemmFinish& finish, int64_t bytes) {
  return {.first = first, .stride = stride * bytes, .bytes = finish.columns * bytes};
}

}  // namespace

Gemm::Gemm(const GemmDesc& desc, GemmProvider provider)
    : desc_(desc), kernel_(SelectGemm(desc.isa, desc.a, desc.weights.dtype)) {
  VN_CHECK(kernel_.panel_columns == desc.weights.panel_columns, "weights packed for another Isa");
  k_block_ = KBlock(desc.weights, desc.a);
  if (kernel_.to_digits != nullptr) digits_.emplace(kernel_, desc.m, desc.weights, k_block_);
  const bool whole_k = k_block_ >= desc.weights.k;
  const int64_t least = digits_ ? kLeastDigitsBlock : kLeastBlock;
  const int64_t whole_rows =
      RoundUp(CeilDiv(least, std::max<int64_t>(1, desc.weights.k)), kernel_.tile_rows);
  block_rows_ = whole_k ? whole_rows : RoundUp(kBlockedRows * 3 / 2, kernel_.tile_rows);
  block_rows_ = std::max<int64_t>(1, std::min(block_rows_, desc.m));
  const bool apart = Tiles() >= kLeastTiles * desc.threads && !Widens(desc.m);
  parts_ = apart ? desc.threads : 1;
  part_tiles_ = CeilDiv(Tiles(), parts_);
  if (provider == GemmProvider::kOnednn) onednn_ = std::make_unique<OnednnMatmul>(desc);
}

GemmProvider Gemm::provider() const {
  return onednn_ == nullptr ? GemmProvider::kVernier : GemmProvider::kOnednn;
}

std::string Gemm::kernel_name() const {
  return onednn_ == nullptr ? Name(kernel_.isa) : onednn_->implementation();
}

size_t Gemm::sums_bytes() const {
  const int64_t sums = block_rows_ * kernel_.panel_columns * static_cast<int64_t>(sizeof(float));
  return static_cast<size_t>(RoundUp(sums, kSumsAlignment));
}

bool Gemm::Widens(int64_t rows) const { return kernel_.widen != nullptr && rows >= kWidenedRows; }

size_t Gemm::widened_bytes() const {
  if (!Widens(desc_.m)) return 0;
  const int64_t weights = desc_.weights.padded_k() * kernel_.panel_columns;
  return static_cast<size_t>(
      RoundUp(weights * static_cast<int64_t>(ByteSize(desc_.a)), kSumsAlignment));
}

size_t Gemm::scratch_bytes() const {
  const size_t of_thread = sums_bytes() + widened_bytes() + sizeof(WorkShare);
  const size_t ours =
      static_cast<size_t>(desc_.threads) * of_thread + (digits_ ? digits_->bytes() : 0);
  return onednn_ == nullptr ? ours : std::max(ours, onednn_->scratch_bytes());
}

// Behind all threads' sums.
WorkShare* Gemm::SharesOf(const GemmOperands& operands) const {
  return reinterpret_cast<WorkShare*>(SumsOf(operands, desc_.threads));
}

void* Gemm::DigitsOf(const GemmOperands& operands) const {
  return SharesOf(operands) + desc_.threads;
}

float* Gemm::SumsOf(const GemmOperands& operands, int slot) const {
  return reinterpret_cast<float*>(static_cast<char*>(operands.scratch) +
                                  static_cast<size_t>(slot) * (sums_bytes() + widened_bytes()));
}

void Gemm::Run(const GemmOperands& operands) const {
  if (onednn_ != nullptr) {
    VN_CHECK(operands.addend == nullptr, "oneDNN adds nothing before the activation");
    return onednn_->Run(operands);
  }
  if (digits_) {
    digits_->Fill({operands.a, desc_.a_stride, desc_.a}, desc_.threads, DigitsOf(operands));
  }
  struct Call {
    const Gemm* gemm;
    const GemmOperands* operands;
    std::span<WorkShare> shares;
  };
  const Call call = {this, &operands, DealUnits(operands)};
  ParallelFor(desc_.threads, desc_.threads, 1, [&call](int64_t begin, int64_t end) {
    for (int64_t slot = begin; slot < end; ++slot) {
      call.gemm->RunSlot(*call.operands, static_cast<int>(slot), call.shares);
    }
  });
}

int64_t Gemm::Tiles() const { return CeilDiv(desc_.m, kernel_.tile_rows); }

// The work is a row of (part of rows, panel, tile of rows) units. Where each thread has a part of
// the rows it finds in its caches what it wrote there in the layer before: where two cores share no
// cache, layers of 784 rows, 1152 wide, take 2 % less time, norms between them half (Zen 4).
std::span<WorkShare> Gemm::DealUnits(const GemmOperands& operands) const {
  const std::span shares(SharesOf(operands), static_cast<size_t>(desc_.threads));
  std::ranges::uninitialized_default_construct(shares);
  vernier::DealUnits(parts_ * desc_.weights.panels() * part_tiles_, shares);
  return shares;
}

Gemm::Block Gemm::BlockOf(UnitRange units) const {
  const int64_t panels = desc_.weights.panels(), tile = units.begin % part_tiles_;
  const int64_t first = units.begin / part_tiles_ / panels * part_tiles_;
  const auto row = [&](int64_t of_part) {
    return std::min(desc_.m, (first + of_part) * kernel_.tile_rows);
  };
  return {.panel = units.begin / part_tiles_ % panels,
          .rows = {row(tile), row(tile + units.end - units.begin)},
          .all = {row(tile), row(part_tiles_)}};
}

// A thread takes over what another has left, which was interrupted, has the slower core or, where
// one tile of rows is bound by memory, got the smaller part of its bandwidth.
void Gemm::RunSlot(const GemmOperands& operands, int slot,
                   std::span<WorkShare> shares) const noexcept {
  const bool own_only = desc_.threads == 1;
  if (own_only) shares = shares.subspan(static_cast<size_t>(slot), 1);
  const int64_t equal_part = desc_.weights.panels() * Tiles() / desc_.threads;
  const int64_t least = own_only ? part_tiles_ : std::max<int64_t>(1, equal_part / kSmallestShare);
  Panel weights = {};
  Block block = {.panel = -1};
  for (UnitRange units, done; !IsSet(operands.cancel); done = units) {
    units = NextUnits(shares, own_only ? 0 : slot, least, part_tiles_);
    if (units.empty()) return;
    Block next = BlockOf(units);
    next.sums = SumsOf(operands, slot);
    if (next.panel == block.panel && units.begin == done.end) {
      next.all = block.all;
    } else {
      weights = PanelOf(operands, next.panel, next.all.end - next.all.begin, next.sums);
    }
    block = next;
    RunRows(operands, weights, block);
  }
}

Gemm::Panel Gemm::PanelOf(const GemmOperands& operands, int64_t panel, int64_t rows,
                          float* sums) const {
  const PackedLayout& layout = desc_.weights;
  const void* packed =
      Advance(operands.weights, panel * static_cast<int64_t>(layout.panel_bytes()) +
                                    static_cast<int64_t>(layout.scale_bytes()));
  const auto row_bytes = [&](DType dtype) {
    return layout.panel_columns * static_cast<int64_t>(ByteSize(dtype));
  };
  if (!Widens(rows)) return {packed, row_bytes(layout.dtype), kernel_.multiply};
  void* widened = reinterpret_cast<char*>(sums) + sums_bytes();
  kernel_.widen(
      {.from = static_cast<const int8_t*>(packed), .k = layout.padded_k(), .to = widened});
  return {widened, row_bytes(desc_.a), kernel_.multiply_widened};
}

int64_t Gemm::BlockRows(int64_t rows) const {
  if (k_block_ >= desc_.weights.k) return block_rows_;
  const int64_t blocks = std::max<int64_t>(1, (rows + kBlockedRows / 2) / kBlockedRows);
  return std::min(block_rows_, RoundUp(CeilDiv(rows, blocks), kernel_.tile_rows));
}

void Gemm::RunRows(const GemmOperands& operands, const Panel& weights, const Block& rows) const {
  const int64_t step = BlockRows(rows.rows.end - rows.rows.begin);
  Block block = rows;
  for (int64_t row = rows.rows.begin; row < rows.rows.end; row += step) {
    block.rows = {row, std::min(rows.rows.end, row + step)};
    const GemmFinish finish = FinishOf(operands, block);
    MultiplyBlock(operands, weights, block, finish);
    if (reads_weights_once()) FetchFrontAfter(block.panel, operands);
    (finish.c_bf16 ? kernel_.finish_to_bf16 : kernel_.finish)(finish);
  }
}

// While a share of a panel is multiplied, the next share is brought into the cache, spread over
// the rows that use the present one. One tile of rows reads the panels as fast as memory gives
// them: asking for lines ahead of the loop's own reads makes a decoder's token slower, by 8 to 15 %
// with i8 (Zen 4).
void Gemm::MultiplyBlock(const GemmOperands& operands, const Panel& weights, const Block& block,
                         const GemmFinish& finish) const {
  const PackedLayout& layout = desc_.weights;
  const int64_t a_bytes = static_cast<int64_t>(ByteSize(desc_.a));
  const void* a = Advance(operands.a, block.rows.begin * desc_.a_stride * a_bytes);
  int64_t k = 0;
  do {
    const int64_t share = std::min(k_block_, layout.k - k);
    const bool last_share = k + share == layout.k;
    GemmMultiply g = {.rows = block.rows.end - block.rows.begin,
                      .k = share,
                      .a = Advance(a, k * a_bytes),
                      .a_stride = desc_.a_stride,
                      .b = Advance(weights.b, k * weights.bytes_per_k),
                      .sums = block.sums,
                      .accumulate = k > 0,
                      .columns = finish.columns * (finish.gated ? 0 : 1),
                      .next_rows = block.all.end - block.rows.end};
    if (digits_) digits_->Give(DigitsOf(operands), block.rows.begin, k, g);
    const bool fetches = Tiles() > 1;
    if (fetches && !last_share) {
      g.next = Advance(g.b, share * weights.bytes_per_k);
      g.next_bytes = std::min(k_block_, layout.padded_k() - k - share) * weights.bytes_per_k;
    }
    if (fetches && last_share) FetchNextPanel(operands, block, g);
    if (last_share) {
      g.results = RowsOf(finish.c, finish.c_stride, finish, finish.c_bf16 ? 2 : 4);
      g.residual =
          finish.addend != nullptr
              ? RowsOf(finish.addend, finish.addend_stride, finish, finish.addend_bf16 ? 2 : 4)
              : RowsOf(finish.residual, finish.residual_stride, finish, 4);
    }
    weights.multiply(g);
    k += share;
  } while (k < layout.k);
}

// Memory would rest while sums become results.
void Gemm::FetchFrontAfter(int64_t panel, const GemmOperands& operands) const {
  if (panel + 1 >= desc_.weights.panels()) return;
  const auto panel_bytes = static_cast<int64_t>(desc_.weights.panel_bytes());
  const void* next = Advance(operands.weights, (panel + 1) * panel_bytes);
  for (int64_t line = 0; line < kFrontLines; ++line) __builtin_prefetch(Advance(next, line * 64));
}

void Gemm::FetchNextPanel(const GemmOperands& operands, const Block& block, GemmMultiply& g) const {
  const PackedLayout& layout = desc_.weights;
  if (block.panel + 1 >= layout.panels()) return;
  const auto panel_bytes = static_cast<int64_t>(layout.panel_bytes());
  const bool cut = k_block_ < layout.k;
  const int64_t lines = CeilDiv(cut ? panel_bytes / layout.padded_k() * k_block_ : panel_bytes, 64);
  const int64_t height = block.all.end - block.all.begin;
  const int64_t from = lines * (block.rows.begin - block.all.begin) / height;
  const int64_t to = lines * (block.rows.end - block.all.begin) / height;
  g.next = Advance(operands.weights, (block.panel + 1) * panel_bytes + from * 64);
  g.next_bytes = (to - from) * 64;
}

const float* Gemm::ScalesOf(const GemmOperands& operands, int64_t panel) const {
  if (desc_.weights.scale_bytes() == 0) return nullptr;
  const auto panel_bytes = static_cast<int64_t>(desc_.weights.panel_bytes());
  return static_cast<const float*>(Advance(operands.weights, panel * panel_bytes));
}

GemmFinish Gemm::FinishOf(const GemmOperands& operands, const Block& block) const {
  const bool gated = desc_.gated_columns > 0;
  const int64_t panel_columns = kernel_.panel_columns / (gated ? 2 : 1);
  const int64_t column = block.panel * panel_columns;
  const int64_t all_columns = gated ? desc_.gated_columns : desc_.weights.n;
  const auto from_column = [column](const float* values) {
    return values == nullptr ? nullptr : values + column;
  };
  const int64_t c_offset = block.rows.begin * desc_.c_stride + column;
  const bool c_bf16 = desc_.c == DType::kBF16, addend_bf16 = desc_.addend == DType::kBF16;
  return {
      .rows = block.rows.end - block.rows.begin,
      .columns = std::min(panel_columns, all_columns - column),
      .sums = block.sums,
      .weight_scale = ScalesOf(operands, block.panel),
      .bias = from_column(operands.bias),
      .addend = operands.addend == nullptr
                    ? nullptr
                    : Advance(operands.addend, (block.rows.begin * desc_.addend_stride + column) *
                                                   (addend_bf16 ? 2 : 4)),
      .addend_stride = desc_.addend_stride,
      .addend_bf16 = addend_bf16,
      .activation = desc_.activation,
      .scale = from_column(operands.scale),
      .residual = operands.residual == nullptr
                      ? nullptr
                      : operands.residual + block.rows.begin * desc_.residual_stride + column,
      .residual_stride = desc_.residual_stride,
      .c = static_cast<char*>(operands.c) + c_offset * (c_bf16 ? 2 : 4),
      .c_stride = desc_.c_stride,
      .gated = gated,
      .c_bf16 = c_bf16};
}

void PackWeights(const PackedLayout& layout, std::span<const PackSource> parts, void* packed,
                 int threads) {
  struct Call {
    const PackedLayout* layout;
    std::span<const PackSource> parts;
    void* packed;
  };
  const Call call = {&layout, parts, packed};
  ParallelFor(threads, layout.panels(), 1, [&call](int64_t begin, int64_t end) {
    for (int64_t panel = begin; panel < end; ++panel) {
      int64_t first = 0;
      for (const PackSource& part : call.parts) {
        PackPanel(*call.layout, panel, part, first, call.packed);
        first += part.n;
      }
      PadPanel(*call.layout, panel, call.packed);
    }
  });
}

}  // namespace vernier

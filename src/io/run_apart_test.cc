#include "io/run_apart.h"

#include <gmock/gmock.h>
#include <signal.h>

#include <atomic>
#include <new>
#include <stdexcept>

#include "vernier/error.h"

namespace vernier {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using Bytes = std::vector<uint8_t>;

std::string RefusalOf(const std::function<Bytes()>& work, const ApartLimits& limits = {}) {
  try {
    RunApart("a.pdf: PDF", limits, work);
    return "accepted";
  } catch (const Error& error) {
    return std::string(Name(error.kind())) + ": " + error.what();
  }
}

TEST(WorkApart, HandsBackItsBytes) {
  EXPECT_THAT(RunApart("a", {}, [] { return Bytes{1, 2, 3}; }), ElementsAre(1, 2, 3));
  EXPECT_TRUE(RunApart("a", {}, [] { return Bytes(); }).empty());
  // More than a pipe holds at once.
  const Bytes many = RunApart("a", {}, [] { return Bytes(5'000'000, 7); });
  EXPECT_EQ(many.size(), 5'000'000u);
  EXPECT_EQ(many.back(), 7);
}

TEST(WorkApart, LeavesNoTraceInThisProcess) {
  int changed = 0;
  RunApart("a", {}, [&] { return Bytes(static_cast<size_t>(++changed)); });
  EXPECT_EQ(changed, 0);
}

TEST(WorkApart, HandsBackItsErrorsWithKindAndHint) {
  EXPECT_EQ(RefusalOf([]() -> Bytes {
              throw Error(ErrorKind::kDevice, "poppler is missing", "install it");
            }),
            std::string("device: ") +
                Error(ErrorKind::kDevice, "poppler is missing", "install it").what());
}

TEST(WorkApart, HandsBackErrorsOfTheLibraryToo) {
  EXPECT_EQ(RefusalOf([]() -> Bytes { throw std::length_error("too long"); }),
            "internal: too long");
}

TEST(WorkApart, ThatCrashesIsAnErrorAndNotTheEnd) {
  const std::string refusal = RefusalOf([]() -> Bytes {
    raise(SIGKILL);
    return {};
  });
  EXPECT_THAT(refusal, AllOf(HasSubstr("input: a.pdf: PDF: the library that reads it crashed on it "
                                       "(signal 9, Killed)"),
                             HasSubstr("get it again")));
}

TEST(WorkApart, ThatTakesTooLongIsEnded) {
  std::atomic<uint8_t> turns_so_far = 0;
  const auto forever = [&]() -> Bytes {
    for (uint8_t turns = 0;; ++turns) turns_so_far = turns;
  };
  EXPECT_THAT(RefusalOf(forever, {.processor_seconds = 1}),
              HasSubstr("input: a.pdf: PDF: reading it took more than 1 s of processor time"));
}

TEST(WorkApart, ThatRunsOutOfMemoryIsSaidSo) {
  EXPECT_THAT(RefusalOf([]() -> Bytes { throw std::bad_alloc(); }),
              HasSubstr("resource: a.pdf: PDF: reading it takes more memory than it may have"));
}

}  // namespace
}  // namespace vernier

#include "verify/setting.h"

#include "support/scratch_folder.h"
#include "vernier/error.h"

namespace vernier {
namespace {

TEST(Setting, ChangesWhatItNamesAndLeavesTheRest) {
  const SessionOptions options =
      ApplySetting("device=ref,threads=3,disable-pass=fuse_epilogue,onednn=off,winograd=never",
                   {.model = "folder", .dtype = "bf16"});
  EXPECT_EQ(options.model, "folder");
  EXPECT_EQ(options.device, "ref");
  EXPECT_EQ(options.dtype, "bf16");
  EXPECT_EQ(options.threads, 3);
  EXPECT_FALSE(options.onednn);
  EXPECT_EQ(options.winograd, "never");
  EXPECT_EQ(options.disabled_passes, std::vector<std::string>{"fuse_epilogue"});
}

void ExpectRefusal(const std::string& setting, const std::string& message,
                   const std::string& hint) {
  try {
    ApplySetting(setting, {});
    FAIL() << setting;
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kUsage);
    EXPECT_EQ(error.message(), message);
    EXPECT_EQ(error.hint(), hint);
  }
}

TEST(Setting, NamesTheNearestKeyOrValueThatIsKnown) {
  ExpectRefusal("devize=cpu", "setting 'devize=cpu': unknown key 'devize'", "did you mean device?");
  ExpectRefusal("device=cpu,dtype=bf17", "setting 'device=cpu,dtype=bf17': unknown dtype 'bf17'",
                "did you mean bf16?");
  ExpectRefusal("onednn=maybe", "setting 'onednn=maybe': unknown onednn 'maybe'", "use on, off");
  ExpectRefusal("device=cpu,", "setting 'device=cpu,': expected KEY=VALUE, found ''",
                "as in device=cpu,dtype=bf16");
  ExpectRefusal("threads=0", "threads=0: expected a whole number from 1 to 4096", "");
}

TEST(Setting, IsToldFromAPath) {
  EXPECT_TRUE(IsSetting("device=cpu"));
  EXPECT_FALSE(IsSetting("dumps/a=b"));
  EXPECT_FALSE(IsSetting("dump"));
  const ScratchFolder folder;
  EXPECT_FALSE(IsSetting(folder.path()));
}

}  // namespace
}  // namespace vernier

#include "weir/rpc/client/resolving/file_resolver.h"

#include <unistd.h>

#include <chrono>
#include <cstdlib>
#include <fstream>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "weir/rpc/client/channel_options.h"
#include "weir/rpc/client/target.h"
#include "weir/tests/support/fake_loop.h"

namespace weir {
namespace {

using std::chrono::seconds;
using ::testing::ElementsAre;
using testing::FakeLoop;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

std::vector<std::string> Lines(const std::vector<ServerAddress>& addresses) {
  std::vector<std::string> lines;
  for (const ServerAddress& address : addresses) {
    lines.push_back(absl::StrCat(address.address.ToString(), " ", address.weight));
  }
  return lines;
}

TEST(AddressFile, HasOneAddressOnEachLineAndPerhapsAWeight) {
  const AddressFile file = ParseAddressFile(
      "# greeters\n"
      "10.0.0.7:50051\n"
      "\n"
      "  [2001:db8::7]:50051 \t weight=3  # the big one\r\n"
      "unix:/run/greeter.sock");
  EXPECT_THAT(file.mistakes, IsEmpty());
  EXPECT_THAT(Lines(file.addresses),
              ElementsAre("10.0.0.7:50051 1", "[2001:db8::7]:50051 3", "unix:/run/greeter.sock 1"));
}

TEST(AddressFile, LinesThatAreNoneAreNamedAndLeftOut) {
  const AddressFile file = ParseAddressFile(
      "greeter:50051\n"
      "10.0.0.7:1\n"
      "10.0.0.8:1 weight=0\n"
      "10.0.0.9:1 weight=2 more\n"
      "10.0.0.9\n");
  EXPECT_THAT(Lines(file.addresses), ElementsAre("10.0.0.7:1 1"));
  EXPECT_THAT(file.mistakes,
              ElementsAre(HasSubstr("line 1: address: expected a numeric host and a port"),
                          HasSubstr("line 3: after the address, expected weight=<number from 1>, got \"weight=0\""),
                          HasSubstr("line 4: after the address"), HasSubstr("line 5: address: expected")));
}

class FileResolverTest : public ::testing::Test, private NameResolverListener {
 protected:
  FileResolverTest() : path_(absl::StrCat(std::getenv("TEST_TMPDIR"), "/servers.", ::getpid())) {
    target_ = *Target::Parse("file:" + path_);
  }
  ~FileResolverTest() override { ::unlink(path_.c_str()); }

  void Write(const std::string& text) { std::ofstream(path_) << text; }
  void Start() {
    resolver_ = std::make_unique<FileResolver>(
        NameResolverArgs{.target = target_, .options = options_, .loop = loop_, .listener = *this});
    resolver_->Start();
    loop_.RunUntilIdle();
  }
  std::vector<std::string> Take() { return std::exchange(seen_, {}); }

  const std::string path_;
  Target target_;
  ChannelOptions options_;
  FakeLoop loop_;
  std::vector<std::string> seen_;
  std::unique_ptr<FileResolver> resolver_;

 private:
  void OnResolution(absl::StatusOr<Resolution> resolution) override {
    if (!resolution.ok()) {
      seen_.push_back(std::string(resolution.status().message()));
    } else {
      for (const std::string& line : Lines(resolution->addresses)) seen_.push_back(line);
    }
  }
};

TEST_F(FileResolverTest, TellsTheAddressesAndEveryChange) {
  Write("10.0.0.1:1\n");
  Start();
  EXPECT_THAT(Take(), ElementsAre("10.0.0.1:1 1"));
  loop_.Advance(seconds(10));
  EXPECT_THAT(Take(), IsEmpty());
  Write("10.0.0.1:1\n10.0.0.2:1\n");
  EXPECT_THAT(Take(), IsEmpty());
  loop_.Advance(seconds(1));
  EXPECT_THAT(Take(), ElementsAre("10.0.0.1:1 1", "10.0.0.2:1 1"));
}

TEST_F(FileResolverTest, FileThatIsNotThereIsAnErrorOnceAndFoundWhenItComes) {
  Start();
  EXPECT_THAT(Take(), ElementsAre(absl::StrCat("read the addresses in ", path_, ": No such file or directory")));
  loop_.Advance(seconds(10));
  EXPECT_THAT(Take(), IsEmpty());
  resolver_->RequestReresolution();
  loop_.RunUntilIdle();
  EXPECT_THAT(Take(), ElementsAre(HasSubstr("No such file")));
  Write("10.0.0.1:1\n");
  loop_.Advance(seconds(1));
  EXPECT_THAT(Take(), ElementsAre("10.0.0.1:1 1"));
}

TEST_F(FileResolverTest, FileWithoutAnAddressSaysWhy) {
  Write("# nobody\n");
  Start();
  EXPECT_THAT(Take(), ElementsAre(HasSubstr("it has no lines but comments")));
  Write("greeter\n");
  loop_.Advance(seconds(1));
  EXPECT_THAT(Take(), ElementsAre(HasSubstr("line 1: address: expected a numeric host")));
}

TEST_F(FileResolverTest, LinesThatAreNoneAreToldAndTheOthersCount) {
  Write("10.0.0.1:1\ngreeter\n10.0.0.2:1\n");
  ::testing::internal::CaptureStderr();
  Start();
  EXPECT_THAT(::testing::internal::GetCapturedStderr(),
              HasSubstr(path_ + ": line 2: address: expected a numeric host"));
  EXPECT_THAT(Take(), ElementsAre("10.0.0.1:1 1", "10.0.0.2:1 1"));
}

}  // namespace
}  // namespace weir

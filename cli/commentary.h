// What the owner of a store does, in a small text file for whoever looks after it: opened,
// recovered, drives, jobs, rejections, fatal errors. Commentary, not history: the event log is the
// truth, and nothing here is read back. Lines are key=value with run and sequence; ids, kinds and
// classes only, never a parameter, a result, a message of a job or a value of the environment.
//
// STORE/log/checkride.log, 1 MiB and two older ones. CHECKRIDE_LOG chooses the level: debug, info
// (default), warn, error or off. Engine's thread only. A file that cannot be written costs its
// lines and nothing else.
#pragma once

#include <filesystem>
#include <map>
#include <memory>
#include <string>
#include <string_view>

#include "engine/decider/state.h"

namespace checkride::cli {

std::filesystem::path commentary_path(const std::filesystem::path& store);

class Commentary {
 public:
  explicit Commentary(const std::filesystem::path& store);
  ~Commentary();
  Commentary(const Commentary&) = delete;
  Commentary& operator=(const Commentary&) = delete;

  void info(const std::string& line);
  void error(const std::string& line);
  // A durable record, and its run as it stands now (it may have moved on).
  void record(const Record& record, const RunState& state);

 private:
  struct File;  // keeps spdlog out of every other file
  std::string job(const Token& token, const RunState& state);

  std::unique_ptr<File> file_;         // null when it could not be opened
  std::map<Token, std::string> jobs_;  // "state=clean kind=git.status" of live attempts
};

}  // namespace checkride::cli

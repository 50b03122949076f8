#include "kernels/process/descendants.h"

#include <dirent.h>
#include <fcntl.h>
#include <unistd.h>

#include <charconv>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <sstream>
#include <string>
#include <vector>

#include "engine/base/files.h"

namespace checkride::kernels::process {

namespace {

struct Entry {
  int parent = 0;
  char state = '?';
  std::uint64_t bytes = 0;
};

// One read of a small file of /proc; empty where the process is gone.
std::string read_once(const std::string& path) {
  const FileDescriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!file) return {};
  char text[1024];
  const ssize_t got = ::read(file.get(), text, sizeof text);
  return got > 0 ? std::string(text, static_cast<std::size_t>(got)) : std::string();
}

// /proc/PID/stat, proc(5): the name in parentheses may hold anything; parent is field 4, resident
// pages field 24.
bool read_entry(int pid, Entry& entry) {
  const std::string stat = read_once("/proc/" + std::to_string(pid) + "/stat");
  const std::size_t name_end = stat.rfind(')');
  if (name_end == std::string::npos) return false;
  std::istringstream fields(stat.substr(name_end + 1));
  fields >> entry.state >> entry.parent;
  std::string skipped;
  for (int field = 5; field <= 23; ++field) fields >> skipped;
  std::int64_t pages = 0;
  fields >> pages;
  if (!fields || pages < 0) return false;
  static const auto page_bytes = static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
  entry.bytes = static_cast<std::uint64_t>(pages) * page_bytes;
  return true;
}

std::map<int, Entry> all_processes() {
  std::map<int, Entry> all;
  const std::unique_ptr<DIR, int (*)(DIR*)> folder(::opendir("/proc"), ::closedir);
  if (!folder) return all;
  while (const dirent* item = ::readdir(folder.get())) {
    int pid = 0;
    const char* end = item->d_name + std::strlen(item->d_name);
    if (std::from_chars(item->d_name, end, pid).ptr != end || pid <= 0) continue;
    Entry entry;
    if (read_entry(pid, entry)) all[pid] = entry;
  }
  return all;
}

}  // namespace

std::map<int, std::uint64_t> descendants() {
  const std::map<int, Entry> all = all_processes();
  std::multimap<int, int> children;
  for (const auto& [pid, entry] : all) children.emplace(entry.parent, pid);
  std::map<int, std::uint64_t> found;
  std::vector<int> open = {::getpid()};
  while (!open.empty()) {
    const int parent = open.back();
    open.pop_back();
    const auto [from, to] = children.equal_range(parent);
    for (auto child = from; child != to; ++child) {
      const Entry& entry = all.at(child->second);
      const bool gone = entry.state == 'Z' || entry.state == 'X';
      if (!gone && found.emplace(child->second, entry.bytes).second) open.push_back(child->second);
    }
  }
  return found;
}

}  // namespace checkride::kernels::process

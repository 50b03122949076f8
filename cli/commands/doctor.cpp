#include "cli/commands/doctor.h"

#include <sys/statfs.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <ostream>

#include "cli/commands/load.h"
#include "cli/commands/programs.h"
#include "engine/base/files.h"
#include "engine/base/version.h"

namespace checkride::cli {

namespace {

enum class Health : std::uint8_t { good, missing, bad };  // missing: some jobs cannot run here

struct Finding {
  std::string what;
  Health health = Health::good;
  std::string found;
  std::string advice;  // what it means and what to do
};

std::string_view to_string(Health health) {
  switch (health) {
    case Health::good: return "good";
    case Health::missing: return "missing";
    case Health::bad: return "bad";
  }
  return "good";
}

std::string first_line(const std::string& text) {
  return text.substr(0, text.find('\n'));
}

Finding program(const std::string& what, const std::vector<std::string>& argv, Health otherwise,
                const std::string& advice) {
  using namespace std::chrono_literals;
  const auto reply = ask_program(argv, 5s);
  if (reply && reply->exit_code == 0)
    return {what, Health::good, clean(first_line(reply->output)), ""};
  return {what, otherwise,
          reply ? "ends with exit " + std::to_string(reply->exit_code) : reply.error().message,
          advice};
}

Finding kernel() {
  utsname name{};
  ::uname(&name);
  const std::string release = std::string(name.sysname) + " " + name.release;
  errno = 0;
  const long fd = ::syscall(SYS_pidfd_open, ::getpid(), 0);
  if (fd < 0)
    return {"kernel", Health::bad, release + ", no pidfd (" + std::strerror(errno) + ")",
            "jobs are watched through process descriptors; use Linux 5.3 or later, and a container "
            "that allows pidfd_open"};
  ::close(static_cast<int>(fd));
  return {"kernel", Health::good, release + ", pidfd works", ""};
}

std::filesystem::path nearest_existing(std::filesystem::path path) {
  std::error_code ignored;
  while (path.has_relative_path() && !std::filesystem::exists(path, ignored))
    path = path.parent_path();
  return path;
}

// File systems on which locks or syncs do not mean what the store needs.
const char* network_file_system(const std::filesystem::path& path) {
  struct statfs info {};
  if (::statfs(path.c_str(), &info) != 0) return nullptr;
  switch (static_cast<unsigned long>(info.f_type) & 0xFFFFFFFFUL) {
    case 0x6969: return "NFS";
    case 0x517B: return "SMB";
    case 0xFE534D42: return "SMB2";
    case 0xFF534D42: return "CIFS";
    case 0x5346414F: return "AFS";
    case 0x01021997: return "9P";
    case 0x0BD00BD0: return "Lustre";
    case 0x47504653: return "GPFS";
    case 0x19830326: return "FhGFS";
    case 0x65735546: return "FUSE";
    case 0x00C36400: return "Ceph";
    default: return nullptr;
  }
}

void store_findings(const Context& context, const DoctorOptions& options,
                    std::vector<Finding>& all) {
  std::error_code ignored;
  const bool exists = std::filesystem::is_directory(context.store, ignored);
  const std::filesystem::path place = nearest_existing(context.store);
  if (::access(place.c_str(), W_OK | X_OK) != 0)
    all.push_back({"store", Health::bad, context.store.string() + " cannot be written",
                   "give write permission on " + place.string() +
                       " or choose another store with CHECKRIDE_STORE"});
  else
    all.push_back({"store", Health::good,
                   context.store.string() + (exists ? "" : " (the first run makes it)"), ""});

  if (const char* type = network_file_system(place))
    all.push_back({"file system", Health::bad, type,
                   "locks and syncs of a network file system cannot be relied on; put the store "
                   "on a local disk with CHECKRIDE_STORE"});
  struct statvfs space {};
  if (::statvfs(place.c_str(), &space) == 0) {
    constexpr std::uint64_t free_bytes_min = 1ULL << 30;
    const std::uint64_t free_bytes =
        static_cast<std::uint64_t>(space.f_bavail) * static_cast<std::uint64_t>(space.f_frsize);
    all.push_back({"free space", free_bytes < free_bytes_min ? Health::bad : Health::good,
                   bytes_text(free_bytes),
                   free_bytes < free_bytes_min ? "outputs and artifacts need room; free at least " +
                                                     bytes_text(free_bytes_min)
                                               : ""});
  }
  if (!exists) return;

  const auto reader = context.open_reader();
  if (!reader && reader.error().code == ErrorCode::not_found) {
    all.push_back({"log", Health::good, "none yet", ""});
    return;
  }
  const auto heads = reader ? (*reader)->heads() : tl::unexpected(reader.error());
  if (!heads) {
    all.push_back({"log", Health::bad, heads.error().text(),
                   "`checkride verify` says what is damaged; a backup brings it back"});
  } else {
    std::uint64_t runs = 0;
    std::uint64_t live = 0;
    std::uint64_t records = 0;
    for (const RunHead& head : *heads) {
      records += head.records;
      if (head.run.value.starts_with("@")) continue;
      ++runs;
      if (head.summary.mode != RunMode::finished) ++live;
    }
    all.push_back({"log", Health::good,
                   counted(runs, "run") + ", " + std::to_string(live) + " not finished, " +
                       counted(records, "record"),
                   ""});
  }
  if (!options.commentary.empty()) {
    const std::uint64_t bytes = std::filesystem::file_size(options.commentary, ignored);
    all.push_back({"commentary", Health::good,
                   options.commentary.string() +
                       (ignored ? " (none yet)" : ", " + bytes_text(bytes)) +
                       "; CHECKRIDE_LOG=debug says more",
                   ""});
  }
  if (options.owner) {
    const std::optional<std::string> owner = options.owner();
    all.push_back({"owner", Health::good, owner.value_or("nobody drives runs now"), ""});
  }
}

// A unit with what is known of it; one that is held without being declared stands here too.
struct UnitNow {
  std::string resource;
  std::string unit;
  bool declared = true;
  std::string run;             // that holds it; empty: nobody of this store
  std::string state;           // of that run
  bool unknown = false;        // whether its job still runs cannot be told
  std::optional<bool> locked;  // of a GPU that has a lock file
};

std::vector<UnitNow> units_now(const Context& context, const DoctorOptions& options,
                               std::vector<Finding>& all) {
  std::vector<UnitNow> units;
  const auto bad = [&](const Error& error, const std::string& advice) {
    all.push_back({"resources", Health::bad, error.text(), advice});
  };
  const auto at = [&](const std::string& resource, const std::string& unit) -> UnitNow& {
    for (UnitNow& known : units)
      if (known.resource == resource && known.unit == unit) return known;
    units.push_back({resource, unit, false, {}, {}, false, std::nullopt});
    return units.back();
  };
  if (options.units) {
    if (const auto declared = options.units())
      for (const DoctorUnit& unit : *declared) at(unit.resource, unit.unit).declared = true;
    else
      bad(declared.error(), "mend the file, or write it anew with --resource");
  }
  if (const auto reader = context.open_reader()) {
    RunLoader loader(context, **reader);
    const auto heads = (*reader)->heads();
    const auto holders = heads ? loader.holders(*heads) : tl::unexpected(heads.error());
    if (!holders) bad(holders.error(), "`checkride verify` says what is damaged");
    for (const LeaseHolder& holder : holders ? **holders : std::vector<LeaseHolder>())
      for (const LeasedUnit& leased : holder.units) {
        UnitNow& unit = at(leased.resource, leased.name);
        unit.run = holder.run.value;
        unit.state = holder.state;
        unit.unknown = holder.end_unknown;
      }
  }
  if (options.locks) {
    if (const auto locks = options.locks()) {
      for (const DoctorLock& lock : *locks) {
        const bool known = std::any_of(units.begin(), units.end(), [&](const UnitNow& unit) {
          return unit.resource == "gpu" && unit.unit == lock.gpu;
        });
        if (known || lock.held) at("gpu", lock.gpu).locked = lock.held;
      }
    } else {
      bad(locks.error(), "GPUs cannot be kept for one job at a time until this is readable");
    }
  }
  return units;
}

std::string words_of(const UnitNow& unit) {
  std::string text = unit.resource + " " + unit.unit + ": ";
  if (!unit.run.empty())
    text +=
        "held by " + unit.run + " " + unit.state + (unit.unknown ? ", whose end is unknown" : "");
  else if (unit.locked.value_or(false))
    text += "locked by a job of another store";
  else
    text += "free";
  return text + (unit.declared ? "" : ", not declared in this store");
}

void resource_findings(const std::vector<UnitNow>& units, const DoctorOptions& options,
                       std::vector<Finding>& all) {
  for (const UnitNow& unit : units) all.push_back({"resource", Health::good, words_of(unit), ""});
  if (units.empty() && options.units)
    all.push_back({"resources", Health::good, "none; --resource gpu=2 declares some", ""});
}

json::array as_json(const std::vector<UnitNow>& units) {
  json::array all;
  for (const UnitNow& unit : units) {
    json::object item{
        {"resource", unit.resource}, {"unit", unit.unit}, {"declared", unit.declared}};
    if (!unit.run.empty())
      item["holder"] =
          json::object{{"run", unit.run}, {"state", unit.state}, {"unknown", unit.unknown}};
    if (unit.locked) item["locked"] = *unit.locked;
    all.push_back(std::move(item));
  }
  return all;
}

}  // namespace

int cmd_doctor(const Context& context, const DoctorOptions& options) {
  std::vector<Finding> all;
  all.push_back(
      {"checkride", Health::good,
       std::string(build_version) + ", " + counted(context.catalog.signatures().size(), "job kind"),
       ""});
  all.push_back(kernel());
  all.push_back(program("git", {"git", "--version"}, Health::bad,
                        "every git.* and patch.* job needs it; install git 2.32 or later"));
  all.push_back(program("python3", {"python3", "--version"}, Health::missing,
                        "python.* jobs end unavailable without it"));
  all.push_back(program("bash", {"bash", "--version"}, Health::missing,
                        "most test scripts of a procedure need it"));
  all.push_back(program(
      "GPU",
      {"nvidia-smi", "--query-gpu=name,driver_version,memory.total", "--format=csv,noheader"},
      Health::missing, "kernel jobs take their CPU path, and what needs a GPU ends unavailable"));
  store_findings(context, options, all);
  const std::vector<UnitNow> units = units_now(context, options, all);
  resource_findings(units, options, all);

  bool fit = true;
  for (const Finding& finding : all) fit = fit && finding.health != Health::bad;
  if (context.json) {
    json::array findings;
    for (const Finding& finding : all) {
      json::object item{
          {"what", finding.what}, {"health", to_string(finding.health)}, {"found", finding.found}};
      if (!finding.advice.empty()) item["advice"] = finding.advice;
      findings.push_back(std::move(item));
    }
    context.out << document(json::object{
        {"fit", fit}, {"findings", std::move(findings)}, {"resources", as_json(units)}});
    return fit ? exit_ok : exit_engine;
  }
  const Style style = style_of(context);
  for (const Finding& finding : all) {
    const std::string mark = finding.health == Health::good      ? style(Tone::good, "✓")
                             : finding.health == Health::missing ? style(Tone::warn, "–")
                                                                 : style(Tone::bad, "✗");
    context.out << wrapped(finding.found, mark + " " + pad(finding.what, 12), std::string(14, ' '));
    if (!finding.advice.empty())
      context.out << wrapped(finding.advice, std::string(14, ' '), std::string(14, ' '));
  }
  context.out << (fit ? "this machine can run procedures\n"
                      : "something that every run needs is not right\n");
  return fit ? exit_ok : exit_engine;
}

}  // namespace checkride::cli

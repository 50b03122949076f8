#include "cli/commentary.h"

#include <spdlog/logger.h>
#include <spdlog/sinks/rotating_file_sink.h>

#include <cstdlib>

#include "engine/decider/event.h"

namespace checkride::cli {

namespace {

constexpr std::size_t file_bytes_max = 1 << 20;
constexpr std::size_t older_files_max = 2;

spdlog::level::level_enum wanted_level() {
  const char* text = std::getenv("CHECKRIDE_LOG");
  if (text == nullptr) return spdlog::level::info;
  const auto level = spdlog::level::from_str(text);
  // from_str gives "off" for a word it does not know.
  return level == spdlog::level::off && std::string_view(text) != "off" ? spdlog::level::info
                                                                        : level;
}

std::string at(const Record& record) {
  return " run=" + record.run.value + " sequence=" + to_string(record.first);
}

}  // namespace

struct Commentary::File {
  explicit File(const std::filesystem::path& path)
      : logger("checkride", std::make_shared<spdlog::sinks::rotating_file_sink_st>(
                                path.string(), file_bytes_max, older_files_max)) {
    logger.set_pattern("%Y-%m-%dT%H:%M:%S.%eZ %l pid=%P %v", spdlog::pattern_time_type::utc);
    logger.set_level(wanted_level());
    logger.flush_on(spdlog::level::trace);
    logger.set_error_handler([](const std::string&) {});  // a full disk costs lines only
  }
  spdlog::logger logger;
};

std::filesystem::path commentary_path(const std::filesystem::path& store) {
  return store / "log" / "checkride.log";
}

Commentary::Commentary(const std::filesystem::path& store) {
  if (wanted_level() == spdlog::level::off) return;
  try {
    file_ = std::make_unique<File>(commentary_path(store));
  } catch (const std::exception&) {
    file_.reset();  // as the header says: costs its lines and nothing else
  }
}

Commentary::~Commentary() = default;

void Commentary::info(const std::string& line) {
  if (file_) file_->logger.info(spdlog::string_view_t(line));
}

void Commentary::error(const std::string& line) {
  if (file_) file_->logger.error(spdlog::string_view_t(line));
}

std::string Commentary::job(const Token& token, const RunState& state) {
  std::string words = " token=" + token.value;
  if (const auto known = jobs_.find(token); known != jobs_.end()) return words + known->second;
  if (const auto live = state.jobs.find(token); live != state.jobs.end())
    words +=
        " state=" + live->second.intent->spec.state + " kind=" + live->second.intent->spec.kind;
  return words;
}

void Commentary::record(const Record& record, const RunState& state) {
  if (!file_) return;
  const std::string where = at(record);
  file_->logger.debug("record{} events={} global={}", where, record.events.size(),
                      record.global.value);
  for (const Event& event : record.events) {
    if (const auto* started = std::get_if<RunStarted>(&event)) {
      info("run started" + where + " workflow=" + started->command.definition_name);
    } else if (const auto* intended = std::get_if<JobIntended>(&event)) {
      std::string about = " state=" + intended->spec.state + " kind=" + intended->spec.kind +
                          " purpose=" + std::string(to_string(intended->purpose)) +
                          " attempt=" + std::to_string(intended->attempt);
      info("job intended" + where + " token=" + intended->spec.token.value + about);
      jobs_[intended->spec.token] = std::move(about);
    } else if (const auto* begun = std::get_if<JobStarted>(&event)) {
      info("job started" + where + job(begun->command.token, state));
    } else if (const auto* adopted = std::get_if<JobAdopted>(&event)) {
      info("job adopted" + where + job(adopted->command.token, state));
    } else if (const auto* finished = std::get_if<JobFinished>(&event)) {
      const JobOutcome& outcome = finished->command.outcome;
      const bool lost = outcome.failure == FailureClass::lost;
      info((lost ? "job lost" : "job finished") + where + job(finished->command.token, state) +
           " status=" + std::string(to_string(outcome.status)) +
           " class=" + std::string(to_string(outcome.failure)));
      jobs_.erase(finished->command.token);
    } else if (const auto* stale = std::get_if<StaleResultRejected>(&event)) {
      info("late result rejected" + where + job(stale->command.token, state));
      jobs_.erase(stale->command.token);
    } else if (const auto* unknown = std::get_if<JobUnknown>(&event)) {
      file_->logger.warn(
          spdlog::string_view_t("job unknown" + where + job(unknown->command.token, state)));
    } else if (const auto* opened = std::get_if<GateOpened>(&event)) {
      info("gate opened" + where + " gate=" + opened->gate.value);
    } else if (const auto* answered = std::get_if<GateAnswered>(&event)) {
      info("gate answered" + where + " gate=" + answered->command.gate.value);
    } else if (const auto* incident = std::get_if<IncidentRaised>(&event)) {
      file_->logger.warn(spdlog::string_view_t("incident" + where +
                                               " incident=" + incident->incident.value +
                                               " kind=" + std::string(to_string(incident->kind))));
    } else if (const auto* rejected = std::get_if<CommandRejected>(&event)) {
      file_->logger.warn(spdlog::string_view_t(
          "command rejected" + where + " command=" + std::string(command_name(rejected->command)) +
          " code=" + std::string(to_string(rejected->code))));
    } else if (const auto* end = std::get_if<RunFinished>(&event)) {
      info("run finished" + where + " outcome=" + std::string(to_string(end->outcome)));
    }
  }
}

}  // namespace checkride::cli

// python.compile, python.symbols, python.has and python.imports (steps C.n.5, C.n.7, P.3 and the
// note check of patch 06). The questions are answered on the syntax tree by a small program that
// the installed interpreter runs; no source is imported and nothing is written beside it.
#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <optional>

#include "engine/base/files.h"
#include "workflows/jobs/bounded.h"
#include "workflows/jobs/git.h"
#include "workflows/jobs/kind.h"
#include "workflows/jobs/python_script.h"

namespace checkride::jobs {

namespace fs = std::filesystem;

namespace {

std::string interpreter(const cel::Value& in) {
  const char* named = std::getenv("PYTHON_BIN");
  return in.string_or("python", named != nullptr && *named != '\0' ? named : "python3");
}

Result<cel::Value> ask_python(const cel::Value& in, const std::string& question, cel::Map request) {
  const std::string python = interpreter(in);
  ProcessRequest process;
  // Isolated, without site packages, and without leaving byte code anywhere.
  process.argv = {python, "-I", "-S", "-B", "-c", python_script, question};
  process.input = cel::to_json(cel::Value(std::move(request)));
  CR_TRY(const ProcessReply reply, run_process(process));
  if (reply.exit_code == 126 || reply.exit_code == 127)
    return fail(ErrorCode::unavailable,
                "the interpreter '" + python + "' cannot run: " + end_of(reply.err, 500));
  if (reply.exit_code != 0)
    return fail(ErrorCode::invalid_argument,
                "'" + python + "' could not look at the sources: " + end_of(reply.err, 1000));
  return cel::from_json(reply.out);
}

cel::Value field_or_empty(const cel::Value& answer, std::string_view name) {
  const cel::Value* found = answer.field(name);
  return found == nullptr ? cel::Value(cel::List{}) : *found;
}

// The same list within the bounds of a result.
cel::Value bounded(const cel::Value& answer, std::string_view name) {
  BoundedList list(300, 48 << 10);
  const cel::Value items = field_or_empty(answer, name);
  for (const cel::Value& item : items.as_list()) list.add(item);
  return list.value();
}

fs::path root_of(const cel::Value& in, const JobContext& context) {
  return path_of(in.string_or("root", "worktree"), context.run_folder);
}

Result<JobOutcome> compile_files(const JobSpec& spec, const JobContext& context) {
  const cel::Value in(spec.inputs);
  const fs::path root = root_of(in, context);
  cel::List files;
  for (const std::string& path : strings(in, "files")) {
    if (!path.ends_with(".py")) continue;  // a patch names other files too
    cel::Map item;
    item.set("path", path);
    item.set("file", path_of(path, root).string());
    files.push_back(cel::Value(std::move(item)));
  }
  cel::Map request;
  request.set("files", std::move(files));
  CR_TRY(const cel::Value answer, ask_python(in, "compile", std::move(request)));
  const bool ok = field_or_empty(answer, "failures").as_list().empty();
  cel::Map result;
  result.set("ok", ok);
  result.set("checked", answer.int_or("checked", 0));
  result.set("failures", bounded(answer, "failures"));
  result.set("missing", bounded(answer, "missing"));
  result.set("python", front_of(interpreter(in), 1024));
  result.set("version", answer.string_or("version", ""));
  return completed(std::move(result), ok ? JobStatus::pass : JobStatus::fail);
}

// Writes FILE of a commit into a file of its own; an empty path when the commit has no such file.
Result<std::string> extract(const Git& git, const std::string& commit, const std::string& file,
                            const fs::path& target) {
  CR_TRY(const ProcessReply reply, git.run({"cat-file", "blob", commit + ":" + file}));
  if (reply.exit_code != 0) return std::string();
  std::ofstream out(target, std::ios::binary | std::ios::trunc);
  out << reply.out;
  out.close();
  if (!out) return fail(ErrorCode::io, "cannot write " + target.string());
  return target.string();
}

Result<std::string> verified_commit(const Git& git, const std::string& revision) {
  return git.line({"rev-parse", "--verify", "--end-of-options", revision + "^{tree}"});
}

Result<JobOutcome> symbols(const JobSpec& spec, const JobContext& context) {
  const cel::Value in(spec.inputs);
  CR_TRY(const Git git, open_repository(root_of(in, context), context));
  CR_TRY(const std::string tree, verified_commit(git, in.string_or("before", "HEAD")));
  const fs::path scratch = context.attempt_folder / "before";
  CR_CHECK(make_folders(scratch));
  cel::List files;
  for (const std::string& path : strings(in, "files")) {
    if (!path.ends_with(".py")) continue;
    CR_TRY(const std::string before,
           extract(git, tree, path, scratch / (std::to_string(files.size()) + ".py")));
    if (before.empty()) continue;  // new with the patch: nothing to lose
    std::error_code ignored;
    const fs::path after = git.folder() / path;
    cel::Map item;
    item.set("path", path);
    item.set("before", before);
    item.set("after", fs::is_regular_file(after, ignored) ? after.string() : "");
    files.push_back(cel::Value(std::move(item)));
  }
  cel::Map request;
  request.set("files", std::move(files));
  CR_TRY(const cel::Value answer, ask_python(in, "symbols", std::move(request)));
  const std::int64_t dangling = answer.int_or("dangling_total", 0);
  const bool ok = dangling == 0 && field_or_empty(answer, "unparsable").as_list().empty();
  cel::Map result;
  result.set("ok", ok);
  result.set("files", answer.int_or("files", 0));
  result.set("lost", bounded(answer, "lost"));
  result.set("lost_total", answer.int_or("lost_total", 0));
  result.set("dangling", bounded(answer, "dangling"));
  result.set("dangling_total", dangling);
  result.set("removed_public", bounded(answer, "removed_public"));
  result.set("unparsable", bounded(answer, "unparsable"));
  return completed(std::move(result), ok ? JobStatus::pass : JobStatus::fail);
}

Result<JobOutcome> has(const JobSpec& spec, const JobContext& context) {
  const cel::Value in(spec.inputs);
  const fs::path root = root_of(in, context);
  const std::string commit = in.string_or("commit", "");
  std::optional<Git> git;
  std::string tree;
  if (!commit.empty()) {
    CR_TRY(git, open_repository(root, context));
    CR_TRY(tree, verified_commit(*git, commit));
    CR_CHECK(make_folders(context.attempt_folder / "has"));
  }
  cel::List items;
  std::vector<std::string> absent;
  const cel::Value wanted = field_or_empty(in, "items");
  for (const cel::Value& given : wanted.as_list()) {
    const std::string file = given.string_or("file", "");
    std::string source;
    std::error_code ignored;
    if (git) {
      CR_TRY(source,
             extract(*git, tree, file,
                     context.attempt_folder / "has" / (std::to_string(items.size()) + ".py")));
    } else if (fs::is_regular_file(path_of(file, root), ignored)) {
      source = path_of(file, root).string();
    }
    if (source.empty()) absent.push_back(file);
    cel::Map item;
    item.set("file", file);
    item.set("source", source);
    item.set("class", given.string_or("class", ""));
    item.set("names", list_of(strings(given, "names")));
    items.push_back(cel::Value(std::move(item)));
  }
  cel::Map request;
  request.set("items", std::move(items));
  CR_TRY(const cel::Value answer, ask_python(in, "has", std::move(request)));
  const bool ok = field_or_empty(answer, "missing").as_list().empty();
  cel::Map result;
  result.set("ok", ok);
  result.set("found", bounded(answer, "found"));
  result.set("missing", bounded(answer, "missing"));
  result.set("files_missing", list_of(absent));
  result.set("unparsable", bounded(answer, "unparsable"));
  return completed(std::move(result), ok ? JobStatus::pass : JobStatus::fail);
}

bool module_exists(const fs::path& root, std::string module) {
  std::replace(module.begin(), module.end(), '.', '/');
  std::error_code ignored;
  return fs::is_regular_file(root / (module + ".py"), ignored) ||
         fs::is_regular_file(root / module / "__init__.py", ignored);
}

Result<JobOutcome> imports(const JobSpec& spec, const JobContext& context) {
  const cel::Value in(spec.inputs);
  const fs::path root = root_of(in, context);
  const std::string package = in.string_or("package", "");
  cel::List files;
  std::vector<std::string> absent;
  for (const std::string& path : strings(in, "files")) {
    std::error_code ignored;
    if (!fs::is_regular_file(path_of(path, root), ignored)) {
      absent.push_back(path);
      continue;
    }
    cel::Map item;
    item.set("path", path);
    item.set("file", path_of(path, root).string());
    files.push_back(cel::Value(std::move(item)));
  }
  cel::Map request;
  request.set("files", std::move(files));
  request.set("package", package);
  CR_TRY(const cel::Value answer, ask_python(in, "imports", std::move(request)));
  BoundedList resolved(200);
  BoundedList unresolved(200);
  std::vector<std::string> without(strings(in, "files"));
  const cel::Value uses = field_or_empty(answer, "uses");
  for (const cel::Value& use : uses.as_list()) {
    std::string module = use.string_or("module", "");
    const std::string name = use.string_or("name", "");
    // "from parent import package" names the module by its last part.
    if (module != package && !module.starts_with(package + ".")) module += "." + name;
    const std::string path = use.string_or("path", "");
    std::erase(without, path);
    (module_exists(root, module) ? resolved : unresolved)
        .add(front_of(path + ":" + std::to_string(use.int_or("line", 0)) + ": " + module, 1024));
  }
  const bool ok = unresolved.total() == 0 && absent.empty() &&
                  field_or_empty(answer, "unparsable").as_list().empty();
  cel::Map result;
  result.set("ok", ok);
  result.set("resolved", resolved.value());
  result.set("unresolved", unresolved.value());
  result.set("without", list_of(without));
  result.set("files_missing", list_of(absent));
  result.set("unparsable", bounded(answer, "unparsable"));
  return completed(std::move(result), ok ? JobStatus::pass : JobStatus::fail);
}

constexpr const char* broken = "list<{path: string, line: int, message: string}>";

}  // namespace

void add_python_kinds(JobCatalog& catalog) {
  const std::string unparsable = std::string("unparsable: ") + broken;
  catalog.add(own_kind({"python.compile", "Whether Python files compile; writes no byte code",
                        "{files: list<string>, root?: string, python?: string}",
                        std::string("{ok: bool, checked: int, failures: ") + broken +
                            ", missing: list<string>, python: string, version: string}",
                        Repeat::safe},
                       compile_files));
  catalog.add(
      own_kind({"python.symbols", "Names a change removed, and those of them still used",
                "{files: list<string>, before: string, root?: string, python?: string}",
                "{ok: bool, files: int, lost: list<{path: string, name: string, kind: string, "
                "public: bool, used_at: list<int>}>, lost_total: int, dangling: list<string>, "
                "dangling_total: int, removed_public: list<string>, " +
                    unparsable + "}",
                Repeat::safe},
               symbols));
  catalog.add(own_kind(
      {"python.has", "Whether modules or classes define certain names",
       "{items: list<{file: string, class?: string, names: list<string>}>, root?: string, "
       "commit?: string, python?: string}",
       "{ok: bool, found: list<string>, missing: list<string>, files_missing: list<string>, " +
           unparsable + "}",
       Repeat::safe},
      has));
  catalog.add(own_kind(
      {"python.imports", "Whether imports of a package lead to files of the tree",
       "{files: list<string>, package: string, root?: string, python?: string}",
       "{ok: bool, resolved: list<string>, unresolved: list<string>, without: list<string>, "
       "files_missing: list<string>, " +
           unparsable + "}",
       Repeat::safe},
      imports));
}

}  // namespace checkride::jobs

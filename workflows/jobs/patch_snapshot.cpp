#include "workflows/jobs/patch_snapshot.h"

#include <map>

#include "engine/base/digest.h"
#include "workflows/jobs/bounded.h"

namespace checkride::jobs {

namespace fs = std::filesystem;

Result<std::string> disk_digest(const fs::path& path) {
  std::error_code problem;
  const fs::file_status status = fs::symlink_status(path, problem);
  if (status.type() == fs::file_type::not_found || status.type() == fs::file_type::none)
    return std::string();
  if (fs::is_symlink(status))
    return "link " + to_hex(sha256(fs::read_symlink(path, problem).string()));
  if (!fs::is_regular_file(status)) return std::string("other");
  CR_TRY(FileDigest digest, digest_file(path));
  return std::move(digest.sha256);
}

std::string targets_digest(const std::vector<PatchTarget>& targets) {
  Sha256 sha;
  for (const PatchTarget& target : targets)
    for (const std::string* text : {&target.path, &target.index, &target.disk}) {
      sha.update(*text);
      sha.update(std::string_view("\0", 1));
    }
  return to_hex(sha.finish());
}

Result<PatchSnapshot> take_snapshot(const Git& git, const PatchText& patch) {
  PatchSnapshot taken;
  CR_TRY(const HeadState head, read_head(git));
  taken.head = head.commit;
  taken.branch = head.branch;
  taken.patch_sha256 = patch.sha256;
  CR_TRY(const auto entries, index_entries(git));
  const auto unmerged = unmerged_paths(entries);
  taken.unmerged.assign(unmerged.begin(), unmerged.end());
  if (unmerged.empty()) {
    CR_TRY(taken.tree, index_tree(git));
  }
  Sha256 index;
  std::map<std::string, std::string> by_path;
  for (const IndexEntry& entry : entries) {
    const std::string text = entry.mode + " " + entry.blob + " " + std::to_string(entry.stage);
    index.update(text + "\t" + entry.path);
    index.update(std::string_view("\0", 1));
    std::string& known = by_path[entry.path];
    known += (known.empty() ? "" : ",") + text;
  }
  taken.index = to_hex(index.finish());
  for (const std::string& path : patch.targets()) {
    PatchTarget target;
    target.path = path;
    const auto at = by_path.find(path);
    if (at != by_path.end()) target.index = at->second;
    CR_TRY(target.disk, disk_digest(git.folder() / path));
    taken.targets.push_back(std::move(target));
  }
  return taken;
}

cel::Map to_map(const PatchSnapshot& snapshot) {
  cel::Map result;
  result.set("tree", snapshot.tree);
  result.set("head", snapshot.head);
  result.set("branch", front_of(snapshot.branch, 1024));
  result.set("index", snapshot.index);
  result.set("patch_sha256", snapshot.patch_sha256);
  result.set("commit", snapshot.commit);
  result.set("ref", snapshot.ref);
  result.set("unmerged", list_of(snapshot.unmerged));
  BoundedList targets(300);
  for (const PatchTarget& target : snapshot.targets) {
    cel::Map entry;
    entry.set("path", front_of(target.path, 4096));
    entry.set("index", target.index);
    entry.set("disk", target.disk);
    targets.add(std::move(entry));
  }
  result.set("targets", targets.value());
  result.set("total", targets.total());
  result.set("targets_digest", targets_digest(snapshot.targets));
  return result;
}

}  // namespace checkride::jobs
